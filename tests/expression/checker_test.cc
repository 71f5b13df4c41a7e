// What the checker refuses, where it points, and what it suggests.

#include "expression_fixture.h"

namespace spur::expression {
namespace {

class CheckerTest : public ExpressionTest {
 protected:
  CheckerTest() {
    environment_.declare("features.orders_30d", Type::integer());
    environment_.declare("features.revenue", Type::real());
    environment_.declare("event.name", Type::string());
    environment_.declare("event.properties", Type::object());
    environment_.declare("segments", Type::list(Type::string()));
    environment_.declare("instance.opened", Type::object());
    environment_.declare_unavailable("record", "`record` is only visible in a business trigger");
  }
};

TEST_F(CheckerTest, AnUnknownNameSuggestsTheNearest) {
  EXPECT_EQ(
      result("features.orders_3d > 1"),
      "refused: `orders_3d` is not declared in `features`; did you mean `features.orders_30d`?");
  EXPECT_EQ(blamed("features.orders_3d > 1"), "orders_3d");
  EXPECT_EQ(result("evnt.name == 'x'"),
            "refused: `evnt` is not declared here; did you mean `event`?");
  EXPECT_EQ(
      result("features == 1"),
      "refused: `features` is no value itself; select one of its members, as in `features.…`");
}

TEST_F(CheckerTest, AnUnavailableNameSaysWhy) {
  EXPECT_EQ(result("record.price < 5"), "refused: `record` is only visible in a business trigger");
  EXPECT_EQ(blamed("1 < 2 && record.price < 5"), "record");
}

TEST_F(CheckerTest, TypesThatDoNotFitAreRefused) {
  EXPECT_EQ(result("features.orders_30d + 'x'"),
            "refused: `+` does not take int and string; convert one with string(…) or double(…)");
  EXPECT_EQ(result("event.name == 1"),
            "refused: `==` does not take string and int; the two can never be equal; quote the "
            "number or convert the text");
  EXPECT_EQ(result("features.orders_30d.foo"),
            "refused: a value of type int has no fields; `foo` can be selected from a map");
  EXPECT_EQ(result("size(1)"),
            "refused: `size` does not take (int); it takes (string), (bytes), (list(A)), (map(A, "
            "B)), string.(), bytes.(), …");
  EXPECT_EQ(
      result("contains('abc', 'b')"),
      "refused: `contains` does not take (string, string); call it on a value: x.contains(…)");
  EXPECT_EQ(result("segments.all(s, s)"),
            "refused: the condition of `all` must be a bool, not string");
}

TEST_F(CheckerTest, AnUnknownFunctionSuggestsTheNearest) {
  EXPECT_EQ(result("event.name.startWith('a')"),
            "refused: there is no function `startWith`; did you mean `startsWith`?");
  EXPECT_EQ(
      result("segments.exists('a')"),
      "refused: `exists` is called with another number of arguments; as in list.exists(x, …)");
}

TEST_F(CheckerTest, AllErrorsAreListedInTheOrderOfTheSource) {
  const Compiled compiled =
      compile("nope > 1 && features.nix > 2 || record.x", environment_, references_);
  ASSERT_EQ(compiled.errors.size(), 3u);
  EXPECT_EQ(compiled.errors[0].offset, 0u);
  EXPECT_EQ(compiled.errors[1].offset, 21u);
  EXPECT_EQ(compiled.errors[2].offset, 32u);
}

TEST_F(CheckerTest, DynWaitsForTheEvaluation) {
  EXPECT_EQ(type("event.properties.total"), "dyn");
  EXPECT_EQ(type("event.properties.total > 5"), "bool");
  EXPECT_EQ(type("instance.opened.properties.total * 2"), "dyn");
}

TEST_F(CheckerTest, TypesAreInferred) {
  EXPECT_EQ(type("[1, 2].map(x, string(x))"), "list(string)");
  EXPECT_EQ(type("{'a': [1.0]}"), "map(string, list(double))");
  EXPECT_EQ(type("[]"), "list(dyn)");
  EXPECT_EQ(type("optional.of(1).optMap(x, x * 2)"), "optional_type(int)");
  EXPECT_EQ(type("'vip' in segments ? features.revenue : 0.0"), "double");
}

TEST_F(CheckerTest, ABadPatternIsRefused) {
  EXPECT_TRUE(result("event.name.matches('(')").starts_with("refused: bad pattern: missing )"));
  EXPECT_EQ(blamed("event.name.matches('(')"), "'('");
}

}  // namespace
}  // namespace spur::expression
