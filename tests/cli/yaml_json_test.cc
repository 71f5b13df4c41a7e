#include "daemon/trigger_test/yaml_json.h"

#include "gtest/gtest.h"

namespace spur::trigger_test {
namespace {

catalog::YamlNodePtr yaml(const std::string& text) {
  return catalog::parse_yaml(catalog::SourceText("x", text)).documents.at(0);
}

TEST(YamlJson, WhatIsNotInQuotesAndReadsAsJsonIsThat) {
  EXPECT_EQ(to_json(*yaml("{a: 1, b: -2.5e3, c: true, d: null, e: ~, f: , g: text}")),
            R"({"a":1,"b":-2.5e3,"c":true,"d":null,"e":null,"f":null,"g":"text"})");
}

TEST(YamlJson, WhatIsInQuotesIsText) {
  EXPECT_EQ(to_json(*yaml(R"({a: "1", b: 'true', c: "null", d: "say \"x\""})")),
            R"({"a":"1","b":"true","c":"null","d":"say \"x\""})");
}

TEST(YamlJson, OnlyJsonNumbersAreNumbers) {
  for (const char* number : {"0", "-0", "12", "1.50", "1e9", "1E-2", "-0.5"})
    EXPECT_TRUE(is_json_number(number)) << number;
  for (const char* text :
       {"", "-", "007", "+1", ".5", "1.", "0x10", "1_000", "1e", "NaN", "2026-03-01"}) {
    EXPECT_FALSE(is_json_number(text)) << text;
  }
}

TEST(YamlJson, NumbersAreComparedAsNumbersAndKeysInAnyOrder) {
  EXPECT_TRUE(is_json(*yaml("{a: 1.0, b: [x, {c: 2}]}"), R"({"b":["x",{"c":2}],"a":1})"));
  EXPECT_FALSE(is_json(*yaml("{a: 1}"), R"({"a":"1"})"));
  EXPECT_FALSE(is_json(*yaml("{a: '1'}"), R"({"a":1})"));
  EXPECT_FALSE(is_json(*yaml("{a: 1}"), R"({"a":1,"b":2})"));
  EXPECT_FALSE(is_json(*yaml("[1, 2]"), "[2,1]"));
  EXPECT_FALSE(is_json(*yaml("{a: null}"), R"({"a":0})"));
}

}  // namespace
}  // namespace spur::trigger_test
