// A trigger with `shadow`: decided as any, recorded with a reason, and of no consequence for
// others.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/operators/story.h"

namespace spur::testing {
namespace {

using ::testing::ElementsAre;

TEST(Shadow, WhatWouldBeSentIsRecordedAndNotSent) {
  Story story(R"(
Trigger t: {event: {on: X}, shadow: true, actions: [{channel: email, template: t, data: {x: event.properties.x}}]}
)");
  story.at("09:00", "ann", "X", R"({"x":5})");
  const std::vector<Decision> decisions = story.take();
  ASSERT_EQ(decisions.size(), 1u);
  EXPECT_EQ(decisions[0].verdict, Verdict::kSuppressed);
  EXPECT_EQ(decisions[0].reason, "shadow");
  EXPECT_EQ(decisions[0].data, R"({"x":5})");
  EXPECT_EQ(decisions[0].spurseq, 0u);  // no channel hears of it
}

TEST(Shadow, ItIsAskedLastSoThatAnotherGuardsReasonIsSeen) {
  Story story(R"(
Channel email: {topic: e, reach: has(traits.email), quiet_hours: {from: "21:00", to: "08:00", zone: UTC}}
Trigger t: {event: {on: X}, shadow: true, actions: [{channel: email, template: t}]}
)");
  story.at("09:00", "ann", "X");
  story.at("22:00", "ann", "X", "{}", R"({"email":"a@x"})");
  story.run_until("2026-03-02 09:00");
  EXPECT_THAT(story.decisions(),
              ElementsAre("09:00 t suppressed reachable", "22:00 t deferred quiet_hours",
                          "03-02 08:00 t suppressed shadow"));
}

TEST(Shadow, ItsOwnCooldownAndOnceGoOnAsIfItHadSent) {
  Story story(R"(
Trigger c: {event: {on: X}, shadow: true, cooldown: 1h, actions: [{channel: email, template: t}]}
Trigger o: {event: {on: X}, shadow: true, once: customer, actions: [{channel: email, template: t}]}
)");
  for (const char* when : {"09:00", "09:30", "10:00"}) story.at(when, "ann", "X");
  EXPECT_THAT(story.decisions(),
              ElementsAre("09:00 c suppressed shadow", "09:00 o suppressed shadow",
                          "09:30 c suppressed cooldown", "09:30 o suppressed once",
                          "10:00 c suppressed shadow"));
}

TEST(Shadow, WhatItWouldHaveSentIsItsLast) {
  Story story(R"(
Trigger t:
  event: {on: X, key: event.properties.k}
  shadow: true
  if: "!has(instance.last) || event.properties.price < instance.last.data.price"
  actions: [{channel: email, template: t, data: {price: event.properties.price}}]
)");
  story.at("09:00", "ann", "X", R"({"k":"a","price":9})");
  story.at("10:00", "ann", "X", R"({"k":"a","price":9})");
  story.at("11:00", "ann", "X", R"({"k":"a","price":8})");
  EXPECT_THAT(story.decisions(), ElementsAre(R"(09:00 t[a] suppressed shadow {"price":9})",
                                             R"(11:00 t[a] suppressed shadow {"price":8})"));
}

TEST(Shadow, ItTakesNoCapAndNoTurnOfAnother) {
  Story story(R"(
Policy all: {arbitration: customer, caps: [{max: 1, per: 1d}]}
Trigger a: {event: {on: X}, shadow: true, actions: [{channel: email, template: t}]}
Trigger b: {event: {on: X}, actions: [{channel: email, template: t}]}
)");
  story.at("09:00", "ann", "X");
  story.at("10:00", "ann", "X");
  EXPECT_THAT(story.decisions(), ElementsAre("09:00 a suppressed shadow", "09:00 b sent",
                                             "10:00 a suppressed cap", "10:00 b suppressed cap"));
}

TEST(Shadow, OnALadderItIsSilencedAndSilencesNobody) {
  Story story(R"(
Policy all: {ladders: {intent: {order: [high, middle, low], for: 2h}}}
Trigger high: {absence: {opens: {on: H}, after: 1h}, actions: [{channel: email, template: t}]}
Trigger middle: {absence: {opens: {on: M}, after: 1h}, shadow: true, actions: [{channel: email, template: t}]}
Trigger low: {absence: {opens: {on: L}, after: 1h}, actions: [{channel: email, template: t}]}
)");
  story.at("09:00", "ann", "L");
  story.at("09:10", "ann", "M");
  story.at("09:30", "bob", "M");
  story.at("09:40", "bob", "H");
  story.run_until("12:00");
  EXPECT_THAT(story.decisions(),
              ElementsAre("10:00 low sent", "10:10 middle suppressed shadow", "10:40 high sent"));
}

TEST(Shadow, ALateEventHasNothingToCallBack) {
  Story story(R"(
Trigger t: {absence: {opens: {on: A}, closes: {on: B}, after: 1h}, shadow: true, actions: [{channel: email, template: t}]}
)");
  story.at("09:00", "ann", "A");
  story.tick("11:00");
  story.at("09:30", "ann", "B");
  story.run_until("12:00");
  EXPECT_THAT(story.decisions(), ElementsAre("10:00 t suppressed shadow"));
}

}  // namespace
}  // namespace spur::testing
