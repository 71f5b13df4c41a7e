// From a path, and a place in its text, to the line and column that an editor shows.
#include "operators/catalog/position.h"

#include <gtest/gtest.h>

#include <string>

#include "operators/catalog/load.h"
#include "operators/catalog/yaml.h"

namespace spur::catalog {
namespace {

std::string at(const Position& position) {
  return std::to_string(position.line) + ":" + std::to_string(position.column);
}

const char* const kCatalog =
    "# a comment\n"                                                                      // 1
    "apiVersion: spur/v1\n"                                                              // 2
    "kind: Trigger\n"                                                                    // 3
    "metadata: {name: cart-abandoned}\n"                                                 // 4
    "spec:\n"                                                                            // 5
    "  absence:\n"                                                                       // 6
    "    opens: {on: Product Added, where: event.total > 3}\n"                           // 7
    "    closes: [{on: Order Completed}, {on: [Paid, Refunded]}]\n"                      // 8
    "    after: 1h\n"                                                                    // 9
    "  actions:\n"                                                                       // 10
    "    - channel: email\n"                                                             // 11
    "      template: t\n"                                                                // 12
    "      data: {cart: instance.key, 'fünf': \"'ä' + instance.key\"}\n"                 // 13
    "---\n"                                                                              // 14
    "apiVersion: spur/v1\n"                                                              // 15
    "kind: Feature\n"                                                                    // 16
    "metadata: {name: spent}\n"                                                          // 17
    "spec: {on: Order, where: a, aggregate: count, window: 7d}\n"                        // 18
    "---\n"                                                                              // 19
    "apiVersion: spur/v1\n"                                                              // 20
    "kind: Channel\n"                                                                    // 21
    "metadata: {name: email}\n"                                                          // 22
    "spec: {quiet_hours: {from: \"21:00\", to: \"08:00\"}, caps: {max: 1, per: 1d}}\n";  // 23

class SourceMapTest : public testing::Test {
 protected:
  Loaded loaded = load_text("c.yaml", kCatalog);
  std::string value(const std::string& path) { return at(loaded.positions.position(path)); }
  std::string key(const std::string& path) { return at(loaded.positions.key_position(path)); }
  std::string inside(const std::string& path, std::size_t offset) {
    return at(loaded.positions.position(path, offset));
  }
};

TEST_F(SourceMapTest, TheCatalogIsFine) { EXPECT_EQ(to_text(loaded.errors), ""); }

TEST_F(SourceMapTest, KnowsKeysAndValues) {
  EXPECT_EQ(loaded.positions.position("Trigger/cart-abandoned/spec.absence.after").file, "c.yaml");
  EXPECT_EQ(value("Trigger/cart-abandoned/spec.absence.after"), "9:12");
  EXPECT_EQ(key("Trigger/cart-abandoned/spec.absence.after"), "9:5");
  EXPECT_EQ(key("Trigger/cart-abandoned/spec.absence"), "6:3");
  EXPECT_EQ(value("Trigger/cart-abandoned/spec.absence.closes[1]"), "8:37");
  EXPECT_EQ(value("Trigger/cart-abandoned/spec.absence.closes[1].on[1]"), "8:49");
  EXPECT_EQ(value("Trigger/cart-abandoned/metadata.name"), "4:18");
}

TEST_F(SourceMapTest, TakesThePathOfTheMessageAndOfTheYaml) {
  for (const char* path : {"spec.absence.opens[0].where", "spec.absence.opens.where"}) {
    EXPECT_EQ(value(std::string("Trigger/cart-abandoned/") + path), "7:39") << path;
  }
  for (const char* path : {"spec.absence.opens[0].on[0]", "spec.absence.opens.on"}) {
    EXPECT_EQ(value(std::string("Trigger/cart-abandoned/") + path), "7:17") << path;
  }
  for (const char* path : {"spec.actions[0].channels[0]", "spec.actions[0].channel"}) {
    EXPECT_EQ(value(std::string("Trigger/cart-abandoned/") + path), "11:16") << path;
  }
  for (const char* path : {"spec.actions[0].data[0]", "spec.actions[0].data[0].expression",
                           "spec.actions[0].data.cart"}) {
    EXPECT_EQ(value(std::string("Trigger/cart-abandoned/") + path), "13:20") << path;
  }
  for (const char* path : {"spec.patterns[0].where", "spec.where"}) {
    EXPECT_EQ(value(std::string("Feature/spent/") + path), "18:26") << path;
  }
  EXPECT_EQ(value("Feature/spent/spec.window_ms"), "18:55");
  EXPECT_EQ(value("Channel/email/spec.quiet_hours.to_minute"), "23:41");
  EXPECT_EQ(value("Channel/email/spec.caps[0].max"), "23:63");
}

TEST_F(SourceMapTest, WhatWasNotWrittenIsItsNearestAncestor) {
  EXPECT_EQ(key("Trigger/cart-abandoned/spec.absence.resets[0].where"), "6:3");
  EXPECT_EQ(key("Trigger/cart-abandoned/spec.threshold.when"), "5:1");
  EXPECT_EQ(key("Feature/spent/spec.of"), "18:1");
  EXPECT_FALSE(loaded.positions.contains("Feature/spent/spec.of"));
  EXPECT_TRUE(loaded.positions.contains("Feature/spent/spec.window"));
}

TEST_F(SourceMapTest, PointsIntoPlainAndQuotedText) {
  EXPECT_EQ(inside("Trigger/cart-abandoned/spec.absence.opens[0].where", 6), "7:45");
  EXPECT_EQ(inside("Trigger/cart-abandoned/spec.absence.opens[0].where", 100), "7:54");
  // "'ä' + instance.key": columns are characters, offsets bytes.
  EXPECT_EQ(inside("Trigger/cart-abandoned/spec.actions[0].data[1]", 0), "13:43");
  EXPECT_EQ(inside("Trigger/cart-abandoned/spec.actions[0].data[1]", 5), "13:47");
}

TEST(EmptySourceMapTest, NamesTheResourceInPlaceOfTheFile) {
  const SourceMap none;
  EXPECT_TRUE(none.empty());
  const Position position = none.position("Trigger/cart-abandoned/spec.absence.after", 3);
  EXPECT_EQ(position.file, "Trigger cart-abandoned: spec.absence.after");
  EXPECT_EQ(position.line, 0);
  EXPECT_EQ((Error{position, "wrong", "right"}).to_text(),
            "Trigger cart-abandoned: spec.absence.after: wrong; right");
  EXPECT_EQ((Error{none.key_position("Policy/p"), "wrong", ""}).to_text(), "Policy p: wrong");
}

TEST(ErrorTest, SaysWhereWhatAndWhatWouldBeRight) {
  EXPECT_EQ((Error{{"a/b.yaml", 3, 7}, "wrong", "right"}).to_text(), "a/b.yaml:3:7: wrong; right");
}

// Scalars written in every way YAML knows. For each byte of the text that stands in the source as
// itself, the place must hold that very byte; this is checked for all of them.
struct Written {
  const char* name;
  const char* yaml;
  const char* text;
};

class ScalarPlaceTest : public testing::TestWithParam<Written> {};

TEST_P(ScalarPlaceTest, EachByteIsWhereItStands) {
  const SourceText source("s.yaml", GetParam().yaml);
  const YamlFile file = parse_yaml(source);
  ASSERT_EQ(file.errors.size(), 0u);
  ASSERT_EQ(file.documents.size(), 1u);
  const YamlNode& node = *file.documents[0]->find("k")->value;
  ASSERT_EQ(node.text, GetParam().text);
  std::size_t last = node.offset;
  for (std::size_t i = 0; i < node.text.size(); ++i) {
    const std::size_t place = source.offset_in_scalar(node.offset, node.text, i);
    ASSERT_LT(place, source.text().size()) << i;
    ASSERT_GE(place, last) << i;
    last = place;
    const char c = source.text()[place];
    const bool itself = node.text[i] != ' ' && node.text[i] != '\n' && c != '\\';
    if (itself) {
      ASSERT_EQ(c, node.text[i]) << "byte " << i << " at " << at(source.position(place));
    }
  }
  const std::size_t end = source.offset_in_scalar(node.offset, node.text, node.text.size());
  EXPECT_GT(end, last);
}

INSTANTIATE_TEST_SUITE_P(
    AllStyles, ScalarPlaceTest,
    testing::Values(
        Written{"plain", "k: a.b > 3\n", "a.b > 3"},
        Written{"plain_over_lines", "k: a &&\n   b\n\n   || c\n", "a && b\n|| c"},
        Written{"plain_in_flow", "{k: a.b, x: 1}\n", "a.b"},
        Written{"single_quoted", "k: '!a == ''x'' + b'\n", "!a == 'x' + b"},
        Written{"single_quoted_over_lines", "k: 'abc  \n   ''def''\n\n\n   g'\n", "abc 'def'\n\ng"},
        Written{"double_quoted", "k: \"a == \\\"x\\\" + b\"\n", "a == \"x\" + b"},
        Written{"double_quoted_escapes", "k: \"\\tA\\x41\\u00e4\\U0001F600\\nz\\Py\"\n",
                "\tAA\xc3\xa4\xf0\x9f\x98\x80\nz\xe2\x80\xa9y"},
        Written{"double_quoted_over_lines", "k: \"ab \\\n     cd\n  ef\"\n", "ab cd ef"},
        Written{"literal", "k: |\n  a &&\n    b\n\n  c\n", "a &&\n  b\n\nc\n"},
        Written{"literal_stripped", "k: |-\n\n  a\n  b\n\n", "\na\nb"},
        Written{"literal_with_comment", "k: | # why\n  a\n  b\n", "a\nb\n"},
        Written{"literal_with_indicator", "k: |2\n    a\n  b\n", "  a\nb\n"},
        Written{"folded", "k: >\n  a &&\n  b\n\n  c\n", "a && b\nc\n"},
        Written{"folded_stripped", "k: >-\n  one\n  two\n  three\n", "one two three"},
        Written{"folded_more_indented", "k: >\n  a\n    b\n  c\n", "a\n  b\nc\n"},
        Written{"folded_blank_lines", "k: >-\n  a\n\n\n  b\n  c\n", "a\n\nb c"},
        Written{"windows_lines", "k: |\r\n  a\r\n  b\r\nx: 1\r\n", "a\nb\n"},
        Written{"windows_plain", "k: a\r\n   b\r\n", "a b"},
        Written{"anchored", "k: &x !!str\n  a.b\n", "a.b"},
        Written{"alias", "x: &x 'a''b'\nk: *x\n", "a'b"}),
    [](const testing::TestParamInfo<Written>& info) { return std::string(info.param.name); });

TEST(ScalarPlaceTest, ABlockScalarPointsAtItsLine) {
  const Loaded loaded =
      load_text("c.yaml",
                "apiVersion: spur/v1\nkind: Segment\nmetadata: {name: vip}\nspec:\n  when: >-\n"
                "    features.a >= 3 &&\n    features.b >= 4\n");
  EXPECT_EQ(to_text(loaded.errors), "");
  EXPECT_EQ(at(loaded.positions.position("Segment/vip/spec.when", 0)), "6:5");
  EXPECT_EQ(at(loaded.positions.position("Segment/vip/spec.when", 19)), "7:5");
  EXPECT_EQ(at(loaded.positions.position("Segment/vip/spec.when", 28)), "7:14");
}

}  // namespace
}  // namespace spur::catalog
