#include "operators/expression/compare.h"

#include "operators/expression/containers.h"

namespace spur::expression {
namespace {

constexpr double kTwoTo63 = 9223372036854775808.0;
constexpr double kTwoTo64 = 18446744073709551616.0;

// An int meets a double as a double, as CEL's own engines do it and its suite wants; only what no
// int can be is told apart first. So 2^53 + 1 == double(2^53), and 9223372036854775807 is not less
// than 9223372036854775808.0.
std::partial_ordering compare_int_double(std::int64_t i, double d) {
  if (d > kTwoTo63) return std::partial_ordering::less;
  if (d < -kTwoTo63) return std::partial_ordering::greater;
  return static_cast<double>(i) <=> d;
}

std::partial_ordering compare_uint_double(std::uint64_t u, double d) {
  if (d > kTwoTo64) return std::partial_ordering::less;
  if (d < 0) return std::partial_ordering::greater;
  return static_cast<double>(u) <=> d;
}

std::partial_ordering compare_int_uint(std::int64_t i, std::uint64_t u) {
  if (i < 0) return std::partial_ordering::less;
  return static_cast<std::uint64_t>(i) <=> u;
}

std::partial_ordering reversed(std::partial_ordering order) { return 0 <=> order; }

std::strong_ordering compare_times(const Value& a, const Value& b) {
  if (a.seconds() != b.seconds()) return a.seconds() <=> b.seconds();
  return a.nanos() <=> b.nanos();
}

bool equal_lists(std::span<const Value> a, std::span<const Value> b, std::int64_t* steps) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!equal(a[i], b[i], steps)) return false;
  }
  return true;
}

bool equal_maps(const Value& a, const Value& b, std::int64_t* steps) {
  if (map_size(a) != map_size(b)) return false;
  MapCursor cursor(a);
  while (cursor.next()) {
    if (*steps < 0) return false;
    const Value other = map_find(b, cursor.key(), steps);
    if (other.is_absent() || !equal(cursor.value(), other, steps)) return false;
  }
  return true;
}

bool equal_optionals(const Value& a, const Value& b, std::int64_t* steps) {
  const Value* x = a.optional_value();
  const Value* y = b.optional_value();
  if (x == nullptr || y == nullptr) return x == y;
  return equal(*x, *y, steps);
}

}  // namespace

std::partial_ordering compare_numbers(const Value& a, const Value& b) {
  switch (a.kind()) {
    case Kind::kInt:
      if (b.is(Kind::kInt)) return a.as_int() <=> b.as_int();
      if (b.is(Kind::kUint)) return compare_int_uint(a.as_int(), b.as_uint());
      return compare_int_double(a.as_int(), b.as_double());
    case Kind::kUint:
      if (b.is(Kind::kUint)) return a.as_uint() <=> b.as_uint();
      if (b.is(Kind::kInt)) return reversed(compare_int_uint(b.as_int(), a.as_uint()));
      return compare_uint_double(a.as_uint(), b.as_double());
    default:
      if (b.is(Kind::kDouble)) return a.as_double() <=> b.as_double();
      if (b.is(Kind::kInt)) return reversed(compare_int_double(b.as_int(), a.as_double()));
      return reversed(compare_uint_double(b.as_uint(), a.as_double()));
  }
}

std::optional<std::partial_ordering> compare(const Value& a, const Value& b) {
  if (a.is_number() && b.is_number()) return compare_numbers(a, b);
  if (a.kind() != b.kind()) return std::nullopt;
  switch (a.kind()) {
    case Kind::kBool:
      return a.as_bool() <=> b.as_bool();
    case Kind::kString:
    case Kind::kBytes:
      return a.as_text().compare(b.as_text()) <=> 0;
    case Kind::kTimestamp:
    case Kind::kDuration:
      return compare_times(a, b);
    default:
      return std::nullopt;
  }
}

bool equal(const Value& a, const Value& b, std::int64_t* steps) {
  if (--*steps < 0) return false;
  if (a.is_number() && b.is_number()) return compare_numbers(a, b) == 0;
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case Kind::kNull:
      return true;
    case Kind::kBool:
      return a.as_bool() == b.as_bool();
    case Kind::kString:
    case Kind::kBytes:
    case Kind::kType:
      return a.as_text() == b.as_text();
    case Kind::kTimestamp:
    case Kind::kDuration:
      return compare_times(a, b) == 0;
    case Kind::kList:
      return equal_lists(a.elements(), b.elements(), steps);
    case Kind::kMap:
      return equal_maps(a, b, steps);
    case Kind::kOptional:
      return equal_optionals(a, b, steps);
    default:
      return false;
  }
}

bool equal(const Value& a, const Value& b) {
  std::int64_t steps = INT64_MAX;
  return equal(a, b, &steps);
}

}  // namespace spur::expression
