// Equality and order across kinds.

#include "operators/expression/compare.h"

#include <gtest/gtest.h>

#include <cmath>

namespace spur::expression {
namespace {

TEST(CompareTest, NumbersAreEqualByWhatTheyAre) {
  EXPECT_TRUE(equal(Value::integer(1), Value::real(1.0)));
  EXPECT_TRUE(equal(Value::unsigned_integer(1), Value::integer(1)));
  EXPECT_FALSE(equal(Value::integer(-1), Value::unsigned_integer(~std::uint64_t{0})));
  EXPECT_FALSE(equal(Value::real(NAN), Value::real(NAN)));
  EXPECT_TRUE(equal(Value::real(0.0), Value::real(-0.0)));
  EXPECT_FALSE(equal(Value::integer(1), Value::string("1")));
}

TEST(CompareTest, NumbersAreOrderedAcrossKinds) {
  EXPECT_TRUE(compare_numbers(Value::integer(-1), Value::unsigned_integer(0)) < 0);
  EXPECT_TRUE(compare_numbers(Value::real(1.5), Value::integer(1)) > 0);
  EXPECT_TRUE(compare_numbers(Value::unsigned_integer(3), Value::real(-1)) > 0);
  EXPECT_TRUE(compare_numbers(Value::integer(INT64_MAX), Value::real(1e30)) < 0);
  EXPECT_EQ(compare_numbers(Value::integer(1), Value::real(NAN)), std::partial_ordering::unordered);
}

TEST(CompareTest, MapsAreEqualInAnyOrder) {
  const MapEntry a[] = {{Value::string("x"), Value::integer(1)},
                        {Value::string("y"), Value::null()}};
  const MapEntry b[] = {{Value::string("y"), Value::null()}, {Value::string("x"), Value::real(1)}};
  EXPECT_TRUE(equal(Value::map(a), Value::map(b)));
  EXPECT_FALSE(equal(Value::map(a), Value::map(std::span(b).first(1))));
}

TEST(CompareTest, OtherKindsHaveNoOrder) {
  EXPECT_FALSE(compare(Value::null(), Value::null()).has_value());
  EXPECT_FALSE(compare(Value::string("a"), Value::integer(1)).has_value());
  EXPECT_FALSE(compare(Value::string("a"), Value::bytes("a")).has_value());
  EXPECT_TRUE(*compare(Value::string("a"), Value::string("b")) < 0);
  EXPECT_TRUE(*compare(Value::duration(1, 5), Value::duration(1, 6)) < 0);
}

}  // namespace
}  // namespace spur::expression
