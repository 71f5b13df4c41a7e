// CEL's math extension. Only operations that IEEE 754 defines to the last bit.

#include <cmath>

#include "operators/expression/compare.h"
#include "operators/expression/functions.h"

namespace spur::expression {
namespace {

using Arguments = std::span<const Value>;

// The first of the numbers that none is beyond, looking towards `wanted`.
Value extremum(Evaluation& e, Arguments numbers, std::partial_ordering wanted) {
  if (numbers.empty()) return Value::error("math.greatest and math.least need at least one number");
  if (!e.spend(numbers.size())) return Value::error(kTooManySteps);
  Value best = numbers[0];
  for (const Value& number : numbers) {
    if (!number.is_number()) return Value::error(kNoSuchOverload);
    if (compare_numbers(number, best) == wanted) best = number;
  }
  return best;
}
template <bool greatest>
Value extremum_of(Evaluation& e, Arguments a) {
  return extremum(e, a, greatest ? std::partial_ordering::greater : std::partial_ordering::less);
}
template <bool greatest>
Value extremum_of_list(Evaluation& e, Arguments a) {
  return extremum_of<greatest>(e, a[0].elements());
}

Value ceil(Evaluation&, Arguments a) { return Value::real(std::ceil(a[0].as_double())); }
Value floor(Evaluation&, Arguments a) { return Value::real(std::floor(a[0].as_double())); }
Value round(Evaluation&, Arguments a) { return Value::real(std::round(a[0].as_double())); }
Value trunc(Evaluation&, Arguments a) { return Value::real(std::trunc(a[0].as_double())); }
Value is_nan(Evaluation&, Arguments a) { return Value::boolean(std::isnan(a[0].as_double())); }
Value is_inf(Evaluation&, Arguments a) { return Value::boolean(std::isinf(a[0].as_double())); }
Value is_finite(Evaluation&, Arguments a) {
  return Value::boolean(std::isfinite(a[0].as_double()));
}

Value same(Evaluation&, Arguments a) { return a[0]; }
Value abs_int(Evaluation&, Arguments a) {
  if (a[0].as_int() == INT64_MIN) return Value::error(kOverflow);
  return Value::integer(a[0].as_int() < 0 ? -a[0].as_int() : a[0].as_int());
}
Value abs_double(Evaluation&, Arguments a) { return Value::real(std::fabs(a[0].as_double())); }

Value sign_int(Evaluation&, Arguments a) {
  return Value::integer((a[0].as_int() > 0 ? 1 : 0) - (a[0].as_int() < 0 ? 1 : 0));
}
Value sign_uint(Evaluation&, Arguments a) {
  return Value::unsigned_integer(a[0].as_uint() > 0 ? 1 : 0);
}
Value sign_double(Evaluation&, Arguments a) {
  const double d = a[0].as_double();
  if (std::isnan(d)) return a[0];
  return Value::real((d > 0 ? 1.0 : 0.0) - (d < 0 ? 1.0 : 0.0));
}

Value sqrt_int(Evaluation&, Arguments a) {
  return Value::real(std::sqrt(static_cast<double>(a[0].as_int())));
}
Value sqrt_uint(Evaluation&, Arguments a) {
  return Value::real(std::sqrt(static_cast<double>(a[0].as_uint())));
}
Value sqrt_double(Evaluation&, Arguments a) { return Value::real(std::sqrt(a[0].as_double())); }

Value and_int(Evaluation&, Arguments a) { return Value::integer(a[0].as_int() & a[1].as_int()); }
Value and_uint(Evaluation&, Arguments a) {
  return Value::unsigned_integer(a[0].as_uint() & a[1].as_uint());
}
Value or_int(Evaluation&, Arguments a) { return Value::integer(a[0].as_int() | a[1].as_int()); }
Value or_uint(Evaluation&, Arguments a) {
  return Value::unsigned_integer(a[0].as_uint() | a[1].as_uint());
}
Value xor_int(Evaluation&, Arguments a) { return Value::integer(a[0].as_int() ^ a[1].as_int()); }
Value xor_uint(Evaluation&, Arguments a) {
  return Value::unsigned_integer(a[0].as_uint() ^ a[1].as_uint());
}
Value not_int(Evaluation&, Arguments a) { return Value::integer(~a[0].as_int()); }
Value not_uint(Evaluation&, Arguments a) { return Value::unsigned_integer(~a[0].as_uint()); }

constexpr char kNegativeShift[] = "a shift by a negative number";

// Shifts move bits, the sign among them; by 64 or more nothing is left.
template <bool left>
std::uint64_t shifted(std::uint64_t bits, std::int64_t by) {
  if (by >= 64) return 0;
  return left ? bits << by : bits >> by;
}
template <bool left>
Value shift_int(Evaluation&, Arguments a) {
  if (a[1].as_int() < 0) return Value::error(kNegativeShift);
  const auto bits = static_cast<std::uint64_t>(a[0].as_int());
  return Value::integer(static_cast<std::int64_t>(shifted<left>(bits, a[1].as_int())));
}
template <bool left>
Value shift_uint(Evaluation&, Arguments a) {
  if (a[1].as_int() < 0) return Value::error(kNegativeShift);
  return Value::unsigned_integer(shifted<left>(a[0].as_uint(), a[1].as_int()));
}

}  // namespace

std::span<const Row> math_rows() {
  static constexpr Row kRows[] = {
      // Three and more arguments are made one list by the parser (macros.cc).
      {"math.greatest", "(int) -> int", extremum_of<true>},
      {"math.greatest", "(uint) -> uint", extremum_of<true>},
      {"math.greatest", "(double) -> double", extremum_of<true>},
      {"math.greatest", "(int, int) -> int", extremum_of<true>},
      {"math.greatest", "(int, uint) -> dyn", extremum_of<true>},
      {"math.greatest", "(int, double) -> dyn", extremum_of<true>},
      {"math.greatest", "(uint, int) -> dyn", extremum_of<true>},
      {"math.greatest", "(uint, uint) -> uint", extremum_of<true>},
      {"math.greatest", "(uint, double) -> dyn", extremum_of<true>},
      {"math.greatest", "(double, int) -> dyn", extremum_of<true>},
      {"math.greatest", "(double, uint) -> dyn", extremum_of<true>},
      {"math.greatest", "(double, double) -> double", extremum_of<true>},
      {"math.greatest", "(list(int)) -> int", extremum_of_list<true>},
      {"math.greatest", "(list(uint)) -> uint", extremum_of_list<true>},
      {"math.greatest", "(list(double)) -> double", extremum_of_list<true>},
      {"math.greatest", "(list(dyn)) -> dyn", extremum_of_list<true>},
      {"math.least", "(int) -> int", extremum_of<false>},
      {"math.least", "(uint) -> uint", extremum_of<false>},
      {"math.least", "(double) -> double", extremum_of<false>},
      {"math.least", "(int, int) -> int", extremum_of<false>},
      {"math.least", "(int, uint) -> dyn", extremum_of<false>},
      {"math.least", "(int, double) -> dyn", extremum_of<false>},
      {"math.least", "(uint, int) -> dyn", extremum_of<false>},
      {"math.least", "(uint, uint) -> uint", extremum_of<false>},
      {"math.least", "(uint, double) -> dyn", extremum_of<false>},
      {"math.least", "(double, int) -> dyn", extremum_of<false>},
      {"math.least", "(double, uint) -> dyn", extremum_of<false>},
      {"math.least", "(double, double) -> double", extremum_of<false>},
      {"math.least", "(list(int)) -> int", extremum_of_list<false>},
      {"math.least", "(list(uint)) -> uint", extremum_of_list<false>},
      {"math.least", "(list(double)) -> double", extremum_of_list<false>},
      {"math.least", "(list(dyn)) -> dyn", extremum_of_list<false>},
      {"math.ceil", "(double) -> double", ceil},
      {"math.floor", "(double) -> double", floor},
      {"math.round", "(double) -> double", round},
      {"math.trunc", "(double) -> double", trunc},
      {"math.isNaN", "(double) -> bool", is_nan},
      {"math.isInf", "(double) -> bool", is_inf},
      {"math.isFinite", "(double) -> bool", is_finite},
      {"math.abs", "(int) -> int", abs_int},
      {"math.abs", "(uint) -> uint", same},
      {"math.abs", "(double) -> double", abs_double},
      {"math.sign", "(int) -> int", sign_int},
      {"math.sign", "(uint) -> uint", sign_uint},
      {"math.sign", "(double) -> double", sign_double},
      {"math.sqrt", "(int) -> double", sqrt_int},
      {"math.sqrt", "(uint) -> double", sqrt_uint},
      {"math.sqrt", "(double) -> double", sqrt_double},
      {"math.bitAnd", "(int, int) -> int", and_int},
      {"math.bitAnd", "(uint, uint) -> uint", and_uint},
      {"math.bitOr", "(int, int) -> int", or_int},
      {"math.bitOr", "(uint, uint) -> uint", or_uint},
      {"math.bitXor", "(int, int) -> int", xor_int},
      {"math.bitXor", "(uint, uint) -> uint", xor_uint},
      {"math.bitNot", "(int) -> int", not_int},
      {"math.bitNot", "(uint) -> uint", not_uint},
      {"math.bitShiftLeft", "(int, int) -> int", shift_int<true>},
      {"math.bitShiftLeft", "(uint, int) -> uint", shift_uint<true>},
      {"math.bitShiftRight", "(int, int) -> int", shift_int<false>},
      {"math.bitShiftRight", "(uint, int) -> uint", shift_uint<false>},
  };
  return kRows;
}

}  // namespace spur::expression
