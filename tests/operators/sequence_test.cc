// Sequence: events in an order, each within a time from the one before, without another in between.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/operators/story.h"

namespace spur::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr const char* kTwo = R"(
Trigger s:
  sequence: {steps: [{on: A}, {on: B, within: 30m}], without: {on: X}}
  actions: [{channel: email, template: t, data: {n: instance.count, a: string(instance.opened_at), v: instance.opened.properties.v}}]
)";

constexpr const char* kSilent = R"(
Trigger s:
  sequence:
    key: event.properties.k
    steps: [{on: A}, {on: B, within: 30m}]
    without: {on: X}
    then_silent: {on: [C, D], for: 3m}
  actions: [{channel: email, template: t}, {channel: email, template: u, after: 1h}]
)";

TEST(Sequence, FiresAtItsLastStepAndKnowsTheFirst) {
  Story story(kTwo);
  story.at("09:00", "ann", "A", R"({"v":7})");
  story.at("09:30", "ann", "B", R"({"v":8})");
  EXPECT_THAT(story.decisions(),
              ElementsAre(R"(09:30 s sent {"n":2,"a":"2026-03-01T09:00:00Z","v":7})"));
}

TEST(Sequence, AStepAMillisecondTooLateIsNone) {
  Story story(kTwo);
  story.at("09:00", "ann", "A");
  story.at("09:30:00.001", "ann", "B");
  EXPECT_THAT(story.decisions(), IsEmpty());
}

TEST(Sequence, TheStepsHaveAnOrder) {
  Story story(kTwo);
  story.at("09:00", "ann", "B");
  story.at("09:01", "ann", "A");
  EXPECT_THAT(story.decisions(), IsEmpty());
}

TEST(Sequence, OnceFiredItBeginsAnew) {
  Story story(kTwo);
  story.at("09:00", "ann", "A", R"({"v":1})");
  story.at("09:01", "ann", "B");
  story.at("09:02", "ann", "B");
  story.at("09:03", "ann", "A", R"({"v":2})");
  story.at("09:04", "ann", "B");
  EXPECT_THAT(story.decisions(),
              ElementsAre(R"(09:01 s sent {"n":2,"a":"2026-03-01T09:00:00Z","v":1})",
                          R"(09:04 s sent {"n":2,"a":"2026-03-01T09:03:00Z","v":2})"));
}

TEST(Sequence, TheFirstStepAgainStartsOver) {
  Story story(kTwo);
  story.at("09:00", "ann", "A", R"({"v":1})");
  story.at("09:20", "ann", "A", R"({"v":2})");
  story.at("09:50", "ann", "B");
  EXPECT_THAT(story.decisions(),
              ElementsAre(R"(09:50 s sent {"n":2,"a":"2026-03-01T09:20:00Z","v":2})"));
}

TEST(Sequence, WhatMustNotComeInBetweenEndsIt) {
  Story story(kTwo);
  story.at("09:00", "ann", "A");
  story.at("09:10", "ann", "X");
  story.at("09:20", "ann", "B");
  story.at("10:00", "ann", "X");
  story.at("10:00", "ann", "A", R"({"v":1})");
  story.at("10:01", "ann", "B");
  EXPECT_THAT(story.decisions(),
              ElementsAre(R"(10:01 s sent {"n":2,"a":"2026-03-01T10:00:00Z","v":1})"));
}

TEST(Sequence, OneEventTakesOneStep) {
  Story story(R"(
Trigger s: {sequence: {steps: [{on: A}, {on: A, within: 10m}, {on: A, within: 10m}]}, actions: [{channel: email, template: t}]}
)");
  for (const char* t : {"09:00", "09:10", "09:20", "09:21", "09:40", "09:45", "09:50"})
    story.at(t, "ann", "A");
  // The fourth begins anew, and the fifth comes too late for it.
  EXPECT_THAT(story.decisions(), ElementsAre("09:20 s sent", "09:50 s sent"));
}

TEST(Sequence, ItsKeysGoTheirOwnWays) {
  Story story(kSilent);
  story.at("09:00", "ann", "A", R"({"k":1})");
  story.at("09:00", "ann", "A", R"({"k":2})");
  story.at("09:01", "ann", "A");
  story.at("09:02", "ann", "B", R"({"k":"1"})");
  story.at("09:03", "ann", "B", R"({"k":3})");
  story.at("09:03", "ann", "X", R"({"k":2})");
  story.at("09:04", "ann", "B", R"({"k":2})");
  story.run_until("09:30");
  EXPECT_THAT(story.decisions(), ElementsAre("09:05 s[1] sent"));
}

TEST(Sequence, TheSilenceAfterItsLastStepMustLastToTheEnd) {
  Story story(kSilent);
  story.at("09:00", "ann", "A", R"({"k":1})");
  story.at("09:10", "ann", "B", R"({"k":1})");
  story.at("09:13", "ann", "D", R"({"k":1})");  // at the very end: in time
  story.at("10:00", "ann", "A", R"({"k":1})");
  story.at("10:10", "ann", "B", R"({"k":1})");
  story.at("10:13:00.001", "ann", "D", R"({"k":1})");
  EXPECT_THAT(story.decisions(), ElementsAre("10:13 s[1] sent"));
}

TEST(Sequence, WhatMustStayAwayMayComeBeforeTheLastStep) {
  Story story(kSilent);
  story.at("09:00", "ann", "A", R"({"k":1})");
  story.at("09:05", "ann", "C", R"({"k":1})");
  story.at("09:10", "ann", "B", R"({"k":1})");
  story.run_until("09:30");
  EXPECT_THAT(story.decisions(), ElementsAre("09:13 s[1] sent"));
}

TEST(Sequence, WhatEndsItDropsTheStepsStillToCome) {
  for (const char* ends : {"C", "X"}) {
    Story story(kSilent);
    story.at("09:00", "ann", "A", R"({"k":1})");
    story.at("09:10", "ann", "B", R"({"k":1})");
    story.at("09:30", "ann", ends, R"({"k":1})");
    story.run_until("12:00");
    EXPECT_THAT(story.decisions(), ElementsAre("09:13 s[1] sent")) << ends;
  }
  Story story(kSilent);
  story.at("09:00", "ann", "A", R"({"k":1})");
  story.at("09:10", "ann", "B", R"({"k":1})");
  story.run_until("12:00");
  EXPECT_THAT(story.decisions(), ElementsAre("09:13 s[1] sent", "10:13 s[1] email/u sent"));
}

TEST(Sequence, TheFirstStepDuringTheSilenceStartsOver) {
  Story story(kSilent);
  story.at("09:00", "ann", "A", R"({"k":1})");
  story.at("09:10", "ann", "B", R"({"k":1})");
  story.at("09:12", "ann", "A", R"({"k":1})");
  story.at("09:20", "ann", "B", R"({"k":1})");
  story.run_until("09:30");
  EXPECT_THAT(story.decisions(), ElementsAre("09:23 s[1] sent"));
}

TEST(Sequence, WithoutWithinAStepMayTakeItsTime) {
  Story story(
      "Trigger s: {sequence: {steps: [{on: A}, {on: B}]}, actions: [{channel: email, template: "
      "t}]}\n");
  story.at("09:00", "ann", "A");
  story.restart();
  story.at("12-01 09:00", "ann", "B");
  EXPECT_THAT(story.decisions(), ElementsAre("12-01 09:00 s sent"));
}

TEST(Sequence, APatternWithoutAKeyMeansAllThatAreUnderWay) {
  Story story(R"(
Trigger s:
  sequence: {steps: [{on: A, key: event.properties.k}, {on: B, within: 1h}], without: {on: X}}
  actions: [{channel: email, template: t}]
)");
  story.at("09:00", "ann", "A", R"({"k":1})");
  story.at("09:01", "ann", "A", R"({"k":2})");
  story.at("09:10", "ann", "B");
  story.at("09:11", "ann", "A", R"({"k":3})");
  story.at("09:12", "ann", "X");
  story.at("09:13", "ann", "B");
  EXPECT_THAT(story.decisions(), ElementsAre("09:10 s[1] sent", "09:10 s[2] sent"));
}

TEST(Sequence, WithGraceALateContradictionTakesItBack) {
  const char* const graced = R"(
Trigger s:
  sequence: {steps: [{on: A}, {on: B}], then_silent: {on: C, for: 3m, grace: 1m}}
  actions: [{channel: email, template: t}]
)";
  Story story(graced);
  story.at("09:00", "ann", "A");
  story.at("09:10", "ann", "B");
  story.at("09:13:30", "ann", "Other");
  story.at("09:13", "ann", "C");
  story.run_until("09:30");
  EXPECT_THAT(story.decisions(), IsEmpty());
  Story again(graced);
  again.at("09:00", "ann", "A");
  again.at("09:10", "ann", "B");
  again.at("09:13:30", "ann", "Other");
  again.at("09:12", "ann", "A");  // starts over
  again.tick("09:14:00.001");
  EXPECT_THAT(again.decisions(), IsEmpty());
}

TEST(Sequence, ALateStepCountsOnlyWhereItBelongs) {
  Story story(
      "Trigger s: {sequence: {steps: [{on: A}, {on: B}, {on: C}]}, actions: [{channel: email, "
      "template: t}]}\n");
  story.at("09:00", "ann", "A");
  story.at("09:10", "ann", "B");
  story.at("09:05", "ann", "C");  // before the second step: not the third
  EXPECT_THAT(story.decisions(), IsEmpty());
  story.at("09:20", "ann", "Other");
  story.at("09:15", "ann", "C");  // late, and behind it: evaluated at the newest instant
  EXPECT_THAT(story.decisions(), ElementsAre("09:20 s sent"));
}

TEST(Sequence, ALateWithoutEndsItOnlyIfItCameSinceTheFirstStep) {
  Story story(kTwo);
  story.at("09:00", "ann", "A", R"({"v":1})");
  story.at("08:59", "ann", "X");
  story.at("09:10", "ann", "B");
  EXPECT_EQ(story.decisions().size(), 1u);
  story.at("10:00", "ann", "A");
  story.at("10:10", "ann", "Other");
  story.at("10:05", "ann", "X");
  story.at("10:11", "ann", "B");
  EXPECT_THAT(story.decisions(), IsEmpty());
}

TEST(Sequence, WhatIsUnderWayGoesOnWithItsOwnVersion) {
  Story story(kTwo);
  story.at("09:00", "ann", "A", R"({"v":1})");
  story.change_catalog(R"(
Trigger s:
  sequence: {steps: [{on: A}, {on: C, within: 30m}]}
  actions: [{channel: email, template: new}]
)");
  story.at("09:05", "ann", "B");
  EXPECT_THAT(story.decisions(),
              ElementsAre(R"(09:05 s sent {"n":2,"a":"2026-03-01T09:00:00Z","v":1})"));
  story.at("09:06", "ann", "A");
  story.at("09:07", "ann", "C");
  EXPECT_THAT(story.decisions(), ElementsAre("09:07 s email/new sent"));
}

TEST(Sequence, ARestartInTheMiddleChangesNothing) {
  Story story(kSilent);
  story.restart_after_each_input();
  story.at("09:00", "ann", "A", R"({"k":1})");
  story.at("09:10", "ann", "B", R"({"k":1})");
  story.run_until("12:00");
  EXPECT_THAT(story.decisions(), ElementsAre("09:13 s[1] sent", "10:13 s[1] email/u sent"));
}

TEST(Sequence, AnEventOfAnotherNameCostsNothing) {
  const auto catalog = catalog_from(std::string(kTwo) + "Feature f: {on: Z, aggregate: count}\n");
  const catalog::Listeners& at = catalog->listeners(catalog->schema.find_name("Z"));
  EXPECT_TRUE(at.sequences.empty() && at.closes.empty() && at.silences.empty());
  EXPECT_TRUE(catalog->listeners(catalog->schema.find_name("Other")).nothing());
}

}  // namespace
}  // namespace spur::testing
