// `backfill: once`: what was over before its trigger was active fires when it becomes so, once.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/operators/story.h"

namespace spur::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr const char* kFirst = R"(
Feature last_order: {on: Order, aggregate: last, of: event.time}
)";

// Win-back, as a second version brings it: no order for ten days.
constexpr const char* kWinBack = R"(
Feature last_order: {on: Order, aggregate: last, of: event.time}
Trigger win-back: {backfill: once, absence: {opens: {on: Order}, closes: {on: Order}, after: 10d},
  actions: [{channel: email, template: t, data: {since: instance.opened_at}}]}
)";

std::string sent(std::string_view at, std::string_view since) {
  return std::string(at) + R"( win-back sent {"since":"2026-)" + std::string(since) + R"(Z"})";
}

TEST(Backfill, AWaitThatWasOverWhenTheTriggerCameFiresThen) {
  Story story(kFirst);
  story.at("03-01 09:00", "ann", "Order");
  story.at("03-20 09:00", "bob", "Other");  // never ordered
  story.change_catalog(kWinBack);
  story.run_until("04-20 00:00");
  EXPECT_THAT(story.decisions(), ElementsAre(sent("03-20 09:00", "03-01T09:00:00")));
}

TEST(Backfill, WithoutItNothingIsKnownOfTheWait) {
  Story story(kFirst);
  story.at("03-01 09:00", "ann", "Order");
  story.tick("03-20 09:00");
  std::string without(kWinBack);
  without.erase(without.find("backfill: once, "), 16);
  story.change_catalog(without);
  story.run_until("04-20 00:00");
  EXPECT_THAT(story.decisions(), IsEmpty());
}

TEST(Backfill, OneThatIsNotOverIsOpenedAndRunsOutInItsTime) {
  Story story(kFirst);
  story.at("03-01 09:00", "ann", "Order");
  story.at("03-01 09:00", "bob", "Order");
  story.tick("03-05 09:00");
  story.change_catalog(kWinBack);
  story.at("03-08 09:00", "bob", "Order");
  story.run_until("04-20 00:00");
  EXPECT_THAT(story.decisions(), ElementsAre(sent("03-11 09:00", "03-01T09:00:00"),
                                             sent("03-18 09:00", "03-08T09:00:00")));
}

// At exactly the deadline the wait is over as of that instant, and an event at it is still in time.
TEST(Backfill, TheActivationAtExactlyTheDeadline) {
  for (const bool order : {false, true}) {
    Story story(kFirst);
    story.at("03-01 09:00", "ann", "Order");
    story.tick("03-11 09:00");
    story.change_catalog(kWinBack);
    if (order) story.at("03-11 09:00", "ann", "Order");
    story.run_until("03-11 09:00");
    EXPECT_EQ(story.decisions(), order ? std::vector<std::string>()
                                       : std::vector{sent("03-11 09:00", "03-01T09:00:00")});
  }
}

// An event that comes before the customer was gone to finds its timers taken first.
TEST(Backfill, IsTakenBeforeAnEventBehindTheActivation) {
  Story story(kFirst);
  story.at("03-01 09:00", "ann", "Order");
  story.tick("03-20 09:00");
  story.change_catalog(kWinBack);
  story.at("03-20 09:00:00.001", "ann", "Order");
  story.run_until("03-21 00:00");
  EXPECT_THAT(story.decisions(), ElementsAre(sent("03-20 09:00", "03-01T09:00:00")));
}

TEST(Backfill, OnceAndNotWithTheNextVersionAgain) {
  Story story(kFirst);
  story.at("03-01 09:00", "ann", "Order");
  story.tick("03-20 09:00");
  story.change_catalog(kWinBack);
  story.tick("03-20 10:00");
  EXPECT_THAT(story.decisions(), ElementsAre(sent("03-20 09:00", "03-01T09:00:00")));
  story.change_catalog(std::string(kWinBack) + "Feature n: {on: Order, aggregate: count}\n");
  story.run_until("04-01 00:00");
  std::string later(kWinBack);
  later.replace(later.find("10d"), 3, "12d");  // another version of the same trigger
  story.change_catalog(later);
  story.run_until("05-01 00:00");
  EXPECT_THAT(story.decisions(), IsEmpty());
}

TEST(Backfill, ATriggerThatWasThereAlreadyHasSeenItself) {
  std::string without(kWinBack);
  without.erase(without.find("backfill: once, "), 16);
  Story story(without);
  story.at("03-01 09:00", "ann", "Order");
  story.tick("03-20 09:00");
  EXPECT_THAT(story.decisions(), ElementsAre(sent("03-11 09:00", "03-01T09:00:00")));
  story.change_catalog(kWinBack);
  story.run_until("05-01 00:00");
  EXPECT_THAT(story.decisions(), IsEmpty());
}

TEST(Backfill, WhatAFeatureDoesNotKnowIsNotMadeUp) {
  Story story("Feature other: {on: Other, aggregate: count}");
  story.at("03-01 09:00", "ann", "Order");
  story.tick("03-20 09:00");
  story.change_catalog(kWinBack);  // its Feature comes with it
  story.run_until("05-01 00:00");
  EXPECT_THAT(story.decisions(), IsEmpty());
}

constexpr const char* kViewed = R"(
Feature viewed: {on: Viewed, by: event.properties.sku, aggregate: last, of: event.time}
Feature bought: {on: Bought, by: event.properties.sku, aggregate: last, of: event.time}
Feature left: {on: Left, aggregate: max, of: event.time}
)";

TEST(Backfill, ByKeyAndWhatEndedTheWaitIsAskedToo) {
  Story story(kViewed);
  const auto sku = [](const char* key) { return std::string("{\"sku\":\"") + key + "\"}"; };
  story.at("03-01 09:00", "ann", "Viewed", sku("a"));
  story.at("03-01 10:00", "ann", "Viewed", sku("b"));
  story.at("03-01 11:00", "ann", "Bought", sku("b"));
  story.at("03-01 12:00", "ann", "Viewed", sku("c"));
  story.at("03-01 12:00", "ann", "Bought", sku("c"));  // at one instant: taken to have ended it
  story.at("03-01 13:00", "bob", "Viewed", sku("a"));
  story.at("03-01 14:00", "bob", "Left");
  story.tick("03-05 09:00");
  story.change_catalog(std::string(kViewed) + R"(
Trigger t: {backfill: once, exit: {on: Left},
  absence: {key: event.properties.sku, opens: {on: Viewed}, resets: {on: Viewed}, closes: {on: Bought}, after: 1d},
  actions: [{channel: email, template: t}]}
)");
  story.run_until("03-20 00:00");
  EXPECT_THAT(story.decisions(), ElementsAre("03-05 09:00 t[a] sent"));
}

// R3 by its parts: `where` names what is known of the customer, and the Feature counts without it.
TEST(Backfill, AWhereThatNamesNoEventIsAskedAtTheActivation) {
  constexpr const char* kGaps = "Feature gaps: {on: Order, aggregate: gaps}\n";
  Story story(kGaps);
  for (const char* day : {"03-01 09:00", "03-03 09:00", "03-05 09:00", "03-07 09:00"})
    story.at(day, "ann", "Order");
  story.at("03-07 09:00", "bob", "Order");
  story.tick("03-20 09:00");
  story.change_catalog(std::string(kGaps) + R"(
Trigger lapsed: {backfill: once, absence: {closes: {on: Order},
  opens: {on: Order, where: features.gaps.count >= 3}, after: features.gaps.mean * 3},
  actions: [{channel: email, template: t}]}
)");
  story.run_until("04-20 00:00");
  EXPECT_THAT(story.decisions(), ElementsAre("03-20 09:00 lapsed sent"));
}

TEST(Backfill, ARhythmTakesItsGapsFromAFeatureOfTheSameDefinition) {
  constexpr const char* kGaps = "Feature gaps: {on: Order, aggregate: gaps}\n";
  Story story(kGaps);
  for (const char* day : {"03-01 09:00", "03-03 09:00", "03-05 09:00", "03-07 09:00"}) {
    story.at(day, "ann", "Order");
    story.at(day, "bob", "Order");
  }
  story.tick("03-11 08:00");
  story.at("03-11 08:30", "bob", "Order");
  story.change_catalog(std::string(kGaps) + R"(
Trigger drop: {backfill: once, rhythm: {on: Order, change: drop, factor: 2},
  actions: [{channel: email, template: t, data: {since: instance.opened_at}}]}
)");
  story.tick("03-11 08:45");
  EXPECT_THAT(story.decisions(), IsEmpty());  // not over: four days have to pass
  story.run_until("03-20 00:00");
  EXPECT_THAT(story.decisions(),
              ElementsAre(R"(03-11 09:00 drop sent {"since":"2026-03-07T09:00:00Z"})",
                          R"(03-16 08:15 drop sent {"since":"2026-03-11T08:30:00Z"})"));
}

TEST(Backfill, AThresholdThatHoldsAndASegmentThatHasThemAlready) {
  constexpr const char* kOrders = R"(
Feature orders: {on: Order, aggregate: count}
Segment loyal: {when: features.orders >= 2}
)";
  Story story(kOrders);
  story.at("03-01 09:00", "ann", "Order");
  story.at("03-01 09:00", "ann", "Order");
  story.at("03-01 09:00", "bob", "Order");
  story.change_catalog(std::string(kOrders) + R"(
Trigger again: {backfill: once, threshold: {when: features.orders >= 2}, actions: [{channel: email, template: t}]}
Trigger joined: {backfill: once, segment: {of: loyal, on: entered}, actions: [{channel: email, template: t}]}
Trigger plain: {threshold: {when: features.orders >= 2}, actions: [{channel: email, template: t}]}
)");
  story.tick("03-01 10:00");
  EXPECT_THAT(story.decisions(), ElementsAre("09:00 again sent", "09:00 joined sent"));
  story.at("03-01 11:00", "ann", "Order");  // the edge has been used up
  story.at("03-01 11:00", "bob", "Order");
  story.run_until("03-02 00:00");
  EXPECT_THAT(story.decisions(),
              ElementsAre("11:00 again sent", "11:00 joined sent", "11:00 plain sent"));
}

TEST(Backfill, AScoreThatIsHighAlready) {
  constexpr const char* kModel = R"(
Model churn: {bg_nbd: {on: Order, horizon: 39w}, parameters: {r: 0.24, alpha: 4.4, a: 0.8, b: 2.4, unit: 1d}}
)";
  Story story(kModel);
  for (const char* day : {"03-01 09:00", "03-02 09:00", "03-03 09:00", "03-04 09:00"})
    story.at(day, "ann", "Order");
  story.tick("04-01 09:00");
  story.change_catalog(std::string(kModel) + R"(
Trigger risk: {backfill: once, prediction: {model: churn, at_least: 0.6, every: 1d}, actions: [{channel: email, template: t}]}
Trigger plain: {prediction: {model: churn, at_least: 0.6, every: 1d}, actions: [{channel: email, template: t}]}
)");
  story.run_until("04-10 00:00");
  EXPECT_THAT(story.decisions(), ElementsAre("04-01 09:00 risk sent"));
}

// --- `from`: the trigger is there, and becomes active later ---

constexpr const char* kFromTen = R"(
Trigger win-back: {from: 2026-03-20T10:00:00Z, backfill: once,
  absence: {opens: {on: Order}, closes: {on: Order}, after: 10d},
  actions: [{channel: email, template: t, data: {since: instance.opened_at}}, {channel: email, template: u, after: 1d}]}
)";

TEST(Backfill, FromAnInstantOnWhatHasRunOutBeforeFiresAtIt) {
  Story story(kFromTen);
  story.at("03-01 09:00", "ann", "Order");
  story.at("03-01 09:00", "bob", "Order");
  story.at("03-05 09:00", "bob", "Order");  // the wait of before is closed: one firing
  story.at("03-01 09:00", "cy", "Order");
  story.at("03-20 10:00", "cy", "Order");   // at the activation, and so in time
  story.at("03-12 09:00", "dee", "Order");  // not over by then
  story.run_until("03-23 00:00");
  EXPECT_THAT(
      story.decisions(),
      ElementsAre(sent("03-20 10:00", "03-01T09:00:00"), sent("03-20 10:00", "03-05T09:00:00"),
                  "03-21 10:00 win-back email/u sent", "03-21 10:00 win-back email/u sent",
                  sent("03-22 09:00", "03-12T09:00:00")));
}

TEST(Backfill, AThresholdIsNotAskedBeforeItIsActive) {
  Story story(R"(
Feature orders: {on: Order, aggregate: count}
Trigger t: {from: 2026-03-20T10:00:00Z, backfill: once, threshold: {when: features.orders >= 2}, actions: [{channel: email, template: t}]}
Trigger none: {from: 2026-03-20T10:00:00Z, backfill: once, threshold: {when: features.orders == 0}, actions: [{channel: email, template: t}]}
)");
  story.at("03-01 09:00", "ann", "Order");
  story.at("03-02 09:00", "ann", "Order");
  story.at("03-02 09:00", "bob", "Order");
  story.at("03-02 09:00", "cy", "Other");
  story.run_until("04-01 00:00");
  EXPECT_THAT(story.decisions(), ElementsAre("03-20 10:00 t sent", "03-20 10:00 none sent"));
}

TEST(Backfill, ASilenceBehindASequence) {
  Story story(R"(
Trigger s: {from: 2026-03-20T10:00:00Z, backfill: once,
  sequence: {steps: [{on: A}, {on: B}], then_silent: {on: C, for: 1h}}, actions: [{channel: email, template: t}]}
)");
  for (const char* customer : {"ann", "bob"}) {
    story.at("03-01 09:00", customer, "A");
    story.at("03-01 09:10", customer, "B");
  }
  story.at("03-19 09:00", "bob", "C");
  story.run_until("04-01 00:00");
  EXPECT_THAT(story.decisions(), ElementsAre("03-20 10:00 s sent"));
}

// --- a history is read first: active is the trigger where the wall clock stood ---

TEST(Backfill, AHistoryThatIsStillReadLiesBeforeTheActivation) {
  Story story("Feature n: {on: Order, aggregate: count}");
  story.reading_history_at("06-01 08:00");
  story.change_catalog(R"(
Trigger win-back: {backfill: once, absence: {opens: {on: Order}, closes: {on: Order}, after: 10d},
  actions: [{channel: email, template: t, data: {since: instance.opened_at}}]}
)");
  story.restart_after_each_input();
  story.at("03-01 09:00", "ann", "Order");
  story.at("04-01 09:00", "ann", "Order");
  story.at("04-01 09:00", "bob", "Order");
  story.at("05-31 09:00", "bob", "Order");
  story.run_until("06-02 00:00");
  EXPECT_THAT(story.decisions(), ElementsAre(sent("06-01 08:00", "04-01T09:00:00")));
}

// --- guards ---

TEST(Backfill, GuardsHoldAsForAnyFiring) {
  Story story(kFirst);
  story.at("03-01 09:00", "ann", "Order");
  story.at("03-02 09:00", "bob", "Order");
  story.at("03-03 09:00", "cy", "Order");
  story.tick("03-20 09:00");
  story.at("03-20 09:00", "cy", "$identify", "{}", R"({"block":true})");
  story.change_catalog(R"yaml(
Feature last_order: {on: Order, aggregate: last, of: event.time}
Channel email: {reach: "!has(traits.block)", caps: [{max: 1, per: 7d}], quiet_hours: {from: "08:00", to: "12:00"}}
Trigger a: {backfill: once, once: customer, absence: {opens: {on: Order}, closes: {on: Order}, after: 10d}, actions: [{channel: email, template: t}]}
Trigger b: {backfill: once, cooldown: 30d, absence: {opens: {on: Order}, closes: {on: Order}, after: 11d}, actions: [{channel: email, template: t}]}
)yaml");
  story.at("03-20 09:30", "bob", "Order");  // what was deferred is dropped
  story.run_until("04-01 00:00");
  EXPECT_THAT(
      story.decisions(),
      ElementsAre("03-20 09:00 a deferred quiet_hours", "03-20 09:00 b deferred quiet_hours",
                  "03-20 09:00 a deferred quiet_hours", "03-20 09:00 b deferred quiet_hours",
                  "03-20 09:00 a suppressed reachable", "03-20 09:00 b suppressed reachable",
                  "03-20 09:30 a suppressed exit", "03-20 09:30 b suppressed exit",
                  "03-20 12:00 a sent", "03-20 12:00 b suppressed cap",
                  "03-30 09:30 a suppressed once", "03-31 09:30 b suppressed cooldown"));
}

// --- slices, restarts, shards ---

// What each customer gets, whatever the number of shards, the slices and the restarts between.
TEST(Backfill, NeitherSlicesNorShardsNorRestartsChangeIt) {
  const auto decided = [](std::uint32_t shards, bool restarts, bool at_once) {
    std::vector<std::string> lines;
    for (std::uint32_t shard = 0; shard < shards; ++shard) {
      Story story(kFirst, shards, shard);
      const auto on_this = [&](const std::string& name) { return shard_of(name, shards) == shard; };
      for (int i = 0; i < 700; ++i) {
        const std::string name = "c" + std::to_string(i);
        if (on_this(name))
          story.at("03-" +
                       std::string(i % 9 < 3   ? "01"
                                   : i % 9 < 6 ? "12"
                                               : "19") +
                       " 09:00",
                   name, "Order");
      }
      story.tick("03-20 09:00");
      if (restarts) story.restart_after_each_input();
      story.change_catalog(kWinBack);
      // The sweep is under way: each run wakes some hundreds.
      if (!at_once) {
        for (int i = 0; i < 700; i += 7) {
          const std::string name = "c" + std::to_string(i);
          if (on_this(name)) story.at("03-20 09:00:01", name, "Order");
        }
        story.tick("03-20 09:00:02");
        story.tick("03-20 09:00:03");
      } else {
        story.tick("03-20 09:00:00.500");
        for (int i = 0; i < 700; i += 7) {
          const std::string name = "c" + std::to_string(i);
          if (on_this(name)) story.at("03-20 09:00:01", name, "Order");
        }
      }
      story.run_until("04-20 00:00");
      for (const Decision& d : story.take())
        lines.push_back(d.customer + " " + text_of(d.time) + " " + d.data);
    }
    std::sort(lines.begin(), lines.end());
    return lines;
  };
  const std::vector<std::string> expected = decided(1, false, true);
  EXPECT_EQ(expected.size(), 700u + 34u);  // those of 1 March that order again fire twice
  for (const std::uint32_t shards : {1u, 4u}) {
    for (const bool at_once : {false, true})
      EXPECT_EQ(decided(shards, false, at_once), expected) << shards << at_once;
  }
  EXPECT_EQ(decided(4, true, false), expected);
}

}  // namespace
}  // namespace spur::testing
