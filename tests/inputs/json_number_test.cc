#include "daemon/inputs/json_number.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace spur {
namespace {

double real(const std::string& text) {
  const JsonNumber number = parse_json_number(text);
  EXPECT_EQ(number.fault, JsonNumber::Fault::kNone) << text;
  EXPECT_EQ(number.size, text.size()) << text;
  EXPECT_TRUE(number.value.is(Kind::kDouble)) << text;
  return number.value.as_double();
}

// The C library rounds correctly; so must we, to the last bit.
TEST(JsonNumberTest, RealsAreRoundedAsTheLibraryRoundsThem) {
  std::uint64_t state = 1;
  const auto next = [&] { return state = state * 6364136223846793005ULL + 1442695040888963407ULL; };
  for (int i = 0; i < 200'000; ++i) {
    char text[64];
    const auto digits = static_cast<unsigned long long>(next() >> (next() >> 58));
    const int exponent = static_cast<int>(next() >> 33) % 400 - 200;
    const auto fraction = static_cast<unsigned long long>(next() >> 40);
    switch (i % 4) {
      case 0: std::snprintf(text, sizeof text, "%llu.%llu", digits >> 20, fraction); break;
      case 1: std::snprintf(text, sizeof text, "-%llue%d", digits, exponent); break;
      case 2: std::snprintf(text, sizeof text, "0.%019llu", digits); break;
      default: std::snprintf(text, sizeof text, "%llu.%02llu", digits >> 44, fraction % 100); break;
    }
    const double ours = real(text);
    const double theirs = std::strtod(text, nullptr);
    ASSERT_EQ(std::memcmp(&ours, &theirs, sizeof ours), 0) << text;
  }
}

TEST(JsonNumberTest, TheEdgesOfADouble) {
  EXPECT_EQ(real("1.7976931348623157e308"), 1.7976931348623157e308);
  EXPECT_EQ(real("2.2250738585072014e-308"), 2.2250738585072014e-308);
  EXPECT_EQ(real("5e-324"), 5e-324);
  EXPECT_EQ(real("1e-400"), 0.0);
  EXPECT_EQ(real("0e999999999999"), 0.0);
  EXPECT_EQ(real("0.0000000000000000000000000000000000001e37"), 1.0);
  EXPECT_EQ(parse_json_number("1.8e308").fault, JsonNumber::Fault::kRange);
  EXPECT_EQ(parse_json_number("-1e400").fault, JsonNumber::Fault::kRange);
}

TEST(JsonNumberTest, OnlyWholeNumbersBeyondTwoToThe53AreIntegers) {
  EXPECT_EQ(real("9007199254740992"), 9007199254740992.0);
  EXPECT_EQ(parse_json_number("9007199254740993").value.as_int(), 9007199254740993);
  EXPECT_EQ(parse_json_number("-9223372036854775808").value.as_int(), INT64_MIN);
  EXPECT_EQ(parse_json_number("9223372036854775807").value.as_int(), INT64_MAX);
  EXPECT_EQ(parse_json_number("9223372036854775808").value.as_uint(), 9223372036854775808ULL);
  EXPECT_EQ(parse_json_number("18446744073709551615").value.as_uint(), UINT64_MAX);
  EXPECT_EQ(real("18446744073709551616"), 18446744073709551616.0);
  EXPECT_EQ(real("-9223372036854775809"), -9223372036854775808.0);
  EXPECT_EQ(real("9007199254740993.0"), 9007199254740992.0);
}

TEST(JsonNumberTest, ANumberEndsWhereItsGrammarEnds) {
  EXPECT_EQ(parse_json_number("12,").size, 2u);
  EXPECT_EQ(parse_json_number("0}").size, 1u);
  EXPECT_EQ(parse_json_number("1.5e3 ").size, 5u);
  for (const char* text : {"", "-", "01", "1.", ".1", "1e", "1e-", "+1", "a"}) {
    EXPECT_EQ(parse_json_number(text).fault, JsonNumber::Fault::kSyntax) << text;
  }
}

}  // namespace
}  // namespace spur
