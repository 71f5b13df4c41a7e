// Retractions: a late event says that there was no reason for what has left.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operators/retract.h"
#include "tests/operators/story.h"

namespace spur::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr const char* kCart = R"(
Trigger left:
  absence: {key: event.properties.k, opens: {on: Added}, resets: {on: Removed}, closes: {on: Ordered}, after: 1h}
  exit: {on: Gone}
  actions: [{channel: email, template: t}, {channel: email, template: u, after: 2h}]
)";

TEST(Retraction, NamesTheActionAndGoesToItsChannelAsTheNextOfItsTopic) {
  Story story(kCart);
  story.at("09:00", "ann", "Added", R"({"k":1})");
  story.run_until("10:30");
  const std::vector<Decision> sent = story.take();
  ASSERT_EQ(sent.size(), 1u);
  story.at("09:50", "ann", "Ordered", R"({"k":1})");
  const std::vector<Decision> back = story.take();
  ASSERT_EQ(back.size(), 1u);
  EXPECT_EQ(back[0].verdict, Verdict::kRetracted);
  EXPECT_EQ(back[0].reason, "late");
  EXPECT_EQ(back[0].retracts, sent[0].id);
  EXPECT_NE(back[0].id, sent[0].id);
  EXPECT_EQ(back[0].spurseq, sent[0].spurseq + 1);
  EXPECT_EQ(back[0].topic, sent[0].topic);
  EXPECT_EQ(back[0].channel, "email");
  EXPECT_EQ(back[0].template_name, "t");
  EXPECT_EQ(back[0].instance, "1");
  EXPECT_EQ(back[0].cause_event_id, "m0002");
  EXPECT_EQ(text_of(back[0].time), "10:00");  // the customer's newest instant
  story.run_until("15:00");
  EXPECT_THAT(story.decisions(), IsEmpty());  // and the second step is not sent
}

TEST(Retraction, ReachesBackAWeekWhereNoActionIsTooOld) {
  static_assert(kRetractableForMax == kDay * 7);
  for (const auto& [clock, retracted] :
       {std::pair{"03-08 10:00", true}, std::pair{"03-08 10:00:00.001", false}}) {
    Story story(std::string("Policy all: {max_action_age: never}\n") + kCart);
    story.at("09:00", "ann", "Added", R"({"k":1})");
    story.run_until("10:30");
    story.take();
    story.tick(clock);
    story.take();  // the second step
    story.at("09:50", "ann", "Ordered", R"({"k":1})");
    bool back = false;
    for (const Decision& d : story.take())
      back = back || (d.verdict == Verdict::kRetracted && d.template_name == "t");
    EXPECT_EQ(back, retracted) << clock;
  }
}

TEST(Retraction, TellsOnceAndOfItsKeyOnly) {
  Story story(kCart);
  story.at("09:00", "ann", "Added", R"({"k":1})");
  story.at("09:00", "ann", "Added", R"({"k":2})");
  story.run_until("10:30");
  story.at("09:50", "ann", "Ordered", R"({"k":1})");
  story.at("09:51", "ann", "Ordered", R"({"k":1})");
  EXPECT_THAT(story.decisions(), ElementsAre("10:00 left[1] sent", "10:00 left[1] retracted late",
                                             "10:00 left[2] sent"));
}

TEST(Retraction, AtExactlyTheDeadlineTheEventWasInTimeAndAMillisecondLaterNot) {
  Story story(kCart);
  story.at("09:00", "ann", "Added", R"({"k":1})");
  story.tick("10:00:00.001");
  story.at("10:00", "ann", "Ordered", R"({"k":1})");
  EXPECT_THAT(story.decisions(), ElementsAre("10:00 left[1] sent", "10:00 left[1] retracted late"));
  Story other(kCart);
  other.at("09:00", "ann", "Added", R"({"k":1})");
  other.at("10:30", "ann", "Other");
  other.at("10:00:00.001", "ann", "Ordered", R"({"k":1})");
  EXPECT_THAT(other.decisions(), ElementsAre("10:00 left[1] sent"));
}

TEST(Retraction, WhatHappenedBeforeTheOpeningContradictsNothing) {
  Story story(kCart);
  story.at("09:00", "ann", "Added", R"({"k":1})");
  story.run_until("10:30");
  story.at("08:59", "ann", "Ordered", R"({"k":1})");
  EXPECT_THAT(story.decisions(), ElementsAre("10:00 left[1] sent"));
}

TEST(Retraction, ALateExitTakesBackOnlyWhatItCameBefore) {
  Story story(kCart);
  story.at("09:00", "ann", "Added", R"({"k":1})");
  story.run_until("12:30");
  story.at("11:00", "ann", "Gone");  // between the first mail and the second
  EXPECT_THAT(story.decisions(), ElementsAre("10:00 left[1] sent", "12:00 left[1] email/u sent",
                                             "12:00 left[1] email/u retracted late"));
}

TEST(Retraction, ALateResetOpensTheWaitAgainIfItsEndIsAhead) {
  Story story(kCart);
  story.at("09:00", "ann", "Added", R"({"k":1})");
  story.run_until("10:15");
  story.restart();
  story.at("09:30", "ann", "Removed", R"({"k":1})");
  story.run_until("10:45");
  EXPECT_THAT(story.decisions(), ElementsAre("10:00 left[1] sent", "10:00 left[1] retracted late",
                                             "10:30 left[1] sent"));
}

TEST(Retraction, ALateResetWhoseWaitWouldBeOverAsWellChangesNothing) {
  Story story(kCart);
  story.at("09:00", "ann", "Added", R"({"k":1})");
  story.at("11:00", "ann", "Other");
  story.at("09:30", "ann", "Removed", R"({"k":1})");
  EXPECT_THAT(story.decisions(), ElementsAre("10:00 left[1] sent"));
}

TEST(Retraction, OfAVisitThatWasNotOver) {
  Story story(R"(
Session visit: {keeps: {on: Viewed}, idle: 30m}
Trigger over: {session: {of: visit, on: idle}, actions: [{channel: email, template: t}]}
)");
  story.at("09:00", "ann", "Viewed");
  story.run_until("10:00");
  story.at("09:20", "ann", "Viewed");
  EXPECT_THAT(story.decisions(), ElementsAre("09:30 over sent", "09:30 over retracted late"));
}

TEST(Retraction, OfAVisitThatWasOverAndOnlyFollowedByAnotherThereIsNone) {
  Story story(R"(
Session visit: {keeps: {on: Viewed}, idle: 30m}
Trigger over: {session: {of: visit, on: idle}, actions: [{channel: email, template: t}, {channel: email, template: u, after: 1h}]}
)");
  story.at("09:00", "ann", "Viewed");
  story.at("09:40", "ann", "Other");
  story.at("09:30:00.001", "ann", "Viewed");
  story.run_until("10:35");
  EXPECT_THAT(story.decisions(),
              ElementsAre("09:30 over sent", "10:00:00.001 over sent", "10:30 over email/u sent"));
}

TEST(Retraction, OfAVisitThatWasNotOverAHeldEndIsTakenBack) {
  Story story(R"(
Session visit: {keeps: {on: Viewed}, idle: 30m}
Trigger over: {session: {of: visit, on: idle, grace: 1m}, actions: [{channel: email, template: t}]}
)");
  story.at("09:00", "ann", "Viewed");
  story.at("09:30:30", "ann", "Other");
  story.at("09:20", "ann", "Viewed");
  story.tick("09:45");
  EXPECT_THAT(story.decisions(), IsEmpty());
}

TEST(Retraction, OfASilenceThatWasNone) {
  Story story(R"(
Trigger s: {sequence: {steps: [{on: A}, {on: B}], then_silent: {on: C, for: 10m}}, actions: [{channel: email, template: t}]}
)");
  story.at("09:00", "ann", "A");
  story.at("09:10", "ann", "B");
  story.run_until("09:30");
  story.at("09:05", "ann", "C");  // before the last step it says nothing
  EXPECT_THAT(story.decisions(), ElementsAre("09:20 s sent"));
  story.at("09:15", "ann", "C");
  EXPECT_THAT(story.decisions(), ElementsAre("09:20 s retracted late"));
}

TEST(Retraction, OfAnActionAsOldAsAnActionMayBe) {
  const auto late_by = [](const char* clock) {
    Story story(std::string("Policy all: {max_action_age: 2h}\n") + kCart);
    story.wall("09:00");
    story.at("09:00", "ann", "Added", R"({"k":1})");
    story.tick("10:00:00.001");
    story.wall(clock);
    story.at("09:50", "ann", "Ordered", R"({"k":1})");
    std::vector<std::string> retracted;
    for (const std::string& line : story.decisions())
      if (line.find("retracted") != std::string::npos) retracted.push_back(line);
    return retracted;
  };
  EXPECT_THAT(late_by("11:50"), ElementsAre("10:00 left[1] retracted late"));
  EXPECT_THAT(late_by("11:50:00.001"), IsEmpty());
}

TEST(Retraction, RemembersSoManyActionsOfACustomer) {
  Story story(
      "Trigger n: {novelty: {on: X, of: event.properties.v}, actions: [{channel: email, template: "
      "t}]}\n");
  for (std::size_t i = 0; i <= kRetractableMax; ++i)
    story.at("09:10", "ann", "X", "{\"v\":" + std::to_string(i) + "}");
  story.take();
  for (std::size_t i = 0; i <= kRetractableMax; ++i)
    story.at("09:00", "ann", "X", "{\"v\":" + std::to_string(i) + "}");
  EXPECT_EQ(story.take().size(), kRetractableMax);  // the oldest is not known any more
}

TEST(Retraction, WhatCannotBeContradictedIsNotRemembered) {
  Story story(
      "Trigger e: {event: {on: X}, exit: {on: Y}, actions: [{channel: email, template: t}]}\n");
  story.at("09:00", "ann", "X");
  story.at("09:30", "ann", "Y");
  story.at("09:00", "ann", "Y");
  EXPECT_THAT(story.decisions(), ElementsAre("09:00 e sent"));
}

TEST(Retraction, AHeldConclusionThatHasLeftCanBeRetractedToo) {
  Story story(R"(
Trigger left: {absence: {opens: {on: Added}, closes: {on: Ordered}, after: 1h, grace: 1m}, actions: [{channel: email, template: t}]}
)");
  story.at("09:00", "ann", "Added");
  story.at("10:00:30", "ann", "Other");
  story.tick("10:02");
  EXPECT_THAT(story.decisions(), ElementsAre("10:00 left sent"));
  story.at("09:59", "ann", "Ordered");
  EXPECT_THAT(story.decisions(), ElementsAre("10:00:30 left retracted late"));
}

}  // namespace
}  // namespace spur::testing
