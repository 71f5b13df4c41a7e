// Absence: something opens a wait, something else closes it, and if the wait runs out it fires.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fmt/format.h"
#include "operators/gate.h"
#include "tests/operators/story.h"

namespace spur::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr const char* kByCart = R"(
Trigger left:
  absence: {key: event.properties.cart, opens: {on: Added}, resets: {on: [Added, Removed]}, closes: {on: Ordered}, after: 1h}
  actions: [{channel: email, template: t, data: {n: instance.count, since: int(instance.opened_at)}}]
)";
constexpr const char* kPlain = R"(
Trigger left:
  absence: {opens: {on: Added}, closes: {on: Ordered}, after: 1h}
  actions: [{channel: email, template: t}]
)";

TEST(Absence, FiresAtItsDeadlineWhenTheClockHasPassedIt) {
  Story story(kPlain);
  story.at("09:00", "ann", "Added");
  story.tick("10:00");
  EXPECT_THAT(story.decisions(), IsEmpty());
  story.tick("10:00:00.001");
  EXPECT_THAT(story.decisions(), ElementsAre("10:00 left sent"));
}

TEST(Absence, WhatClosesAtExactlyTheDeadlineIsInTime) {
  Story story(kPlain);
  story.at("09:00", "ann", "Added");
  story.at("10:00", "ann", "Ordered");
  story.run_until("12:00");
  EXPECT_THAT(story.decisions(), IsEmpty());
}

TEST(Absence, WhatClosesAMillisecondAfterTheDeadlineIsNot) {
  Story story(kPlain);
  story.at("09:00", "ann", "Added");
  story.at("10:00:00.001", "ann", "Ordered");
  EXPECT_THAT(story.decisions(), ElementsAre("10:00 left sent"));
}

TEST(Absence, OpeningItAgainChangesNothing) {
  Story story(R"(
Trigger left:
  absence: {opens: {on: Added}, closes: {on: Ordered}, after: 1h}
  actions: [{channel: email, template: t, data: {n: instance.count, which: instance.opened.properties.x}}]
)");
  story.at("09:00", "ann", "Added", R"({"x":1})");
  story.at("09:30", "ann", "Added", R"({"x":2})");
  story.run_until("12:00");
  EXPECT_THAT(story.decisions(), ElementsAre(R"(10:00 left sent {"n":1,"which":1})"));
}

TEST(Absence, AResetRestartsItEvenAtTheVeryDeadline) {
  Story story(kByCart);
  story.at("09:00", "ann", "Added", R"({"cart":"a"})");
  story.at("10:00", "ann", "Removed", R"({"cart":"a"})");
  story.run_until("12:00");
  EXPECT_THAT(story.decisions(), ElementsAre(R"(11:00 left[a] sent {"n":2,"since":1772355600})"));
}

TEST(Absence, ResetsAndClosesMeanTheirKeyOnly) {
  Story story(kByCart);
  story.at("09:00", "ann", "Added", R"({"cart":"a"})");
  story.at("09:00", "ann", "Added", R"({"cart":"b"})");
  story.at("09:00", "ann", "Added", R"({"cart":"c"})");
  story.at("09:10", "ann", "Ordered", R"({"cart":"b"})");
  story.at("09:20", "ann", "Removed", R"({"cart":"c"})");
  story.run_until("12:00");
  EXPECT_THAT(story.decisions(), ElementsAre(R"(10:00 left[a] sent {"n":1,"since":1772355600})",
                                             R"(10:20 left[c] sent {"n":2,"since":1772355600})"));
}

TEST(Absence, AnEventWithoutTheKeyDoesNotMatch) {
  Story story(kByCart);
  story.at("09:00", "ann", "Added");
  story.at("09:00", "ann", "Added", R"({"cart":null})");
  story.at("09:01", "ann", "Added", R"({"cart":"a"})");
  story.at("09:10", "ann", "Ordered");
  story.run_until("12:00");
  EXPECT_THAT(story.decisions(), ElementsAre(R"(10:01 left[a] sent {"n":1,"since":1772355660})"));
}

TEST(Absence, SevenIsOneKeyHoweverItIsWritten) {
  for (const char* const other : {"7", "7.0", "\"7\""}) {
    Story story(kByCart);
    story.at("09:00", "ann", "Added", R"({"cart":7})");
    story.at("09:10", "ann", "Ordered", std::string("{\"cart\":") + other + "}");
    story.run_until("12:00");
    EXPECT_THAT(story.decisions(), IsEmpty()) << other;
  }
  Story story(kByCart);
  story.at("09:00", "ann", "Added", R"({"cart":7})");
  story.at("09:10", "ann", "Ordered", R"({"cart":"07"})");
  story.run_until("12:00");
  EXPECT_EQ(story.decisions().size(), 1u);
}

TEST(Absence, WhereOnlyTheOpeningHasAKeyTheOthersMeanAll) {
  Story story(R"(
Trigger left:
  absence: {opens: {on: Added, key: event.properties.item}, closes: {on: Ordered}, after: 1h}
  actions: [{channel: email, template: t}]
)");
  story.at("09:00", "ann", "Added", R"({"item":"a"})");
  story.at("09:05", "ann", "Added", R"({"item":"b"})");
  story.at("09:10", "ann", "Ordered");
  story.at("09:20", "ann", "Added", R"({"item":"c"})");
  story.run_until("12:00");
  EXPECT_THAT(story.decisions(), ElementsAre("10:20 left[c] sent"));
}

TEST(Absence, AnEventClosesTheWaitOfTheOneBeforeThenOpensItsOwn) {
  Story story(R"(
Trigger lapsed:
  absence: {opens: {on: Ordered}, closes: {on: Ordered}, after: 1h}
  actions: [{channel: email, template: t, data: {order: instance.opened.properties.id}}]
)");
  story.at("09:00", "ann", "Ordered", R"({"id":1})");
  story.at("09:30", "ann", "Ordered", R"({"id":2})");
  story.at("10:30", "ann", "Ordered", R"({"id":3})");
  story.run_until("12:00");
  EXPECT_THAT(story.decisions(), ElementsAre(R"(11:30 lapsed sent {"order":3})"));
}

TEST(Absence, EachOpensOnePerKeyAndOncePerKey) {
  Story story(R"(
Trigger left:
  absence:
    opens: {on: Ordered, each: event.properties.items, where: item.n > 0, key: item.sku}
    closes: {on: Shipped, each: event.properties.items, key: item.sku}
    after: 1h
  actions: [{channel: email, template: t, data: {n: instance.count}}]
)");
  story.at("09:00", "ann", "Ordered",
           R"({"items":[{"sku":"a","n":1},{"sku":"b","n":2},{"sku":"a","n":3},{"sku":"c","n":0},{"n":1}]})");
  story.at("09:10", "ann", "Shipped", R"({"items":[{"sku":"b"}]})");
  story.run_until("12:00");
  EXPECT_THAT(story.decisions(), ElementsAre(R"(10:00 left[a] sent {"n":1})"));
}

TEST(Absence, AListOfPatternsOpensAndResetsOnce) {
  Story story(R"(
Trigger left:
  absence:
    opens: [{on: Added}, {on: [Added, Viewed]}]
    resets: [{on: Viewed}, {on: "*"}]
    after: 1h
  actions: [{channel: email, template: t, data: {n: instance.count}}]
)");
  story.at("09:00", "ann", "Added");
  story.at("09:30", "ann", "Viewed");
  story.run_until("12:00");
  EXPECT_THAT(story.decisions(), ElementsAre(R"(10:30 left sent {"n":2})"));
}

constexpr const char* kDue = R"(
Trigger due:
  absence: {key: event.properties.id, opens: {on: Issued}, closes: {on: Paid}, until: timestamp(event.properties.due)}
  actions: [{channel: email, template: t}, {channel: email, template: later, after: 2h}, {channel: email, template: last, after: 4h}]
)";

TEST(Absence, UntilAnInstantInTheEvent) {
  Story story(kDue);
  story.at("09:00", "ann", "Issued", R"({"id":1,"due":"2026-03-01T10:00:00Z"})");
  story.run_until("20:00");
  EXPECT_THAT(story.decisions(),
              ElementsAre("10:00 due[1] sent", "12:00 due[1] email/later sent", "14:00 due[1] email/last sent"));
}

TEST(Absence, AnUntilAlreadyPastFiresAtOnceAndItsStepsCountFromIt) {
  Story story(kDue);
  story.at("09:00", "ann", "Issued", R"({"id":1,"due":"2026-03-01T06:00:00Z"})");
  EXPECT_THAT(story.decisions(), ElementsAre("09:00 due[1] sent", "09:00 due[1] email/later sent"));
  story.run_until("20:00");
  EXPECT_THAT(story.decisions(), ElementsAre("10:00 due[1] email/last sent"));
}

TEST(Absence, AnUntilAlreadyPastFiresOnceWhateverManyPatternsSaySo) {
  Story story(R"(
Trigger due:
  absence: {opens: [{on: Issued}, {on: "*"}], until: timestamp(event.properties.due)}
  actions: [{channel: email, template: t}]
)");
  story.at("09:00", "ann", "Issued", R"({"due":"2026-03-01T06:00:00Z"})");
  EXPECT_THAT(story.decisions(), ElementsAre("09:00 due sent"));
}

TEST(Absence, AnUntilThatIsNowWaitsForTheEventsOfItsInstant) {
  Story story(kDue);
  story.at("09:00", "ann", "Issued", R"({"id":1,"due":"2026-03-01T09:00:00Z"})");
  story.at("09:00", "ann", "Paid", R"({"id":1})");
  story.run_until("20:00");
  EXPECT_THAT(story.decisions(), IsEmpty());
}

TEST(Absence, ADeadlineThatCannotBeComputedOpensNothing) {
  Story story(kDue);
  story.at("09:00", "ann", "Issued", R"({"id":1,"due":"soon"})");
  story.run_until("20:00");
  EXPECT_THAT(story.decisions(), IsEmpty());
  EXPECT_EQ(story.counters().conditions_in_error, 1u);
}

TEST(Absence, PaymentDropsTheStepsThatAreLeft) {
  Story story(kDue);
  story.at("09:00", "ann", "Issued", R"({"id":1,"due":"2026-03-01T10:00:00Z"})");
  story.at("09:00", "ann", "Issued", R"({"id":2,"due":"2026-03-01T10:00:00Z"})");
  story.at("12:00", "ann", "Paid", R"({"id":1})");
  story.run_until("20:00");
  EXPECT_THAT(story.decisions(), ElementsAre("10:00 due[1] sent", "10:00 due[2] sent", "12:00 due[2] email/later sent",
                                             "14:00 due[2] email/last sent"));
}

TEST(Absence, AnExitEndsTheWaitAndThePendingSteps) {
  Story story(R"(
Trigger left:
  absence: {key: event.properties.cart, opens: {on: Added}, after: 1h}
  exit: {on: Unsubscribed}
  actions: [{channel: email, template: t}, {channel: email, template: u, after: 1h}]
)");
  story.at("09:00", "ann", "Added", R"({"cart":1})");
  story.at("10:00", "ann", "Added", R"({"cart":2})");
  story.at("10:30", "ann", "Unsubscribed");
  story.run_until("20:00");
  EXPECT_THAT(story.decisions(), ElementsAre("10:00 left[1] sent"));
}

TEST(Absence, StepsOfOneInstantGoByPriorityTriggerKeyAndStep) {
  Story story(R"(
Trigger b-first:
  priority: -1
  absence: {opens: {on: Added}, after: 2h}
  actions: [{channel: email, template: t}]
Trigger a-second:
  absence: {key: event.properties.k, opens: {on: Added}, after: 1h}
  actions: [{channel: email, template: t}, {channel: email, template: u, after: 1h}]
)");
  story.at("09:00", "ann", "Added", R"({"k":"z"})");
  story.at("10:00", "ann", "Added", R"({"k":"a"})");
  story.run_until("11:00");
  std::vector<std::string> lines;
  for (const Decision& d : story.take()) {
    if (d.time == instant("11:00"))
      lines.push_back(std::to_string(d.id.ordinal) + d.trigger + d.instance + d.template_name);
  }
  std::sort(lines.begin(), lines.end());  // by ordinal: the order in which they were decided
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_THAT(lines, ElementsAre(::testing::HasSubstr("b-firstt"), ::testing::HasSubstr("a-secondat"),
                                 ::testing::HasSubstr("a-secondzu")));
}

TEST(Absence, OfTooManyConclusionsInTheirGraceTheOneNearestToItsEndLeavesEarly) {
  Story story(R"(
Trigger left:
  absence: {key: event.properties.cart, opens: {on: Added}, closes: {on: Ordered}, after: 1m, grace: 1d}
  actions: [{channel: email, template: t}]
)");
  const auto add = [&](std::string_view when, int cart) {
    story.at(when, "ann", "Added", fmt::format(R"({{"cart":"{:06}"}})", cart));
  };
  const int full = static_cast<int>(kHeldMax);
  add("09:00", 0);
  for (int cart = 1; cart < full; ++cart) add("09:00:10", cart);
  add("09:10", full);  // concludes those before it, which wait for their grace
  EXPECT_THAT(story.decisions(), IsEmpty());
  const std::uint64_t before = story.counters().dropped_over_limit;  // message ids, of so many events
  story.at("09:15", "ann", "Viewed");
  EXPECT_THAT(story.decisions(), ElementsAre("09:01 left[000000] sent"));
  EXPECT_EQ(story.counters().dropped_over_limit - before, 2u) << "and one message id more";
}

}  // namespace
}  // namespace spur::testing
