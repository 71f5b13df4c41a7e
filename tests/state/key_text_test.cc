#include "state/aggregates/key_text.h"

#include <gtest/gtest.h>

#include <limits>

namespace spur {
namespace {

std::string key(const Value& value) {
  Arena arena;
  const auto text = key_text(value, arena);
  return text ? std::string(*text) : "no key";
}

TEST(KeyTextTest, SevenIsOneKeyHoweverItIsSent) {
  for (const Value& seven :
       {Value::integer(7), Value::unsigned_integer(7), Value::real(7), Value::string("7")}) {
    EXPECT_EQ(key(seven), "7");
  }
}

TEST(KeyTextTest, NumbersAreWrittenAsJavaScriptDoes) {
  EXPECT_EQ(key(Value::integer(std::numeric_limits<std::int64_t>::min())), "-9223372036854775808");
  EXPECT_EQ(key(Value::unsigned_integer(~0ULL)), "18446744073709551615");
  EXPECT_EQ(key(Value::real(-0.0)), "0");
  EXPECT_EQ(key(Value::real(0.1)), "0.1");
  EXPECT_EQ(key(Value::real(-19.99)), "-19.99");
  EXPECT_EQ(key(Value::real(123456.5)), "123456.5");
  EXPECT_EQ(key(Value::real(1e20)), "100000000000000000000");
  EXPECT_EQ(key(Value::real(1e21)), "1e+21");
  EXPECT_EQ(key(Value::real(1.5e300)), "1.5e+300");
  EXPECT_EQ(key(Value::real(0.000001)), "0.000001");
  EXPECT_EQ(key(Value::real(1.5e-7)), "1.5e-7");
  EXPECT_EQ(key(Value::real(-2.2250738585072014e-308)), "-2.2250738585072014e-308");
}

TEST(KeyTextTest, OtherKinds) {
  EXPECT_EQ(key(Value::boolean(true)), "true");
  EXPECT_EQ(key(Value::boolean(false)), "false");
  EXPECT_EQ(key(Value::string("")), "");
  EXPECT_EQ(key(Value::timestamp(Instant{1'772'352'000'000})), "2026-03-01T08:00:00Z");
  EXPECT_EQ(key(Value::timestamp(Instant{1'772'352'000'120})), "2026-03-01T08:00:00.120Z");
  EXPECT_EQ(key(Value::timestamp(-1, 1)), "1969-12-31T23:59:59.000000001Z");
  EXPECT_EQ(key(Value::timestamp(951'782'400, 0)), "2000-02-29T00:00:00Z");
  EXPECT_EQ(key(Value::timestamp(253'402'300'799, 0)), "9999-12-31T23:59:59Z");
  EXPECT_EQ(key(Value::timestamp(253'402'300'800, 0)), "no key");
  EXPECT_EQ(key(Value::duration(604'800, 0)), "604800s");
  EXPECT_EQ(key(Value::duration(0, -500'000'000)), "-0.5s");
  const Value inner = Value::integer(7);
  EXPECT_EQ(key(Value::optional(&inner)), "7");
}

TEST(KeyTextTest, SomeValuesAreNoKey) {
  for (const Value& value :
       {Value::absent(), Value::null(), Value::bytes("a"), Value::list({}),
        Value::map(std::span<const MapEntry>()), Value::optional(nullptr),
        Value::error("no such field"), Value::real(std::numeric_limits<double>::infinity()),
        Value::real(std::numeric_limits<double>::quiet_NaN())}) {
    EXPECT_EQ(key(value), "no key");
  }
}

}  // namespace
}  // namespace spur
