// What is right and can never happen is warned of, where it stands; what can is not.

#include "daemon/authoring/never.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operators/catalog/compile.h"
#include "operators/catalog/load.h"

namespace spur::authoring {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;

std::string resource(const std::string& kind, const std::string& name, const std::string& spec) {
  return "apiVersion: spur/v1\nkind: " + kind + "\nmetadata: {name: " + name + "}\nspec: " + spec +
         "\n---\n";
}
const std::string kEmail = resource("Channel", "email", "{}");
std::string trigger(const std::string& spec,
                    const std::string& actions = "{channel: email, template: a}") {
  return resource("Trigger", "t", "{" + spec + ", actions: [" + actions + "]}");
}

std::vector<catalog::Error> warnings_of(const std::string& text) {
  const catalog::Loaded loaded = catalog::load_text("c.yaml", kEmail + text);
  for (const catalog::Error& error : loaded.errors) ADD_FAILURE() << error.to_text();
  const catalog::CompileResult compiled = catalog::compile(loaded.catalog, loaded.positions);
  for (const catalog::Error& error : compiled.errors) ADD_FAILURE() << error.to_text();
  if (compiled.compiled == nullptr) return {};
  return never_warnings(loaded.catalog, *compiled.compiled, loaded.positions);
}

std::vector<std::string> warned(const std::string& text) {
  std::vector<std::string> warnings;
  for (const catalog::Error& warning : warnings_of(text)) {
    EXPECT_GT(warning.at.line, 0) << warning.to_text();
    warnings.push_back(warning.message);
  }
  return warnings;
}

// What stands on the line at each place that is warned of, from there on: "1 == 2}, within: 1h}".
std::vector<std::string> marked(const std::string& text) {
  std::vector<std::string> lines{""};
  for (const char c : kEmail + text) {
    if (c == '\n') {
      lines.emplace_back();
    } else {
      lines.back() += c;
    }
  }
  std::vector<std::string> texts;
  for (const catalog::Error& warning : warnings_of(text)) {
    if (warning.at.line <= 0) {
      ADD_FAILURE() << warning.to_text();
      continue;
    }
    const std::string& line = lines.at(static_cast<std::size_t>(warning.at.line) - 1);
    texts.push_back(line.substr(static_cast<std::size_t>(warning.at.column) - 1));
  }
  return texts;
}

TEST(NeverTest, AConditionThatIsFalseWhateverComes) {
  EXPECT_THAT(warned(trigger("event: {on: Order Completed}, if: 1 > 2")),
              ElementsAre("this is never true: the trigger never sends"));
  EXPECT_THAT(warned(trigger("event: {on: Order Completed}, while: \"false\"")),
              ElementsAre("this is never true: the trigger never sends"));
  EXPECT_THAT(warned(trigger("event: {on: Order Completed, where: \"false\"}")),
              ElementsAre("this is never true: the pattern matches nothing"));
  EXPECT_THAT(warned(resource("Segment", "s", "{when: \"false\"}")),
              ElementsAre("this is never true: nobody is in the segment"));
  EXPECT_THAT(warned(trigger("event: {on: Order Completed}",
                             "{channel: email, template: a, if: \"false\"}")),
              ElementsAre("this is never true: the step is never sent"));
  EXPECT_THAT(warned(trigger("event: {on: Order Completed}, if: 1 < 2")), IsEmpty());
  EXPECT_THAT(warned(trigger("event: {on: Order Completed}, if: \"false\", enabled: false")),
              IsEmpty());
}

// Each place is told by the number that its condition is not.
TEST(NeverTest, APatternIsMarkedInEachPartOfASequence) {
  EXPECT_THAT(marked(trigger("sequence: {steps: [{on: A, where: 0 == 1}, {on: B, where: 0 == 2}, "
                             "{on: C, where: 0 == 3}], without: {on: E, where: 0 == 4}, "
                             "then_silent: {on: F, where: 0 == 5, for: 1h}}")),
              ElementsAre(StartsWith("0 == 1"), StartsWith("0 == 2"), StartsWith("0 == 3"),
                          StartsWith("0 == 4"), StartsWith("0 == 5")));
}

TEST(NeverTest, APatternIsMarkedInTheScoreOfAnIntent) {
  const std::string scores =
      "scores: [{on: A, add: 1}, {on: B, where: 0 == 1, add: 2}, {on: C, where: 0 == 2, add: 3}]";
  EXPECT_THAT(marked(trigger("intent: {" + scores + ", half_life: 7d, at_least: 10}")),
              ElementsAre(StartsWith("0 == 1"), StartsWith("0 == 2")));
}

TEST(NeverTest, APatternOfARhythmIsMarkedOnce) {
  for (const char* change : {"drop", "rise"}) {
    EXPECT_THAT(
        marked(trigger("rhythm: {on: A, where: 0 == 1, change: " + std::string(change) + "}")),
        ElementsAre(StartsWith("0 == 1")))
        << change;
  }
}

TEST(NeverTest, AFeatureThatARhythmSharesIsMarkedWhereTheUserWroteIt) {
  const std::string feature = resource("Feature", "f", "{on: A, where: 0 == 1, aggregate: gaps}");
  EXPECT_THAT(marked(feature + trigger("rhythm: {on: A, where: 0 == 1, change: rise}")),
              ElementsAre(StartsWith("0 == 1, aggregate")));
}

TEST(NeverTest, AConditionIsMarkedUnderItsOwnOperator) {
  EXPECT_THAT(marked(trigger("absence: {opens: {on: A, where: 0 == 1}, closes: {on: B, where: 0 == "
                             "2}, resets: {on: C, where: 0 == 3}, after: 1h}")),
              ElementsAre(StartsWith("0 == 1"), StartsWith("0 == 2"), StartsWith("0 == 3")));
  EXPECT_THAT(marked(trigger("novelty: {on: A, where: 0 == 1, of: event.name}")),
              ElementsAre(StartsWith("0 == 1")));
  EXPECT_THAT(marked(trigger("threshold: {when: 0 == 1, rearm: 0 == 2}")),
              ElementsAre(StartsWith("0 == 1"), StartsWith("0 == 2")));
  EXPECT_THAT(marked(trigger("schedule: {cron: \"0 9 * * *\", when: 0 == 1}")),
              ElementsAre(StartsWith("0 == 1")));
}

TEST(NeverTest, AnEventNameNearlyThatOfTheFunnelOrAFeature) {
  EXPECT_THAT(warned(trigger("event: {on: Order Complted}")),
              ElementsAre("no Source and no Feature knows an event `Order Complted`"));
  EXPECT_THAT(warned(resource("Feature", "f", "{on: Form Sent, aggregate: count}") +
                     trigger("event: {on: form_snt}")),
              ElementsAre("no Source and no Feature knows an event `form_snt`"));
  EXPECT_THAT(warned(trigger("event: {on: order_completed}")), IsEmpty());
  EXPECT_THAT(warned(trigger("event: {on: Invoice Issued}")), IsEmpty());
  EXPECT_THAT(warned(trigger("event: {on: [\"*\", $identify]}")), IsEmpty());
}

TEST(NeverTest, AnEventNameWhereverAPatternStands) {
  EXPECT_THAT(warned(resource("Session", "s", "{keeps: {on: Order Complted}, idle: 30m}")).size(),
              1u);
  EXPECT_THAT(warned(trigger("event: {on: A}, exit: {on: Order Complted}")).size(), 1u);
  EXPECT_THAT(warned(trigger("novelty: {on: Order Complted, of: event.name}")).size(), 1u);
}

TEST(NeverTest, AnEventNameThatASourceDoesNotList) {
  const std::string source = resource("Source", "shop", "{order: [A, B]}");
  EXPECT_THAT(
      warned(source + trigger("absence: {opens: {on: A}, closes: {on: [B, Zebra]}, after: 1h}")),
      ElementsAre("no Source and no Feature knows an event `Zebra`"));
  EXPECT_THAT(warned(source + resource("Feature", "f", "{on: Zebra, aggregate: count}") +
                     trigger("event: {on: Zebra}")),
              IsEmpty());
}

class WindowTest : public ::testing::TestWithParam<std::pair<const char*, bool>> {};

// Gaps and ages inside (now - 30d, now] are shorter than 30 days.
TEST_P(WindowTest, MakesAComparisonFalse) {
  const auto [condition, never] = GetParam();
  const std::string features =
      resource("Feature", "gaps", "{on: A, aggregate: gaps, window: 30d, distinct_days: true}") +
      resource("Feature", "by_shop",
               "{on: A, aggregate: gaps, window: 30d, by: event.properties.shop}") +
      resource("Feature", "ever", "{on: A, aggregate: gaps}") +
      resource("Feature", "at",
               "{on: A, aggregate: last, of: event.time, window: 10d, offset: 20d}");
  const std::vector<std::string> warnings =
      warned(features + trigger("event: {on: A}, if: '" + std::string(condition) + "'"));
  EXPECT_EQ(!warnings.empty(), never) << condition;
  for (const std::string& warning : warnings)
    EXPECT_TRUE(warning.ends_with("looks back 30d only")) << warning;
}

INSTANTIATE_TEST_SUITE_P(
    Conditions, WindowTest,
    ::testing::Values(std::pair{R"(features.gaps.mean >= duration("30d"))", true},
                      std::pair{R"(features.gaps.mean >= duration("29d"))", false},
                      std::pair{R"(duration("60d") < features.gaps.last)", true},
                      std::pair{R"(features.gaps.last < duration("60d"))", false},
                      std::pair{R"(true || features.gaps.p90 > duration("4w2d"))", true},
                      std::pair{R"(features.by_shop["x"].median > duration("40d"))", true},
                      std::pair{R"(features.ever.mean > duration("400d"))", false},
                      std::pair{R"(features.gaps.count >= 30)", false},
                      std::pair{R"(features.gaps.count >= 31)", true},
                      std::pair{R"(features.gaps.count > 30)", true},
                      std::pair{R"(now - features.at > duration("29d"))", false},
                      std::pair{R"(now - features.at > duration("30d"))", true}));

TEST(NeverTest, ASessionThatHasNoSuchEnd) {
  const std::string silent = resource("Session", "s", "{keeps: {on: A}, idle: 30m}");
  const std::string closed = resource("Session", "s", "{opens: {on: A}, closes: {on: B}}");
  EXPECT_THAT(warned(silent + trigger("session: {of: s, on: closed}")),
              ElementsAre("the Session `s` never is closed: it has no `closes`"));
  EXPECT_THAT(warned(closed + trigger("session: {of: s, on: idle}")),
              ElementsAre("the Session `s` never ends by silence: it has no `idle`"));
  EXPECT_THAT(warned(closed + trigger("session: {of: s, on: closed}")), IsEmpty());
}

TEST(NeverTest, AChannelBehindOneThatLetsAllThrough) {
  const std::string sms = resource("Channel", "sms", "{reach: has(traits.phone)}");
  EXPECT_THAT(warned(sms + trigger("event: {on: A}", "{channel: [email, sms], template: a}")),
              ElementsAre("no step comes here: `email` before it lets all through"));
  EXPECT_THAT(warned(sms + trigger("event: {on: A}", "{channel: [sms, email], template: a}")),
              IsEmpty());
}

TEST(NeverTest, AValueBeyondThoseRemembered) {
  EXPECT_THAT(warned(trigger("novelty: {on: A, of: event.name, kth: 11, limit: 10}")),
              ElementsAre("the 11th value never comes: 10 are remembered"));
  EXPECT_THAT(warned(trigger("novelty: {on: A, of: event.name, kth: 10, limit: 10}")), IsEmpty());
}

}  // namespace
}  // namespace spur::authoring
