// Consent by purpose, erasure, holdout and arbitration: who may be contacted at all.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operators/consents.h"
#include "operators/guards/holdout.h"
#include "tests/operators/story.h"

namespace spur::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr const char* kGranted =
    R"({"purpose":"marketing-email","source":"checkout","text_version":"terms-7","legal_basis":"consent"})";
constexpr const char* kWithdrawn = R"({"purpose":"marketing-email"})";
constexpr const char* kAsked = R"(
Channel email: {topic: e, purpose: marketing-email}
Trigger t: {event: {on: X}, actions: [{channel: email, template: t}]}
)";

TEST(ConsentGuard, WhoHasSaidNothingHasNotConsented) {
  Story story(kAsked);
  story.at("09:00", "ann", "X");
  EXPECT_THAT(story.decisions(), ElementsAre("09:00 t suppressed consent"));
}

TEST(ConsentGuard, LetsThroughFromTheEventThatGivesItToTheOneThatWithdrawsIt) {
  Story story(kAsked);
  story.at("09:00", "ann", "Consent Granted", kGranted);
  story.at("09:00", "ann", "X");
  story.at("10:00", "ann", "Consent Withdrawn", kWithdrawn);
  story.at("10:00", "ann", "X");
  story.at("11:00", "ann", "Consent Granted", R"({"purposes":["x","marketing-email"]})");
  story.at("11:01", "ann", "X");
  EXPECT_THAT(story.decisions(),
              ElementsAre("09:00 t sent", "10:00 t suppressed consent", "11:01 t sent"));
}

TEST(ConsentGuard, TheLastWordByEventTimeCountsAndOfTwoAtOneInstantTheWithdrawal) {
  Story story(kAsked);
  story.at("10:00", "ann", "Consent Withdrawn", kWithdrawn);
  story.at("09:00", "ann", "Consent Granted", kGranted);  // late
  story.at("10:00", "ann", "Consent Granted", kGranted);  // the same instant
  story.at("10:01", "ann", "X");
  EXPECT_THAT(story.decisions(), ElementsAre("10:01 t suppressed consent"));
}

TEST(ConsentGuard, BindsMarketingOnly) {
  for (const char* const of_class : {"service", "transactional"}) {
    Story story(std::string("Channel email: {topic: e, purpose: marketing-email}\n") +
                "Trigger t: {class: " + of_class +
                ", event: {on: X}, actions: [{channel: email, template: t}]}\n");
    story.at("09:00", "ann", "X");
    EXPECT_THAT(story.decisions(), ElementsAre("09:00 t sent"));
  }
}

TEST(ConsentGuard, OfAChannelListTheFirstThatIsAllowed) {
  Story story(R"(
Channel email: {topic: e, purpose: marketing-email}
Channel web: {topic: w}
Trigger t: {event: {on: X}, actions: [{channel: [email, web], template: t}]}
)");
  story.at("09:00", "ann", "X");
  EXPECT_THAT(story.decisions(), ElementsAre("09:00 t web/t sent"));
}

TEST(ConsentGuard, AWithdrawalOfAllIsOneOfEachAndOfWhatWasNeverNamed) {
  Story story(kAsked);
  story.shard().assume({{"marketing-email"}, true});
  story.at("09:00", "ann", "X");
  story.at("10:00", "ann", "Consent Withdrawn", R"({"purpose":"*"})");
  story.at("10:01", "ann", "X");
  story.at("11:00", "ann", "Consent Granted", kGranted);
  story.at("11:01", "ann", "X");
  EXPECT_THAT(story.decisions(),
              ElementsAre("09:00 t sent", "10:01 t suppressed consent", "11:01 t sent"));
}

constexpr const char* kOpen = R"(
Channel email: {topic: e, purpose: marketing-email}
Channel sms: {topic: s, purpose: marketing-sms, quiet_hours: {from: "08:00", to: "12:00", zone: UTC}}
Trigger mails: {absence: {opens: {on: X}, after: 2h}, actions: [{channel: email, template: t}]}
Trigger both: {event: {on: X}, actions: [{channel: sms, template: t}, {channel: email, template: u, after: 1h}]}
Trigger service: {class: service, absence: {opens: {on: X}, after: 2h}, actions: [{channel: email, template: t}]}
)";

TEST(ConsentGuard, AWithdrawalEndsAtOnceWhatOnlyItAllowed) {
  Story story(kOpen);
  story.at("09:00", "ann", "Consent Granted",
           R"({"purposes":["marketing-email","marketing-sms"]})");
  story.at("09:00", "ann", "X");
  story.at("09:30", "ann", "Consent Withdrawn", kWithdrawn);
  story.at("09:31", "ann", "Consent Granted", kGranted);  // does not bring back what was ended
  story.run_until("15:00");
  EXPECT_THAT(story.decisions(), ElementsAre("09:00 both sms/t deferred quiet_hours",
                                             "11:00 service sent", "12:00 both sms/t sent"));
}

TEST(ConsentGuard, ADeferredStepEndsWithADecision) {
  Story story(kOpen);
  story.at("09:00", "ann", "Consent Granted",
           R"({"purposes":["marketing-email","marketing-sms"]})");
  story.at("09:00", "ann", "X");
  story.at("09:30", "ann", "Consent Withdrawn",
           R"({"purposes":["marketing-email","marketing-sms"]})");
  story.run_until("15:00");
  EXPECT_THAT(story.decisions(),
              ElementsAre("09:00 both sms/t deferred quiet_hours",
                          "09:30 both sms/t suppressed consent", "11:00 service sent"));
}

TEST(ConsentGuard, AConclusionThatIsStillHeldDoesNotLeaveAfterAWithdrawal) {
  Story story(R"(
Channel email: {topic: e, purpose: marketing-email}
Trigger t: {absence: {opens: {on: X}, after: 1h, grace: 1m}, actions: [{channel: email, template: t}]}
)");
  story.at("09:00", "ann", "Consent Granted", kGranted);
  story.at("09:00", "ann", "X");
  story.at("10:00:30", "ann", "Consent Withdrawn", kWithdrawn);
  story.tick("10:05");
  EXPECT_THAT(story.decisions(), ElementsAre("10:00 t suppressed consent"));
}

TEST(ConsentGuard, TheEventsCanBeNamedAsTheyAre) {
  Story story(R"(
Policy all:
  consent:
    granted: {on: Subscribed, key: "'marketing-' + event.properties.list"}
    withdrawn: [{on: Unsubscribed, key: "'marketing-' + event.properties.list"}, {on: Complained, key: "'*'"}]
Channel email: {topic: e, purpose: marketing-email}
Trigger t: {event: {on: X}, actions: [{channel: email, template: t}]}
)");
  story.at("09:00", "ann", "Subscribed", R"({"list":"email"})");
  story.at("09:01", "ann", "X");
  story.at("09:02", "ann", "Complained");
  story.at("09:03", "ann", "X");
  EXPECT_THAT(story.decisions(), ElementsAre("09:01 t sent", "09:03 t suppressed consent"));
}

TEST(ConsentGuard, KeepsWhereAndOnWhatGroundItWasGiven) {
  Story story(kAsked);
  story.at("09:00", "ann", "Consent Granted", kGranted);
  std::string all;
  for (const std::string& row : story.rows()) all += row;
  for (const char* const part : {"marketing-email", "checkout", "terms-7", "consent"})
    EXPECT_NE(all.find(part), std::string::npos) << part;
}

TEST(ConsentGuard, SurvivesARestart) {
  Story story(kAsked);
  story.restart_after_each_input();
  story.at("09:00", "ann", "Consent Granted", kGranted);
  story.at("09:01", "ann", "X");
  EXPECT_THAT(story.decisions(), ElementsAre("09:01 t sent"));
}

TEST(ConsentGuard, KnowsSoManyPurposesOfACustomer) {
  Story story(kAsked);
  for (std::size_t i = 0; i < kConsentsMax; ++i)
    story.at("09:00", "ann", "Consent Granted", "{\"purpose\":\"p" + std::to_string(i) + "\"}");
  EXPECT_EQ(story.counters().dropped_over_limit, 0u);
  story.at("09:00", "ann", "Consent Granted", kGranted);
  EXPECT_EQ(story.counters().dropped_over_limit, 1u);
}

TEST(ConsentGuard, CutsALongTextWithinNoCharacterAndTakesNoLongPurpose) {
  static_assert(kConsentTextBytesMax == 256);
  Story story(kAsked);
  const std::string fits(255, 's'), longer(257, 'p');
  story.at(
      "09:00", "ann", "Consent Granted",
      R"({"purpose":"marketing-email","source":")" + fits + "ü\"}");  // its last byte is the 257th
  std::string all;
  for (const std::string& row : story.rows()) all += row;
  EXPECT_NE(all.find(fits), std::string::npos);
  EXPECT_EQ(all.find(fits + "\xc3"), std::string::npos);
  EXPECT_EQ(story.counters().dropped_over_limit, 0u);
  story.at("09:01", "ann", "Consent Granted", R"({"purpose":")" + longer + "\"}");
  EXPECT_EQ(story.counters().dropped_over_limit, 1u);
  for (const std::string& row : story.rows()) EXPECT_EQ(row.find(longer), std::string::npos);
}

constexpr const char* kErasure = R"(
Policy all: {erasure: {on: Customer Erased}}
Channel email: {topic: e}
Channel sms: {topic: s, quiet_hours: {from: "08:00", to: "12:00", zone: UTC}}
Feature n: {on: X, aggregate: count}
Trigger wait: {absence: {opens: {on: X}, after: 1h}, actions: [{channel: email, template: t}]}
Trigger t: {event: {on: X}, actions: [{channel: sms, template: t, data: {n: features.n}}, {channel: email, template: u, after: 1h}]}
Trigger daily: {schedule: {cron: "0 12 * * *", zone: UTC}, actions: [{channel: email, template: t}]}
)";

TEST(Erasure, EndsEverythingAndForgetsTheCustomer) {
  Story story(kErasure);
  story.restart_after_each_input();
  story.at("09:00", "ann", "X", "{}", R"({"secret":"s3cr3t"})");
  story.at("09:30", "ann", "Customer Erased");
  story.run_until("15:00");
  EXPECT_THAT(story.decisions(), ElementsAre(R"(09:00 t sms/t deferred quiet_hours {"n":1})",
                                             "09:30 t sms/t suppressed erased"));
  for (const std::string& row : story.rows()) EXPECT_EQ(row.find("s3cr3t"), std::string::npos);
}

TEST(Erasure, WhatComesAfterIsPassedOver) {
  Story story(kErasure);
  story.at("09:00", "ann", "Customer Erased");
  story.at("09:30", "ann", "X", "{}", R"({"secret":"s3cr3t"})");
  story.change_catalog(std::string(kErasure) +
                       "Trigger more: {schedule: {cron: \"0 * * * *\", zone: UTC}, actions: "
                       "[{channel: email, template: t}]}\n");
  story.run_until("15:00");
  EXPECT_THAT(story.decisions(), IsEmpty());
  for (const std::string& row : story.rows()) EXPECT_EQ(row.find("s3cr3t"), std::string::npos);
}

TEST(Holdout, IsAShareOfTheCustomersByTheSaltAndTheirIdentityAlone) {
  int in = 0, other = 0, both = 0;
  for (int i = 0; i < 10'000; ++i) {
    const std::string customer = "user_id:" + std::to_string(i);
    const bool a = guards::holdout_place("2026", customer) < 50'000;
    const bool b = guards::holdout_place("2027", customer) < 50'000;
    in += a;
    other += b;
    both += a && b;
  }
  EXPECT_NEAR(in, 500, 70);
  EXPECT_NEAR(other, 500, 70);
  EXPECT_LT(both, 60);  // another salt is another draw
}

// Who is held out stays so as long as the salt does, in every version.
TEST(Holdout, PlacesAreForEver) {
  EXPECT_EQ(guards::holdout_place("2026", "user_id:ann"), 311'597u);
  EXPECT_EQ(guards::holdout_place("2026", "user_id:bob"), 782'484u);
  EXPECT_EQ(guards::holdout_place("2026", "anonymous_id:7"), 578'780u);
}

TEST(Holdout, WhatWouldHaveBeenSentIsRecordedAndCountsAsIfItHadBeen) {
  Story story(R"(
Policy all: {holdout: {percent: 100, salt: x}}
Channel email: {topic: e, caps: [{max: 1, per: 1d}]}
Trigger t: {event: {on: X}, cooldown: 1h, actions: [{channel: email, template: t, data: {v: event.properties.v}}]}
Trigger other: {event: {on: X}, class: service, actions: [{channel: email, template: s}]}
)");
  story.at("09:00", "ann", "X", R"({"v":1})");
  story.at("09:30", "ann", "X", R"({"v":2})");
  story.at("10:00", "ann", "X", R"({"v":3})");
  // Marketing is held out and takes no place under a cap; service is not.
  EXPECT_THAT(
      story.decisions(),
      ElementsAre("09:00 other email/s sent", R"(09:00 t held_out holdout {"v":1})",
                  "09:30 other email/s suppressed cap", "09:30 t suppressed cooldown",
                  "10:00 other email/s suppressed cap", R"(10:00 t held_out holdout {"v":3})"));
}

TEST(Holdout, IsAskedOnlyOfWhatWouldHaveBeenPossible) {
  Story story(R"(
Policy all: {holdout: {percent: 100, salt: x}}
Channel email: {topic: e, reach: has(traits.email)}
Trigger t: {event: {on: X}, actions: [{channel: email, template: t}]}
)");
  story.at("09:00", "ann", "X");
  EXPECT_THAT(story.decisions(), ElementsAre("09:00 t suppressed reachable"));
}

TEST(Arbitration, OfWhatIsDueTogetherOnlyTheFirstGoes) {
  const auto decided = [](const std::string& arbitration) {
    Story story("Policy all: {arbitration: " + arbitration + R"(}
Channel email: {topic: e}
Channel web: {topic: w}
Trigger a: {priority: 2, event: {on: X}, actions: [{channel: email, template: t}]}
Trigger b: {priority: 1, event: {on: X}, actions: [{channel: email, template: t}]}
Trigger c: {priority: 3, event: {on: X}, actions: [{channel: web, template: t}]}
Trigger d: {priority: 0, event: {on: X}, while: "false", actions: [{channel: email, template: t}]}
Trigger e: {priority: 4, class: service, event: {on: X}, actions: [{channel: email, template: t}]}
)");
    story.at("09:00", "ann", "X");
    std::vector<std::string> decisions = story.decisions();
    return decisions;
  };
  EXPECT_THAT(decided("channel"),
              ElementsAre("09:00 a suppressed arbitration", "09:00 b sent", "09:00 c web/t sent",
                          "09:00 d suppressed while", "09:00 e sent"));
  EXPECT_THAT(decided("customer"), ElementsAre("09:00 a suppressed arbitration", "09:00 b sent",
                                               "09:00 c web/t suppressed arbitration",
                                               "09:00 d suppressed while", "09:00 e sent"));
}

TEST(Arbitration, WhatQuietHoursHeldBackIsDueTogetherAtTheirEnd) {
  Story story(R"(
Policy all: {arbitration: channel}
Channel email: {topic: e, quiet_hours: {from: "08:00", to: "12:00", zone: UTC}}
Trigger a: {priority: 2, event: {on: X}, actions: [{channel: email, template: t}]}
Trigger b: {priority: 1, event: {on: Y}, actions: [{channel: email, template: t}]}
)");
  story.at("09:00", "ann", "X");
  story.at("10:00", "ann", "Y");
  story.run_until("12:00");
  EXPECT_THAT(story.decisions(),
              ElementsAre("09:00 a deferred quiet_hours", "10:00 b deferred quiet_hours",
                          "12:00 a suppressed arbitration", "12:00 b sent"));
}

}  // namespace
}  // namespace spur::testing
