// The machine: runs a program's instructions over a frame of registers.

#include <algorithm>

#include "operators/expression/arithmetic.h"
#include "operators/expression/code.h"
#include "operators/expression/loops.h"

namespace spur::expression {
namespace {

// Frames of this size stand on the stack; larger ones, which only long lists or deep macros need,
// in the arena.
constexpr std::size_t kStackRegisters = 48;

template <typename Number>
inline bool holds(Comparison comparison, Number a, Number b) {
  switch (comparison) {
    case Comparison::kEqual:
      return a == b;
    case Comparison::kNotEqual:
      return a != b;
    case Comparison::kLess:
      return a < b;
    case Comparison::kLessEqual:
      return a <= b;
    case Comparison::kGreater:
      return a > b;
    case Comparison::kGreaterEqual:
      return a >= b;
  }
  return false;
}

// The comparisons that predicates are made of, without a call; the others go the long way.
inline Value compare_fast(Evaluation& e, Comparison comparison, const Value& a, const Value& b) {
  if (a.kind() == b.kind()) {
    switch (a.kind()) {
      case Kind::kString: {
        const std::string_view x = a.as_text();
        const std::string_view y = b.as_text();
        if (comparison == Comparison::kEqual) return Value::boolean(x == y);
        if (comparison == Comparison::kNotEqual) return Value::boolean(x != y);
        break;
      }
      case Kind::kDouble:
        return Value::boolean(holds(comparison, a.as_double(), b.as_double()));
      case Kind::kInt:
        return Value::boolean(holds(comparison, a.as_int(), b.as_int()));
      default:
        break;
    }
  }
  // A JSON number with a literal such as 100. Past 2^53 the long way has more to say.
  if (a.is(Kind::kDouble) && b.is(Kind::kInt)) {
    constexpr std::int64_t kExact = std::int64_t{1} << 53;
    if (b.as_int() <= kExact && b.as_int() >= -kExact) {
      return Value::boolean(holds(comparison, a.as_double(), static_cast<double>(b.as_int())));
    }
  }
  return compare(e, comparison, a, b);
}

bool is_true(const Value& v) { return v.is_true(); }
bool is_false(const Value& v) { return v.is(Kind::kBool) && !v.as_bool(); }

Value no_bool(const Value& v) { return v.is_error() ? v : Value::error(kNoSuchOverload); }

// `and_` with a left side that is true or no bool: an error gives way to false.
Value combine(const Value& left, const Value& right, bool absorbing) {
  if (right.is(Kind::kBool) && right.as_bool() == absorbing) return right;
  if (!left.is(Kind::kBool)) return no_bool(left);
  return right.is(Kind::kBool) ? right : no_bool(right);
}

Value call(Evaluation& e, const Call& site, std::span<const Value> arguments) {
  for (const Value& argument : arguments) {
    if (is_bad(argument)) return first_error(argument, argument);
  }
  for (const Overload* overload : site.overloads) {
    if (overload->takes(arguments)) return overload->native(e, arguments);
  }
  return site.mismatch;
}

Value execute(const Code& code, Slots& slots, Evaluation& e, Value* r) {
  const Instruction* const start = code.instructions.data();
  const Value* const constants = code.constants.data();
  for (const Instruction* at = start;;) {
    const Instruction& in_ = *at++;
    Value& dst = r[in_.dst];
    switch (in_.op) {
      case Op::kReturn:
        return e.steps < 0 ? Value::error(kTooManySteps) : dst;
      case Op::kConstant:
        dst = constants[in_.a];
        break;
      case Op::kMove:
        dst = r[in_.a];
        break;

      case Op::kCompareSlotConstant: {
        const Value v = slots.load(in_.a);
        dst = v.is_absent() ? constants[in_.b + 1]
                            : compare_fast(e, in_.comparison, v, constants[in_.b]);
        if (in_.jump == JumpIf::kFalse ? is_false(dst)
                                       : in_.jump == JumpIf::kTrue && is_true(dst)) {
          at = start + in_.c;
        }
        break;
      }
      case Op::kSlot:
        dst = slots.load(in_.a);
        if (dst.is_absent()) dst = constants[in_.b];
        break;
      case Op::kHasSlot: {
        const Value v = slots.load(in_.a);
        dst = v.is_error() ? v : Value::boolean(!v.is_absent());
        break;
      }
      case Op::kOptionalSlot: {
        const Value v = slots.load(in_.a);
        dst = v.is_error() ? v : v.is_absent() ? Value::optional(nullptr) : e.optional(v);
        break;
      }

      case Op::kField:
        dst = select_field(e, r[in_.a], constants[in_.b]);
        break;
      case Op::kHasField:
        dst = has_field(e, r[in_.a], constants[in_.b]);
        break;
      case Op::kOptionalField:
        dst = select_optional(e, r[in_.a], constants[in_.b]);
        break;
      case Op::kIndex:
        dst = index(e, r[in_.a], r[in_.b]);
        break;
      case Op::kOptionalIndex:
        dst = index_optional(e, r[in_.a], r[in_.b]);
        break;

      case Op::kCompare:
        dst = compare_fast(e, in_.comparison, r[in_.a], r[in_.b]);
        break;
      case Op::kAdd:
        dst = add(e, r[in_.a], r[in_.b]);
        break;
      case Op::kSubtract:
        dst = subtract(e, r[in_.a], r[in_.b]);
        break;
      case Op::kMultiply:
        dst = multiply(e, r[in_.a], r[in_.b]);
        break;
      case Op::kDivide:
        dst = divide(e, r[in_.a], r[in_.b]);
        break;
      case Op::kModulo:
        dst = modulo(r[in_.a], r[in_.b]);
        break;
      case Op::kNegate:
        dst = negate(r[in_.a]);
        break;
      case Op::kNot: {
        const Value& v = r[in_.a];
        dst = v.is(Kind::kBool) ? Value::boolean(!v.as_bool()) : no_bool(v);
        break;
      }
      case Op::kIn:
        dst = in(e, r[in_.a], r[in_.b]);
        break;
      case Op::kInSet: {
        const Value& v = r[in_.a];
        dst = is_bad(v) ? first_error(v, v) : Value::boolean(code.sets[in_.b].contains(v));
        break;
      }
      case Op::kMatches: {
        const Value& v = r[in_.a];
        if (!v.is(Kind::kString)) {
          dst = first_error(v, v);
        } else if (!e.spend_text(v.as_text().size())) {
          dst = Value::error(kTooManySteps);
        } else {
          dst = Value::boolean(code.patterns[in_.b].matches(v.as_text()));
        }
        break;
      }
      case Op::kCall:
        dst = call(e, code.calls[in_.a], {&dst, in_.b});
        break;

      case Op::kAnd:
        dst = combine(r[in_.a], r[in_.b], false);
        break;
      case Op::kOr:
        dst = combine(r[in_.a], r[in_.b], true);
        break;
      case Op::kJump:
        at = start + in_.c;
        break;
      case Op::kJumpIfFalse:
        if (is_false(dst)) at = start + in_.c;
        break;
      case Op::kJumpIfTrue:
        if (is_true(dst)) at = start + in_.c;
        break;
      case Op::kBranch: {
        const Value& v = r[in_.a];
        if (is_true(v)) break;
        if (is_false(v)) {
          at = start + in_.c;
        } else {
          dst = no_bool(v);
          at = start + in_.b;
        }
        break;
      }

      case Op::kMakeList:
        dst = make_list(e, code, {r + in_.a, in_.b}, in_.c);
        break;
      case Op::kMakeMap:
        dst = make_map(e, code, {r + in_.a, 2 * in_.b}, in_.c);
        break;

      case Op::kLoopBegin:
        if (!loop_begin(e, &dst, in_.loop)) at = start + in_.c;
        break;
      case Op::kLoopNext:
        if (!loop_next(e, &dst, in_.two_variables, in_.b)) at = start + in_.c;
        break;
      case Op::kLoopAll:
        if (loop_quantify(&dst, r[in_.a], false)) at = start + in_.c;
        break;
      case Op::kLoopExists:
        if (loop_quantify(&dst, r[in_.a], true)) at = start + in_.c;
        break;
      case Op::kLoopOne:
        if (!loop_count(&dst, r[in_.a])) at = start + in_.c;
        break;
      case Op::kLoopWhere: {
        const Value& condition = r[in_.a];
        if (is_true(condition)) break;
        if (!is_false(condition)) (&dst)[kLoopAccumulator] = no_bool(condition);
        at = start + (is_false(condition) ? in_.c : in_.b);
        break;
      }
      case Op::kLoopAppend:
        if (!loop_append(&dst, r[in_.a])) at = start + in_.c;
        break;
      case Op::kLoopPut:
        if (!loop_put(e, &dst, r[in_.a], r[in_.b])) at = start + in_.c;
        break;
      case Op::kLoopPutAll:
        if (!loop_put_all(e, &dst, r[in_.a])) at = start + in_.c;
        break;
      case Op::kOnlyOne: {
        Value& count = (&dst)[kLoopAccumulator];
        if (count.is(Kind::kInt)) count = Value::boolean(count.as_int() == 1);
        break;
      }

      case Op::kOpenOptional: {
        Value& optional = r[in_.a];
        if (optional.is(Kind::kOptional) && optional.optional_value() != nullptr) {
          dst = *optional.optional_value();
          break;
        }
        if (!optional.is(Kind::kOptional)) optional = first_error(optional, optional);
        at = start + in_.c;
        break;
      }
      case Op::kWrapOptional:
        dst = is_bad(r[in_.a]) ? r[in_.a] : e.optional(r[in_.a]);
        break;
      case Op::kRequireOptional:
        dst = r[in_.a].is(Kind::kOptional) ? r[in_.a] : first_error(r[in_.a], r[in_.a]);
        break;
    }
  }
}

}  // namespace

bool LiteralSet::contains(const Value& value) const {
  switch (value.kind()) {
    case Kind::kString:
      return std::binary_search(strings.begin(), strings.end(), value.as_text());
    case Kind::kInt:
      return std::binary_search(ints.begin(), ints.end(), value.as_int());
    case Kind::kUint:
      return value.as_uint() <= static_cast<std::uint64_t>(INT64_MAX) &&
             std::binary_search(ints.begin(), ints.end(),
                                static_cast<std::int64_t>(value.as_uint()));
    case Kind::kDouble: {
      const double d = value.as_double();
      if (!(d >= -9e18 && d <= 9e18)) return false;  // set members beyond are compared the long way
      const auto whole = static_cast<std::int64_t>(d);
      return static_cast<double>(whole) == d && std::binary_search(ints.begin(), ints.end(), whole);
    }
    default:
      return false;
  }
}

Value run(const Code& code, Slots& slots, Arena& arena) {
  Evaluation evaluation{arena, code.limits, code.limits.steps_max, code.strict};
  if (code.registers > kStackRegisters) {
    return execute(code, slots, evaluation, arena.array<Value>(code.registers).data());
  }
  // Not initialised: every register is written before it is read, and clearing them would cost more
  // than a predicate.
  alignas(Value) std::byte frame[kStackRegisters * sizeof(Value)];
  return execute(code, slots, evaluation, reinterpret_cast<Value*>(frame));
}

}  // namespace spur::expression
