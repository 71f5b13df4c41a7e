// Comparison, selection, indexing and membership of values of any kind.

#include <cmath>

#include "operators/expression/arithmetic.h"
#include "operators/expression/compare.h"
#include "operators/expression/containers.h"

namespace spur::expression {
namespace {

Value no_such_key(Evaluation& e, const Value& key) {
  if (!key.is(Kind::kString)) return Value::error(kNoSuchKey);
  return e.error({"no such key: ", key.as_text()});
}

// A list's index: an int, or another number that is a whole one. nullopt for no number at all, or a
// broken one.
std::optional<std::int64_t> list_index(const Value& key) {
  switch (key.kind()) {
    case Kind::kInt:
      return key.as_int();
    case Kind::kUint:
      if (key.as_uint() > static_cast<std::uint64_t>(INT64_MAX)) return INT64_MAX;
      return static_cast<std::int64_t>(key.as_uint());
    case Kind::kDouble:
      if (std::trunc(key.as_double()) != key.as_double() || std::fabs(key.as_double()) > 1e15) {
        return std::nullopt;
      }
      return static_cast<std::int64_t>(key.as_double());
    default:
      return std::nullopt;
  }
}

// What stands under `key` in a list or map: a value, absent, or an error if there is no such way to
// ask.
Value look_up(Evaluation& e, const Value& a, const Value& key) {
  if (is_bad(a) || is_bad(key)) return first_error(a, key);
  if (a.is(Kind::kMap)) {
    if (!can_be_key(key.kind()) && !key.is(Kind::kDouble)) return Value::error(kNoSuchKey);
    const Value found = map_find(a, key, &e.steps);
    return e.steps < 0 ? Value::error(kTooManySteps) : found;
  }
  if (!a.is(Kind::kList)) return Value::error(kNoSuchOverload);
  const std::optional<std::int64_t> at = list_index(key);
  if (!at) return Value::error("a list's index must be a whole number");
  const std::span<const Value> elements = a.elements();
  if (*at < 0 || static_cast<std::uint64_t>(*at) >= elements.size()) return Value::absent();
  return elements[static_cast<std::size_t>(*at)];
}

Value as_optional(Evaluation& e, const Value& found) {
  if (found.is_error()) return found;
  return found.is_absent() ? Value::optional(nullptr) : e.optional(found);
}

}  // namespace

Value compare(Evaluation& e, Comparison comparison, const Value& a, const Value& b) {
  if (is_bad(a) || is_bad(b)) return first_error(a, b);
  if (comparison == Comparison::kEqual || comparison == Comparison::kNotEqual) {
    const bool same = equal(a, b, &e.steps);
    if (e.steps < 0) return Value::error(kTooManySteps);
    return Value::boolean(same == (comparison == Comparison::kEqual));
  }
  const std::optional<std::partial_ordering> order = compare(a, b);
  if (!order) return Value::error(kNoSuchOverload);
  switch (comparison) {
    case Comparison::kLess:
      return Value::boolean(*order < 0);
    case Comparison::kLessEqual:
      return Value::boolean(*order <= 0);
    case Comparison::kGreater:
      return Value::boolean(*order > 0);
    default:
      return Value::boolean(*order >= 0);
  }
}

Value select_field(Evaluation& e, const Value& a, const Value& name) {
  if (a.is(Kind::kOptional)) return select_optional(e, a, name);
  if (!a.is(Kind::kMap))
    return is_bad(a) ? first_error(a, a) : Value::error("no such field: not a map");
  const Value found = look_up(e, a, name);
  return found.is_absent() ? no_such_key(e, name) : found;
}

Value has_field(Evaluation& e, const Value& a, const Value& name) {
  if (a.is(Kind::kOptional)) {
    const Value found = select_optional(e, a, name);
    return found.is_error() ? found : Value::boolean(found.optional_value() != nullptr);
  }
  if (!a.is(Kind::kMap))
    return is_bad(a) ? first_error(a, a) : Value::error("no such field: not a map");
  const bool found = map_contains(a, name, &e.steps);
  return e.steps < 0 ? Value::error(kTooManySteps) : Value::boolean(found);
}

Value select_optional(Evaluation& e, const Value& a, const Value& key) {
  if (!a.is(Kind::kOptional)) {
    if (!a.is(Kind::kMap) && !is_bad(a)) return Value::error("no such field: not a map");
    return as_optional(e, look_up(e, a, key));
  }
  if (a.optional_value() == nullptr) return a;
  if (a.optional_value()->is(Kind::kOptional)) return select_optional(e, *a.optional_value(), key);
  return as_optional(e, look_up(e, *a.optional_value(), key));
}

Value index(Evaluation& e, const Value& a, const Value& key) {
  if (a.is(Kind::kOptional)) return index_optional(e, a, key);
  const Value found = look_up(e, a, key);
  if (!found.is_absent()) return found;
  return a.is(Kind::kList) ? Value::error("index out of range") : no_such_key(e, key);
}

Value index_optional(Evaluation& e, const Value& a, const Value& key) {
  if (!a.is(Kind::kOptional)) return as_optional(e, look_up(e, a, key));
  if (is_bad(key)) return first_error(key, key);
  if (a.optional_value() == nullptr) return a;
  return as_optional(e, look_up(e, *a.optional_value(), key));
}

Value in(Evaluation& e, const Value& a, const Value& container) {
  if (is_bad(a) || is_bad(container)) return first_error(a, container);
  if (container.is(Kind::kMap)) {
    const bool found = map_contains(container, a, &e.steps);
    return e.steps < 0 ? Value::error(kTooManySteps) : Value::boolean(found);
  }
  if (!container.is(Kind::kList)) return Value::error(kNoSuchOverload);
  for (const Value& element : container.elements()) {
    const bool same = equal(a, element, &e.steps);
    if (e.steps < 0) return Value::error(kTooManySteps);
    if (same) return Value::boolean(true);
  }
  return Value::boolean(false);
}

}  // namespace spur::expression
