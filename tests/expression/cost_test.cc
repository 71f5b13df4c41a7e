// What an evaluation may cost is told before it runs: too much by the source alone is refused, too
// much on lists of usual length is warned of.

#include "operators/expression/cost.h"

#include "expression_fixture.h"

namespace spur::expression {
namespace {

class CostTest : public ExpressionTest {
 protected:
  CostTest() {
    for (int i = 0; i < kElementsAssumed; ++i) numbers_[i] = Value::integer(i);
    give("event.properties", Type::object(), Value::map(std::span<const MapEntry>()));
  }
  Value numbers_[kElementsAssumed];

  std::int64_t steps(const std::string& source) {
    return compile(source, environment_, references_, options_).steps_likely;
  }
  std::string warning(const std::string& source) {
    const Compiled compiled = compile(source, environment_, references_, options_);
    for (const Diagnostic& d : compiled.warnings) {
      if (d.message.find("steps") != std::string::npos) return said(d);
    }
    return compiled.errors.empty() ? "" : "refused: " + said(compiled.errors[0]);
  }
  // A list of 100 literals.
  static std::string hundred() {
    std::string list = "[0";
    for (int i = 1; i < 100; ++i) list += "," + std::to_string(i);
    return list + "]";
  }
};

TEST_F(CostTest, ANodeIsAStepAndALoopIsItsTurns) {
  EXPECT_EQ(steps("1"), 1);
  EXPECT_EQ(steps("1 + 2"), 3);
  EXPECT_EQ(steps("[1, 2, 3]"), 4);
  EXPECT_EQ(steps("[1, 2, 3].all(x, x > 0)"), 4 + (3 + 1) * (5 + 3));
}

TEST_F(CostTest, AListFromOutsideCountsAsAHundred) {
  EXPECT_EQ(steps("event.properties.products.all(x, x > 0)"), 1 + (kElementsAssumed + 1) * (5 + 3));
  EXPECT_EQ(steps("event.properties.a in event.properties.b"), 3 + kElementsAssumed);
}

TEST_F(CostTest, TheLengthOfWhatAMacroMakesIsKnown) {
  EXPECT_EQ(steps("[1, 2].map(x, x).all(y, true)"), (3 + 3 * 6) + 3 * 6);
  EXPECT_EQ(steps("cel.bind(l, [1, 2], l.all(x, true))"), 1 + 3 + (1 + 3 * 6));
}

TEST_F(CostTest, APatternKnownOnlyWhenRunIsDear) {
  EXPECT_LT(steps("'a'.matches('b+')"), 10);
  EXPECT_GT(steps("'a'.matches(event.properties.pattern)"), 10'000);
}

TEST_F(CostTest, ThreeLoopsInsideOneAnotherAreWarnedOfAndTwoAreNot) {
  const std::string list = "event.properties.products";
  EXPECT_EQ(warning(list + ".all(x, " + list + ".all(y, x != y))"), "");
  const std::string three =
      warning(list + ".all(x, " + list + ".all(y, " + list + ".all(z, x + y != z)))");
  EXPECT_TRUE(three.starts_with("this may take ")) << three;
  EXPECT_NE(three.find("steps on lists of 100; 1000000 are allowed"), std::string::npos) << three;
}

TEST_F(CostTest, WhatTheSourceAloneMakesTooLongIsRefused) {
  const std::string list = hundred();
  const std::string body = "x + y + z + event.properties.a >= 0";
  const std::string two = list + ".all(x, " + list + ".all(y, y + x >= 0))";
  EXPECT_EQ(warning(two), "");
  const std::string three =
      warning(list + ".all(x, " + list + ".all(y, " + list + ".all(z, " + body + ")))");
  EXPECT_TRUE(three.starts_with("refused: this may take ")) << three;
}

TEST_F(CostTest, WhatIsEstimatedIsEnough) {
  give("list", Type::list(Type::integer()), Value::list(std::span<const Value>(numbers_)));
  for (const char* source :
       {"list.all(x, x >= 0)", "list.map(x, x + 1).filter(x, x > 3).size()", "7 in list",
        "list.all(x, list.exists(y, x == y))", "list == list.map(x, x)",
        "list.transformMap(i, x, x + i).size()", "list.map(x, [x, x]).exists(p, p[0] != p[1])",
        "(list + list).exists_one(x, x == 3)", "'a'.matches('a' + string(list[3]))"}) {
    const std::int64_t estimated = steps(source);
    options_.limits.steps_max = estimated;
    EXPECT_FALSE(result(source).starts_with("error")) << source << ": " << result(source);
    options_.limits.steps_max = Limits{}.steps_max;
  }
}

TEST_F(CostTest, WhatIsRefusedIsOneStepBeyondTheLimit) {
  const std::string source = "[1, 2, 3].all(x, x > 0)";
  options_.limits.steps_max = steps(source);
  EXPECT_EQ(result(source), "true");
  --options_.limits.steps_max;
  EXPECT_TRUE(result(source).starts_with("refused: this may take 36 steps; 35 are allowed"))
      << result(source);
}

}  // namespace
}  // namespace spur::expression
