// CEL's optional values: what may be missing, as a value. Selections that make them are
// instructions (machine.cc).

#include "operators/expression/functions.h"

namespace spur::expression {
namespace {

using Arguments = std::span<const Value>;

Value none(Evaluation&, Arguments) { return Value::optional(nullptr); }
Value of(Evaluation& e, Arguments a) { return e.optional(a[0]); }
Value of_non_zero(Evaluation& e, Arguments a) {
  return is_zero(a[0]) ? Value::optional(nullptr) : e.optional(a[0]);
}
Value has_value(Evaluation&, Arguments a) {
  return Value::boolean(a[0].optional_value() != nullptr);
}
Value value(Evaluation&, Arguments a) {
  if (a[0].optional_value() == nullptr) return Value::error("value() of optional.none()");
  return *a[0].optional_value();
}
Value or_optional(Evaluation&, Arguments a) {
  return a[0].optional_value() == nullptr ? a[1] : a[0];
}
Value or_value(Evaluation&, Arguments a) {
  return a[0].optional_value() == nullptr ? a[1] : *a[0].optional_value();
}

// A list of the values that are there.
Value unwrap(Evaluation& e, Arguments a) {
  const std::span<const Value> optionals = a[0].elements();
  if (!e.spend(optionals.size())) return Value::error(kTooManySteps);
  const std::span<Value> values = e.arena.array<Value>(optionals.size());
  std::size_t count = 0;
  for (const Value& optional : optionals) {
    if (!optional.is(Kind::kOptional)) return Value::error(kNoSuchOverload);
    if (optional.optional_value() != nullptr) values[count++] = *optional.optional_value();
  }
  return Value::list(values.first(count));
}

}  // namespace

std::span<const Row> optional_rows() {
  static constexpr Row kRows[] = {
      {"optional.none", "() -> optional(A)", none},
      {"optional.of", "(A) -> optional(A)", of},
      {"optional.ofNonZeroValue", "(A) -> optional(A)", of_non_zero},
      {"optional.unwrap", "(list(optional(A))) -> list(A)", unwrap},
      {"unwrapOpt", "list(optional(A)).() -> list(A)", unwrap},
      {"hasValue", "optional(A).() -> bool", has_value},
      {"value", "optional(A).() -> A", value},
      {"or", "optional(A).(optional(A)) -> optional(A)", or_optional},
      {"orValue", "optional(A).(A) -> A", or_value},
  };
  return kRows;
}

}  // namespace spur::expression
