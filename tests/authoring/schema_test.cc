// The editor's schema and the catalog's reader say the same: every catalog of the repository fits,
// what the reader refuses by its form does not, and each word of the schema is one that the checks
// take.

#include "daemon/authoring/schema.h"

#include <gtest/gtest.h>

#include <deque>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "daemon/authoring/words.h"
#include "daemon/eval/cel_json.h"
#include "daemon/trigger_test/yaml_json.h"
#include "json_schema.h"
#include "operators/catalog/load.h"
#include "operators/catalog/yaml.h"

namespace spur::authoring {
namespace {

class SchemaTest : public ::testing::Test {
 protected:
  // Of the first document that does not fit.
  std::string fits(const std::string& yaml) {
    const catalog::YamlFile file = catalog::parse_yaml(catalog::SourceText("catalog.yaml", yaml));
    EXPECT_TRUE(file.errors.empty());
    EXPECT_FALSE(file.documents.empty());
    for (const catalog::YamlNodePtr& document : file.documents) {
      json_.push_back(trigger_test::to_json(*document));
      const std::string problem = complaint(schema_, read_json(json_.back(), arena_));
      if (!problem.empty()) return problem;
    }
    return "";
  }
  static std::string resource(const std::string& kind, const std::string& spec,
                              const std::string& name = "x") {
    return "apiVersion: spur/v1\nkind: " + kind + "\nmetadata: {name: " + name +
           "}\nspec: " + spec + "\n";
  }

  Arena arena_;
  const std::string text_ = catalog_schema();
  const Value schema_ = read_json(text_, arena_);
  std::deque<std::string> json_;
};

TEST_F(SchemaTest, EveryCatalogOfTheRepositoryFits) {
  int found = 0;
  for (const char* folder : {"examples", "tests/cli", "tests/data", "bench"}) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
      const std::string path = entry.path().string();
      if (entry.path().extension() != ".yaml" || path.ends_with("_test.yaml")) continue;
      std::ifstream file(path);
      const std::string yaml{std::istreambuf_iterator<char>(file), {}};
      if (yaml.find("apiVersion:") == std::string::npos) continue;
      ++found;
      EXPECT_EQ(fits(yaml), "") << path;
    }
  }
  EXPECT_GE(found, 10);
}

TEST_F(SchemaTest, AMistypedKeyIsMarked) {
  EXPECT_EQ(fits(resource("Feature", "{on: A, agregate: count}")), ".spec: no `agregate` here");
  EXPECT_EQ(fits(resource("Channel", "{caps: [{max: 1, par: 1d}]}")),
            ".spec.caps[]: no `par` here");
  EXPECT_EQ(fits("apiVersion: spur/v1\nkind: Segment\nmetadata: {name: x}\nspecs: {}\n"),
            ": `spec` is missing");
}

TEST_F(SchemaTest, TheKindDecidesWhatTheSpecMayHold) {
  EXPECT_EQ(fits(resource("Segment", "{when: true}")), "");
  EXPECT_EQ(fits(resource("Segment", "{on: A}")), ".spec: no `on` here");
  EXPECT_TRUE(fits(resource("Segmnt", "{}")).starts_with(".kind: is none of"));
  EXPECT_TRUE(fits(resource("Journey", "{}")).starts_with(".kind: is none of"));
}

TEST_F(SchemaTest, DurationsInstantsAndTimesHaveTheirForm) {
  for (const char* right :
       {"90s", "30m", "2h", "7d", "4w", "1h30m", "500ms", "0s", "1w2d3h4m5s6ms"}) {
    EXPECT_EQ(fits(resource("Session", "{idle: " + std::string(right) + "}")), "") << right;
  }
  for (const char* wrong : {"7", "7 days", "d", "30m1h", "1.5h", "-"}) {
    EXPECT_NE(fits(resource("Session", "{idle: " + std::string(wrong) + "}")), "") << wrong;
  }
  EXPECT_EQ(fits(resource("Policy", "{max_action_age: never}")), "");
  EXPECT_NE(fits(resource("Policy", "{lateness: never}")), "");
  EXPECT_EQ(fits(resource("Trigger", "{event: {on: A}, from: 2026-03-01T08:00:00Z}")), "");
  EXPECT_NE(fits(resource("Trigger", "{event: {on: A}, from: 2026-03-01}")), "");
  EXPECT_EQ(fits(resource("Channel", R"({quiet_hours: {from: "21:00", to: "08:00"}})")), "");
  EXPECT_NE(fits(resource("Channel", R"({quiet_hours: {from: "24:00", to: "08:00"}})")), "");
}

TEST_F(SchemaTest, NamesHaveTheFormOfTheirKind) {
  EXPECT_EQ(fits(resource("Trigger", "{event: {on: A}}", "cart-abandoned")), "");
  EXPECT_NE(fits(resource("Trigger", "{event: {on: A}}", "cart_abandoned")), "");
  EXPECT_EQ(fits(resource("Feature", "{on: A, aggregate: count}", "orders_30d")), "");
  EXPECT_NE(fits(resource("Feature", "{on: A, aggregate: count}", "orders-30d")), "");
}

TEST_F(SchemaTest, OneOperatorATrigger) {
  EXPECT_EQ(fits(resource("Trigger", "{event: {on: A}, schedule: {cron: x}}")),
            ".spec: is more than one of several");
  EXPECT_NE(fits(resource("Trigger", "{if: true}")), "");
}

TEST_F(SchemaTest, YamlsLibertiesAreTaken) {
  EXPECT_EQ(fits(resource("Trigger",
                          "{event: [{on: A}, {on: [B, C]}], cooldown: 7d, actions: {channel: x}}")),
            "");
  EXPECT_EQ(
      fits(resource("Trigger",
                    "{novelty: [{on: A, of: item}, {on: B, of: item}], cooldown: {key: 7d}}")),
      "");
  EXPECT_EQ(
      fits(resource("Trigger",
                    "{event: {on: A}, actions: [{channel: [x, y], data: {n: 1, t: \"'a'\"}}]}")),
      "");
  EXPECT_EQ(fits(resource("Model", "{bg_nbd: {on: A}, parameters: {r: 0.24, unit: 1w}}")), "");
}

TEST_F(SchemaTest, WhatThisVersionHasNotIsNotOffered) {
  EXPECT_EQ(text_.find("\"unsupported\""), std::string::npos);
  EXPECT_EQ(text_.find("\"retired\""), std::string::npos);
}

TEST_F(SchemaTest, WhatASourceMapsIsAMappingOrOneExpression) {
  EXPECT_EQ(fits(resource("Source", "{map: {name: body.n, properties: {a: body.a}, traits: body.t}}")),
            "");
  EXPECT_NE(fits(resource("Source", "{map: {identities: body.i}}")), "");
  EXPECT_EQ(fits(resource("TrackingPlan", "{events: {A: [x, y.z], B: x}, traits: [t]}")), "");
  EXPECT_NE(fits(resource("TrackingPlan", "{events: [A]}")), "");
}

TEST_F(SchemaTest, TheSchemasCommentsAreDescriptions) {
  const Value trigger = eval::member(eval::member(schema_, "definitions"), "Trigger");
  const Value when = eval::member(eval::member(trigger, "properties"), "if");
  EXPECT_EQ(std::string(eval::member(when, "description").as_text()),
            "CEL, bool: asked once, when the operator fires");
}

// Where each row of words stands in a catalog that is right otherwise: its kind, and its spec with
// `%` for the word.
const std::map<std::string, std::pair<const char*, const char*>> kPlaces = {
    {"Source.format", {"Source", "{format: %}"}},
    {"Reference.format", {"Reference", "{topic: t, key: body.id, format: %}"}},
    {"Feature.aggregate", {"Feature", "{on: A, aggregate: %}"}},
    {"Channel.format", {"Channel", "{format: %}"}},
    {"Channel.delivery", {"Channel", "{topic: t, delivery: %}"}},
    {"QuietHours.then", {"Channel", R"({quiet_hours: {from: "21:00", to: "08:00", then: %}})"}},
    {"Trigger.class", {"Trigger", "{event: {on: A}, class: %}"}},
    {"Trigger.once", {"Trigger", "{event: {on: A}, once: %}"}},
    {"SessionOperator.on", {"Trigger", "{session: {of: s, on: %}}"}},
    {"ScheduleOperator.edge",
     {"Trigger", R"({schedule: {cron: "@daily", when: "true", edge: %}})"}},
    {"RhythmOperator.change", {"Trigger", "{rhythm: {on: A, change: %}}"}},
    {"RhythmOperator.usual", {"Trigger", "{rhythm: {on: A, change: drop, usual: %}}"}},
    {"DateOperator.every", {"Trigger", "{date: {of: traits.born, every: %}}"}},
    {"SegmentOperator.on", {"Trigger", "{segment: {of: s, on: %}}"}},
    {"Policy.arbitration", {"Policy", "{arbitration: %}"}},
};

TEST(WordsTest, EachIsTakenByTheChecksAndAnotherIsNot) {
  for (const WordsOfField& row : all_words()) {
    const std::string name = std::string(row.message) + "." + std::string(row.field);
    const auto place = kPlaces.find(name);
    ASSERT_NE(place, kPlaces.end()) << "where does " << name << " stand?";
    const auto refused = [&](const std::string& word) {
      std::string spec = place->second.second;
      spec.replace(spec.find('%'), 1, word);
      const std::string yaml = std::string("apiVersion: spur/v1\nmetadata: {name: x}\nkind: ") +
                               place->second.first + "\nspec: " + spec + "\n";
      for (const catalog::Error& error : catalog::load_text("catalog.yaml", yaml).errors) {
        if (error.message.find("`" + word + "`") != std::string::npos) return true;
      }
      return false;
    };
    ASSERT_FALSE(row.words.empty()) << name;
    for (const std::string_view word : row.words)
      EXPECT_FALSE(refused(std::string(word))) << name << " " << word;
    EXPECT_TRUE(refused("nonsense")) << name;
  }
  EXPECT_EQ(all_words().size(), kPlaces.size());
}

}  // namespace
}  // namespace spur::authoring
