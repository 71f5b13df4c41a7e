#include "daemon/trigger_test/runner.h"

#include "tests/cli/trigger_test_fixture.h"

namespace spur::trigger_test {
namespace {

using ::testing::HasSubstr;

constexpr char kLate[] = R"(
---
apiVersion: spur/v1
kind: Policy
metadata: {name: all}
spec: {lateness: 30m}
)";

TEST(Runner, ATestThatIsRightPassesOnOneShardOnFourAndWithRestarts) {
  const Result result =
      run("  - {name: x, events: [{at: 0m, customer: ann, event: Came}], run_until: 1h, expect: "
          "[{at: 1h, trigger: left}]}\n");
  EXPECT_EQ(text(result.lines), "");
  EXPECT_TRUE(result.passed);
  EXPECT_EQ(result.runs, 3);
}

TEST(Runner, WhatIsDueAtRunUntilIsDecidedAndNothingAfter) {
  EXPECT_TRUE(run("  - {name: x, events: [{at: 1ms, customer: ann, event: Came}], run_until: 1h, "
                  "expect: []}\n")
                  .passed);
}

constexpr char kTill[] = R"(
---
apiVersion: spur/v1
kind: Source
metadata: {name: till}
spec:
  format: json
  map: {name: body.name, time: timestamp(body.time), identities: {user_id: body.card}, properties: {k: "body.?k"}}
)";

TEST(Runner, ABodyIsReadByTheMapOfItsSourceAndTheOtherEventsAreCallsAllTheSame) {
  const Result result = run(
      "  - {name: x, events: [{at: 0m, source: till, body: {name: Hello, time: '2026-03-01T08:00:00Z', card: 7, k: a}}, "
      "{at: 1m, customer: ann, event: Hello, properties: {k: b}}],\n"
      "     expect: [{at: 0m, customer: '7', instance: a}, {at: 1m, customer: ann, instance: b}]}\n",
      kTill);
  EXPECT_EQ(text(result.lines), "");
  EXPECT_EQ(result.runs, 3);
}

constexpr char kClub[] = R"(
---
apiVersion: spur/v1
kind: Source
metadata: {name: club}
spec:
  format: json
  map: {name: "'Came'", time: timestamp(body.time), identities: {loyalty_id: "body.?card", email: "body.?mail"}}
)";

// Each run of run_test() is on one shard, on four, or with everything written out and read back
// after each input.
TEST(Runner, CustomersOfEveryKindAreDecidedForAlikeOnAnyNumberOfShardsAndAfterRestarts) {
  std::string events, expect;
  for (int i = 0; i < 12; ++i) {
    const std::string at = "{at: " + std::to_string(i) + "m, ", number = std::to_string(i % 6);
    const std::string time =
        "'2026-03-01T08:" + std::string(i < 10 ? "0" : "") + std::to_string(i) + ":00Z'";
    const bool card = i % 2 == 0;
    events += at + "source: club, body: {time: " + time + ", " + (card ? "card: " : "mail: ") +
              number + "}}, ";
    events += at + "customer: 'user_id:" + number + "', event: Came}, ";
    if (i >= 6) continue;  // their waits are open
    const std::string due = "{at: " + std::to_string(60 + i) + "m, trigger: left, customer: '";
    expect += due + (card ? "loyalty_id:" : "email:") + number + "'}, ";
    expect += due + "user_id:" + number + "'}, ";
  }
  const Result result = run(
      "  - {name: x, events: [" + events + "], run_until: 3h, expect: [" + expect + "]}\n", kClub);
  EXPECT_EQ(text(result.lines), "");
  EXPECT_EQ(result.runs, 3);
}

TEST(Runner, ACustomerIsNamedWithAKindThatTheCatalogMapsAndAnythingElseIsAUserId) {
  const Result result = run(R"(  - name: x
    events:
      - {at: 0m, source: club, body: {time: '2026-03-01T08:00:00Z', card: 4711}}
      - {at: 1m, customer: 'loyalty_id:4711', event: Came}  # the same, whose wait is open
      - {at: 2m, customer: 'user_id:loyalty_id:4711', event: Came}
      - {at: 3m, customer: 'phone:4711', event: Came}
      - {at: 4m, customer: 'anonymous_id:v', event: Came}
    run_until: 3h
    expect:
      - {at: 60m, customer: 'loyalty_id:4711'}
      - {at: 62m, customer: 'user_id:loyalty_id:4711'}
      - {at: 63m, customer: 'user_id:phone:4711'}
      - {at: 64m, customer: 'anonymous_id:v'}
)",
                            kClub);
  EXPECT_EQ(text(result.lines), "");
  const TestFile file = parsed(
      "  - {name: x, events: [{at: 0m, customer: 'loyalty_id:', event: Came}], expect: []}\n");
  EXPECT_THAT(catalog::to_text(check_names(*compiled(std::string(kCatalog) + kClub), file)),
              HasSubstr("a_test.yaml:3:24: `loyalty_id:` names nobody"));
}

TEST(Runner, ABodyThatArrivesAfterADeadlineIsLateInEachRun) {
  const std::string arrives = "  - {name: x, events: [{at: 0m, customer: '7', event: Came}, {at: 2h, source: till, "
                              "body: {name: Went, time: '2026-03-01T08:30:00Z', card: 7}}], only: sent, expect: [";
  const Result result = run(arrives + "{at: 1h, trigger: left}]}\n", kTill);
  EXPECT_EQ(text(result.lines), "");
}

TEST(Runner, ABodyThatIsRefusedOrComesAfterTheEndFailsTheTest) {
  const Result refused = run("  - {name: x, events: [{at: 0m, source: till, body: {name: Hello}}], expect: []}\n", kTill);
  EXPECT_THAT(text(refused.lines), HasSubstr("the daemon would refuse this event"));
  EXPECT_THAT(text(refused.lines), HasSubstr("MAPPING_FAILED"));
  const Result after = run(
      "  - {name: x, events: [{at: 0m, source: till, body: {name: Hello, time: '2026-03-02T08:00:00Z', card: 7}}], "
      "expect: []}\n",
      kTill);
  EXPECT_THAT(text(after.lines), HasSubstr("its body says a time after `run_until`"));
}

TEST(Runner, WithALatenessOtherOrdersOfArrivalRunToo) {
  const std::string test =
      "  - {name: x, events: [{at: 0m, customer: ann, event: Came}, {at: 20m, event: Went}, {at: "
      "25m, event: Came}], run_until: 2h,\n"
      "     expect: [{at: 85m, trigger: left}]}\n";
  EXPECT_EQ(run(test).runs, 3);
  const Result late = run(test, kLate);
  EXPECT_EQ(text(late.lines), "");
  EXPECT_EQ(late.runs, 3 + kShuffles);
}

TEST(Runner, EventsWrittenLaterThanTheLatenessStayInTheirOrder) {
  EXPECT_EQ(run("  - {name: x, events: [{at: 2h, customer: ann, event: Hello, properties: {k: 1}}, "
                "{at: 0m, event: Went}], only: deferred, expect: []}\n",
                kLate)
                .runs,
            3);
}

TEST(Runner, EqualEventsAreDifferentUnlessTheySayTheSameId) {
  const std::string hello = "{at: 0m, customer: ann, event: Hello, properties: {k: 1}";
  EXPECT_TRUE(run("  - {name: x, events: [" + hello + "}, " + hello +
                  "}], expect: [{instance: \"1\"}, {instance: \"1\"}]}\n")
                  .passed);
  EXPECT_TRUE(run("  - {name: x, events: [" + hello + ", id: m}, " + hello +
                  ", id: m}], expect: [{instance: \"1\"}]}\n")
                  .passed);
}

TEST(Runner, OnlyTheseVerdictsAreCompared) {
  std::string events;
  for (int k = 1; k <= 3; ++k)
    events += "{at: 0m, customer: ann, event: Hello, properties: {k: " + std::to_string(k) + "}}, ";
  const auto test = [&](const std::string& rest) {
    return run("  - {name: x, events: [" + events + "], " + rest + "}\n");
  };
  EXPECT_TRUE(test("only: suppressed, expect: [{instance: \"3\", reason: cap}]").passed);
  EXPECT_TRUE(test("only: [sent], expect: [{instance: \"1\"}, {instance: \"2\"}]").passed);
  EXPECT_FALSE(test("expect: [{instance: \"1\"}, {instance: \"2\"}]").passed);
}

TEST(Runner, AnEventThatTheDaemonWouldRefuseFailsTheTest) {
  const Result result =
      run("  - {name: x, events: [{at: 0m, customer: ann, event: Hello, properties: {k: 1}, "
          "context: {traits: 7}}], expect: []}\n");
  EXPECT_FALSE(result.passed);
  EXPECT_THAT(text(result.lines),
              HasSubstr("a_test.yaml:3:24: the daemon would refuse this event"));
}

TEST(Runner, WhereADecisionIsMissingItTellsHowOftenTheTriggerFired) {
  const Result result = run(
      "  - {name: x, events: [{at: 0m, customer: ann, event: Came}], expect: [{trigger: left}]}\n");
  EXPECT_THAT(text(result.lines), HasSubstr("left: fired 0 times"));
}

TEST(Runner, NamesThatTheCatalogHasNotAreErrors) {
  const TestFile file =
      parsed("  - {name: x, expect: [{trigger: lfet}, {channel: sms}, {channel: \"\"}]}\n");
  EXPECT_EQ(catalog::to_text(check_names(*compiled(kCatalog), file)),
            "a_test.yaml:3:24: the catalog has no Trigger `lfet`; did you mean `left`?\n"
            "a_test.yaml:3:41: the catalog has no Channel `sms`\n");
}

constexpr char kPrices[] = R"(
---
apiVersion: spur/v1
kind: Reference
metadata: {name: products}
spec: {topic: products, key: body.id}
---
apiVersion: spur/v1
kind: Trigger
metadata: {name: cheaper}
spec:
  class: transactional
  business:
    reference: products
    interest: {on: Viewed, key: "'p1'", within: 30d}
    when: has(previous.price) && record.price < previous.price
    rate: {max: 1, per: 1h}
  actions: [{channel: email, template: t}]
)";

TEST(Runner, ASourceOrReferenceThatTheCatalogHasNotIsAnError) {
  const TestFile file = parsed(
      "  - {name: x, expect: [], events: [{at: 0m, source: tll, body: {}}, "
      "{at: 0m, reference: product, record: {}}]}\n");
  EXPECT_EQ(catalog::to_text(check_names(*compiled(std::string(kCatalog) + kTill + kPrices), file)),
            "a_test.yaml:3:36: the catalog has no Source `tll`; did you mean `till`?\n"
            "a_test.yaml:3:69: the catalog has no Reference `product`; did you mean `products`?\n");
}

// Each shard has a part of a rate: what four of them tell differs from what one does.
TEST(Runner, WithARateThereIsNoRunOnFourShards) {
  const Result result =
      run("  - {name: x, events: [{at: 0m, reference: products, record: {id: p1, price: 100}},\n"
          "      {at: 1m, customer: ann, event: Viewed}, {at: 2m, customer: bob, event: Viewed},\n"
          "      {at: 10m, reference: products, record: {id: p1, price: 80}}], run_until: 3h,\n"
          "     expect: [{at: 10m, customer: ann}, {at: 1h10m, customer: bob}]}\n",
          kPrices);
  EXPECT_EQ(text(result.lines), "");
  EXPECT_EQ(result.runs, 2);
}

}  // namespace
}  // namespace spur::trigger_test
