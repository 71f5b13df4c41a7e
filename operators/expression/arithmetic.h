// The operators' meaning for values of any kind: arithmetic with its overflows, selection and
// indexing, membership. An argument that is an error is the result.
#pragma once

#include "operators/expression/code.h"
#include "operators/expression/evaluation.h"

namespace spur::expression {

inline bool is_bad(const Value& value) { return value.is_error() || value.is_absent(); }
// The error of the first bad one of two, or that no overload takes both.
Value first_error(const Value& a, const Value& b);

Value add(Evaluation& evaluation, const Value& a, const Value& b);
Value subtract(Evaluation& evaluation, const Value& a, const Value& b);
Value multiply(Evaluation& evaluation, const Value& a, const Value& b);
Value divide(Evaluation& evaluation, const Value& a, const Value& b);
Value modulo(const Value& a, const Value& b);
Value negate(const Value& a);

Value compare(Evaluation& evaluation, Comparison comparison, const Value& a, const Value& b);

// a.name, has(a.name), a.?name. Selecting from an optional gives an optional.
Value select_field(Evaluation& evaluation, const Value& a, const Value& name);
Value has_field(Evaluation& evaluation, const Value& a, const Value& name);
Value select_optional(Evaluation& evaluation, const Value& a, const Value& key);
// a[key], a[?key]
Value index(Evaluation& evaluation, const Value& a, const Value& key);
Value index_optional(Evaluation& evaluation, const Value& a, const Value& key);

Value in(Evaluation& evaluation, const Value& a, const Value& container);

}  // namespace spur::expression
