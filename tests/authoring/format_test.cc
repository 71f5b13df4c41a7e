// The canonical layout: what it changes, and that it changes nothing else. Comments stay with what
// they are about.

#include "daemon/authoring/format.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "daemon/authoring/line_diff.h"
#include "daemon/authoring/plain_text.h"
#include "operators/catalog/hash.h"
#include "operators/catalog/load.h"

namespace spur::authoring {
namespace {

std::string formatted(const std::string& text) {
  const Formatted result = format_catalog_file("catalog.yaml", text);
  return result.errors.empty() ? result.text : "refused: " + result.errors[0].message;
}

const std::string kHead = "apiVersion: spur/v1\nkind: Trigger\nmetadata: {name: x}\n";

TEST(FormatTest, KeysHaveTheOrderOfTheSchema) {
  EXPECT_EQ(
      formatted("spec: {actions: [{template: a, channel: web}], event: {where: true, on: A}}\n"
                "metadata: {name: x}\nkind: Trigger\napiVersion: spur/v1\n"),
      kHead + "spec: {event: {on: A, where: true}, actions: [{channel: web, template: a}]}\n");
}

TEST(FormatTest, AnOrderWithMeaningStays) {
  const std::string text = kHead + "spec:\n  actions: {channel: c, data: {z: 1, a: 2}}\n";
  EXPECT_EQ(formatted(text), text);
  const std::string model =
      "apiVersion: spur/v1\nkind: Model\nmetadata: {name: m}\nspec:\n  parameters: {r: 1, unit: "
      "1w, a: 2}\n";
  EXPECT_EQ(formatted(model), model);
  const std::string patterns = kHead + "spec: {event: [{on: B}, {on: A}]}\n";
  EXPECT_EQ(formatted(patterns), patterns);
}

TEST(FormatTest, ALevelIsTwoSpacesAndItemsStandBelowTheirKey) {
  EXPECT_EQ(
      formatted(kHead +
                "spec:\n    event:\n        on:\n        - A\n        -   B\n    cooldown:   7d\n"),
      kHead + "spec:\n  event:\n    on:\n      - A\n      - B\n  cooldown: 7d\n");
  EXPECT_EQ(formatted(kHead + "spec:\n  actions:\n  -\n    template: a\n    channel: web\n"),
            kHead + "spec:\n  actions:\n    - channel: web\n      template: a\n");
}

TEST(FormatTest, QuotesStandOnlyWhereTheyAreNeeded) {
  EXPECT_EQ(
      formatted(kHead + "spec: {'event': {on: \"Order Completed\"}, \"if\": 'has(event.x)'}\n"),
      kHead + "spec: {event: {on: Order Completed}, if: has(event.x)}\n");
  const std::string needed =
      kHead + "spec: {event: {on: \"*\"}, if: \"[1, 2].size() > 1\", while: '!true'}\n";
  EXPECT_EQ(formatted(needed), needed);
}

TEST(FormatTest, WhatIsTooLongForALineStandsOnLines) {
  const std::string name(60, 'n');
  EXPECT_EQ(formatted(kHead + "spec: {event: {on: [" + name + ", " + name + "]}, cooldown: 7d}\n"),
            kHead + "spec:\n  event:\n    on:\n      - " + name + "\n      - " + name +
                "\n  cooldown: 7d\n");
  EXPECT_EQ(formatted(kHead + "spec: {event: {on: A},\n       cooldown: 7d}\n"),
            kHead + "spec: {event: {on: A}, cooldown: 7d}\n");
}

TEST(FormatTest, ALineMayHaveAsManyCharactersAsSaidAndNoMore) {
  const auto line = [](std::size_t characters) {
    const std::string frame = "spec: {event: {on: }, once: key}";
    return "spec: {event: {on: " + std::string(characters - frame.size(), 'n') + "}, once: key}\n";
  };
  EXPECT_EQ(formatted(kHead + line(kFormattedCharactersMax)),
            kHead + line(kFormattedCharactersMax));
  EXPECT_NE(formatted(kHead + line(kFormattedCharactersMax + 1)),
            kHead + line(kFormattedCharactersMax + 1));
}

TEST(FormatTest, AnEmptyLineStaysAndSeveralBecomeOne) {
  EXPECT_EQ(formatted(kHead + "\n\nspec:\n\n  event: {on: A}\n\n\n  cooldown: 7d\n\n"),
            kHead + "\nspec:\n  event: {on: A}\n\n  cooldown: 7d\n");
}

TEST(FormatTest, DocumentsArePartedByThreeDashesAlone) {
  EXPECT_EQ(formatted("---\n" + kHead + "spec: {}\n\n---  # the second\n" + kHead + "spec: {}\n"),
            kHead + "spec: {}\n---  # the second\n" + kHead + "spec: {}\n");
}

TEST(FormatTest, CommentsMoveWithWhatTheyAreAbout) {
  EXPECT_EQ(formatted("# the file\n\n" + kHead +
                      "spec:\n"
                      "  # who is nagged\n"
                      "  # and how often\n"
                      "  cooldown: 7d   # a week\n"
                      "  event: {on: A} # at once\n"),
            "# the file\n\n" + kHead +
                "spec:\n"
                "  event: {on: A}  # at once\n"
                "  # who is nagged\n"
                "  # and how often\n"
                "  cooldown: 7d  # a week\n");
}

TEST(FormatTest, ACommentAtTheEndOfAListStaysInIt) {
  const std::string text =
      kHead +
      "spec:\n  absence:\n    closes:\n      - {on: B}\n      # nothing else\n"
      "    # an hour is usual\n    after: 1h\n  # the end of the trigger\n# the end of the file\n";
  EXPECT_EQ(formatted(text), text);
}

TEST(FormatTest, ACommentInsideBracesTakesThemApart) {
  EXPECT_EQ(
      formatted(kHead +
                "spec: {event: {on: A},  # at once\n       # and then\n       cooldown: 7d}\n"),
      kHead + "spec:\n  event: {on: A}  # at once\n  # and then\n  cooldown: 7d\n");
}

TEST(FormatTest, ACommentOnAKeyStaysOnTheKey) {
  const std::string text = kHead +
                           "spec:  # what it does\n  event: {on: A}\n  actions:          # one\n   "
                           " - {channel: c}  # two\n";
  EXPECT_EQ(formatted(text), text);
}

TEST(FormatTest, ACommentThatGoesOnBelowGoesOnBelow) {
  EXPECT_EQ(
      formatted(
          kHead +
          "spec:\n  event: {on: A}      # the first line\n                      # and the second\n"
          "  cooldown: 7d\n"),
      kHead +
          "spec:\n  event: {on: A}  # the first line\n                  # and the second\n  "
          "cooldown: 7d\n");
}

TEST(FormatTest, CommentsBehindConsecutiveLinesAreAligned) {
  EXPECT_EQ(
      formatted(kHead +
                "spec:\n  event: {on: A} # a\n  if: true # b\n  cooldown: 7d\n  once: key # c\n"),
      kHead +
          "spec:\n  event: {on: A}  # a\n  if: true        # b\n  cooldown: 7d\n  once: key  # "
          "c\n");
}

TEST(FormatTest, ASharpInsideTextIsNoComment) {
  const std::string text =
      kHead + "spec: {event: {on: A}, if: \"event.name == ' # 1'\", once: a#b}\n";
  EXPECT_EQ(formatted(text), text);
}

TEST(FormatTest, TextOfSeveralLinesKeepsItsLines) {
  EXPECT_EQ(formatted(kHead + "spec:\n    if: >-  # folded\n        event.a ||\n          "
                              "event.b\n\n        || event.c\n    cooldown: 7d\n"),
            kHead +
                "spec:\n  if: >-  # folded\n    event.a ||\n      event.b\n\n    || event.c\n  "
                "cooldown: 7d\n");
  EXPECT_EQ(
      formatted(
          kHead +
          "spec:\n    if: event.a ||\n           event.b  # both\n    while: \"a\n     b\"\n"),
      kHead + "spec:\n  if: event.a ||\n    event.b  # both\n  while: \"a\n    b\"\n");
}

TEST(FormatTest, WhatItCannotLayOutItSaysAndLeavesAlone) {
  for (const char* spec :
       {"&a {on: A}", "*a", "!!map {}", "{event: ~}", "{? event : {on: A}}", "\n  if: |2\n    x"}) {
    EXPECT_TRUE(formatted(kHead + "spec: " + spec + "\n").starts_with("refused: ")) << spec;
  }
  EXPECT_TRUE(formatted("a: [").starts_with("refused: "));
}

TEST(FormatTest, UnknownKeysStandLast) {
  EXPECT_EQ(formatted(kHead + "spec: {what: 1, event: {on: A}}\n"),
            kHead + "spec: {event: {on: A}, what: 1}\n");
}

TEST(FormatTest, AFileOfCommentsAloneStays) {
  EXPECT_EQ(formatted("# nothing\n\n\n# yet\n"), "# nothing\n\n\n# yet\n");
  EXPECT_EQ(formatted(""), "");
}

TEST(FormatTest, WindowsLineEndsBecomePlainOnes) {
  EXPECT_EQ(
      formatted("apiVersion: spur/v1\r\nkind: Trigger # c\r\nmetadata: {name: x}\r\nspec: {}\r\n"),
      "apiVersion: spur/v1\nkind: Trigger  # c\nmetadata: {name: x}\nspec: {}\n");
}

std::vector<std::pair<std::string, std::string>> catalogs() {
  std::vector<std::pair<std::string, std::string>> texts;
  for (const char* folder : {"examples", "tests/cli", "tests/data"}) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
      const std::string path = entry.path().string();
      if (entry.path().extension() != ".yaml" || path.ends_with("_test.yaml")) continue;
      std::ifstream file(path);
      texts.emplace_back(path, std::string{std::istreambuf_iterator<char>(file), {}});
    }
  }
  std::sort(texts.begin(), texts.end());
  return texts;
}

TEST(FormatTest, EveryCatalogOfTheRepositoryKeepsItsHashAndIsSoonFormatted) {
  ASSERT_GE(catalogs().size(), 10u);
  for (const auto& [path, text] : catalogs()) {
    const std::string once = formatted(text);
    ASSERT_FALSE(once.starts_with("refused")) << path << ": " << once;
    EXPECT_EQ(formatted(once), once) << path;
    EXPECT_EQ(catalog::hash_of(catalog::load_text("a", text).catalog),
              catalog::hash_of(catalog::load_text("a", once).catalog))
        << path;
  }
}

// Comments thrown in anywhere: all come out, and nothing else changes (which formatting checks of
// itself, and refuses).
TEST(FormatTest, NoCommentIsLostWhereverItStands) {
  std::mt19937 random(7);
  for (const auto& [path, text] : catalogs()) {
    for (int round = 0; round < 20; ++round) {
      std::string noisy;
      int added = 0;
      std::istringstream lines(text);
      std::size_t block = std::string::npos;  // indent of the key whose text stands below it
      for (std::string line; std::getline(lines, line);) {
        const std::size_t indent = line.find_first_not_of(' ');
        if (block != std::string::npos && indent > block) {  // in there `#` is text
          noisy += line + "\n";
          continue;
        }
        block = line.ends_with(": >-") ? indent : std::string::npos;
        if (random() % 4 == 0) {
          noisy += std::string(random() % 12, ' ') + "# above " + std::to_string(added++) + "\n";
        }
        if (random() % 5 == 0) noisy += "\n";
        noisy += line;
        if (random() % 3 == 0) noisy += "  # behind " + std::to_string(added++);
        noisy += "\n";
      }
      const std::string once = formatted(noisy);
      ASSERT_FALSE(once.starts_with("refused")) << path << ": " << once << "\n" << noisy;
      for (int i = 0; i < added; ++i) {
        const bool above = once.find("# above " + std::to_string(i) + "\n") != std::string::npos;
        const bool behind = once.find("# behind " + std::to_string(i) + "\n") != std::string::npos;
        EXPECT_TRUE(above || behind) << path << ": " << i;
      }
    }
  }
}

TEST(PlainTextTest, WhatWouldReadAsSomethingElseNeedsQuotes) {
  for (const char* plain :
       {"Order Completed", "a.b == 1", "has(x)", "Götaland", "a:b", "a#b", "x != y"}) {
    EXPECT_TRUE(is_plain(plain)) << plain;
  }
  for (const char* quoted :
       {"",    "7",   "21:00", "yes", "NULL", "true", "*",  "!x", "[a]",  "a: b", "a #b",
        "a,b", "a?b", " a",    "a ",  "a:",   "'a'",  "-1", ".5", "a\nb", "~"}) {
    EXPECT_FALSE(is_plain(quoted)) << quoted;
  }
}

TEST(LineDiffTest, ShowsWhatChangedWithThreeLinesAround) {
  EXPECT_EQ(unified_diff("f", "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n"),
            "--- a/f\n+++ b/f\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n");
  EXPECT_EQ(unified_diff("f", "a\n", "a\n"), "");
  EXPECT_EQ(unified_diff("f", "", "a\n"), "--- a/f\n+++ b/f\n@@ -0,0 +1,1 @@\n+a\n");
}

TEST(LineDiffTest, TextsTooLongToCompareDifferInOnePiece) {
  std::string a, b;
  for (int i = 0; i < 5001; ++i) {
    a += "a" + std::to_string(i) + "\nsame\n";
    b += "b" + std::to_string(i) + "\nsame\n";
  }
  const std::string diff = unified_diff("f", a, b);
  EXPECT_EQ(std::count(diff.begin(), diff.end(), '\n'), 2 + 1 + 2 * 10'001 + 1);
}

}  // namespace
}  // namespace spur::authoring
