#include "daemon/eval/cel_json.h"

#include <gtest/gtest.h>

#include <limits>

namespace spur::eval {
namespace {

TEST(CelJsonTest, EveryKindOfValueHasItsForm) {
  EXPECT_EQ(to_cel_json(Value::null()), R"({"nullValue":null})");
  EXPECT_EQ(to_cel_json(Value::boolean(true)), R"({"boolValue":true})");
  EXPECT_EQ(to_cel_json(Value::integer(std::numeric_limits<std::int64_t>::min())),
            R"({"int64Value":"-9223372036854775808"})");
  EXPECT_EQ(to_cel_json(Value::unsigned_integer(std::numeric_limits<std::uint64_t>::max())),
            R"({"uint64Value":"18446744073709551615"})");
  EXPECT_EQ(to_cel_json(Value::string("a\"b")), R"({"stringValue":"a\"b"})");
  EXPECT_EQ(to_cel_json(Value::bytes("test")), R"({"bytesValue":"dGVzdA=="})");
  EXPECT_EQ(to_cel_json(Value::type("int")), R"({"typeValue":"int"})");
  EXPECT_EQ(
      to_cel_json(Value::duration(90, 0)),
      R"({"objectValue":{"@type":"type.googleapis.com/google.protobuf.Duration","value":"90s"}})");
  EXPECT_EQ(to_cel_json(Value::optional(nullptr)), R"({"optionalValue":null})");
}

TEST(CelJsonTest, DoublesThatJsonHasNotAreWords) {
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(to_cel_json(Value::real(infinity)), R"({"doubleValue":"Infinity"})");
  EXPECT_EQ(to_cel_json(Value::real(-infinity)), R"({"doubleValue":"-Infinity"})");
  EXPECT_EQ(to_cel_json(Value::real(std::numeric_limits<double>::quiet_NaN())),
            R"({"doubleValue":"NaN"})");
  EXPECT_EQ(to_cel_json(Value::real(20)), R"({"doubleValue":20})");
  EXPECT_EQ(to_cel_json(Value::real(-0.0)), R"({"doubleValue":-0.0})");
}

TEST(CelJsonTest, AnEmptyListOrMapHasNoMembers) {
  EXPECT_EQ(to_cel_json(Value::list({})), R"({"listValue":{}})");
  EXPECT_EQ(to_cel_json(Value::map(std::span<const MapEntry>())), R"({"mapValue":{}})");
}

TEST(CelJsonTest, AMapIsAListOfEntries) {
  const MapEntry entries[] = {{Value::integer(1), Value::string("a")},
                              {Value::integer(2), Value::null()}};
  EXPECT_EQ(to_cel_json(Value::map(entries)),
            R"({"mapValue":{"entries":[{"key":{"int64Value":"1"},"value":{"stringValue":"a"}},)"
            R"({"key":{"int64Value":"2"},"value":{"nullValue":null}}]}})");
}

TEST(CelJsonTest, WhatStandsForNoValueSaysWhy) {
  Arena arena;
  const MapEntry unknown[] = {{Value::string("fooValue"), Value::null()}};
  EXPECT_EQ(read_cel_value(Value::map(unknown), arena).as_text(),
            "`fooValue` holds no value that is known here");
  const MapEntry half[] = {{Value::string("int64Value"), Value::real(0.5)}};
  EXPECT_TRUE(read_cel_value(Value::map(half), arena).is_error());
  EXPECT_TRUE(read_cel_value(Value::integer(1), arena).is_error());
}

}  // namespace
}  // namespace spur::eval
