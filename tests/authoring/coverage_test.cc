// A part of a catalog is covered if some test decides otherwise without it.

#include "daemon/authoring/coverage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/authoring/operands.h"
#include "daemon/authoring/parts.h"
#include "operators/catalog/load.h"

namespace spur::authoring {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> operands(const std::string& source) {
  std::vector<std::string> texts;
  for (const Operand& operand : operands_of(source)) {
    texts.push_back((operand.of_and ? "&& " : "|| ") + std::string(operand.in(source)));
  }
  return texts;
}

TEST(OperandsTest, AreWhatAndAndOrStandBetween) {
  EXPECT_THAT(operands("a && b"), ElementsAre("&& a", "&& b"));
  EXPECT_THAT(operands("a || b && c"), ElementsAre("|| a", "|| b && c", "&& b", "&& c"));
  EXPECT_THAT(operands("(a || b) && c"), ElementsAre("&& (a || b)", "|| a", "|| b", "&& c"));
}

TEST(OperandsTest, WhatStandsBelowSomethingElseIsNone) {
  EXPECT_THAT(operands("a"), IsEmpty());
  EXPECT_THAT(operands("[a && b].all(x, x || c)"), IsEmpty());
  EXPECT_THAT(operands("a ? b && c : d"), IsEmpty());
  EXPECT_THAT(operands("'a && b' == c"), IsEmpty());
  EXPECT_THAT(operands("a &&"), ElementsAre("&& a"));
  EXPECT_THAT(operands("a.?b.orValue(0) > 1 && c[?0].hasValue()"),
              ElementsAre("&& a.?b.orValue(0) > 1", "&& c[?0].hasValue()"));
}

TEST(OperandsTest, LeftOutAnAndIsTrueAndAnOrFalse) {
  const std::string source = "(a || b) && c";
  const std::vector<Operand> all = operands_of(source);
  EXPECT_EQ(without(source, all[0]), "true && c");
  EXPECT_EQ(without(source, all[2]), "(a || false) && c");
}

constexpr char kCatalog[] = R"(apiVersion: spur/v1
kind: Channel
metadata: {name: web}
spec: {reach: has(traits.browser)}
---
apiVersion: spur/v1
kind: Channel
metadata: {name: email}
spec: {}
---
apiVersion: spur/v1
kind: Trigger
metadata: {name: cart}
spec:
  absence:
    opens: {on: Added, where: event.properties.n > 1 && event.properties.m > 1}
    closes: [{on: Ordered}, {on: Removed}]
    after: 1h
  cooldown: 7d
  actions:
    - {channel: [web, email], template: first}
    - {channel: email, template: second, after: 1d, expires: 1h}
---
apiVersion: spur/v1
kind: Trigger
metadata: {name: off}
spec: {event: {on: Never}, enabled: false, actions: [{channel: email, template: x}]}
)";

class CoverageTest : public ::testing::Test {
 protected:
  // What the tests leave uncovered.
  std::vector<std::string> uncovered(const std::string& tests) {
    const catalog::Loaded loaded = catalog::load_text("catalog.yaml", kCatalog);
    EXPECT_THAT(loaded.errors, IsEmpty());
    const trigger_test::TestFile file = trigger_test::parse_test_file(
        "a_test.yaml", "start: 2026-03-01T08:00:00Z\ntests:\n" + tests);
    for (const catalog::Error& error : file.errors) ADD_FAILURE() << error.to_text();
    std::vector<trigger_test::TestCase> all;
    for (const trigger_test::Test& test : file.tests) all.push_back({test, file.consents});
    coverage_ = coverage_of(loaded.catalog, loaded.positions, all);
    std::vector<std::string> texts;
    for (const Uncovered& part : coverage_.uncovered) texts.push_back(part.what);
    return texts;
  }
  Coverage coverage_;
};

constexpr char kFires[] =
    "  - {name: fires, events: [{at: 0m, customer: a, event: Added, properties: {n: 2, m: 2}}], "
    "run_until: 2d, expect: []}\n";

TEST_F(CoverageTest, WithoutATestNothingIsCovered) {
  uncovered("  - {name: nothing, events: [{at: 0m, customer: a, event: Other}], expect: []}\n");
  EXPECT_EQ(coverage_.uncovered.size(), coverage_.parts);
  EXPECT_EQ(coverage_.parts, parts_of(catalog::load_text("c", kCatalog).catalog).size());
}

TEST_F(CoverageTest, WhatATestPassesWithoutAnObjectionIsNotCovered) {
  EXPECT_THAT(
      uncovered(kFires),
      ElementsAre("Trigger cart: `where`", "Trigger cart: in `where`: event.properties.n > 1",
                  "Trigger cart: in `where`: event.properties.m > 1",
                  "Trigger cart: `closes`, the pattern 1", "Trigger cart: `closes`, the pattern 2",
                  "Trigger cart: `cooldown`", "Trigger cart: step first, channel web",
                  "Trigger cart: step second, `expires`"));
}

TEST_F(CoverageTest, AnOperandIsCoveredByATestThatItAloneDecides) {
  const std::vector<std::string> left =
      uncovered(std::string(kFires) +
                "  - {name: n is low, events: [{at: 0m, customer: a, event: Added, properties: {n: "
                "1, m: 2}}], run_until: 2d, expect: []}\n");
  EXPECT_THAT(left, ::testing::Not(Contains("Trigger cart: in `where`: event.properties.n > 1")));
  EXPECT_THAT(left, Contains("Trigger cart: in `where`: event.properties.m > 1"));
}

TEST_F(CoverageTest, APatternIsCoveredByATestThatNeedsIt) {
  const std::vector<std::string> left =
      uncovered(std::string(kFires) +
                "  - name: removed\n    events:\n"
                "      - {at: 0m, customer: a, event: Added, properties: {n: 2, m: 2}}\n"
                "      - {at: 5m, event: Removed}\n    run_until: 2d\n    expect: []\n");
  EXPECT_THAT(left, ::testing::Not(Contains("Trigger cart: `closes`, the pattern 2")));
  EXPECT_THAT(left, Contains("Trigger cart: `closes`, the pattern 1"));
}

TEST_F(CoverageTest, PositionsLeadToThePart) {
  uncovered(kFires);
  EXPECT_EQ(coverage_.uncovered.at(2).at, (catalog::Position{"catalog.yaml", 16, 57}));
}

// "path: what" of the parts inside the operator, each of which can be taken out.
std::vector<std::string> inside(const std::string& op, const std::string& fields) {
  const catalog::Loaded loaded = catalog::load_text(
      "c.yaml",
      "apiVersion: spur/v1\nkind: Channel\nmetadata: {name: email}\nspec: {}\n---\n"
      "apiVersion: spur/v1\nkind: Trigger\nmetadata: {name: t}\nspec: {" +
          op + ": {" + fields + "}, actions: [{channel: email, template: a}]}\n");
  for (const catalog::Error& error : loaded.errors) ADD_FAILURE() << error.to_text();
  const std::string path = "Trigger/t/spec." + op;
  std::vector<std::string> texts;
  for (const Part& part : parts_of(loaded.catalog)) {
    if (!part.path.starts_with(path)) continue;
    spur::v1::Catalog without = loaded.catalog;
    part.leave_out(without);
    EXPECT_NE(without.SerializeAsString(), loaded.catalog.SerializeAsString()) << part.what;
    texts.push_back(part.path.substr(path.size()) + ": " +
                    part.what.substr(std::string("Trigger t: ").size()));
  }
  return texts;
}

TEST(PartsTest, OfASequenceStandInItsStepsItsWithoutAndItsSilence) {
  EXPECT_THAT(inside("sequence",
                     "steps: [{on: A, where: x && y}, {on: B, where: z}], without: {on: C}, "
                     "then_silent: {on: D, where: u, for: 1h}"),
              ElementsAre(".steps[0].patterns[0].where: `where`",
                          ".steps[0].patterns[0].where: in `where`: x",
                          ".steps[0].patterns[0].where: in `where`: y",
                          ".steps[1].patterns[0].where: `where`", ".without[0]: `without`",
                          ".then_silent.patterns[0].where: `where`"));
}

TEST(PartsTest, OfAnIntentStandInItsScores) {
  EXPECT_THAT(inside("intent",
                     "scores: [{on: A, where: x, add: 1}, {on: B, add: 2}], half_life: 7d, "
                     "at_least: 10"),
              ElementsAre(".scores[0].patterns[0].where: `where`"));
}

TEST(PartsTest, OfAnAbsenceAreItsResetsAndClosesButNotItsOnlyOpening) {
  EXPECT_THAT(inside("absence", "opens: {on: A}, resets: {on: B}, closes: {on: C}, after: 1h"),
              ElementsAre(".resets[0]: `resets`", ".closes[0]: `closes`"));
}

TEST(PartsTest, AreBoundInTheirNumber) {
  spur::v1::Catalog catalog;
  spur::v1::Channel& channel = *catalog.add_channels();
  channel.set_name("c");
  for (std::size_t i = 0; i < kPartsMax + 1; ++i) channel.add_caps()->set_max(1);
  EXPECT_EQ(parts_of(catalog).size(), kPartsMax);
}

}  // namespace
}  // namespace spur::authoring
