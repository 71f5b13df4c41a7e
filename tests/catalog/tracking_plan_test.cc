// A tracking plan turns a misspelt event, property or trait into an error, wherever it is named.
#include "tests/catalog/errors_fixture.h"

namespace spur::catalog {
namespace {

const std::string kPlan = document("TrackingPlan", R"(
  events:
    Product Added: [cart_id, price]
    Order Completed: [total, address, address.city, products.category, products.price]
    Signed Up: []
  traits: [email, address.zip])") +
                          "---\n" + document("Channel", "{}", "email") + "---\n";

// The document begins at line 16, its `spec:` is line 19.
std::string errors_with(const std::string& kind, const std::string& spec,
                        const std::string& name = "x") {
  return all_errors(kPlan + document(kind, spec, name));
}
std::string feature(const std::string& spec) { return errors_with("Feature", "{" + spec + "}"); }

TEST(TrackingPlanTest, EventsArePlanned) {
  EXPECT_EQ(feature("on: order_completed, aggregate: count"), "");
  EXPECT_EQ(feature("on: [Order Completed, \"*\", $page], aggregate: count"), "");
  EXPECT_EQ(feature("on: Order Complted, aggregate: count"),
            "c:19:12: no tracking plan has the event `Order Complted`; did you mean `Order "
            "Completed`?\n");
  EXPECT_EQ(errors_with("Source", "{order: [Signed Up, Singed Up]}"),
            "c:19:27: no tracking plan has the event `Singed Up`; did you mean `Signed Up`?\n");
}

TEST(TrackingPlanTest, AFeatureNamesPropertiesOfItsEvents) {
  EXPECT_EQ(feature("on: Order Completed, aggregate: sum, of: event.properties.total"), "");
  EXPECT_EQ(feature("on: Order Completed, aggregate: sum, of: event.properties.totl"),
            "c:19:66: there is no property of Order Completed `totl`; did you mean `total`?\n");
  EXPECT_EQ(feature("on: Product Added, aggregate: sum, of: event.properties.total"),
            "c:19:64: there is no property of Product Added `total`\n");
  EXPECT_EQ(
      feature("on: [Product Added, Order Completed], aggregate: sum, of: event.properties.total"),
      "");
  EXPECT_EQ(feature("on: \"*\", aggregate: sum, of: event.properties.total"), "");
  EXPECT_EQ(feature("on: Signed Up, aggregate: sum, of: event.properties.x"),
            "c:19:60: there is no property of Signed Up `x`\n");
}

TEST(TrackingPlanTest, EachWayToNameAPropertyIsSeen) {
  const auto where = [](const std::string& condition) {
    return feature("on: Order Completed, aggregate: count, where: \"" + condition + "\"");
  };
  const std::string wrong =
      "there is no property of Order Completed `totl`; did you mean `total`?\n";
  EXPECT_EQ(where("has(event.properties.totl)"), "c:19:55: " + wrong);
  EXPECT_EQ(where("event.properties.?totl.orValue(0) > 1"), "c:19:73: " + wrong);
  EXPECT_EQ(where("event.properties['totl'] > 1"), "c:19:71: " + wrong);
  EXPECT_EQ(where("size(event.properties) > 1"), "");
  EXPECT_EQ(where("event.context.anything == 1"), "");
}

TEST(TrackingPlanTest, WhatLiesBelowIsPlannedWhereThePlanSaysSo) {
  const auto of = [](const std::string& value) {
    return feature("on: Order Completed, aggregate: first, of: event.properties." + value);
  };
  EXPECT_EQ(of("address.city"), "");
  EXPECT_EQ(of("address.ciy"),
            "c:19:76: there is no property of Order Completed `address.ciy`; did you mean "
            "`address.city`?\n");
  EXPECT_EQ(of("total.anything"), "");  // of this nothing is said
}

TEST(TrackingPlanTest, ElementsOfAListHaveTheirNames) {
  const auto of = [](const std::string& value) {
    return feature("on: Order Completed, each: event.properties.products, aggregate: sum, of: " +
                   value);
  };
  EXPECT_EQ(of("item.price"), "");
  EXPECT_EQ(
      of("item.prce"),
      "c:19:87: there is no property of an element of products `prce`; did you mean `price`?\n");
  EXPECT_EQ(feature("on: Order Completed, each: event.properties.products, where: item.categroy == "
                    "'x', aggregate: count"),
            "c:19:74: there is no property of an element of products `categroy`; did you mean "
            "`category`?\n");
}

TEST(TrackingPlanTest, AnEventIsComparedWithNamesThatThereAre) {
  const auto where = [](const std::string& condition) {
    return feature("on: \"*\", aggregate: count, where: \"" + condition + "\"");
  };
  EXPECT_EQ(where("event.name == 'order_completed'"), "");
  EXPECT_EQ(where("event.name != 'Order Complted'"),
            "c:19:57: there is no event `Order Complted`; did you mean `Order Completed`?\n");
  EXPECT_EQ(where("event.name in ['Signed Up', 'Singed Up']"),
            "c:19:71: there is no event `Singed Up`; did you mean `Signed Up`?\n");
}

TEST(TrackingPlanTest, ATriggerNamesWhatSomeEventHas) {
  const auto trigger = [](const std::string& condition) {
    return errors_with("Trigger", "\n  event: {on: Order Completed}\n  if: " + condition +
                                      "\n  actions: [{channel: email, template: t}]");
  };
  EXPECT_EQ(trigger("event.properties.total > 1 && has(traits.email)"), "");
  EXPECT_EQ(trigger("event.properties.totl > 1"),
            "c:21:24: there is no property `totl`; did you mean `total`?\n");
  EXPECT_EQ(trigger("instance.opened.properties.totl > 1"),
            "c:21:34: there is no property `totl`; did you mean `total`?\n");
  EXPECT_EQ(trigger("has(traits.emal)"),
            "c:21:7: there is no trait `emal`; did you mean `email`?\n");
  EXPECT_EQ(trigger("traits.address.zipp == '1'"),
            "c:21:22: there is no trait `address.zipp`; did you mean `address.zip`?\n");
}

TEST(TrackingPlanTest, AMapMakesWhatIsPlanned) {
  EXPECT_EQ(errors_with("Source", "{format: cloudevents, map: {name: \"'Order Complted'\"}}"),
            "c:19:41: no tracking plan has the event `Order Complted`; did you mean `Order "
            "Completed`?\n");
  EXPECT_EQ(errors_with(
                "Source",
                "{format: cloudevents, map: {name: \"'Order Completed'\", properties: {totl: 1}}}"),
            "c:19:75: there is no property of Order Completed `totl`; did you mean `total`?\n");
}

TEST(TrackingPlanTest, WithoutAPlanOrWithoutItsTraitsAnyNameIsRight) {
  EXPECT_EQ(
      all_errors(document("Feature", "{on: Anything, aggregate: sum, of: event.properties.x}")),
      "");
  EXPECT_EQ(all_errors(document("TrackingPlan", "{events: {A: [x]}}") + "---\n" +
                       document("Segment", "{when: has(traits.x)}", "s")),
            "");
  EXPECT_EQ(
      all_errors(document("TrackingPlan", "{traits: [x]}") + "---\n" +
                 document("Feature", "{on: Anything, aggregate: sum, of: event.properties.x}")),
      "");
}

TEST(TrackingPlanTest, TwoPlansAddUp) {
  EXPECT_EQ(
      all_errors(kPlan + document("TrackingPlan", "{events: {Order_completed: discount}}", "more") +
                 "---\n" +
                 document("Feature",
                          "{on: Order Completed, aggregate: sum, of: event.properties.discount}")),
      "");
}

TEST(TrackingPlanTest, APlanIsCheckedItself) {
  const auto plan = [](const std::string& spec) { return errors(document("TrackingPlan", spec)); };
  EXPECT_EQ(plan("{}"),
            "c:4:1: `events` is missing in `spec`; a mapping of events to their properties, or "
            "`traits`\n");
  EXPECT_EQ(
      plan("{events: {A b: [x], a_B: [y]}}"),
      "c:4:27: `a_B` and `A b` are one event; names are compared without case, `_` is a space\n");
  EXPECT_EQ(plan("{events: {A: [x., y]}}"),
            "c:4:20: `x.` is no name; with a dot before what lies below: products.price\n");
  EXPECT_EQ(plan("{events: [A]}"),
            "c:4:16: `events` is a list; write a mapping of events to lists of their properties\n");
  EXPECT_EQ(plan("{events: {A: {x: y}}}"),
            "c:4:20: `A` is a mapping; write one text, or a list of texts\n");
}

}  // namespace
}  // namespace spur::catalog
