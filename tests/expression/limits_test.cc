// No source and no data can make an evaluation deep, long or large.

#include "expression_fixture.h"

namespace spur::expression {
namespace {

std::string repeated(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

class LimitsTest : public ExpressionTest {
 protected:
  LimitsTest() {
    for (int i = 0; i < 1000; ++i) numbers_[i] = Value::integer(i);
    give("numbers", Type::list(Type::integer()), Value::list(numbers_));
    give("text", Type::string(), Value::string("0123456789"));
  }
  Value numbers_[1000];
  const std::string word_ = repeated("a", 50'000) + "b";
  const std::string pattern_ = repeated("b", 4096);
};

TEST_F(LimitsTest, ALongSourceIsRefused) {
  EXPECT_EQ(result("'" + repeated("x", 11'000) + "'"),
            "refused: the expression is longer than 10240 bytes; split it over several features or "
            "segments");
}

TEST_F(LimitsTest, DeepNestingIsRefusedAndThirtyTwoLevelsAreNot) {
  EXPECT_EQ(result(repeated("(", 200) + "7" + repeated(")", 200)), "7");
  for (const char* open : {"(", "[", "-(", "{1: ", "size("}) {
    EXPECT_TRUE(result(repeated(open, 2000)).starts_with("refused")) << open;
  }
  EXPECT_EQ(result(repeated("1 + ", 3000) + "1"),
            "refused: the expression is longer than 10240 bytes; split it over several features or "
            "segments");
  EXPECT_EQ(result(repeated("1+", 1000) + "1"), "refused: the expression is nested too deeply");
  EXPECT_EQ(result("text" + repeated(".a", 1000)), "refused: the expression is nested too deeply");
  EXPECT_EQ(result(repeated("true&&", 1000) + "true"), "true");
}

TEST_F(LimitsTest, MacrosInsideMacrosAreBounded) {
  const std::string open = "[1].all(x, ";
  EXPECT_EQ(result(repeated(open, 4) + "true" + repeated(")", 4)), "true");
  EXPECT_EQ(result(repeated(open, 5) + "true" + repeated(")", 5)),
            "refused: too many of all, exists, map and filter inside one another");
}

TEST_F(LimitsTest, AConstantThatAlwaysFailsIsFoundOnceHoweverDeep) {
  const Compiled compiled =
      compile("-(" + repeated("-(", 100) + "1 / 0" + repeated(")", 101), environment_, references_);
  ASSERT_EQ(compiled.warnings.size(), 2u);  // that it fails, and that int / int is whole
  EXPECT_EQ(compiled.warnings[1].message, "this always fails: divide by zero");
}

TEST_F(LimitsTest, AnEvaluationHasABudget) {
  EXPECT_EQ(result("numbers.all(x, x >= 0)"), "true");
  EXPECT_EQ(result("numbers.all(x, numbers.all(y, numbers.all(z, x + y + z >= 0)))"),
            "error: the expression takes too many steps");
  EXPECT_EQ(result("numbers.map(x, numbers.map(y, numbers)).size()"),
            "error: the expression takes too many steps");
}

TEST_F(LimitsTest, AnExpressionIsBoundInItsNodes) {
  options_.limits.nodes_max = 101;
  EXPECT_EQ(result("[" + repeated("1,", 100) + "].size()").substr(0, 8), "refused:");
  EXPECT_EQ(result("[" + repeated("1,", 99) + "].size()"), "99");
}

// RE2 has no exponential cases: what backtracks elsewhere for ages is one pass here.
TEST_F(LimitsTest, APatternTakesTimeInProportionToTheText) {
  give("word", Type::string(), Value::string(word_));
  EXPECT_EQ(result("word.matches('^(a+)+$')"), "false");
  EXPECT_EQ(result("word.matches('^(a|aa)+$')"), "false");
}

TEST_F(LimitsTest, APatternMadeWhenRunIsBoundInItsLength) {
  give("pattern", Type::string(), Value::string(pattern_));
  EXPECT_EQ(result("text.matches(pattern + 'a')"), "error: the pattern is too long");
  EXPECT_EQ(result("text.matches(pattern)"), "false");
  EXPECT_EQ(result("numbers.all(x, !text.matches(pattern))"),
            "error: the expression takes too many steps");
}

TEST_F(LimitsTest, APatternThatNeedsTooMuchMemoryIsRefused) {
  EXPECT_TRUE(
      result("text.matches('((((x{100}){10}){10}){10})')").starts_with("refused: bad pattern"));
  EXPECT_TRUE(result("text.matches('((((x{100}){10}){10}){' + string(numbers[10]) + '})')")
                  .starts_with("error: bad pattern"));
}

TEST_F(LimitsTest, TextsCannotGrowWithoutBound) {
  options_.limits.text_bytes_max = 100;
  EXPECT_EQ(result("(text + text).size()"), "20");
  EXPECT_EQ(result("[1, 2, 3, 4].map(i, text + text + text + text).join().size()"),
            "error: the text would be too long");
  EXPECT_EQ(result("text.replace('', text)"), "error: the text would be too long");
  EXPECT_EQ(result("'%s%s%s%s%s%s'.format([numbers, 1, 1, 1, 1, 1])"),
            "error: the text would be too long");
}

TEST_F(LimitsTest, ListsCannotGrowWithoutBound) {
  options_.limits.elements_max = 100;
  EXPECT_EQ(result("numbers + numbers"), "error: the list or map would be too long");
  EXPECT_EQ(result("numbers.map(x, x)"), "error: the list or map would be too long");
}

TEST_F(LimitsTest, AComparisonOfLargeMapsIsBounded) {
  options_.limits.steps_max = 1000;
  EXPECT_EQ(result("numbers.transformMap(i, v, v) == numbers.transformMap(i, v, v)"),
            "error: the expression takes too many steps");
}

}  // namespace
}  // namespace spur::expression
