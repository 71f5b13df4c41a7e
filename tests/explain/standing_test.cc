// Where triggers stand for a customer, and the first thing that would have to change.
#include "daemon/explain/standing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

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

TEST_F(StandingTest, AThresholdThatIsAskedRarelyReArmsWhenItIsAskedNext) {
  given(R"(
Feature last_hour: {on: A, aggregate: count, window: 1h}
Trigger busy:
  threshold: {when: features.last_hour >= 1, rearm: now > timestamp('2026-03-01T12:00:00Z'), every: 7d}
  actions: [{channel: email, template: t}]
)");
  story_->at("10:00", "ann", "A");
  EXPECT_EQ(why_not("12:30", "busy"), "it has fired, and re-arms when it is asked next");
}

constexpr std::string_view kStock = R"(
Reference products: {topic: products, format: json, key: body.id}
Trigger back:
  business:
    reference: products
    key: event.properties.id
    interest: [{on: Alert Requested, within: 90d}, {on: Product Viewed, where: "reference.products[event.properties.id].stock == 0", within: 14d}]
    closes: {on: Alert Cancelled}
    when: previous.stock == 0 && record.stock > 0
  if: has(record.stock) && record.stock > 2
  while: record.stock > 0
  actions: [{channel: email, template: t}]
)";

TEST_F(StandingTest, InterestNeedsItsRecordToChangeWhileItLasts) {
  given(kStock);
  story_->at("10:00", "ann", "Alert Requested", R"({"id":"p1"})");
  EXPECT_EQ(
      why_not("10:20", "back"),
      "the record [p1] of products has to change by 2026-05-30T10:00:00Z (in 12w5d23h40m), so "
      "that `previous.stock == 0 && record.stock > 0`, unless there is Alert Cancelled");
  EXPECT_EQ(standing("10:20", "back").summary(), "1 open, waiting for a record to change");
  story_->at("10:10", "ann", "Alert Requested", R"({"id":"p2"})");
  EXPECT_THAT(why_not("10:20", "back"),
              StartsWith("the record [p1] of products (or another of 2) has to change by"));
}

TEST_F(StandingTest, WhatRestsOnBusinessDataIsNotSaidToBeInTheWay) {
  given(kStock);
  story_->at("10:00", "ann", "Alert Requested", R"({"id":"p1"})");
  const spur::v1::TriggerStanding at = standing("10:20", "back");
  EXPECT_THAT(at.why_not(), ::testing::Not(HasSubstr("as things are")));
  for (const spur::v1::GuardAnswer& guard : at.guards()) EXPECT_NE(guard.guard(), "while");
}

TEST_F(StandingTest, WhatRestsOnARecordAsItIsIsSaid) {
  given(R"(
Reference products: {topic: products, format: json, key: body.id}
Trigger reminder:
  absence: {opens: {on: Product Added}, closes: {on: Order Completed}, after: 1h}
  while: reference.products['p1'].stock > 0
  actions: [{channel: email, template: t}]
)");
  story_->record("09:00", "products", R"({"id":"p1","stock":0})");
  story_->at("10:00", "ann", "Product Added", R"({"id":"p1"})");
  EXPECT_THAT(why_not("10:20", "reminder"), HasSubstr("the guard `while` of email would silence it"));
  story_->record("10:30", "products", R"({"id":"p1","stock":4})");
  EXPECT_THAT(why_not("10:40", "reminder"), ::testing::Not(HasSubstr("as things are")));
}

// What each operator waits for where nothing has happened that it asks for, and where something is
// open.
TEST_F(StandingTest, EveryOperatorSaysWhatItWaitsFor) {
  struct Row {
    std::string_view name, body, events, expected;  // events of ann, at 10:00
  };
  const std::vector<Row> rows = {
      {"event", "{on: A, where: event.properties.n > 1}", "",
       "there has to be A where `event.properties.n > 1`"},
      {"threshold", "{when: features.count >= 2}", "A",
       "`when` has to become true: `features.count >= 2` is false: features.count is 1"},
      {"absence", "{opens: [{on: A}, {on: B}], closes: {on: C}, after: 1h}", "",
       "there has to be A; or B"},
      {"absence", "{opens: {on: A}, closes: {on: C}, after: 1h}", "A",
       "time has to pass: the wait is over at 2026-03-01T11:00:00Z (in 40m), unless there is C"},
      {"session", "{of: visit, on: opened}", "", "the session visit has to open"},
      {"session", "{of: visit, on: closed}", "A", "the session visit has to be closed"},
      {"novelty", "{on: A, of: event.properties.n}", "",
       "there has to be A with a value that is new"},
      {"schedule", "{cron: '0 9 * * *', zone: UTC}", "A",
       "time has to pass: asked next at 2026-03-02T09:00:00Z"},
      {"prediction", "{model: churn, at_least: 0.5, every: 1d}", "A",
       "the score has to reach 0.5; asked next at 2026-03-02T10:00:00Z"},
      {"rhythm", "{on: A, change: drop, fallback: 2d}", "", "there has to be A"},
      {"rhythm", "{on: A, change: drop, fallback: 2d, factor: 1}", "A",
       "time has to pass: the wait is over at 2026-03-03T10:00:00Z (in 1d23h40m), unless there is "
       "A"},
      {"sequence", "{steps: [{on: A}, {on: B, within: 30m}]}", "", "there has to be A"},
      {"sequence", "{steps: [{on: A}, {on: B, within: 30m}]}", "A",
       "step 2 of 2 has to come by 2026-03-01T10:30:00Z: B"},
      {"intent", "{scores: [{on: A, add: '1'}], half_life: 1d, at_least: 5}", "A",
       "what it counts has to reach its bound"},
      {"date", "{of: traits.birthday, every: year, at: '09:00', zone: UTC}", "A",
       "the customer has to have a date: `traits.birthday`"},
      {"segment", "{of: keen, on: entered}", "A",
       "the customer has to enter the segment keen (is not in it)"},
      {"business",
       "{reference: products, interest: [{on: A, key: event.properties.n, within: 1d}, "
       "{on: B, key: event.properties.n, within: 2d}]}",
       "",
       "there has to be interest in a record of products: A with the key `event.properties.n`; "
       "or B with the key `event.properties.n`"},
      {"business", "{reference: products, interest: {on: A, key: event.properties.n, within: 1d}}",
       "A", "the record [7] of products has to change by 2026-03-02T10:00:00Z (in 23h40m)"}};
  std::set<std::string> answered;
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    given(R"(
Reference products: {topic: products, format: json, key: body.id}
Feature count: {on: A, aggregate: count}
Session visit: {keeps: {on: '*'}, opens: {on: A}, closes: {on: C}, idle: 30m}
Segment keen: {when: features.count >= 5}
Model churn: {bg_nbd: {on: A, horizon: 39w}, parameters: {r: 0.2426, alpha: 4.4137, a: 0.7930, b: 2.4262, unit: 1w}}
Trigger it:
  )" + std::string(row.name) +
          ": " + std::string(row.body) + "\n  actions: [{channel: email, template: t}]\n");
    story_->at("10:00", "ann", "Hello");
    if (!row.events.empty()) story_->at("10:00", "ann", row.events, R"({"n":"7"})");
    EXPECT_EQ(why_not("10:20", "it"), row.expected);
    answered.insert(std::string(row.name));
  }
  const auto& operators = *spur::v1::Trigger::descriptor()->FindOneofByName("operator");
  for (int i = 0; i < operators.field_count(); ++i) {
    const std::string& name = operators.field(i)->name();
    EXPECT_TRUE(name == "unsupported" || answered.contains(name)) << name;
  }
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
