// Intent: a score over several events that decays with time; and segments that a customer enters
// and leaves.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/operators/story.h"

namespace spur::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr const char* kHot = R"(
Trigger hot:
  intent:
    scores: [{on: Viewed, add: 1}, {on: Added, add: 5}, {on: Removed, add: -5}]
    half_life: 20m
    at_least: 10
    rearm_below: 5
  actions: [{channel: email, template: t}]
)";

TEST(Intent, FiresWhenTheScoreReachesItsMark) {
  Story story(kHot);
  story.at("09:00", "ann", "Added");
  for (int i = 0; i < 4; ++i) story.at("09:00", "ann", "Viewed");
  EXPECT_THAT(story.decisions(), IsEmpty());
  story.at("09:00", "ann", "Viewed");
  EXPECT_THAT(story.decisions(), ElementsAre("09:00 hot sent"));
}

TEST(Intent, TheScoreHalvesEveryHalfLife) {
  Story story(kHot);
  for (const char* t : {"09:00", "09:00", "09:20"}) story.at(t, "ann", "Added");  // 10, then 5 + 5
  story.at("10:00", "bob", "Added");
  story.at("10:20", "bob", "Added");  // 7.5
  story.at("10:40", "bob", "Added");  // 8.75
  EXPECT_THAT(story.decisions(), ElementsAre("09:00 hot sent"));
}

TEST(Intent, FiresAgainOnlyAfterItHasDecayedBelowTheLowerMark) {
  Story story(kHot);
  for (int i = 0; i < 2; ++i) story.at("09:00", "ann", "Added");  // 10: fires
  for (int i = 0; i < 2; ++i)
    story.at("09:20", "ann", "Added");  // had come to 5 exactly: not below
  EXPECT_THAT(story.decisions(), ElementsAre("09:00 hot sent"));
  for (int i = 0; i < 2; ++i) story.at("10:00:00.100", "ann", "Added");  // 15 two half-lives ago
  EXPECT_THAT(story.decisions(), ElementsAre("10:00:00.1 hot sent"));
}

TEST(Intent, WhatTakesAwayCanRearmIt) {
  Story story(kHot);
  for (int i = 0; i < 2; ++i) story.at("09:00", "ann", "Added");
  story.at("09:00", "ann", "Removed");
  for (int i = 0; i < 2; ++i) story.at("09:00", "ann", "Viewed");
  story.at("09:00", "ann", "Added");  // 12, but it was never below 5
  EXPECT_EQ(story.decisions().size(), 1u);
  for (int i = 0; i < 2; ++i) story.at("09:01", "ann", "Removed");
  for (int i = 0; i < 2; ++i) story.at("09:01", "ann", "Added");
  EXPECT_THAT(story.decisions(), ElementsAre("09:01 hot sent"));
}

TEST(Intent, AnEventThatSeveralScoresMeanAddsThemAll) {
  Story story(R"(
Trigger hot:
  intent:
    scores: [{on: Viewed, add: 1}, {on: Viewed, where: event.properties.price > 100, add: event.properties.price / 100}]
    half_life: 1h
    at_least: 6
  actions: [{channel: email, template: t}]
)");
  story.at("09:00", "ann", "Viewed", R"({"price":499})");
  EXPECT_THAT(story.decisions(), IsEmpty());
  story.at("09:00", "bob", "Viewed", R"({"price":500})");
  EXPECT_THAT(story.decisions(), ElementsAre("09:00 hot sent"));
}

TEST(Intent, NeedsNoTimer) {
  Story story(kHot);
  for (int i = 0; i < 2; ++i) story.at("09:00", "ann", "Added");
  EXPECT_EQ(story.shard().next_due(), Instant::never());
}

constexpr const char* kVip = R"y(
Segment vip: {when: features.revenue >= 100}
Segment other: {when: "now > timestamp('2020-01-01T00:00:00Z')"}
Feature revenue: {on: Ordered, aggregate: sum, of: event.properties.v, window: 1d}
Trigger in: {segment: {of: vip, on: entered}, actions: [{channel: email, template: t}]}
Trigger out: {segment: {of: vip, on: left}, actions: [{channel: email, template: t}]}
)y";

TEST(SegmentOperator, FiresWhenTheCustomerEntersAndWhenItLeaves) {
  Story story(kVip);
  story.at("09:00", "ann", "Ordered", R"({"v":60})");
  story.at("10:00", "ann", "Ordered", R"({"v":60})");
  story.at("11:00", "ann", "Ordered", R"({"v":20})");
  story.run_until("03-31 00:00");
  EXPECT_THAT(story.decisions(), ElementsAre("10:00 in sent", "03-02 09:00 out sent"));
}

TEST(SegmentOperator, WhoNeverWasInItDoesNotLeave) {
  Story story(kVip);
  story.at("09:00", "ann", "Ordered", R"({"v":60})");
  story.run_until("03-31 00:00");
  EXPECT_THAT(story.decisions(), IsEmpty());
}

TEST(SegmentOperator, OfATraitHearsOfTraits) {
  Story story(R"(
Segment gold: {when: traits.plan == 'gold'}
Trigger in: {segment: {of: gold, on: entered}, actions: [{channel: email, template: t}]}
Trigger out: {segment: {of: gold, on: left}, actions: [{channel: email, template: t}]}
)");
  story.at("09:00", "ann", "$identify", "", R"({"plan":"gold"})");
  story.at("10:00", "ann", "$identify", "", R"({"plan":"tin"})");
  EXPECT_THAT(story.decisions(), ElementsAre("09:00 in sent", "10:00 out sent"));
}

}  // namespace
}  // namespace spur::testing
