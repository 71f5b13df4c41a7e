#include "operators/expression/compiler.h"

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <map>
#include <optional>
#include <utility>

#include "operators/expression/folding.h"

namespace spur::expression {
namespace {

using Register = std::uint16_t;

// Few enough to be done while loading a catalog; what takes longer is left for the evaluation.
constexpr std::int64_t kFoldingSteps = 10'000;
constexpr std::size_t kFoldingBytes = 16 * 1024;
// Below this a search in a sorted list is no faster than looking at all.
constexpr std::size_t kSetMin = 4;

struct OperatorCode {
  std::string_view name;
  Op op;
};
constexpr OperatorCode kOperators[] = {
    {"_+_", Op::kAdd},
    {"_-_", Op::kSubtract},
    {"_*_", Op::kMultiply},
    {"_/_", Op::kDivide},
    {"_%_", Op::kModulo},
    {"_[_]", Op::kIndex},
    {"_[?_]", Op::kOptionalIndex},
};

std::optional<Comparison> comparison_of(std::string_view name) {
  if (name == "_==_") return Comparison::kEqual;
  if (name == "_!=_") return Comparison::kNotEqual;
  if (name == "_<_") return Comparison::kLess;
  if (name == "_<=_") return Comparison::kLessEqual;
  if (name == "_>_") return Comparison::kGreater;
  if (name == "_>=_") return Comparison::kGreaterEqual;
  return std::nullopt;
}

// a < b as b > a.
Comparison mirrored(Comparison comparison) {
  switch (comparison) {
    case Comparison::kLess:
      return Comparison::kGreater;
    case Comparison::kLessEqual:
      return Comparison::kGreaterEqual;
    case Comparison::kGreater:
      return Comparison::kLess;
    case Comparison::kGreaterEqual:
      return Comparison::kLessEqual;
    default:
      return comparison;
  }
}

class NoSlots final : public Slots {
 public:
  Value load(std::uint32_t) override { return Value::error(kNoSuchKey); }
};

class Compiler {
 public:
  Compiler(const Tree& tree, const Checked& checked, References& references, const Options& options,
           const std::vector<bool>& constant, Code* code)
      : tree_(tree),
        checked_(checked),
        references_(references),
        options_(options),
        constant_(constant),
        code_(*code) {
    code_.limits = options.limits;
    code_.strict = options.strict;
  }

  void run(NodeId root, bool fold) {
    fold_ = fold;
    expression(root, 0);
    emit(Op::kReturn, 0);
    straighten_jumps();
    std::sort(code_.slots.begin(), code_.slots.end());
    code_.slots.erase(std::unique(code_.slots.begin(), code_.slots.end()), code_.slots.end());
  }

  std::vector<Diagnostic> errors;
  std::vector<Diagnostic> warnings;

 private:
  struct Local {
    std::string_view name;
    Register at;
  };

  // --- instructions ---

  std::uint32_t here() const { return static_cast<std::uint32_t>(code_.instructions.size()); }

  Instruction& emit(Op op, Register dst, std::uint32_t a = 0, std::uint32_t b = 0) {
    code_.registers = std::max<std::size_t>(code_.registers, dst + 1u);
    Instruction instruction;
    instruction.op = op;
    instruction.dst = dst;
    instruction.a = a;
    instruction.b = b;
    code_.instructions.push_back(instruction);
    return code_.instructions.back();
  }

  void patch(const std::vector<std::uint32_t>& jumps, std::uint32_t target) {
    for (const std::uint32_t jump : jumps) code_.instructions[jump].c = target;
  }

  std::uint32_t constant(const Value& value) {
    code_.constants.push_back(copy_value(value, &code_.arena));
    return static_cast<std::uint32_t>(code_.constants.size() - 1);
  }

  std::uint32_t slot(NodeId id) {
    const std::uint32_t slot = references_.slot(checked_.meanings[id].reference);
    code_.slots.push_back(slot);
    return slot;
  }
  Value missing(NodeId id) const {
    return Value::error(
        kept_.emplace_back(checked_.meanings[id].reference.to_string() + " is missing"));
  }

  // A jump to a jump on the same register, of the same or the other sense, is known at once.
  void straighten_jumps() {
    for (Instruction& from : code_.instructions) {
      JumpIf sense = from.jump;
      if (from.op == Op::kJumpIfFalse) sense = JumpIf::kFalse;
      if (from.op == Op::kJumpIfTrue) sense = JumpIf::kTrue;
      if (sense == JumpIf::kNever) continue;
      for (;;) {
        const Instruction& to = code_.instructions[from.c];
        const bool conditional = to.op == Op::kJumpIfFalse || to.op == Op::kJumpIfTrue;
        if (!conditional || to.dst != from.dst) break;
        const bool same = (to.op == Op::kJumpIfFalse) == (sense == JumpIf::kFalse);
        from.c = same ? to.c : from.c + 1;
      }
    }
  }

  // --- constants ---

  // The value of a node that reads nothing, if it can be computed here.
  std::optional<Value> folded(NodeId id) {
    const Node& node = tree_[id];
    if (node.kind == NodeKind::kLiteral) return node.literal;
    if (!fold_ || !constant_[id]) return std::nullopt;
    const auto [at, is_new] = folded_.try_emplace(id);
    if (is_new) at->second = fold(id);
    return at->second;
  }

  std::optional<Value> fold(NodeId id) {
    Options options = options_;
    options.limits.steps_max = std::min(options.limits.steps_max, kFoldingSteps);
    options.limits.text_bytes_max = std::min(options.limits.text_bytes_max, kFoldingBytes);
    options.limits.elements_max =
        std::min(options.limits.elements_max, kFoldingBytes / sizeof(Value));
    Code part;
    Compiler compiler(tree_, checked_, references_, options, constant_, &part);
    compiler.run(id, false);
    NoSlots none;
    const Value value = spur::expression::run(part, none, code_.arena);
    if (!value.is_error()) return copy_value(value, &code_.arena);
    const std::string_view problem = value.as_text();
    if (problem != kTooManySteps && problem != kTextTooLong && problem != kTooManyElements) {
      failures_.emplace(id, problem);
    }
    return std::nullopt;
  }

  // --- expressions: the value to `dst`, with the registers above it for the way ---

  // The register that holds the value: a macro's variable is used where it is.
  Register operand(NodeId id, Register scratch) {
    if (checked_.meanings[id].kind == Meaning::Kind::kLocal) return local(tree_[id].name);
    expression(id, scratch);
    return scratch;
  }

  Register local(std::string_view name) const {
    for (auto at = locals_.rbegin(); at != locals_.rend(); ++at) {
      if (at->name == name) return at->at;
    }
    return 0;
  }

  void expression(NodeId id, Register dst) {
    if (const std::optional<Value> value = folded(id)) {
      emit(Op::kConstant, dst, constant(*value));
      return;
    }
    const std::size_t before = warnings.size();
    plain_expression(id, dst);
    // If a part of it always fails too, that is the cause and has been said.
    const auto failure = failures_.find(id);
    if (failure == failures_.end() || warnings.size() != before) return;
    const Node& node = tree_[id];
    warnings.push_back({node.offset, node.length, "this always fails: " + failure->second, ""});
  }

  void plain_expression(NodeId id, Register dst) {
    const Node& node = tree_[id];
    const Meaning& meaning = checked_.meanings[id];
    switch (meaning.kind) {
      case Meaning::Kind::kLocal:
        emit(Op::kMove, dst, local(node.name));
        return;
      case Meaning::Kind::kTypeName:
        emit(Op::kConstant, dst, constant(Value::type(meaning.name)));
        return;
      case Meaning::Kind::kFailed:
        emit(Op::kConstant, dst, constant(Value::error(meaning.name)));
        return;
      case Meaning::Kind::kSlot:
        read(id, dst);
        return;
      case Meaning::Kind::kCall:
        call(id, dst);
        return;
      case Meaning::Kind::kPlain:
        break;
    }
    switch (node.kind) {
      case NodeKind::kSelect:
        selection(id, dst);
        return;
      case NodeKind::kList:
        list(id, dst);
        return;
      case NodeKind::kMap:
        map(id, dst);
        return;
      case NodeKind::kComprehension:
        comprehension(id, dst);
        return;
      case NodeKind::kBind:
        bind(id, dst);
        return;
      case NodeKind::kOptionalMap:
        optional_map(id, dst);
        return;
      default:
        emit(Op::kConstant, dst, constant(Value::error(kNoSuchOverload)));
        return;
    }
  }

  void read(NodeId id, Register dst) {
    const Node& node = tree_[id];
    const bool selected = node.kind == NodeKind::kSelect;
    if (selected && node.test) {
      emit(Op::kHasSlot, dst, slot(id));
    } else if (selected && node.optional) {
      emit(Op::kOptionalSlot, dst, slot(id));
    } else {
      emit(Op::kSlot, dst, slot(id), constant(missing(id)));
    }
  }

  void selection(NodeId id, Register dst) {
    const Node& node = tree_[id];
    const Register target = operand(node.target, dst);
    const Op op = node.test ? Op::kHasField : node.optional ? Op::kOptionalField : Op::kField;
    emit(op, dst, target, constant(Value::string(node.name)));
  }

  void call(NodeId id, Register dst) {
    const Node& node = tree_[id];
    if (node.target == kNoNode && operation(id, dst)) return;
    if (node.name == "matches" && matches(id, dst)) return;
    std::vector<NodeId> arguments = node.arguments;
    if (checked_.meanings[id].receiver) arguments.insert(arguments.begin(), node.target);
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      expression(arguments[i], static_cast<Register>(dst + i));
    }
    const std::string_view message =
        kept_.emplace_back("no such overload: " + std::string(node.name));
    const Value mismatch = copy_value(Value::error(message), &code_.arena);
    code_.calls.push_back({checked_.meanings[id].overloads, mismatch});
    emit(Op::kCall, dst, static_cast<std::uint32_t>(code_.calls.size() - 1),
         static_cast<std::uint32_t>(arguments.size()));
  }

  // Operators. False for any other call.
  bool operation(NodeId id, Register dst) {
    const Node& node = tree_[id];
    const std::vector<NodeId>& arguments = node.arguments;
    const Register next = static_cast<Register>(dst + 1);
    if (node.name == "_&&_" || node.name == "_||_") {
      logic(id, dst);
    } else if (node.name == "_?_:_") {
      conditional(id, dst);
    } else if (node.name == "!_" || node.name == "-_") {
      emit(node.name == "!_" ? Op::kNot : Op::kNegate, dst, operand(arguments[0], dst));
    } else if (const std::optional<Comparison> comparison = comparison_of(node.name)) {
      compare(id, *comparison, dst);
    } else if (node.name == "@in") {
      in(id, dst);
    } else {
      const auto found = std::find_if(std::begin(kOperators), std::end(kOperators),
                                      [&](const OperatorCode& o) { return o.name == node.name; });
      if (found == std::end(kOperators)) return false;
      const Register a = operand(arguments[0], dst);
      const Register b = operand(arguments[1], next);
      emit(found->op, dst, a, b);
    }
    return true;
  }

  void logic(NodeId id, Register dst) {
    const Node& node = tree_[id];
    const bool conjunction = node.name == "_&&_";
    const std::uint32_t before = here();
    expression(node.arguments[0], dst);
    Instruction& last = code_.instructions.back();
    std::uint32_t jump = here() - 1;
    if (jump == before && last.op == Op::kCompareSlotConstant) {
      last.jump = conjunction ? JumpIf::kFalse : JumpIf::kTrue;
    } else {
      emit(conjunction ? Op::kJumpIfFalse : Op::kJumpIfTrue, dst);
      ++jump;
    }
    const Register right = operand(node.arguments[1], static_cast<Register>(dst + 1));
    emit(conjunction ? Op::kAnd : Op::kOr, dst, dst, right);
    patch({jump}, here());
  }

  void conditional(NodeId id, Register dst) {
    const Node& node = tree_[id];
    const Register condition = operand(node.arguments[0], dst);
    const std::uint32_t branch = here();
    emit(Op::kBranch, dst, condition);
    expression(node.arguments[1], dst);
    const std::uint32_t skip = here();
    emit(Op::kJump, dst);
    code_.instructions[branch].c = here();
    expression(node.arguments[2], dst);
    code_.instructions[branch].b = here();
    patch({skip}, here());
  }

  // Whether the node is the plain reading of a slot.
  bool is_read(NodeId id) const {
    const Node& node = tree_[id];
    const bool special = node.kind == NodeKind::kSelect && (node.test || node.optional);
    return checked_.meanings[id].kind == Meaning::Kind::kSlot && !special;
  }

  void compare(NodeId id, Comparison comparison, Register dst) {
    NodeId left = tree_[id].arguments[0];
    NodeId right = tree_[id].arguments[1];
    if (is_read(right) && !is_read(left)) {
      std::swap(left, right);
      comparison = mirrored(comparison);
    }
    const std::optional<Value> value = is_read(left) ? folded(right) : std::nullopt;
    if (value) {
      const std::uint32_t at = constant(*value);
      constant(missing(left));  // stands behind it, for when the slot is absent
      emit(Op::kCompareSlotConstant, dst, slot(left), at).comparison = comparison;
      return;
    }
    const Register a = operand(left, dst);
    const Register b = operand(right, static_cast<Register>(dst + 1));
    emit(Op::kCompare, dst, a, b).comparison = comparison;
  }

  void in(NodeId id, Register dst) {
    const Register value = operand(tree_[id].arguments[0], dst);
    const NodeId container = tree_[id].arguments[1];
    const std::optional<Value> list = folded(container);
    if (list && literal_set(*list)) {
      emit(Op::kInSet, dst, value, static_cast<std::uint32_t>(code_.sets.size() - 1));
      return;
    }
    const Register within = operand(container, static_cast<Register>(dst + 1));
    emit(Op::kIn, dst, value, within);
  }

  bool literal_set(const Value& list) {
    if (!list.is(Kind::kList) || list.elements().size() < kSetMin) return false;
    LiteralSet set;
    for (const Value& element : list.elements()) {
      if (element.is(Kind::kString)) set.strings.push_back(element.as_text());
      // Beyond, an int and the double next to it would have to be told apart.
      if (element.is(Kind::kInt) && std::abs(element.as_int() / 2) < (std::int64_t{1} << 51)) {
        set.ints.push_back(element.as_int());
      }
    }
    if (std::max(set.strings.size(), set.ints.size()) != list.elements().size()) return false;
    std::sort(set.strings.begin(), set.strings.end());
    std::sort(set.ints.begin(), set.ints.end());
    code_.sets.push_back(std::move(set));
    return true;
  }

  // matches() with a pattern known now.
  bool matches(NodeId id, Register dst) {
    const Node& node = tree_[id];
    const bool receiver = checked_.meanings[id].receiver;
    if (node.arguments.size() != (receiver ? 1u : 2u)) return false;
    const NodeId text = receiver ? node.target : node.arguments[0];
    const NodeId source = node.arguments.back();
    const std::optional<Value> value = folded(source);
    if (!value || !value->is(Kind::kString)) return false;
    Pattern pattern(value->as_text());
    if (const std::string problem = pattern.problem(); !problem.empty()) {
      errors.push_back({tree_[source].offset, tree_[source].length, "bad pattern: " + problem,
                        "patterns have RE2's syntax: no look-around, no back references"});
      return false;
    }
    code_.patterns.push_back(std::move(pattern));
    const auto number = static_cast<std::uint32_t>(code_.patterns.size() - 1);
    emit(Op::kMatches, dst, operand(text, dst), number);
    return true;
  }

  std::uint32_t marks(const Node& node) {
    if (node.optional_entries.empty()) return 0;
    code_.optional_entries.push_back(node.optional_entries);
    return static_cast<std::uint32_t>(code_.optional_entries.size());
  }

  void list(NodeId id, Register dst) {
    const Node& node = tree_[id];
    for (std::size_t i = 0; i < node.arguments.size(); ++i) {
      expression(node.arguments[i], static_cast<Register>(dst + i));
    }
    emit(Op::kMakeList, dst, dst, static_cast<std::uint32_t>(node.arguments.size())).c =
        marks(node);
  }

  void map(NodeId id, Register dst) {
    const Node& node = tree_[id];
    for (std::size_t i = 0; i < node.arguments.size(); ++i) {
      expression(node.arguments[i], static_cast<Register>(dst + i));
    }
    emit(Op::kMakeMap, dst, dst, static_cast<std::uint32_t>(node.arguments.size() / 2)).c =
        marks(node);
  }

  // --- macros ---

  void bind(NodeId id, Register dst) {
    const Node& node = tree_[id];
    const Register at = static_cast<Register>(dst + 1);
    expression(node.target, at);
    locals_.push_back({node.variable, at});
    expression_above(node.result, dst, static_cast<Register>(at + 1));
    locals_.pop_back();
  }

  // The value to `dst`, computed in registers from `free` on because those between are in use.
  void expression_above(NodeId id, Register dst, Register free) {
    const Register at = operand(id, free);
    emit(Op::kMove, dst, at);
  }

  void optional_map(NodeId id, Register dst) {
    const Node& node = tree_[id];
    const Register variable = static_cast<Register>(dst + 1);
    expression(node.target, dst);
    const std::uint32_t open = here();
    emit(Op::kOpenOptional, variable, dst);
    locals_.push_back({node.variable, variable});
    const Register result = operand(node.result, static_cast<Register>(variable + 1));
    locals_.pop_back();
    emit(node.flat ? Op::kRequireOptional : Op::kWrapOptional, dst, result);
    patch({open}, here());
  }

  static LoopResult loop_result(Macro macro) {
    switch (macro) {
      case Macro::kAll:
        return LoopResult::kTrue;
      case Macro::kExists:
        return LoopResult::kFalse;
      case Macro::kExistsOne:
        return LoopResult::kCount;
      case Macro::kTransformMap:
      case Macro::kTransformMapEntry:
        return LoopResult::kMap;
      default:
        return LoopResult::kList;
    }
  }

  void comprehension(NodeId id, Register dst) {
    const Node& node = tree_[id];
    expression(node.target, dst);
    code_.registers = std::max<std::size_t>(code_.registers, dst + kLoopRegisters);
    std::vector<std::uint32_t> ends{here()};
    emit(Op::kLoopBegin, dst).loop = loop_result(node.macro);
    const std::uint32_t next = here();
    ends.push_back(next);
    emit(Op::kLoopNext, dst).two_variables = !node.second.empty();
    locals_.push_back({node.variable, static_cast<Register>(dst + kLoopFirst)});
    if (!node.second.empty()) {
      locals_.push_back({node.second, static_cast<Register>(dst + kLoopSecond)});
    }
    loop_body(node, dst, next, &ends);
    locals_.resize(locals_.size() - (node.second.empty() ? 1 : 2));
    emit(Op::kJump, dst).c = next;
    code_.instructions[next].b = here() - next;
    for (const std::uint32_t end : ends) {
      Instruction& instruction = code_.instructions[end];
      (instruction.op == Op::kLoopWhere ? instruction.b : instruction.c) = here();
    }
    if (node.macro == Macro::kExistsOne) emit(Op::kOnlyOne, dst);
    emit(Op::kMove, dst, dst + kLoopAccumulator);
  }

  // One turn; `ends` collects what leaves the loop.
  void loop_body(const Node& node, Register frame, std::uint32_t next,
                 std::vector<std::uint32_t>* ends) {
    const Register scratch = static_cast<Register>(frame + kLoopRegisters);
    if (node.condition != kNoNode) {
      const Register condition = operand(node.condition, scratch);
      ends->push_back(here());
      switch (node.macro) {
        case Macro::kAll:
          emit(Op::kLoopAll, frame, condition);
          return;
        case Macro::kExists:
          emit(Op::kLoopExists, frame, condition);
          return;
        case Macro::kExistsOne:
          emit(Op::kLoopOne, frame, condition);
          return;
        default:
          emit(Op::kLoopWhere, frame, condition).c = next;
      }
    }
    const Register first = static_cast<Register>(frame + kLoopFirst);
    const Register result = node.result == kNoNode ? first : operand(node.result, scratch);
    ends->push_back(here());
    switch (node.macro) {
      case Macro::kTransformMap:
        emit(Op::kLoopPut, frame, first, result);
        return;
      case Macro::kTransformMapEntry:
        emit(Op::kLoopPutAll, frame, result);
        return;
      default:
        emit(Op::kLoopAppend, frame, result);
        return;
    }
  }

  const Tree& tree_;
  const Checked& checked_;
  References& references_;
  const Options& options_;
  const std::vector<bool>& constant_;
  Code& code_;
  bool fold_ = true;  // off while computing a part: its own parts are computed with it
  std::vector<Local> locals_;
  std::map<NodeId, std::optional<Value>> folded_;
  std::map<NodeId, std::string> failures_;  // of parts that are constant and always fail
  mutable std::deque<std::string> kept_;    // messages until they are copied into the code
};

}  // namespace

std::shared_ptr<const Code> compile_tree(const Tree& tree, const Checked& checked,
                                         References& references, const Options& options,
                                         std::vector<Diagnostic>* errors,
                                         std::vector<Diagnostic>* warnings) {
  auto code = std::make_shared<Code>();
  const std::vector<bool> constant = constant_nodes(tree, checked);
  Compiler compiler(tree, checked, references, options, constant, code.get());
  compiler.run(tree.root, true);
  code->type = checked.type;
  errors->insert(errors->end(), compiler.errors.begin(), compiler.errors.end());
  warnings->insert(warnings->end(), compiler.warnings.begin(), compiler.warnings.end());
  return code;
}

}  // namespace spur::expression
