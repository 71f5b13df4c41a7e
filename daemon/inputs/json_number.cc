#include "daemon/inputs/json_number.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

namespace spur {
namespace {

constexpr std::uint64_t kExactMax = std::uint64_t{1} << 53;
constexpr int kDigitsMax = 19;  // that any uint64 holds
constexpr std::int64_t kExponentClamp = 1'000'000;

// ±mantissa × 10^exponent, as written.
struct Decimal {
  const char* end = nullptr;  // nullptr: no number
  std::uint64_t mantissa = 0;
  std::int64_t exponent = 0;
  std::int64_t digits = 0;  // significant ones; beyond kDigitsMax the mantissa is meaningless
  bool negative = false;
  bool whole = true;  // written without fraction and exponent
};

bool is_digit(char c) { return static_cast<unsigned char>(c - '0') <= 9; }

void add_digit(Decimal& decimal, char c) {
  if (decimal.digits == 0 && c == '0') return;
  if (decimal.digits < kDigitsMax)
    decimal.mantissa = decimal.mantissa * 10 + static_cast<unsigned>(c - '0');
  ++decimal.digits;
}

// [+-]digits behind the e. nullptr: no digit.
const char* scan_exponent(const char* p, const char* end, std::int64_t& exponent) {
  bool negative = false;
  if (p != end && (*p == '+' || *p == '-')) negative = *p++ == '-';
  if (p == end || !is_digit(*p)) return nullptr;
  std::int64_t written = 0;
  for (; p != end && is_digit(*p); ++p)
    written = std::min(written * 10 + (*p - '0'), kExponentClamp);
  exponent += negative ? -written : written;
  return p;
}

Decimal scan(std::string_view text) {
  Decimal decimal;
  const char* p = text.data();
  const char* const end = p + text.size();
  if (p != end && *p == '-') {
    decimal.negative = true;
    ++p;
  }
  if (p == end || !is_digit(*p)) return decimal;
  if (*p == '0') {
    ++p;
    if (p != end && is_digit(*p)) return decimal;  // 007
  } else {
    for (; p != end && is_digit(*p); ++p) add_digit(decimal, *p);
  }
  if (p != end && *p == '.') {
    decimal.whole = false;
    const char* const fraction = ++p;
    for (; p != end && is_digit(*p); ++p) add_digit(decimal, *p);
    if (p == fraction) return decimal;
    decimal.exponent = -(p - fraction);
  }
  if (p != end && (*p == 'e' || *p == 'E')) {
    decimal.whole = false;
    p = scan_exponent(p + 1, end, decimal.exponent);
  }
  decimal.end = p;
  return decimal;
}

// The nearest double, by the library. False: beyond the largest.
bool slow_double(std::string_view text, const Decimal& decimal, double& result) {
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), result);
  if (error != std::errc::result_out_of_range) return std::isfinite(result);
  if (decimal.digits + decimal.exponent > 0) return false;
  result = decimal.negative ? -0.0 : 0.0;  // too small for the smallest
  return true;
}

bool to_double(std::string_view text, const Decimal& decimal, double& result) {
  // Clinger's fast path: both factors are doubles without error, so the one rounding is the right
  // one.
  static constexpr double kPowers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                       1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                       1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  const bool exact = decimal.digits <= kDigitsMax && decimal.mantissa <= kExactMax;
  if (!exact || decimal.exponent > 22 || decimal.exponent < -22)
    return slow_double(text, decimal, result);
  const auto mantissa = static_cast<double>(decimal.mantissa);
  result = decimal.exponent < 0 ? mantissa / kPowers[-decimal.exponent]
                                : mantissa * kPowers[decimal.exponent];
  if (decimal.negative) result = -result;
  return true;
}

// A whole number that a double might not hold and an integer does; absent: none such.
Value long_integer(std::string_view text, const Decimal& decimal) {
  if (!decimal.whole) return Value::absent();
  if (decimal.digits <= kDigitsMax && decimal.mantissa <= kExactMax) return Value::absent();
  std::int64_t integer = 0;
  const char* const end = text.data() + text.size();
  if (std::from_chars(text.data(), end, integer).ec == std::errc()) return Value::integer(integer);
  std::uint64_t natural = 0;
  if (decimal.negative || std::from_chars(text.data(), end, natural).ec != std::errc())
    return Value::absent();
  return Value::unsigned_integer(natural);
}

}  // namespace

JsonNumber parse_json_number(std::string_view text) {
  JsonNumber number;
  const Decimal decimal = scan(text);
  if (decimal.end == nullptr) {
    number.fault = JsonNumber::Fault::kSyntax;
    return number;
  }
  number.size = static_cast<std::size_t>(decimal.end - text.data());
  text = text.substr(0, number.size);
  number.value = long_integer(text, decimal);
  if (!number.value.is_absent()) return number;
  double real = 0;
  if (!to_double(text, decimal, real)) {
    number.fault = JsonNumber::Fault::kRange;
    return number;
  }
  number.value = Value::real(real);
  return number;
}

std::string json_number_key(std::string_view text) {
  const Value value = parse_json_number(text).value;
  if (!value.is(Kind::kDouble)) return std::string(text);  // a long integer, digit for digit
  const bool digits_only = text.find_first_of(".eE") == std::string_view::npos;
  const double real = value.as_double();
  if (real == 0) return "0";
  if (digits_only) return std::string(text);
  char buffer[32];
  const bool whole = std::abs(real) <= static_cast<double>(kExactMax) && real == std::trunc(real);
  const auto end =
      whole ? std::to_chars(buffer, buffer + sizeof buffer, static_cast<std::int64_t>(real))
            : std::to_chars(buffer, buffer + sizeof buffer, real);
  return {buffer, end.ptr};
}

}  // namespace spur
