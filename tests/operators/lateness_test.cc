// Events that come late, twice or too early, and conclusions that wait for their grace.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/operators/story.h"

namespace spur::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr const char* kLate = R"(
Policy all: {zone: UTC, lateness: 10m}
Trigger left: {absence: {opens: {on: Added}, closes: {on: Ordered}, after: 1h}, actions: [{channel: email, template: t}]}
Trigger seen: {event: {on: Ordered}, actions: [{channel: email, template: t}]}
)";

TEST(Lateness, WhatHappensAtTIsDecidedWhenTheClockHasPassedTPlusL) {
  Story story(kLate);
  story.at("09:00", "ann", "Ordered");
  story.tick("09:10");
  EXPECT_THAT(story.decisions(), IsEmpty());
  story.tick("09:10:00.001");
  EXPECT_THAT(story.decisions(), ElementsAre("09:00 seen sent"));
}

TEST(Lateness, AnEventThatComesAtExactlyTPlusLIsInTime) {
  Story story(kLate);
  story.at("09:00", "ann", "Added");
  story.at("10:10", "bob", "Ordered");
  story.at("10:00", "ann", "Ordered");  // the clock stands at its time + L, and so does the wait's deadline
  story.run_until("12:00");
  EXPECT_THAT(story.decisions(), ElementsAre("10:00 seen sent", "10:10 seen sent"));
  EXPECT_EQ(story.counters().late, 0u);
}

TEST(Lateness, BeyondItItCountsAsLate) {
  Story story(kLate);
  story.at("09:00", "ann", "Added");
  story.tick("10:10:00.001");
  story.at("10:00", "ann", "Ordered");
  story.run_until("12:00");
  EXPECT_THAT(story.decisions(), ElementsAre("10:00 left sent", "10:00 left retracted late", "10:00 seen sent"));
  EXPECT_EQ(story.counters().late, 1u);
}

TEST(Lateness, AnyOrderAndDuplicatesGiveTheSame) {
  constexpr const char* kCatalog = R"(
Policy all: {zone: UTC, lateness: 10m}
Feature n: {on: "*", aggregate: count, window: 5m}
Session visit: {keeps: {on: "*"}, idle: 3m}
Trigger each: {event: {on: "*"}, actions: [{channel: email, template: t, data: {n: features.n, v: sessions.visit.count}}]}
Trigger two: {threshold: {when: features.n >= 2}, actions: [{channel: email, template: t}]}
)";
  Story in_order(kCatalog), shuffled(kCatalog);
  in_order.at_with_id("1", "09:00", "ann", "Product Viewed");
  in_order.at_with_id("3", "09:04", "ann", "Product Added");
  in_order.at_with_id("2", "09:04", "ann", "Order Completed");  // the Source's order decides ties, not the id
  in_order.run_until("12:00");
  shuffled.at_with_id("2", "09:04", "ann", "Order Completed");
  shuffled.at_with_id("3", "09:04", "ann", "Product Added");
  shuffled.at_with_id("2", "09:04", "ann", "Order Completed");
  shuffled.at_with_id("1", "09:00", "ann", "Product Viewed");
  shuffled.run_until("12:00");
  EXPECT_EQ(in_order.decisions(), shuffled.decisions());
  EXPECT_EQ(shuffled.counters().duplicates, 1u);
}

// The first event to arrive need not be the first that happened.
TEST(Lateness, ANewCustomersTimeBeginsWithItsEarliestEvent) {
  constexpr const char* kCatalog = R"(
Policy all: {zone: UTC, lateness: 1h}
Trigger nightly: {schedule: {cron: "0 0 * * *", zone: UTC, when: "true"}, actions: [{channel: email, template: t}]}
)";
  Story in_order(kCatalog), shuffled(kCatalog);
  in_order.at("03-01 23:50", "ann", "X");
  in_order.at("03-02 00:20", "ann", "X");
  in_order.run_until("03-03 12:00");
  shuffled.at("03-02 00:20", "ann", "X");
  shuffled.at("03-01 23:50", "ann", "X");
  shuffled.run_until("03-03 12:00");
  const std::vector<std::string> expected = in_order.decisions();
  EXPECT_THAT(expected, ElementsAre("03-02 00:00 nightly sent", "03-03 00:00 nightly sent"));
  EXPECT_EQ(shuffled.decisions(), expected);
}

// --- grace ---

constexpr const char* kGrace = R"(
Trigger left:
  absence: {opens: {on: Added}, resets: {on: Viewed}, closes: {on: Ordered}, after: 1h, grace: 10s}
  cooldown: 7d
  actions: [{channel: email, template: t}, {channel: email, template: u, after: 1h}]
)";

constexpr const char* kTwoSteps = R"(
Channel email: {topic: e, caps: [{max: 2, per: 1d}]}
Trigger left:
  absence: {opens: {on: Added}, closes: {on: Ordered}, after: 1h, grace: 10s}
  actions: [{channel: email, template: t}, {channel: email, template: u, after: 5s}]
)";

TEST(Grace, OnlyTheConclusionWaits) {
  Story story(kGrace);
  story.at("09:00", "ann", "Added");
  story.tick("10:00:10");
  EXPECT_THAT(story.decisions(), IsEmpty());
  story.tick("10:00:10.001");
  EXPECT_THAT(story.decisions(), ElementsAre("10:00 left sent"));
}

TEST(Grace, WhatContradictsItInTimeCountsByItsOwnTime) {
  Story story(kGrace);
  story.at("09:00", "ann", "Added");
  story.tick("10:00:05");
  story.at("10:00", "ann", "Ordered");
  story.run_until("12:00");
  EXPECT_THAT(story.decisions(), IsEmpty());
}

TEST(Grace, AConclusionAlreadyTakenIsTakenBackWithAllItChanged) {
  Story story(kGrace);
  story.at("09:00", "ann", "Added");
  story.at("10:00:05", "ann", "Other");  // something later is taken: the conclusion is decided, and held
  story.at("10:00", "ann", "Ordered");
  story.at("11:00", "ann", "Added");     // no cooldown stands in its way
  story.run_until("12:30");
  EXPECT_THAT(story.decisions(), ElementsAre("12:00 left sent"));
}

TEST(Grace, WhatComesAfterTheDeadlineDoesNotContradict) {
  Story story(kGrace);
  story.at("09:00", "ann", "Added");
  story.at("10:00:00.001", "ann", "Ordered");
  story.run_until("12:00");
  EXPECT_THAT(story.decisions(), ElementsAre("10:00 left sent")) << "the order only drops the later step";
}

TEST(Grace, AResetOpensTheWaitAgain) {
  Story story(kGrace);
  story.at("09:00", "ann", "Added");
  story.at("10:00:05", "ann", "Other");
  story.at("10:00", "ann", "Viewed");
  story.run_until("11:30");
  EXPECT_THAT(story.decisions(), ElementsAre("11:00 left sent"));
}

TEST(Grace, ASilencedConclusionTakenBackLeavesNoTrace) {
  Story story(kGrace);
  story.at("09:00", "ann", "Added");
  story.run_until("11:00");
  EXPECT_EQ(story.decisions().size(), 2u);
  story.at("12:00", "ann", "Added");
  story.at("13:00:05", "ann", "Other");  // silenced by the cooldown, and held
  story.at("13:00", "ann", "Ordered");   // taken back
  story.at("14:00", "ann", "Added");
  story.run_until("16:00");
  EXPECT_THAT(story.decisions(), ElementsAre("15:00 left suppressed cooldown")) << "the first that is recorded";
}

TEST(Grace, OfASessionsIdleEnd) {
  Story story(R"(
Session visit: {keeps: {on: "*"}, idle: 30m}
Trigger ended: {session: {of: visit, on: idle, grace: 10s}, actions: [{channel: email, template: t, data: {e: sessions.visit.events}}]}
)");
  story.at("09:00", "ann", "X");
  story.tick("09:30:05");
  story.at("09:30", "ann", "X");
  story.run_until("12:00");
  EXPECT_THAT(story.decisions(), ElementsAre(R"(10:00 ended sent {"e":2})"));
}

TEST(Grace, ALaterStepDueBeforeItIsOverLeavesWithTheConclusion) {
  Story story(kTwoSteps);
  story.at("09:00", "ann", "Added");
  story.tick("10:00:08");
  EXPECT_THAT(story.decisions(), IsEmpty()) << "the step of 10:00:05 too";
  story.tick("10:00:10.001");
  EXPECT_THAT(story.decisions(), ElementsAre("10:00 left sent", "10:00:05 left email/u sent"));
}

TEST(Grace, ALaterStepDueBeforeItIsOverIsTakenBackWithTheConclusion) {
  Story story(kTwoSteps);
  story.at("09:00", "ann", "Added");
  story.at("10:00:08", "ann", "Other");
  story.at("10:00", "ann", "Ordered");
  story.at("11:00", "ann", "Added");
  story.run_until("13:00");
  EXPECT_THAT(story.decisions(), ElementsAre("12:00 left sent", "12:00:05 left email/u sent"))
      << "and no cap was used up";
}

TEST(Grace, WhatComesBetweenTheConclusionAndALaterStepDropsTheStepOnly) {
  Story story(kTwoSteps);
  story.at("09:00", "ann", "Added");
  story.at("10:00:08", "ann", "Other");
  story.at("10:00:05", "ann", "Ordered");
  story.run_until("13:00");
  EXPECT_THAT(story.decisions(), ElementsAre("10:00 left sent"));
}

TEST(Grace, AHeldConclusionSurvivesAChangeOfChannels) {
  constexpr const char* kChannels = R"(
Channel aaa: {topic: a}
Channel email: {topic: e, caps: [{max: 1, per: 1d}]}
Trigger left: {absence: {opens: {on: Added}, closes: {on: Ordered}, after: 1h, grace: 10s}, actions: [{channel: email, template: t}]}
)";
  Story story(kChannels);
  story.at("09:00", "ann", "Added");
  story.at("10:00:05", "ann", "Other");
  std::string fewer(kChannels);
  fewer.erase(fewer.find("Channel aaa"), std::string_view("Channel aaa: {topic: a}\n").size());
  story.change_catalog(fewer);
  story.at("10:00", "ann", "Ordered");  // takes back what was counted for the cap
  story.at("11:00", "ann", "Added");
  story.run_until("13:00");
  EXPECT_THAT(story.decisions(), ElementsAre("12:00 left sent"));
}

TEST(Grace, InOrderItChangesNothing) {
  Story with(kGrace);
  std::string no_grace(kGrace);
  no_grace.erase(no_grace.find(", grace: 10s"), 12);
  Story without(no_grace);
  for (Story* story : {&with, &without}) {
    story->at("09:00", "ann", "Added");
    story->at("09:59", "ann", "Viewed");
    story->at("10:59:03", "ann", "Added");
    story->at("11:30", "ann", "Added");
    story->run_until("15:00");
  }
  EXPECT_EQ(with.decisions(), without.decisions());
}

// --- later than the lateness ---

TEST(Late, ANoveltyThatWasNotTheFirstDropsWhatHasNotLeftAndRetractsWhatHas) {
  Story story(R"(
Channel email: {topic: e}
Channel sms: {topic: s, quiet_hours: {from: "09:00", to: "12:00", zone: UTC}}
Trigger new-store:
  novelty: {on: Visited, of: event.properties.store}
  actions: [{channel: email, template: t}, {channel: sms, template: u}, {channel: email, template: v, after: 1h}]
)");
  story.at("09:00", "ann", "Visited", R"({"store":1})");
  story.at("09:10", "ann", "Visited", R"({"store":2})");
  story.at("09:05", "ann", "Visited", R"({"store":2})");  // it was here before
  story.at("09:06", "ann", "Visited", R"({"store":1})");  // the first of this one stands
  story.run_until("13:00");
  EXPECT_THAT(
      story.decisions(),
      ElementsAre("09:00 new-store[1] sent", "09:00 new-store[1] sms/u deferred quiet_hours",
                  "09:10 new-store[2] sent", "09:10 new-store[2] retracted late",
                  "09:10 new-store[2] sms/u deferred quiet_hours",
                  "09:10 new-store[2] sms/u suppressed contradicted",
                  "10:00 new-store[1] email/v sent", "12:00 new-store[1] sms/u sent"));
}

TEST(Late, AnEventFromBeforeASessionIsNotCountedInIt) {
  Story story(R"(
Session cart: {opens: {on: Added}, keeps: {on: Viewed}, closes: {on: Ordered}, idle: 1h}
Feature views: {on: Viewed, within: cart, aggregate: count}
Trigger closed: {session: {of: cart, on: closed}, actions: [{channel: email, template: t, data: {e: sessions.cart.events, v: features.views}}]}
)");
  story.at("09:00", "ann", "Added");
  story.at("09:10", "ann", "Viewed");
  story.at("08:59", "ann", "Viewed");
  story.at("09:05", "ann", "Viewed");
  story.at("09:20", "ann", "Ordered");
  EXPECT_THAT(story.decisions(), ElementsAre(R"(09:20 closed sent {"e":3,"v":2})"));
}

TEST(Late, AnEventJustBeforeAVisitIsPartOfIt) {
  Story story(R"(
Session visit: {keeps: {on: "*"}, idle: 30m}
Trigger ended: {session: {of: visit, on: idle}, actions: [{channel: email, template: t, data: {e: sessions.visit.events, since: instance.opened_at}}]}
)");
  story.at("09:00", "ann", "X");
  story.at("08:30", "ann", "X");
  story.at("07:59", "ann", "X");  // half an hour and a minute before that
  story.run_until("12:00");
  EXPECT_THAT(story.decisions(),
              ElementsAre(R"(09:30 ended sent {"e":2,"since":"2026-03-01T08:30:00Z"})"));
}

TEST(Late, ASessionThatWouldBeOverIsNotOpened) {
  Story story(R"(
Session cart: {opens: {on: Added}, idle: 1h}
Trigger ended: {session: {of: cart, on: idle}, actions: [{channel: email, template: t}]}
)");
  story.at("10:00", "ann", "X");
  story.at("09:00", "ann", "Added");
  story.at("09:00:00.001", "bob", "Added");
  story.run_until("12:00");
  EXPECT_THAT(story.decisions(), ElementsAre("10:00:00.001 ended sent"));
}

TEST(Late, OfTwoTraitsOfOneInstantTheOneTakenLaterStands) {
  Story story(R"(
Trigger t: {event: {on: X}, actions: [{channel: email, template: t, data: {plan: traits.plan}}]}
)");
  story.at("09:00", "ann", "$identify", "{}", R"({"plan":"pro"})");
  story.at("09:00", "ann", "$identify", "{}", R"({"plan":"free"})");
  story.at("08:59", "ann", "$identify", "{}", R"({"plan":"zero"})");
  story.at("09:01", "ann", "X");
  EXPECT_THAT(story.decisions(), ElementsAre(R"(09:01 t sent {"plan":"free"})"));
}

// --- de-duplication ---

constexpr const char* kShop = R"(
Source shop: {topic: a, format: segment, deduplicate: 1h}
Source till: {topic: b, format: segment, deduplicate: 1m}
Trigger t: {event: {on: X}, actions: [{channel: email, template: t}]}
)";

TEST(Deduplication, TheFirstCopyWinsUntilTheClockHasMovedPastTheWindow) {
  Story story(kShop);
  story.at_with_id("a", "09:00", "ann", "X");
  story.at_with_id("a", "09:00", "ann", "X");
  story.at_with_id("a", "09:00", "bob", "X");  // by customer
  story.at_with_id("a", "10:00", "ann", "X");
  story.at_with_id("a", "10:00:00.001", "ann", "X");
  EXPECT_THAT(story.decisions(), ElementsAre("09:00 t sent", "09:00 t sent", "10:00:00.001 t sent"));
  EXPECT_EQ(story.counters().duplicates, 2u);
  EXPECT_EQ(story.counters().conflicting_duplicates, 1u) << "the one of 10:00 has another time";
}

TEST(Deduplication, OfASourceIsNotCutShortByAnothers) {
  Story story(kShop);
  story.at_with_id("a", "09:00", "ann", "X");
  story.source(1);
  story.at_with_id("b", "09:10", "ann", "X");
  story.source(0);
  story.at_with_id("a", "09:00", "ann", "X");
  EXPECT_THAT(story.decisions(), ElementsAre("09:00 t sent", "09:10 t sent"));
  EXPECT_EQ(story.counters().duplicates, 1u);
}

TEST(Deduplication, RemembersSoManyIdsACustomer) {
  Story story(kShop);
  for (int i = 0; i < 1025; ++i) story.at_with_id("id" + std::to_string(i), "09:00", "ann", "X");
  EXPECT_EQ(story.take().size(), 1025u);
  EXPECT_EQ(story.counters().dropped_over_limit, 1u);
  story.at_with_id("id1", "09:00", "ann", "X");
  EXPECT_THAT(story.decisions(), IsEmpty());
  story.at_with_id("id0", "09:00", "ann", "X");
  EXPECT_EQ(story.take().size(), 1u);
}

// --- clocks ---

TEST(Clock, LiveAnEventAheadIsTakenToHappenNow) {
  Story story(kShop);
  story.wall("09:00");
  story.at("09:59:59", "ann", "X");
  story.at("10:00", "ann", "X");
  EXPECT_THAT(story.decisions(), ElementsAre("09:00 t sent", "09:00 t sent"));
  story.at("10:00:00.001", "ann", "X");
  EXPECT_THAT(story.decisions(), IsEmpty());
  ASSERT_EQ(story.dead_letters().size(), 1u);
  EXPECT_EQ(story.dead_letters()[0].reason, "TIME_AHEAD");
}

}  // namespace
}  // namespace spur::testing
