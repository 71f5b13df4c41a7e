#include "daemon/eval/line.h"

#include <gtest/gtest.h>

namespace spur::eval {
namespace {

std::string answer(const std::string& json, bool strict = true) {
  return Line(json, {.strict = strict, .unchecked = false}).answer();
}

TEST(LineTest, AValueIsAnswered) {
  EXPECT_EQ(answer(R"({"expr": "1 + 2"})"), R"({"value":{"int64Value":"3"}})");
}

TEST(LineTest, WhatDoesNotCheckAndWhatFailsAreToldApart) {
  EXPECT_EQ(answer(R"({"expr": "1 +"})").substr(0, 16), R"({"error":"check")");
  EXPECT_EQ(answer(R"({"expr": "x"})").substr(0, 16), R"({"error":"check")");
  EXPECT_EQ(answer(R"({"expr": "1 / 0"})"), R"({"error":"eval","message":"divide by zero"})");
}

TEST(LineTest, StrictIsPlainCel) {
  const std::string line = R"({"expr": "1 + 0.5"})";
  EXPECT_EQ(answer(line).substr(0, 16), R"({"error":"check")");
  EXPECT_EQ(answer(line, false), R"({"value":{"doubleValue":1.5}})");
}

TEST(LineTest, BindingsAreTypedByTheEnvironmentOrDyn) {
  EXPECT_EQ(answer(R"({"expr": "x + 1", "bindings": {"x": {"value": {"int64Value": "4"}}}})"),
            R"({"value":{"int64Value":"5"}})");
  EXPECT_EQ(answer(R"({"expr": "x + 1", "bindings": {"x": {"int64Value": "4"}}})"),
            R"({"value":{"int64Value":"5"}})");
  EXPECT_EQ(
      answer(
          R"({"expr": "x + 1", "typeEnv": [{"name": "x", "ident": {"type": {"primitive": "STRING"}}}]})")
          .substr(0, 16),
      R"({"error":"check")");
}

TEST(LineTest, TheContainerIsWhereNamesAreLookedUpFirst) {
  EXPECT_EQ(answer(R"({"expr": "y", "container": "x", "bindings":)"
                   R"( {"x.y": {"boolValue": true}, "y": {"stringValue": "other"}}})"),
            R"({"value":{"boolValue":true}})");
}

TEST(LineTest, WithoutTheCheckerAnUnknownNameFailsWhenItIsRead) {
  EXPECT_EQ(answer(R"({"expr": "x", "disableCheck": true})").substr(0, 15), R"({"error":"eval")");
  EXPECT_EQ(answer(R"({"expr": "x || true", "disableCheck": true})"),
            R"({"value":{"boolValue":true}})");
}

TEST(LineTest, ADeclaredFunctionIsCheckedAndHasNoDefinition) {
  const std::string declared =
      R"("typeEnv": [{"name": "fn", "function": {"overloads": [{"params": )"
      R"([{"primitive": "STRING"}], "resultType": {"primitive": "INT64"}}]}}])";
  EXPECT_EQ(answer(R"-({"expr": "[fn('a')]", "checkOnly": true, )-" + declared + "}"),
            R"-({"type":"list(int)"})-");
  EXPECT_EQ(answer(R"-({"expr": "fn(1)", )-" + declared + "}"),
            R"-({"error":"check","message":"`fn` does not take (int); it takes (string)"})-");
  EXPECT_EQ(answer(R"-({"expr": "fn('a')", )-" + declared + "}"),
            R"({"error":"eval","message":"`fn` is declared and has no definition here"})");
}

TEST(LineTest, WhatIsNoLineIsTold) {
  for (const char* bad : {"", "{", "7", "[]", "{}", R"({"expr": 7})", R"({"expr": "1"} x)"}) {
    EXPECT_EQ(answer(bad).substr(0, 15), R"({"error":"line")") << bad;
  }
}

TEST(LineTest, ALineIsBoundInItsDepth) {
  const auto nested = [](std::size_t lists) {
    return R"({"expr": "1", "x": )" + std::string(lists, '[') + std::string(lists, ']') + "}";
  };
  EXPECT_EQ(answer(nested(kLineDepthMax - 1)), R"({"value":{"int64Value":"1"}})");
  EXPECT_EQ(answer(nested(kLineDepthMax)).substr(0, 15), R"({"error":"line")");
}

TEST(LineTest, ALineIsBoundInItsSize) {
  const auto sized = [](std::size_t bytes) {
    const std::string head = R"({"expr": "1")";
    return head + std::string(bytes - head.size() - 1, ' ') + "}";
  };
  EXPECT_EQ(answer(sized(kLineBytesMax)), R"({"value":{"int64Value":"1"}})");
  EXPECT_EQ(answer(sized(kLineBytesMax + 1)).substr(0, 15), R"({"error":"line")");
}

}  // namespace
}  // namespace spur::eval
