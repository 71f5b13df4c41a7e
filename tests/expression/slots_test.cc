// How names become slots, and what a missing field is.

#include <gmock/gmock.h>

#include "expression_fixture.h"

namespace spur::expression {
namespace {

using ::testing::ElementsAre;

class Categories final : public LookupMap {
 public:
  Value find(const Value& key) const override {
    if (!key.is(Kind::kString)) return Value::absent();
    return key.as_text() == "shoes"  ? Value::real(120)
           : key.as_text() == "bags" ? Value::real(80)
                                     : Value::absent();
  }
  std::span<const Value> keys() const override { return keys_; }

 private:
  const Value keys_[2] = {Value::string("bags"), Value::string("shoes")};
};

class SlotsTest : public ExpressionTest {
 protected:
  SlotsTest() {
    give("event.properties", Type::object(), Value::map(properties_));
    give("traits", Type::object(), Value::map(std::span<const MapEntry>()));
    give("features.orders", Type::integer(), Value::integer(3));
    give("features.last_order", Type::timestamp(), Value::absent());
    give("features.spent_by_category", Type::map(Type::string(), Type::real()),
         Value::map(&categories_));
  }

  std::vector<std::string> read_by(const std::string& source) {
    const Compiled compiled = compile(source, environment_, references_);
    std::vector<std::string> names;
    for (const std::uint32_t slot : compiled.program->slots())
      names.push_back(references_[slot].to_string());
    return names;
  }

  const MapEntry address_[1] = {{Value::string("city"), Value::string("Lund")}};
  const MapEntry properties_[3] = {{Value::string("total"), Value::real(20)},
                                   {Value::string("note"), Value::null()},
                                   {Value::string("address"), Value::map(address_)}};
  const Categories categories_;
};

TEST_F(SlotsTest, AChainOfConstantFieldsIsOneSlot) {
  EXPECT_THAT(read_by("event.properties.address.city == 'Lund'"),
              ElementsAre("event.properties.address.city"));
  EXPECT_THAT(read_by("event.properties['address'].city == 'Lund'"),
              ElementsAre("event.properties.address.city"));
  EXPECT_EQ(references_.size(), 1u);
}

TEST_F(SlotsTest, SlotsAreNumberedInOrderOfFirstUseAndShared) {
  EXPECT_THAT(read_by("features.orders > 1 && has(traits.email)"),
              ElementsAre("features.orders", "traits.email"));
  EXPECT_THAT(read_by("traits.email == 'a' || event.properties.total > 1.0"),
              ElementsAre("traits.email", "event.properties.total"));
}

TEST_F(SlotsTest, AComputedMapIsLoadedWhole) {
  EXPECT_THAT(read_by("features.spent_by_category['shoes'] > 1.0"),
              ElementsAre("features.spent_by_category"));
  EXPECT_EQ(result("features.spent_by_category['shoes']"), "120");
  EXPECT_EQ(result("features.spent_by_category.shoes"), "120");
  EXPECT_EQ(result("'hats' in features.spent_by_category"), "false");
  EXPECT_EQ(result("has(features.spent_by_category.hats)"), "false");
  EXPECT_EQ(result("features.spent_by_category.size()"), "2");
  EXPECT_EQ(result("features.spent_by_category.exists(k, v, v > 100)"), "true");
  EXPECT_EQ(result("features.spent_by_category.map(k, k)"), "[\"bags\",\"shoes\"]");
  EXPECT_EQ(result("features.spent_by_category.transformMap(k, v, v * 2)"),
            "{\"bags\":160,\"shoes\":240}");
}

TEST_F(SlotsTest, HasIsFalseForAMissingLeafAndAnErrorForAMissingParent) {
  EXPECT_EQ(result("has(event.properties.total)"), "true");
  EXPECT_EQ(result("has(event.properties.coupon)"), "false");
  EXPECT_EQ(result("has(event.properties.shipping.city)"), "error: no such key");
  EXPECT_EQ(result("has(features.last_order)"), "false");
  EXPECT_EQ(result("has(event.properties.note)"), "true");
}

TEST_F(SlotsTest, ReadingAMissingFieldIsAnErrorThatNamesIt) {
  EXPECT_EQ(result("event.properties.coupon"), "error: event.properties.coupon is missing");
  EXPECT_EQ(result("event.properties.coupon == 'X'"), "error: event.properties.coupon is missing");
  EXPECT_EQ(result("event.properties.coupon == 'X' || true"), "true");
  EXPECT_EQ(result("event.properties.coupon == 'X' && features.orders == 0"), "false");
}

TEST_F(SlotsTest, OptionalSelectionHasADefault) {
  EXPECT_EQ(result("event.properties.?total.orValue(0)"), "20");
  EXPECT_EQ(result("event.properties.?coupon.orValue('none')"), "\"none\"");
  EXPECT_EQ(result("event.properties.?address.?city.orValue('')"), "\"Lund\"");
  EXPECT_EQ(result("event.properties.?shipping.?city.orValue('')"), "\"\"");
  EXPECT_EQ(result("features.?last_order.hasValue()"), "false");
  EXPECT_EQ(result("event.properties[?'coupon'].hasValue()"), "false");
}

TEST_F(SlotsTest, AMacroVariableHidesADeclaredName) {
  EXPECT_EQ(result("[1, 2].map(features, features + 1)"), "[2,3]");
  EXPECT_EQ(result("[{'a': 1}].exists(traits, traits.a == 1)"), "true");
}

TEST_F(SlotsTest, SelectGivesTheSlotContract) {
  const Value root = Value::map(properties_);
  const auto kind = [&](std::vector<std::string> path) { return select(root, path).kind(); };
  EXPECT_EQ(kind({"total"}), Kind::kDouble);
  EXPECT_EQ(kind({"coupon"}), Kind::kAbsent);
  EXPECT_EQ(kind({"coupon", "code"}), Kind::kError);
  EXPECT_EQ(kind({"total", "cents"}), Kind::kError);
  EXPECT_EQ(kind({}), Kind::kMap);
}

TEST_F(SlotsTest, AConstantReadsNothing) {
  const Compiled compiled = compile("duration('7d') + duration('1h')", environment_, references_);
  ASSERT_TRUE(compiled.program->constant());
  EXPECT_EQ(to_text(*compiled.program->constant()), "608400s");
  EXPECT_TRUE(compiled.program->slots().empty());
}

}  // namespace
}  // namespace spur::expression
