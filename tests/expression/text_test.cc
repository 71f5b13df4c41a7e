// Values as text: these bytes stand in actions and decisions, so they are frozen here.

#include "operators/expression/text.h"

#include <gtest/gtest.h>

#include <cmath>

namespace spur::expression {
namespace {

TEST(TextTest, DoublesHaveTheFewestDigitsThatReadBack) {
  EXPECT_EQ(double_text(20.0), "20");
  EXPECT_EQ(double_text(0.1), "0.1");
  EXPECT_EQ(double_text(-4.5e-3), "-0.0045");
  EXPECT_EQ(double_text(123.456), "123.456");
  EXPECT_EQ(double_text(1e20), "100000000000000000000");
  EXPECT_EQ(double_text(1e21), "1e+21");
  EXPECT_EQ(double_text(0.000001), "0.000001");
  EXPECT_EQ(double_text(1.5e-7), "1.5e-7");
  EXPECT_EQ(double_text(-0.0), "0");
  EXPECT_EQ(double_text(NAN), "NaN");
  EXPECT_EQ(double_text(-INFINITY), "-Infinity");
  EXPECT_EQ(double_text(1.7976931348623157e308), "1.7976931348623157e+308");
  EXPECT_EQ(double_text(5e-324), "5e-324");
}

TEST(TextTest, OneKeyHasOneText) {
  EXPECT_EQ(to_text(Value::integer(7)), "7");
  EXPECT_EQ(to_text(Value::unsigned_integer(7)), "7");
  EXPECT_EQ(to_text(Value::real(7.0)), "7");
  EXPECT_EQ(to_text(Value::string("7")), "7");
}

TEST(TextTest, TimesAreRfc3339AndSeconds) {
  EXPECT_EQ(timestamp_text(0, 0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(timestamp_text(-62'135'596'800, 1), "0001-01-01T00:00:00.000000001Z");
  EXPECT_EQ(timestamp_text(1'234'567'890, 500'000'000), "2009-02-13T23:31:30.5Z");
  EXPECT_EQ(duration_text(3600, 0), "3600s");
  EXPECT_EQ(duration_text(-1, -500'000'000), "-1.5s");
  EXPECT_EQ(duration_text(0, -1), "-0.000000001s");
}

TEST(TextTest, JsonIsCompactAndInTheMapsOrder) {
  const Value list[] = {Value::integer(1), Value::null(), Value::boolean(true), Value::real(NAN)};
  const MapEntry map[] = {{Value::string("b"), Value::list(list)},
                          {Value::integer(1), Value::string("a\"\\\n\x01/\xC3\xA5")},
                          {Value::string("t"), Value::timestamp(0, 0)},
                          {Value::string("o"), Value::optional(nullptr)},
                          {Value::string("y"), Value::bytes("hello")}};
  EXPECT_EQ(to_json(Value::map(map)),
            "{\"b\":[1,null,true,\"NaN\"],\"1\":\"a\\\"\\\\\\n\\u0001/\xC3\xA5\","
            "\"t\":\"1970-01-01T00:00:00Z\",\"o\":null,\"y\":\"aGVsbG8=\"}");
}

TEST(TextTest, IntsKeepAllTheirDigits) {
  EXPECT_EQ(to_json(Value::integer(9'007'199'254'740'993)), "9007199254740993");
  EXPECT_EQ(to_json(Value::unsigned_integer(~std::uint64_t{0})), "18446744073709551615");
}

}  // namespace
}  // namespace spur::expression
