// What Spur adds to CEL, and that strict mode takes it away.

#include <cmath>

#include "expression_fixture.h"
#include "operators/expression/geography.h"

namespace spur::expression {
namespace {

class AdditionsTest : public ExpressionTest {
 protected:
  AdditionsTest() {
    give("event.properties", Type::object(), Value::map(properties_));
    give("before.orders", Type::integer(), Value::integer(3));
    give("features.revenue", Type::real(), Value::real(500));
    give("features.mean_gap", Type::duration(), Value::duration(7 * 86'400, 0));
    give("now", Type::timestamp(), Value::timestamp(1'000'000, 0));
  }
  const MapEntry properties_[1] = {{Value::string("total"), Value::real(20)}};
};

TEST_F(AdditionsTest, IntAndDoubleCalculateInDouble) {
  EXPECT_EQ(result("1 + 0.5"), "1.5");
  EXPECT_EQ(result("event.properties.total * before.orders"), "60");
  EXPECT_EQ(result("2u * 1.5"), "3");
  EXPECT_EQ(type("1 + 0.5"), "double");
  EXPECT_EQ(type("features.revenue / 2"), "double");
}

TEST_F(AdditionsTest, IntAndDoubleCompare) {
  EXPECT_EQ(result("features.revenue >= 500"), "true");
  EXPECT_EQ(result("features.revenue == 500"), "true");
  EXPECT_EQ(result("2 in [1.0, 2.0]"), "true");
  EXPECT_EQ(result("event.properties.total in [10, 20, 30, 40]"), "true");
}

TEST_F(AdditionsTest, AnIntLiteralMeetsADouble) {
  EXPECT_EQ(type("true ? 1 : 0.5"), "double");
  EXPECT_EQ(result("optional.of(0.5).orValue(0)"), "0.5");
  EXPECT_EQ(type("optional.of(0.5).orValue(0)"), "double");
}

TEST_F(AdditionsTest, DurationsAreScaledAndDivided) {
  EXPECT_EQ(result("features.mean_gap * 3"), "\"1814400s\"");
  EXPECT_EQ(result("0.5 * duration('1h')"), "\"1800s\"");
  EXPECT_EQ(result("duration('1h') / 2"), "\"1800s\"");
  EXPECT_EQ(result("duration('36h') / duration('1d')"), "1.5");
  EXPECT_EQ(result("duration('1h') / 0"), "error: divide by zero");
  EXPECT_EQ(type("duration('1h') / duration('1d')"), "double");
}

TEST_F(AdditionsTest, DurationsHaveDaysAndWeeks) {
  EXPECT_EQ(result("duration('7d')"), "\"604800s\"");
  EXPECT_EQ(result("duration('1w') == duration('7d')"), "true");
  EXPECT_EQ(result("duration('1d12h')"), "\"129600s\"");
  EXPECT_EQ(result("now - duration('1d') < now"), "true");
}

TEST_F(AdditionsTest, StrictIsPlainCel) {
  options_.strict = true;
  EXPECT_EQ(result("1 + 0.5"),
            "refused: `+` does not take int and double; it takes (int, int), (uint, uint), "
            "(double, double), (string, string), (bytes, bytes), (list(A), list(A)), …");
  EXPECT_EQ(result("dyn(1) + 0.5"), "error: no such overload");
  EXPECT_EQ(result("dyn(duration('1h')) * 2"), "error: no such overload");
  EXPECT_TRUE(result("duration('7d')").starts_with("error: duration"));
  EXPECT_TRUE(result("distance_m(0.0, 0.0, 0.0, 0.0)").starts_with("refused"));
}

TEST_F(AdditionsTest, IntDivisionIsWholeAndWarns) {
  const Compiled compiled = compile("before.orders / 2", environment_, references_);
  ASSERT_TRUE(compiled.program);
  ASSERT_EQ(compiled.warnings.size(), 1u);
  EXPECT_EQ(compiled.warnings[0].offset, 14u);
  EXPECT_EQ(result("before.orders / 2"), "1");
}

TEST_F(AdditionsTest, WhatAlwaysFailsWarns) {
  const Compiled compiled = compile("now < timestamp('yesterday')", environment_, references_);
  ASSERT_EQ(compiled.warnings.size(), 1u);
  EXPECT_TRUE(compiled.warnings[0].message.starts_with("this always fails: timestamp"));
}

TEST_F(AdditionsTest, DistanceIsTheGreatCircle) {
  // Stockholm to Gothenburg, by the same formula in another language's libm.
  const double radius = 6'371'008.8;
  const auto reference = [&](Place a, Place b) {
    const double degree = 3.14159265358979323846 / 180;
    const double north = std::sin((b.latitude - a.latitude) * degree / 2);
    const double east = std::sin((b.longitude - a.longitude) * degree / 2);
    const double h =
        north * north + std::cos(a.latitude * degree) * std::cos(b.latitude * degree) * east * east;
    return 2 * radius * std::asin(std::sqrt(h));
  };
  for (const auto& [a, b] : {std::pair<Place, Place>{{59.3293, 18.0686}, {57.7089, 11.9746}},
                             {{0, 0}, {0, 180}},
                             {{-33.8688, 151.2093}, {51.5074, -0.1278}},
                             {{90, 0}, {-90, 0}},
                             {{59.3293, 18.0686}, {59.3294, 18.0686}}}) {
    EXPECT_NEAR(*distance_m(a, b), reference(a, b), 1e-4);
  }
  EXPECT_EQ(result("distance_m(59, 18, 59.0, 18u)"), "0");
  EXPECT_TRUE(result("distance_m(91, 0, 0, 0)").starts_with("error: distance_m"));
}

}  // namespace
}  // namespace spur::expression
