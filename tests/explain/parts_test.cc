// Expressions taken apart.
#include "operators/expression/parts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace spur::expression {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class PartsTest : public ::testing::Test {
 protected:
  PartsTest() {
    names_.declare("a", Type::integer());
    names_.declare("b", Type::integer());
    names_.declare("t", Type::object());
    names_.declare("s", Type::string());
    names_.declare("l", Type::list(Type::integer()));
  }

  Part taken(std::string_view source) {
    References references;
    std::optional<Part> part = parts_of(source, names_, references);
    EXPECT_TRUE(part) << source;
    return *part;
  }
  std::vector<std::string> texts(std::string_view source) {
    std::vector<std::string> out;
    for (const Part& part : taken(source).parts) out.push_back(part.text);
    return out;
  }

  Environment names_;
};

TEST_F(PartsTest, TermsOfAChainStandSideBySideInTheirOrder) {
  EXPECT_THAT(texts("a > 1 && b > 2 && s == 'x' && a < 9 && b < 9"),
              ElementsAre("a > 1", "b > 2", "s == 'x'", "a < 9", "b < 9"));
  EXPECT_THAT(texts("a > 1 || b > 2"), ElementsAre("a > 1", "b > 2"));
}

TEST_F(PartsTest, ATextKeepsTheParenthesesInsideItCallsAndIndices) {
  EXPECT_THAT(texts("(a > 1 || b > 2) && size(l) > 0"),
              ElementsAre("a > 1 || b > 2", "size(l) > 0"));
  EXPECT_THAT(texts("s.startsWith('(') && l[0] == a"),
              ElementsAre("s.startsWith('(')", "l[0] == a"));
  EXPECT_THAT(texts("has(t.x.y) && !has(t.z)"), ElementsAre("has(t.x.y)", "!has(t.z)"));
  EXPECT_THAT(texts("(a + b) * 2 > 3 && (b == 1)"), ElementsAre("(a + b) * 2 > 3", "b == 1"));
  EXPECT_THAT(texts("l.exists(x, x > a) && a in [1, 2]"),
              ElementsAre("l.exists(x, x > a)", "a in [1, 2]"));
  EXPECT_THAT(texts("duration('7d') > duration('1d') && t.n.?m.orValue(0) > 1"),
              ElementsAre("duration('7d') > duration('1d')", "t.n.?m.orValue(0) > 1"));
}

TEST_F(PartsTest, EachPartIsAProgramOfTheSameSlots) {
  References references;
  const std::optional<Part> whole = parts_of("a > 1 && b > 2", names_, references);
  ASSERT_TRUE(whole);
  ASSERT_EQ(references.size(), 2U);
  ArraySlots slots(2);
  slots.set(0, Value::integer(5));
  slots.set(1, Value::integer(1));
  Arena arena;
  EXPECT_FALSE(whole->program.evaluate(slots, arena).is_true());
  EXPECT_TRUE(whole->parts[0].program.evaluate(slots, arena).is_true());
  EXPECT_FALSE(whole->parts[1].program.evaluate(slots, arena).is_true());
  EXPECT_EQ(whole->parts[1].parts[0].program.evaluate(slots, arena).as_int(), 1);
  EXPECT_TRUE(whole->parts[1].parts[1].constant);
}

TEST_F(PartsTest, WhatHasNoPartsIsWhole) {
  EXPECT_EQ(taken("size(l)").kind, Part::Kind::kPlain);
  EXPECT_THAT(texts("size(l)"), IsEmpty());
  EXPECT_EQ(taken("1 < 2").kind, Part::Kind::kPlain) << "it reads nothing";
}

TEST_F(PartsTest, AnExpressionOfMorePartsThanTheBoundStaysWhole) {
  std::string source = "a > 0";
  for (std::size_t i = 0; i < kExpressionPartsMax; ++i) source += " && a > " + std::to_string(i);
  EXPECT_THAT(texts(source), IsEmpty());
}

TEST_F(PartsTest, WhatDoesNotCompileHasNone) {
  References references;
  EXPECT_FALSE(parts_of("a >", names_, references));
  EXPECT_FALSE(parts_of("unknown > 1", names_, references));
}

}  // namespace
}  // namespace spur::expression
