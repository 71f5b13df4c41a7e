// Business data: records as of their time, and the operator that tells of their changes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "absl/strings/str_cat.h"
#include "tests/operators/story.h"

namespace spur::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr const char* kPriceDrop = R"(
Reference products: {topic: products, format: json, key: body.id}
Trigger price-drop:
  class: service
  business:
    reference: products
    interest: {on: Product Viewed, key: event.properties.id, within: 30d}
  if: record.price <= 0.9 * instance.opened.properties.price && (!has(instance.last) || record.price < instance.last.data.price)
  actions: [{channel: email, template: t, data: {price: record.price}}]
)";

TEST(BusinessDataTest, ARecordIsReadAsOfTheTimeOfTheEvent) {
  Story story(R"(
Reference products: {topic: products, key: body.id}
Trigger bought: {class: service, event: {on: Order Completed}, actions: [{channel: email, template: t, data: {price: "reference.products[event.properties.id].price"}}]}
)");
  story.record("09:00", "products", R"({"id":7,"price":100})");
  story.record("10:00", "products", R"({"id":7,"price":80})");
  story.at("08:00", "ann", "Order Completed", R"({"id":7})");
  story.at("09:30", "bob", "Order Completed", R"({"id":"7"})");
  story.at("10:00", "cid", "Order Completed", R"({"id":7.0})");
  EXPECT_THAT(story.decisions(), ElementsAre(R"(08:00 bought sent {"price":null})",
                                             R"(09:30 bought sent {"price":100})",
                                             R"(10:00 bought sent {"price":80})"));
}

TEST(BusinessDataTest, ARecordThatComesLateHoldsWhereItBelongs) {
  Story story(R"(
Reference products: {topic: products, key: body.id, time: timestamp(body.since)}
Trigger bought: {class: service, event: {on: Order Completed}, actions: [{channel: email, template: t, data: {price: "reference.products['7'].price"}}]}
)");
  story.record("11:00", "products", R"({"id":7,"price":80,"since":"2026-03-01T10:00:00Z"})");
  story.record("11:00", "products", R"({"id":7,"price":100,"since":"2026-03-01T09:00:00Z"})");
  story.at("09:30", "ann", "Order Completed");
  story.at("10:30", "bob", "Order Completed");
  EXPECT_THAT(story.decisions(), ElementsAre(R"(09:30 bought sent {"price":100})",
                                             R"(10:30 bought sent {"price":80})"));
}

TEST(BusinessDataTest, ADeletedRecordIsNotThereFromThenOn) {
  Story story(R"(
Reference products: {topic: products, key: body.id}
Trigger bought: {class: service, event: {on: Order Completed}, actions: [{channel: email, template: t, data: {known: "'7' in reference.products"}}]}
)");
  story.record("09:00", "products", R"({"id":7})");
  story.no_record("10:00", "products", "7");
  story.at("09:30", "ann", "Order Completed");
  story.at("10:30", "bob", "Order Completed");
  EXPECT_THAT(story.decisions(), ElementsAre(R"(09:30 bought sent {"known":true})",
                                             R"(10:30 bought sent {"known":false})"));
}

TEST(BusinessDataTest, ARecordWithoutItsKeyIsADeadLetter) {
  Story story(kPriceDrop);
  story.record("09:00", "products", R"({"price":100})");
  ASSERT_EQ(story.dead_letters().size(), 1u);
  EXPECT_EQ(story.dead_letters()[0].reason, "MISSING_KEY");
}

TEST(BusinessTest, APriceDropIsToldToWhoSawTheHigherPrice) {
  Story story(kPriceDrop);
  story.record("08:00", "products", R"({"id":7,"price":100})");
  story.at("09:00", "ann", "Product Viewed", R"({"id":7,"price":100})");
  story.at("09:00", "bob", "Product Viewed", R"({"id":8,"price":100})");
  story.record("10:00", "products", R"({"id":7,"price":95})");
  story.record("11:00", "products", R"({"id":7,"price":90})");
  story.run_until("12:00");
  EXPECT_THAT(story.decisions(), ElementsAre(R"(11:00 price-drop[7] sent {"price":90})"));
}

TEST(BusinessTest, ItIsToldAgainOnlyIfThePriceFallsFurther) {
  Story story(kPriceDrop);
  story.at("09:00", "ann", "Product Viewed", R"({"id":7,"price":100})");
  story.record("10:00", "products", R"({"id":7,"price":80})");
  story.record("11:00", "products", R"({"id":7,"price":85})");
  story.record("12:00", "products", R"({"id":7,"price":80})");
  story.record("13:00", "products", R"({"id":7,"price":70})");
  story.run_until("14:00");
  EXPECT_THAT(story.decisions(), ElementsAre(R"(10:00 price-drop[7] sent {"price":80})",
                                             R"(13:00 price-drop[7] sent {"price":70})"));
}

TEST(BusinessTest, TheNewestViewIsThePriceThatTheCustomerSaw) {
  Story story(kPriceDrop);
  story.at("09:00", "ann", "Product Viewed", R"({"id":7,"price":100})");
  story.at("09:30", "ann", "Product Viewed", R"({"id":7,"price":80})");
  story.record("10:00", "products", R"({"id":7,"price":80})");
  story.run_until("14:00");
  EXPECT_THAT(story.decisions(), IsEmpty());
}

TEST(BusinessTest, AnOlderViewThatComesLateIsNotTheNewest) {
  Story story(kPriceDrop);
  story.at("09:30", "ann", "Product Viewed", R"({"id":7,"price":80})");
  story.at("09:00", "ann", "Product Viewed", R"({"id":7,"price":100})");
  story.record("10:00", "products", R"({"id":7,"price":80})");
  story.run_until("14:00");
  EXPECT_THAT(story.decisions(), IsEmpty());
}

TEST(BusinessTest, ARecordThatSaysTheSameIsNoChange) {
  Story story(R"(
Reference products: {topic: products, key: body.id}
Trigger any-change: {class: service, business: {reference: products, interest: {on: V, key: event.properties.id, within: 1d}}, actions: [{channel: email, template: t}]}
)");
  story.at("09:00", "ann", "V", R"({"id":7})");
  story.record("10:00", "products", R"({"id":7,"price":80})");
  story.record("11:00", "products", R"({"id":7,"price":80})");
  story.record("12:00", "products", R"({"id":7,"price":81})");
  story.run_until("14:00");
  EXPECT_THAT(story.decisions(),
              ElementsAre("10:00 any-change[7] sent", "12:00 any-change[7] sent"));
}

TEST(BusinessTest, AnInterestEndsWithItsTimeAndTheInstantItselfIsInTime) {
  Story story(R"(
Reference products: {topic: products, key: body.id}
Trigger any-change: {class: service, business: {reference: products, interest: {on: V, key: event.properties.id, within: 1h}}, actions: [{channel: email, template: t}]}
)");
  story.at("09:00", "ann", "V", R"({"id":7})");
  story.record("10:00", "products", R"({"id":7,"n":1})");
  story.record("10:00:00.001", "products", R"({"id":7,"n":2})");
  story.run_until("14:00");
  EXPECT_THAT(story.decisions(), ElementsAre("10:00 any-change[7] sent"));
}

TEST(BusinessTest, WhoShowsInterestAtTheInstantOfTheChangeHasSeenIt) {
  Story story(R"(
Reference products: {topic: products, key: body.id}
Trigger any-change: {class: service, business: {reference: products, interest: {on: V, key: event.properties.id, within: 1h}}, actions: [{channel: email, template: t}]}
)");
  story.at("10:00", "ann", "V", R"({"id":7})");
  story.at("09:59:59.999", "bob", "V", R"({"id":7})");
  story.record("10:00", "products", R"({"id":7,"n":1})");
  story.run_until("14:00");
  const std::vector<Decision> decisions = story.take();
  ASSERT_EQ(decisions.size(), 1u);
  EXPECT_EQ(decisions[0].customer, "user_id:bob");
}

TEST(BusinessTest, ClosesAndExitEndTheInterest) {
  Story story(R"(
Reference products: {topic: products, key: body.id}
Trigger any-change:
  class: service
  business:
    reference: products
    key: event.properties.id
    interest: {on: V, within: 1h}
    closes: {on: Unfollowed}
  exit: {on: Order Completed, key: event.properties.id}
  actions: [{channel: email, template: t}]
)");
  for (const char* who : {"ann", "bob", "cid"}) story.at("09:00", who, "V", R"({"id":7})");
  story.at("09:10", "ann", "Unfollowed", R"({"id":7})");
  story.at("09:10", "bob", "Order Completed", R"({"id":7})");
  story.at("09:10", "cid", "Order Completed", R"({"id":8})");
  story.record("09:30", "products", R"({"id":7,"n":1})");
  story.run_until("14:00");
  const std::vector<Decision> decisions = story.take();
  ASSERT_EQ(decisions.size(), 1u);
  EXPECT_EQ(decisions[0].customer, "user_id:cid");
}

// An event after a change is taken after it, however late the others are told.
TEST(BusinessTest, ACustomerIsToldBeforeItGoesOn) {
  Story story(kPriceDrop);
  story.at("09:00", "ann", "Product Viewed", R"({"id":7,"price":100})");
  story.record("10:00", "products", R"({"id":7,"price":80})");
  story.at("10:30", "ann", "Product Viewed", R"({"id":7,"price":80})");
  story.run_until("14:00");
  EXPECT_THAT(story.decisions(), ElementsAre(R"(10:00 price-drop[7] sent {"price":80})"));
}

TEST(BusinessTest, WhenIsAskedOnceAChangeAndSeesWhatWasBefore) {
  Story story(R"(
Reference products: {topic: products, key: body.id}
Trigger back-in-stock:
  class: service
  business:
    reference: products
    interest: {on: V, key: event.properties.id, within: 90d}
    when: previous.stock == 0 && record.stock > 0
  actions: [{channel: email, template: t, data: {was: previous.stock, "is": record.stock}}]
)");
  story.record("08:00", "products", R"({"id":7,"stock":0})");
  story.at("09:00", "ann", "V", R"({"id":7})");
  story.record("10:00", "products", R"({"id":7,"stock":5})");
  story.record("11:00", "products", R"({"id":7,"stock":4})");
  story.record("12:00", "products", R"({"id":7,"stock":0})");
  story.record("13:00", "products", R"({"id":7,"stock":2})");
  story.run_until("14:00");
  EXPECT_THAT(story.decisions(), ElementsAre(R"(10:00 back-in-stock[7] sent {"was":0,"is":5})",
                                             R"(13:00 back-in-stock[7] sent {"was":0,"is":2})"));
}

TEST(BusinessTest, ARateTellsTheOldestInterestFirstAndReadsTheRecordAgain) {
  Story story(R"(
Reference products: {topic: products, key: body.id}
Trigger back-in-stock:
  class: service
  business:
    reference: products
    interest: {on: V, key: event.properties.id, within: 90d}
    when: previous.stock == 0
    rate: {max: 2, per: 1h}
  if: record.stock > 0
  actions: [{channel: email, template: t, data: {stock: record.stock}}]
)");
  story.record("07:00", "products", R"({"id":7,"stock":0})");
  story.at("09:04", "ann", "V", R"({"id":7})");
  story.at("09:03", "bob", "V", R"({"id":7})");
  story.at("09:02", "cid", "V", R"({"id":7})");
  story.at("09:01", "dan", "V", R"({"id":7})");
  story.at("09:00", "eve", "V", R"({"id":7})");
  story.record("10:00", "products", R"({"id":7,"stock":5})");
  story.record("10:30", "products", R"({"id":7,"stock":3})");
  story.record("11:30", "products", R"({"id":7,"stock":0})");
  story.run_until("14:00");
  std::vector<std::string> told;
  for (const Decision& d : story.take())
    told.push_back(text_of(d.time) + " " + d.customer + " " + d.data);
  EXPECT_THAT(told,
              ElementsAre(R"(10:00 user_id:dan {"stock":5})", R"(10:00 user_id:eve {"stock":5})",
                          R"(11:00 user_id:bob {"stock":3})", R"(11:00 user_id:cid {"stock":3})"));
}

TEST(BusinessTest, ErasureTakesTheCustomerOutOfTheIndex) {
  Story story(R"(
Reference products: {topic: products, key: body.id}
Policy all: {erasure: {on: Erase Me}}
Trigger any-change: {class: service, business: {reference: products, interest: {on: V, key: event.properties.id, within: 1h}}, actions: [{channel: email, template: t}]}
)");
  story.at("09:00", "a-person-to-forget", "V", R"({"id":7})");
  story.at("09:01", "a-person-to-forget", "Erase Me");
  story.record("09:30", "products", R"({"id":7,"n":1})");
  story.run_until("14:00");
  EXPECT_THAT(story.decisions(), IsEmpty());
  std::size_t named = 0;
  for (const std::string& row : story.rows())
    named += row.find("a-person-to-forget") != std::string::npos;
  EXPECT_EQ(named, 1u);  // its own row, which remembers the erasure
}

TEST(BusinessTest, WhatIsLeftToTellSurvivesARestart) {
  constexpr const char* kCatalog = R"(
Reference products: {topic: products, key: body.id}
Trigger any-change: {class: service, business: {reference: products, interest: {on: V, key: event.properties.id, within: 1d}, rate: {max: 1, per: 1h}}, actions: [{channel: email, template: t, data: {n: record.n, was: 'has(previous.n)'}}]}
)";
  const auto tell = [&](bool restarts) {
    Story story(kCatalog);
    if (restarts) story.restart_after_each_input();
    for (int i = 0; i < 5; ++i) story.at("09:00", "c" + std::to_string(i), "V", R"({"id":7})");
    story.record("09:30", "products", R"({"id":7,"n":1})");
    story.tick("10:45");
    story.record("11:00", "products", R"({"id":7,"n":2})");
    story.tick("12:45");
    story.run_until("03-02 08:00");
    return story.decisions();
  };
  const std::vector<std::string> told = tell(false);
  EXPECT_EQ(told.size(), 10u);
  EXPECT_EQ(tell(true), told);
}

struct Step {
  std::string when, customer, json;  // a record, if there is no customer
};

// Views, carts and records of three products within some hours, by time.
std::vector<Step> random_day(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<Step> steps;
  int minute = 8 * 60;
  for (int i = 0; i < 120; ++i) {
    minute += static_cast<int>(random() % 8);
    const std::string when = absl::StrCat(absl::Dec(minute / 60, absl::kZeroPad2), ":",
                                          absl::Dec(minute % 60, absl::kZeroPad2), ":00.",
                                          absl::Dec(i, absl::kZeroPad3));
    const std::string body =
        absl::StrCat("{\"id\":", random() % 3, ",\"price\":", 60 + 10 * (random() % 5), "}");
    steps.push_back({when, random() % 4 == 0 ? "" : absl::StrCat("c", random() % 6), body});
  }
  return steps;
}

std::vector<std::string> decide(const std::vector<Step>& steps, const char* lateness, int ticks,
                                bool restarts) {
  Story story(absl::StrCat(kPriceDrop, R"(
Trigger any-change: {class: service, business: {reference: products, interest: {on: Product Viewed, key: event.properties.id, within: 45m}}, actions: [{channel: email, template: t, data: {n: instance.count, was: 'previous.?price.orValue(0)'}}]}
Policy all: {lateness: )",
                           lateness, "}\n"));
  if (restarts) story.restart_after_each_input();
  int place = 0;
  for (const Step& step : steps) {
    if (step.customer.empty())
      story.record(step.when, "products", step.json);
    else
      story.at_with_id(step.when, step.when, step.customer, "Product Viewed", step.json);
    if (ticks > 0 && ++place % ticks == 0) story.tick(story.shard().clock());
  }
  story.run_until("23:00");
  std::vector<std::string> lines;
  for (const Decision& d : story.take())
    lines.push_back(absl::StrCat(text_of(d.time), " ", d.customer, " ", d.trigger, "[", d.instance,
                                 "] ", d.data));
  return lines;
}

TEST(BusinessTest, NeitherSlicesNorRestartsDecide) {
  std::size_t decided = 0;
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    const std::vector<Step> steps = random_day(seed);
    for (const char* lateness : {"0s", "20m"}) {
      const std::vector<std::string> never = decide(steps, lateness, 0, false);
      decided += never.size();
      EXPECT_EQ(decide(steps, lateness, 1, false), never)
          << "seed " << seed << " lateness " << lateness;
      EXPECT_EQ(decide(steps, lateness, 7, true), never)
          << "seed " << seed << " lateness " << lateness;
    }
  }
  EXPECT_GT(decided, 1000u);
}

// Of records the order counts: they come as their topic has them.
TEST(BusinessTest, WithinTheLatenessTheArrivalOfEventsDoesNotMatter) {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    std::vector<Step> steps = random_day(seed);
    const std::vector<std::string> in_order = decide(steps, "20m", 0, false);
    std::mt19937_64 random(seed);
    std::vector<std::pair<std::int64_t, Step>> arrivals;
    for (const Step& step : steps) {
      const auto delay = static_cast<std::int64_t>(random() % 1'200'001);
      arrivals.emplace_back(instant(step.when).ms + (step.customer.empty() ? 0 : delay), step);
    }
    std::stable_sort(arrivals.begin(), arrivals.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    for (std::size_t i = 0; i < steps.size(); ++i) steps[i] = arrivals[i].second;
    EXPECT_EQ(decide(steps, "20m", 0, false), in_order) << "seed " << seed;
    EXPECT_EQ(decide(steps, "20m", 3, true), in_order) << "seed " << seed;
  }
}

TEST(BusinessTest, AChangedTriggerGoesOnWithWhatTheEarlierVersionKnew) {
  const auto catalog = [](const char* name) {
    return std::string(R"(
Reference products: {topic: products, key: body.id}
Trigger any-change: {class: service, business: {reference: products, interest: {on: V, key: event.properties.id, within: 1d}}, actions: [{channel: email, template: )") +
           name + "}]}\n";
  };
  Story story(catalog("old"));
  story.at("09:00", "ann", "V", R"({"id":7})");
  story.at("09:00", "bob", "V", R"({"id":7})");
  story.change_catalog(catalog("new"));
  story.at("09:10", "bob", "V", R"({"id":7})");
  story.record("09:30", "products", R"({"id":7,"n":1})");
  story.run_until("14:00");
  EXPECT_THAT(story.decisions(), ElementsAre("09:30 any-change[7] email/old sent",
                                             "09:30 any-change[7] email/new sent"));
}

TEST(BusinessTest, NothingIsLeftOfAReferenceThatHasGone) {
  Story story(kPriceDrop);
  story.record("08:00", "products", R"({"id":"a-product","price":100})");
  story.at("09:00", "ann", "Product Viewed", R"({"id":"a-product","price":100})");
  story.change_catalog(
      "Trigger thanks: {class: service, event: {on: V}, actions: [{channel: email, template: "
      "t}]}\n");
  story.tick("10:00");
  for (const std::string& row : story.rows()) EXPECT_EQ(row.find("a-product"), std::string::npos);
}

constexpr const char* kQuiet = R"(
Channel email: {topic: actions.email, quiet_hours: {from: "21:00", to: "08:00", zone: UTC, then: defer}}
Reference products: {topic: products, key: body.id}
Trigger cheaper:
  class: service
  business: {reference: products, interest: {on: V, key: event.properties.id, within: 30d}, when: record.price < previous.price}
  actions: [{channel: email, template: t, data: {now: record.price, was: previous.price}}]
)";

TEST(BusinessTest, WhatTheRecordWasIsStillKnownWhenAStepWasDeferred) {
  for (const bool restarts : {false, true}) {
    Story story(kQuiet);
    if (restarts) story.restart_after_each_input();
    story.record("08:30", "products", R"({"id":7,"price":100})");
    story.at("09:00", "ann", "V", R"({"id":7})");
    story.record("22:00", "products", R"({"id":7,"price":80})");
    story.record("23:00", "products", R"({"id":7,"price":90})");
    story.run_until("03-02 09:00");
    EXPECT_THAT(story.decisions(),
                ElementsAre(R"(22:00 cheaper[7] deferred quiet_hours {"now":80,"was":100})",
                            R"(03-02 08:00 cheaper[7] sent {"now":90,"was":100})"));
  }
}

}  // namespace
}  // namespace spur::testing
