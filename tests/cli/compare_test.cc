#include "daemon/trigger_test/compare.h"

#include "tests/cli/trigger_test_fixture.h"

namespace spur::trigger_test {
namespace {

constexpr Instant kStart{1'772'352'000'000};  // 2026-03-01T08:00:00Z

Decision decision(Millis after, std::string trigger, std::string template_name = "hi") {
  Decision d;
  d.time = kStart + after;
  d.customer = "user_id:ann";
  d.trigger = std::move(trigger);
  d.channel = "email";
  d.template_name = std::move(template_name);
  return d;
}

std::vector<Expectation> expected(const std::string& list) {
  const TestFile file = parsed("  - {name: x, expect: [" + list + "]}\n");
  EXPECT_EQ(catalog::to_text(file.errors), "");
  return file.tests.at(0).expect;
}

std::string diff(const std::string& list, const std::vector<Decision>& got) {
  return text(difference(expected(list), got, kStart));
}

TEST(Compare, WhatIsNotGivenIsNotCompared) {
  EXPECT_EQ(diff("{}", {decision(kHour, "a")}), "");
  EXPECT_EQ(diff("{at: 60m, customer: ann}", {decision(kHour, "a")}), "");
  EXPECT_EQ(
      diff("{customer: \"user_id:ann\", reason: \"\", instance: \"\"}", {decision(kHour, "a")}),
      "");
}

TEST(Compare, EachDecisionMustBeListed) {
  EXPECT_EQ(diff("", {decision(kHour, "a")}), "+ +1h  user_id:ann  a  email hi  sent\n");
}

TEST(Compare, EachExpectationMustBeMet) {
  EXPECT_EQ(diff("{at: 90m, trigger: a, instance: k, channel: email, template: hi, verdict: "
                 "suppressed, reason: cap}",
                 {}),
            "- +1h30m  a [k]  email hi  suppressed: cap    (line 3)\n");
}

TEST(Compare, WhatDiffersIsToldBesideTheLineThatWasProbablyMeant) {
  EXPECT_EQ(diff("{at: 1h, trigger: a, template: hey}", {decision(kHour, "a")}),
            "- +1h  a hey    (line 3)\n"
            "+ +1h  user_id:ann  a  email hi  sent\n"
            "    template: expected hey, got hi\n");
}

TEST(Compare, WhatAgreesIsContextAroundTheDifference) {
  EXPECT_EQ(diff("{trigger: a}, {trigger: b, at: 2h}, {trigger: c}",
                 {decision(kHour, "a"), decision(kHour * 2, "c")}),
            "  +1h  user_id:ann  a  email hi  sent\n"
            "- +2h  b    (line 3)\n"
            "  +2h  user_id:ann  c  email hi  sent\n");
}

TEST(Compare, TheOrderIsTheDocumentedOne) {
  EXPECT_NE(diff("{trigger: b}, {trigger: a}", {decision(kHour, "a"), decision(kHour, "b")}), "");
}

TEST(Compare, DataIsComparedAsAWhole) {
  Decision d = decision(kHour, "a");
  d.data = R"({"n":1,"k":"x"})";
  EXPECT_EQ(diff("{data: {k: x, n: 1.0}}", {d}), "");
  EXPECT_EQ(diff("{trigger: a, data: {k: x}}", {d}),
            "- a  {\"k\":\"x\"}    (line 3)\n"
            "+ +1h  user_id:ann  a  email hi  sent  {\"n\":1,\"k\":\"x\"}\n"
            "    data: expected {\"k\":\"x\"}, got {\"n\":1,\"k\":\"x\"}\n");
}

TEST(Compare, TwoRunsAgreeWhateverTheirActionIds) {
  std::vector<Decision> a = {decision(kHour, "a")}, b = a;
  b[0].id.run = 7;
  EXPECT_TRUE(difference(std::span<const Decision>(a), b, kStart).empty());
  b[0].template_name = "other";
  EXPECT_EQ(text(difference(std::span<const Decision>(a), b, kStart)),
            "- +1h  user_id:ann  a  email hi  sent\n+ +1h  user_id:ann  a  email other  sent\n");
}

}  // namespace
}  // namespace spur::trigger_test
