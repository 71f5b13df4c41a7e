// Where triggers stand for a customer, and the first thing that would have to change.
#include "daemon/explain/standing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/operators/story.h"

namespace spur::explain {
namespace {

using spur::testing::definitions_from;
using spur::testing::instant;
using spur::testing::Story;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class StandingTest : public ::testing::Test {
 protected:
  void given(std::string_view yaml) {
    definitions_ = definitions_from(yaml);
    story_ = std::make_unique<Story>(yaml);
  }

  spur::v1::TriggerStanding standing(std::string_view when, std::string_view trigger,
                                     const std::string& customer = "ann") {
    const auto found = story_->customers().peek({IdentityKind::kUserId, customer});
    if (!found.ok() || *found == nullptr) throw std::invalid_argument("never seen");
    google::protobuf::RepeatedPtrField<spur::v1::TriggerStanding> all;
    add_standings(*story_->shard().snapshot(**found), instant(when), definitions_, trigger, all);
    EXPECT_EQ(all.size(), 1);
    return all.empty() ? spur::v1::TriggerStanding() : all[0];
  }
  std::string why_not(std::string_view when, std::string_view trigger) {
    return standing(when, trigger).why_not();
  }

  spur::v1::Catalog definitions_;
  std::unique_ptr<Story> story_;
};

constexpr std::string_view kCart = R"(
Feature orders_24h: {on: Order Completed, aggregate: count, window: 24h}
Feature revenue: {on: Order Completed, aggregate: sum, of: event.properties.total}
Trigger cart:
  absence: {key: event.properties.cart, opens: {on: Product Added}, closes: {on: Order Completed}, after: 1h}
  while: features.orders_24h == 0
  cooldown: 7d
  actions: [{channel: email, template: t}]
Trigger spender:
  threshold: {when: features.revenue >= 500 && features.orders_24h > 0, rearm: features.revenue < 100}
  actions: [{channel: email, template: t}]
Trigger loyal:
  event: {on: Order Completed}
  if: features.revenue >= 100 && (features.orders_24h >= 3 || features.revenue > 900)
  actions: [{channel: email, template: t}]
)";

TEST_F(StandingTest, AnOpenWaitNeedsTimeAndSaysWhatWouldEndIt) {
  given(kCart);
  story_->at("10:00", "ann", "Product Added", R"({"cart":"k1"})");
  EXPECT_EQ(why_not("10:20", "cart"),
            "time has to pass: the wait [k1] is over at 2026-03-01T11:00:00Z (in 40m), unless "
            "there is Order Completed");
}

TEST_F(StandingTest, WhatWouldSilenceItThenIsToldBesideWhatIsFirst) {
  given(kCart);
  story_->at("09:50", "ann", "Order Completed", R"({"cart":"k0","total":20})");
  story_->at("10:00", "ann", "Product Added", R"({"cart":"k1"})");
  EXPECT_THAT(why_not("10:20", "cart"),
              HasSubstr("; then, as things are, the guard `while` of email would silence it"));
  const spur::v1::TriggerStanding at = standing("10:20", "cart");
  ASSERT_EQ(at.conditions_size(), 1);
  EXPECT_EQ(at.conditions(0).name(), "while");
  EXPECT_EQ(at.conditions(0).deciding(),
            "`features.orders_24h == 0` is false: features.orders_24h is 1");
}

TEST_F(StandingTest, NothingOpenNeedsTheEventThatOpens) {
  given(kCart);
  story_->at("10:00", "ann", "Order Completed", R"({"total":20})");
  EXPECT_THAT(why_not("10:20", "cart"), StartsWith("there has to be Product Added"));
}

TEST_F(StandingTest, ACooldownIsToldWithWhatIsLeftOfIt) {
  given(kCart);
  story_->at("10:00", "ann", "Product Added", R"({"cart":"k1"})");
  story_->at("12:00", "ann", "Product Added", R"({"cart":"k2"})");
  EXPECT_THAT(
      why_not("12:30", "cart"),
      HasSubstr("the guard `cooldown` would silence it: 5400 s since the last, cooldown 604800 s"));
}

TEST_F(StandingTest, AThresholdNamesTheTermThatIsMissing) {
  given(kCart);
  story_->at("10:00", "ann", "Order Completed", R"({"total":320})");
  EXPECT_EQ(
      why_not("10:20", "spender"),
      "`when` has to become true: `features.revenue >= 500` is false: features.revenue is 320");
}

TEST_F(StandingTest, AThresholdThatHasFiredNeedsToReArm) {
  given(kCart);
  story_->at("10:00", "ann", "Order Completed", R"({"total":600})");
  EXPECT_EQ(why_not("10:20", "spender"),
            "it has fired, and has to re-arm first: `features.revenue < 100` is false: "
            "features.revenue is 600");
}

TEST_F(StandingTest, AnIfThatSaysNoNamesTheSmallestPart) {
  given(kCart);
  story_->at("10:00", "ann", "Order Completed", R"({"total":320})");
  EXPECT_THAT(
      why_not("10:20", "loyal"),
      HasSubstr("`if` says no: `features.orders_24h >= 3` is false: features.orders_24h is 1"));
  const spur::v1::TriggerStanding at = standing("10:20", "loyal");
  std::vector<std::string> deciding;
  for (const auto& part : at.conditions(0).parts()) {
    if (part.deciding()) deciding.push_back(part.expression());
  }
  EXPECT_THAT(deciding, ::testing::ElementsAre("features.orders_24h >= 3"));
}

TEST_F(StandingTest, ATriggerThatIsOffSaysSo) {
  given(
      "Trigger off:\n  enabled: false\n  event: {on: A}\n  actions: [{channel: email, template: "
      "t}]\n"
      "Trigger on:\n  event: {on: A}\n  actions: [{channel: email, template: t}]\n");
  story_->at("10:00", "ann", "A");
  EXPECT_EQ(why_not("10:20", "off"), "the trigger is switched off: `enabled: false`");
}

TEST_F(StandingTest, ATriggerOutsideItsTimesSaysWhich) {
  given(
      "Trigger later:\n  from: 2026-04-01T00:00:00Z\n  event: {on: A}\n  actions: [{channel: "
      "email, template: t}]\n"
      "Trigger before:\n  to: 2026-02-01T00:00:00Z\n  event: {on: A}\n  actions: [{channel: email, "
      "template: t}]\n");
  story_->at("10:00", "ann", "A");
  EXPECT_EQ(why_not("10:20", "later"), "the trigger has to begin: `from` is 2026-04-01T00:00:00Z");
  EXPECT_EQ(why_not("10:20", "before"), "the trigger has ended: `to` is 2026-02-01T00:00:00Z");
}

TEST_F(StandingTest, ASequenceNamesTheStepThatIsNext) {
  given(
      "Trigger form:\n  sequence: {key: event.properties.f, steps: [{on: A}, {on: B, within: "
      "30m}], "
      "then_silent: {on: C, for: 3m}}\n  actions: [{channel: email, template: t}]\n");
  story_->at("10:00", "ann", "A", R"({"f":"7"})");
  EXPECT_EQ(why_not("10:20", "form"), "step 2 of 2 [7] has to come by 2026-03-01T10:30:00Z: B");
  story_->at("10:25", "ann", "B", R"({"f":"7"})");
  EXPECT_EQ(
      why_not("10:26", "form"),
      "time has to pass: the wait [7] is over at 2026-03-01T10:28:00Z (in 2m), unless there is C");
}

TEST_F(StandingTest, ALaterStepIsToldWithItsTime) {
  given(
      "Trigger two:\n  event: {on: A}\n  actions: [{channel: email, template: t}, {channel: email, "
      "template: u, "
      "after: 2h}]\n");
  story_->at("10:00", "ann", "A");
  EXPECT_EQ(why_not("11:00", "two"),
            "it has fired, and step 2 is due at 2026-03-01T12:00:00Z (in 1h)");
}

TEST_F(StandingTest, ASessionHasToEnd) {
  given(
      "Session visit: {keeps: {on: '*'}, idle: 30m}\nTrigger left:\n  session: {of: visit, on: "
      "idle}\n"
      "  actions: [{channel: email, template: t}]\n");
  story_->at("10:00", "ann", "A");
  EXPECT_EQ(
      why_not("10:20", "left"),
      "the session visit has to end by silence: at 2026-03-01T10:30:00Z, if nothing keeps it");
}

TEST_F(StandingTest, QuietHoursAndCapsAreAskedOfEachChannel) {
  given(R"(
Channel email: {topic: actions.email, caps: [{max: 1, per: 1d}]}
Channel sms: {topic: actions.sms, quiet_hours: {from: "21:00", to: "08:00", zone: UTC, then: defer}}
Trigger hello:
  event: {on: A}
  actions: [{channel: [email, sms], template: t}]
)");
  story_->at("10:00", "ann", "A");
  const spur::v1::TriggerStanding at = standing("22:00", "hello");
  std::vector<std::string> no;
  for (const auto& guard : at.guards()) {
    if (!guard.through()) no.push_back(guard.guard() + " of " + guard.channel());
  }
  EXPECT_THAT(no, ::testing::ElementsAre("cap of email", "quiet_hours of sms"));
}

TEST_F(StandingTest, AskingChangesNeitherStateNorDigest) {
  given(kCart);
  story_->at("10:00", "ann", "Order Completed", R"({"total":320})");
  story_->at("10:05", "ann", "Product Added", R"({"cart":"k1"})");
  const std::vector<std::string> rows = story_->rows();
  const std::uint64_t digest = story_->digest();
  const std::uint64_t errors = story_->counters().conditions_in_error;
  for (const char* trigger : {"cart", "spender", "loyal"}) standing("10:20", trigger);
  EXPECT_EQ(story_->rows(), rows);
  EXPECT_EQ(story_->digest(), digest);
  EXPECT_EQ(story_->counters().conditions_in_error, errors);
}

}  // namespace
}  // namespace spur::explain
