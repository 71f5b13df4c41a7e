// A new catalog on customers that are known: what is kept, what is new, what warms up, what ends.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/operators/story.h"

namespace spur::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr const char* kFirst = R"(
Feature n: {on: X, aggregate: count}
Trigger third: {event: {on: X}, if: features.n == 3, actions: [{channel: email, template: t}]}
)";

TEST(CatalogChange, AnUnchangedDefinitionKeepsItsStateUnderAnyName) {
  Story story(kFirst);
  story.at("09:00", "ann", "X");
  story.at("09:01", "ann", "X");
  story.change_catalog(R"(
Feature a_new_one: {on: Y, aggregate: count}
Feature renamed: {on: X, aggregate: count}
Trigger other: {event: {on: X}, actions: [{channel: email, template: t, data: {n: features.renamed}}]}
)");
  story.at("09:02", "ann", "X");
  EXPECT_THAT(story.decisions(), ElementsAre(R"(09:02 other sent {"n":3})"));
}

TEST(CatalogChange, ANewFeatureWarmsForItsWindowOnCustomersOfBefore) {
  Story story(kFirst);
  story.at("09:00", "ann", "X");
  story.change_catalog(R"(
Feature hour: {on: X, aggregate: count, window: 1h}
Feature ever: {on: X, aggregate: count, where: "true"}
Trigger h: {event: {on: X}, if: features.hour >= 1, actions: [{channel: email, template: t}]}
Trigger e: {event: {on: X}, if: features.ever >= 1, actions: [{channel: email, template: t}]}
)");
  story.at("09:30", "ann", "X");
  story.at("09:31", "bob", "X");  // first seen after it: all is known of him
  story.at("09:59:59.999", "ann", "X");
  story.at("10:00", "ann", "X");
  EXPECT_THAT(story.decisions(), ElementsAre("09:30 e suppressed warming", "09:30 h suppressed warming", "09:31 e sent",
                                             "09:31 h sent", "10:00 h sent"));
}

TEST(CatalogChange, ARemovedTriggerEndsItsWaitsAndSteps) {
  Story story(R"(
Trigger left: {absence: {opens: {on: X}, after: 1h}, actions: [{channel: email, template: t}]}
Trigger twice: {event: {on: X}, actions: [{channel: email, template: t}, {channel: email, template: u, after: 1h}]}
)");
  story.at("09:00", "ann", "X");
  EXPECT_EQ(story.take().size(), 1u);
  story.change_catalog(kFirst);
  story.run_until("12:00");
  EXPECT_THAT(story.decisions(), IsEmpty());
}

TEST(CatalogChange, AWaitingStepOutlivesAChannelThatIsNotItsOwn) {
  Story story(R"(
Channel aaa: {topic: a}
Channel email: {topic: e}
Trigger twice: {event: {on: X}, actions: [{channel: email, template: t}, {channel: email, template: u, after: 1h}]}
)");
  story.at("09:00", "ann", "X");
  story.change_catalog(R"(
Channel email: {topic: e}
Trigger twice: {event: {on: X}, actions: [{channel: email, template: t}, {channel: email, template: u, after: 1h}]}
)");
  story.run_until("12:00");
  EXPECT_THAT(story.decisions(), ElementsAre("09:00 twice sent", "10:00 twice email/u sent"));
}

TEST(CatalogChange, AWaitingStepThatItsTriggerHasNoMoreIsDropped) {
  Story story(R"(
Trigger twice: {event: {on: X}, actions: [{channel: email, template: t}, {channel: email, template: u, after: 1h}]}
)");
  story.at("09:00", "ann", "X");
  story.change_catalog(R"(
Trigger twice: {event: {on: X}, actions: [{channel: email, template: t}]}
)");
  story.run_until("12:00");
  EXPECT_THAT(story.decisions(), ElementsAre("09:00 twice sent"));
}

TEST(CatalogChange, ANewScheduleIsPlannedForAllKnownCustomers) {
  Story story(kFirst);
  story.at("09:00", "ann", "X");
  story.at("09:00", "bob", "X");
  story.change_catalog(R"(
Trigger noon: {schedule: {cron: "0 12 * * *", zone: UTC, when: "true"}, actions: [{channel: email, template: t}]}
)");
  story.tick("12:00:00.001");
  EXPECT_THAT(story.decisions(), ElementsAre("12:00 noon sent", "12:00 noon sent"));
}

TEST(CatalogChange, AChangedScheduleIsAskedAtItsNewInstants) {
  Story story(R"(
Trigger noon: {schedule: {cron: "0 12 * * *", zone: UTC, when: "true"}, actions: [{channel: email, template: t}]}
)");
  story.at("09:00", "ann", "X");
  story.change_catalog(R"(
Trigger noon: {schedule: {cron: "0 14 * * *", zone: UTC, when: "true"}, actions: [{channel: email, template: t}]}
)");
  story.tick("09:00:01");  // every customer is looked at once
  story.tick("15:00");
  EXPECT_THAT(story.decisions(), ElementsAre("14:00 noon sent"));
}

TEST(CatalogChange, WhatAlreadyHoldsWhenAThresholdComesIsNoEdge) {
  Story story(kFirst);
  for (const char* const when : {"09:00", "09:01", "09:02"}) story.at(when, "ann", "X");
  EXPECT_EQ(story.take().size(), 1u);
  story.change_catalog(R"(
Feature n: {on: X, aggregate: count}
Trigger three: {threshold: {when: features.n >= 3}, actions: [{channel: email, template: t}]}
Trigger five: {threshold: {when: features.n >= 5}, actions: [{channel: email, template: t}]}
)");
  for (const char* const when : {"10:00", "10:01"}) story.at(when, "ann", "X");
  EXPECT_THAT(story.decisions(), ElementsAre("10:01 five sent"));
}

TEST(CatalogChange, SurvivesARestart) {
  Story story(kFirst);
  story.at("09:00", "ann", "X");
  story.at("09:01", "ann", "X");
  story.restart();
  story.change_catalog(R"(
Feature before_it: {on: Y, aggregate: count}
Feature n: {on: X, aggregate: count}
Trigger third: {event: {on: X}, if: features.n == 3, actions: [{channel: email, template: t}]}
)");
  story.restart();
  story.at("09:02", "ann", "X");
  EXPECT_THAT(story.decisions(), ElementsAre("09:02 third sent"));
}

}  // namespace
}  // namespace spur::testing
