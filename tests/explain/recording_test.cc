// What is taken down of one customer's time line while a shard folds.
#include "daemon/explain/recording.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/explain/drawing.h"
#include "daemon/explain/text.h"
#include "tests/operators/story.h"

namespace spur::explain {
namespace {

using spur::testing::definitions_from;
using spur::testing::instant;
using spur::testing::Story;
using spur::testing::text_of;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr std::string_view kShop = R"(
Policy all: {lateness: 0s}
Feature orders: {on: Order Completed, aggregate: count}
Feature revenue_30d: {on: Order Completed, aggregate: sum, of: event.properties.total, window: 30d}
Trigger cart:
  absence: {key: event.properties.cart, opens: {on: Product Added, where: event.properties.price >= 10}, closes: {on: Order Completed}, after: 1h}
  if: features.orders == 0
  actions: [{channel: email, template: t}, {channel: email, template: u, after: 2h}]
Trigger spender:
  threshold: {when: features.revenue_30d >= 500}
  actions: [{channel: email, template: t}]
)";

class RecordingTest : public ::testing::Test {
 protected:
  RecordingTest() : story_(std::make_unique<Story>(kShop)) {}

  // Another catalog, and its recording of whatever happens.
  void begin(std::string_view yaml) {
    definitions_ = yaml;
    story_ = std::make_unique<Story>(yaml);
    watch();
  }

  void watch(std::string trigger = "", Instant until = Instant::never(),
             std::function<void(const Customer&)> passed = nullptr,
             std::size_t max = kMomentsKept) {
    Recording::Options options;
    options.customer = {IdentityKind::kUserId, "ann"};
    options.trigger = std::move(trigger);
    options.until = until;
    options.moments_max = max;
    options.definitions = [this] { return definitions_from(definitions_); };
    options.passed = std::move(passed);
    recording_ = std::make_unique<Recording>(std::move(options));
    story_->shard().watch(recording_.get());
  }
  // "10:00 Product Added: …; …"
  std::vector<std::string> told() {
    std::vector<std::string> out;
    for (const spur::v1::Moment& moment : recording_->moments()) {
      std::string line = text_of({moment.time_ms()}) + " " +
                         (moment.event().empty() ? "time" : moment.event()) + ":";
      for (const spur::v1::Change& change : moment.changes()) line += " " + words_of(change) + ";";
      out.push_back(line);
    }
    return out;
  }

  std::string_view definitions_ = kShop;  // in force, and told to the recording
  std::unique_ptr<Story> story_;
  std::unique_ptr<Recording> recording_;
};

TEST_F(RecordingTest, AWaitItsDeadlineTheConditionAndTheVerdictStandInOrder) {
  watch("cart");
  story_->at("10:00", "ann", "Product Added", R"({"cart":"k1","price":20})");
  story_->run_until("12:00");
  EXPECT_THAT(
      told(),
      ElementsAre(
          "10:00 Product Added: cart [k1] waits until 2026-03-01T11:00:00.000Z;",
          HasSubstr("11:00 time: cart: `if` features.orders == 0 = true; cart [k1]  email t  "
                    "sent; cart [k1]: its wait is over; cart step 2 [k1] is due at")));
}

TEST_F(RecordingTest, AWhereThatSaidNoIsToldWithItsValue) {
  watch("cart");
  story_->at("10:00", "ann", "Product Added", R"({"cart":"k1","price":4})");
  EXPECT_THAT(
      told(),
      ElementsAre(
          "10:00 Product Added: cart: `where` says no: `event.properties.price >= 10` is false: "
          "event.properties.price is 4;"));
}

TEST_F(RecordingTest, AWhereThatSaidNoToInterestIsToldToo) {
  constexpr std::string_view kStock = R"(
Reference products: {topic: products, format: json, key: body.id}
Trigger back:
  business:
    reference: products
    key: event.properties.id
    interest: [{on: Alert Requested, within: 90d}, {on: Product Viewed, where: event.properties.stock == 0, within: 14d}]
  actions: [{channel: email, template: t}]
)";
  story_->change_catalog(kStock);
  watch("back");
  definitions_ = kStock;
  story_->at("10:00", "ann", "Product Viewed", R"({"id":"p1","stock":4})");
  EXPECT_THAT(told(), ElementsAre("10:00 Product Viewed: back: `where` says no: "
                                  "`event.properties.stock == 0` is false: event.properties.stock "
                                  "is 4;"));
}

TEST_F(RecordingTest, AnIfThatSaidNoIsToldAtTheDeadline) {
  watch("cart");
  story_->at("09:00", "ann", "Order Completed", R"({"total":20})");
  story_->at("10:00", "ann", "Product Added", R"({"cart":"k1","price":20})");
  story_->run_until("12:00");
  EXPECT_THAT(told(),
              Contains(HasSubstr("11:00 time: cart: `if` says no: `features.orders == 0` is false: "
                                 "features.orders is 1; cart [k1]: its wait is over;")));
}

TEST_F(RecordingTest, AVerdictThatHadToWaitForItsGraceIsToldAtTheInstantThatItIsAbout) {
  begin(R"(
Policy all: {lateness: 0s}
Trigger cart:
  absence: {opens: {on: Product Added}, closes: {on: Order Completed}, after: 1h, grace: 10m}
  actions: [{channel: email, template: t}]
)");
  story_->at("10:00", "ann", "Product Added");
  story_->at("11:05", "ann", "Visit");
  EXPECT_THAT(told(), ElementsAre(HasSubstr("10:00 Product Added: cart waits until"),
                                  "11:00 time: cart: its wait is over;", "11:05 Visit:"));
  story_->run_until("12:00");
  EXPECT_THAT(told(), ElementsAre(HasSubstr("10:00 Product Added"),
                                  "11:00 time: cart: its wait is over; cart  email t  sent;",
                                  "11:05 Visit:"));
}

TEST_F(RecordingTest, ARetractionNamesTheActionThatItCallsBack) {
  begin(R"(
Policy all: {lateness: 0s}
Trigger cart:
  absence: {opens: {on: Product Added}, closes: {on: Order Completed}, after: 1h}
  actions: [{channel: email, template: t}]
)");
  story_->at("10:00", "ann", "Product Added");
  story_->run_until("11:30");
  story_->at("10:30", "ann", "Order Completed");
  story_->run_until("11:40");
  std::vector<spur::v1::Decision> decisions;
  for (const spur::v1::Moment& moment : recording_->moments()) {
    for (const spur::v1::Change& change : moment.changes()) {
      if (change.kind() == "decided") decisions.push_back(change.decision());
    }
  }
  ASSERT_EQ(decisions.size(), 2U);
  EXPECT_EQ(decisions[1].verdict(), spur::v1::VERDICT_RETRACTED);
  EXPECT_EQ(decisions[1].retracts().SerializeAsString(), decisions[0].id().SerializeAsString());
}

TEST_F(RecordingTest, AnEventThatComesLateIsToldByItsOwnTime) {
  begin(R"(
Policy all: {lateness: 1m}
Feature orders: {on: Order Completed, aggregate: count}
Trigger any: {event: {on: Other}, actions: [{channel: email, template: t}]}
)");
  story_->at("10:05", "ann", "Order Completed");
  story_->at("10:10", "bob", "Order Completed");  // the lateness of ann's is over
  story_->at("10:00", "ann", "Order Completed");
  story_->run_until("10:20");
  const std::vector<spur::v1::Moment>& moments = recording_->moments();
  ASSERT_EQ(moments.size(), 2U);
  EXPECT_TRUE(moments[1].late());
  EXPECT_EQ(moments[1].event_time_ms(), instant("10:00").ms);
  EXPECT_EQ(moments[1].time_ms(), instant("10:05").ms);
  EXPECT_THAT(draw("ann", moments, {}), HasSubstr("(late, of 2026-03-01T10:00:00.000Z)"));
}

constexpr std::string_view kModel = R"(
Model churn: {bg_nbd: {on: Order Completed, horizon: 39w}, parameters: {r: 0.2426, alpha: 4.4137, a: 0.7930, b: 2.4262, unit: 1w}}
Trigger seldom:
  event: {on: Visit, where: event.properties.n > 1 && models.churn.p_alive < 0.9}
  if: event.properties.n > 2 && models.churn.p_alive < 0.9
  actions: [{channel: email, template: t}]
)";

TEST_F(RecordingTest, AScoreThatTheFoldDidNotAskForIsNotAskedForByWhoWatches) {
  begin(kModel);
  story_->at("10:00", "ann", "Order Completed");
  story_->at("10:10", "ann", "Visit", R"({"n":1})");
  const auto& changes = recording_->moments().back().changes();
  ASSERT_EQ(changes.size(), 1);
  EXPECT_EQ(changes[0].condition().deciding(),
            "`event.properties.n > 1` is false: event.properties.n is 1");
  std::map<std::string, std::string> inputs;
  for (const spur::v1::NamedJson& input : changes[0].condition().inputs())
    inputs[input.name()] = input.json();
  EXPECT_EQ(inputs["models.churn.p_alive"], R"({"error":"not asked at this instant"})");
}

TEST_F(RecordingTest, AScoreThatTheFoldAskedForIsToldAsTheFoldHadIt) {
  begin(kModel);
  for (const char* at : {"03-02 10:00", "03-09 10:00", "03-16 10:00"})
    story_->at(at, "ann", "Order Completed");
  story_->at("06-30 10:00", "ann", "Visit", R"({"n":2})");
  ASSERT_FALSE(recording_->moments().empty());
  for (const spur::v1::Change& change : recording_->moments().back().changes()) {
    if (change.kind() != "asked") continue;
    EXPECT_EQ(change.condition().name(), "if");
    EXPECT_EQ(change.condition().deciding(),
              "`event.properties.n > 2` is false: event.properties.n is 2");
    for (const spur::v1::NamedJson& input : change.condition().inputs()) {
      EXPECT_THAT(input.json(),
                  input.name() == "models.churn.p_alive" ? StartsWith("0.") : StartsWith("2"));
    }
    return;
  }
  ADD_FAILURE() << "`if` was not asked";
}

TEST_F(RecordingTest, FeaturesAndCrossingsAreThereWhereNoTriggerIsNamed) {
  watch();
  story_->at("10:00", "ann", "Order Completed", R"({"total":600})");
  EXPECT_THAT(told(), ElementsAre(::testing::AllOf(
                          HasSubstr("revenue_30d 0 → 600;"), HasSubstr("orders 0 → 1;"),
                          HasSubstr("spender crosses;"), HasSubstr("spender  email t  sent;"))));
}

TEST_F(RecordingTest, OtherCustomersAreNobodysBusiness) {
  watch();
  story_->at("10:00", "bob", "Order Completed", R"({"total":600})");
  EXPECT_THAT(told(), IsEmpty());
}

TEST_F(RecordingTest, WhatComesLaterIsNotTakenDownAndTheCustomerIsSeenAsOfThen) {
  std::vector<Instant> seen;
  watch("", instant("10:30"), [&](const Customer& customer) { seen.push_back(customer.newest); });
  story_->at("10:00", "ann", "Order Completed", R"({"total":6})");
  story_->at("11:00", "ann", "Order Completed", R"({"total":6})");
  story_->at("12:00", "ann", "Order Completed", R"({"total":6})");
  EXPECT_THAT(told(), ElementsAre(HasSubstr("10:00 Order Completed")));
  EXPECT_THAT(seen, ElementsAre(instant("10:00")));
}

TEST_F(RecordingTest, TheOldestGoBeyondTheBoundAndAreCounted) {
  watch("", Instant::never(), nullptr, 2);
  for (const char* at : {"10:00", "10:01", "10:02", "10:03"})
    story_->at(at, "ann", "Order Completed", R"({"total":6})");
  EXPECT_THAT(told(), ElementsAre(HasSubstr("10:02"), HasSubstr("10:03")));
  EXPECT_EQ(recording_->dropped(), 2U);
}

TEST_F(RecordingTest, TheFoldGoesTheSameWayWhoeverWatches) {
  Story alone(kShop);
  watch();
  for (Story* story : {story_.get(), &alone}) {
    story->at("10:00", "ann", "Product Added", R"({"cart":"k1","price":20})");
    story->at("10:10", "ann", "Product Added", R"({"cart":"k2"})");
    story->at("10:30", "bob", "Order Completed", R"({"total":700})");
    story->at("13:30", "ann", "Order Completed", R"({"total":700})");
    story->run_until("20:00");
  }
  EXPECT_EQ(story_->digest(), alone.digest());
  EXPECT_EQ(story_->rows(), alone.rows());
  EXPECT_EQ(story_->decisions(), alone.decisions());
  EXPECT_EQ(story_->counters().conditions_in_error, alone.counters().conditions_in_error);
}

}  // namespace
}  // namespace spur::explain
