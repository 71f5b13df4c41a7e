// Whatever the bytes, loading ends, throws nothing and says where things are wrong: a catalog is
// hand-written, and a daemon must not fall over one. Seeded, so a failure comes again.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "operators/catalog/hash.h"
#include "operators/catalog/load.h"
#include "operators/catalog/validate.h"

namespace spur::catalog {
namespace {

const char* const kCatalog = R"(apiVersion: spur/v1
kind: Trigger
metadata: {name: cart-abandoned}
spec:
  absence:
    key: event.properties.cart_id
    opens: {on: Product Added, where: "event.properties.total > 3 && 'a' in segments"}
    closes: [{on: Order Completed}, {on: &x [Paid, Refunded]}]
    after: 1h30m
  while: >-
    features.orders_24h == 0 &&
    features.spent['a'] < 3
  cooldown: {key: 7d}
  from: 2026-03-01T08:00:00Z
  actions:
    - {channel: [email], template: t, expires: 30m, data: {a: instance.key, b: 3}}
---
apiVersion: spur/v1
kind: Feature
metadata: {name: orders_24h}
spec: {on: *x, aggregate: count, window: 24h}
---
apiVersion: spur/v1
kind: Channel
metadata: {name: email}
spec:
  quiet_hours: {from: "21:00", to: '08:00', zone: Europe/Stockholm}
  caps: [{max: 1, per: 1d}]
---
apiVersion: spur/v1
kind: Trigger
metadata: {name: nightly}
spec:
  schedule: {cron: "*/15 0-6 1,15 JAN-DEC MON", zone: customer}
  actions: [{channel: email, template: t}]
---
apiVersion: spur/v1
kind: Model
metadata: {name: churn}
spec:
  bg_nbd: {on: Order Completed}
  parameters: {r: 0.2426, alpha: 4.4137, a: 0.7930, b: 2.4262, unit: 1w}
)";

// Pieces that matter to YAML or to the catalog.
const std::vector<std::string> kPieces = {"---\n",
                                          "- ",
                                          ": ",
                                          "{",
                                          "}",
                                          "[",
                                          "]",
                                          "\"",
                                          "'",
                                          "|\n",
                                          ">-\n",
                                          "&a ",
                                          "*a ",
                                          "!x ",
                                          "? ",
                                          "\t",
                                          "\r\n",
                                          "#",
                                          ",",
                                          "\n",
                                          "\n  ",
                                          "\n    ",
                                          "null",
                                          "~",
                                          "<<: ",
                                          "%",
                                          "\\",
                                          "\xff",
                                          "\xc3\xa4",
                                          "0",
                                          "-1",
                                          "9e99",
                                          "7d",
                                          "99999999999999999999",
                                          "on",
                                          "spec:\n",
                                          "\x01",
                                          "...\n",
                                          "@",
                                          "`",
                                          "!!str ",
                                          "true",
                                          "\xef\xbb\xbf",
                                          "name: ",
                                          "kind: Policy\n"};

std::string mutate(std::string text, std::mt19937_64& random) {
  const auto below = [&](std::size_t n) {
    return n == 0 ? 0 : static_cast<std::size_t>(random() % n);
  };
  const std::size_t changes = 1 + below(6);
  for (std::size_t i = 0; i < changes; ++i) {
    const std::size_t at = below(text.size() + 1);
    switch (below(6)) {
      case 0:
        text.insert(at, kPieces[below(kPieces.size())]);
        break;
      case 1:
        text.erase(at, below(20));
        break;
      case 2:
        if (at < text.size()) text[at] = static_cast<char>(random());
        break;
      case 3:
        text.insert(at, text.substr(below(text.size() + 1), below(60)));
        break;
      case 4:
        text.resize(at);
        break;
      case 5:
        text.replace(at, 1, kPieces[below(kPieces.size())]);
        break;
    }
  }
  return text;
}

void load_and_check(const std::string& text) {
  const Loaded loaded = load_text("m.yaml", text);
  for (const Error& error : loaded.errors) {
    ASSERT_EQ(error.at.file, "m.yaml") << error.to_text();
    ASSERT_GE(error.at.line, 1) << error.to_text();
    ASSERT_GE(error.at.column, 1) << error.to_text();
    ASSERT_FALSE(error.message.empty());
  }
  ASSERT_TRUE(std::is_sorted(loaded.errors.begin(), loaded.errors.end()));
  // A catalog without errors is without errors when it comes as protobuf.
  if (loaded.errors.empty()) {
    ASSERT_EQ(to_text(validate(loaded.catalog, SourceMap()).errors), "") << text;
  }
  hash_of(loaded.catalog);
  for (const auto& trigger : loaded.catalog.triggers()) {
    const std::string path = resource_path("Trigger", trigger.name());
    for (std::size_t offset : {0, 1, 7, 30, 1000}) {
      ASSERT_GE(loaded.positions.position(path + "/spec.while", offset).line, 1);
      ASSERT_GE(loaded.positions.position(path + "/spec.absence.opens[0].where", offset).line, 1);
    }
  }
}

TEST(CatalogMutationTest, TheUnchangedCatalogHasOneError) {
  EXPECT_EQ(to_text(load_text("m.yaml", kCatalog).errors).substr(0, 60),
            "m.yaml:21:12: YAML: the referenced anchor is not defined; pu");
}

TEST(CatalogMutationTest, LoadingSurvivesAnything) {
  std::mt19937_64 random(20260301);
  for (int i = 0; i < 20'000; ++i) {
    const std::string text = mutate(kCatalog, random);
    SCOPED_TRACE(i);
    load_and_check(text);
    if (HasFatalFailure()) return;
  }
}

TEST(CatalogMutationTest, LoadingSurvivesPiecesInAnyOrder) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    for (std::size_t n = random() % 40; n > 0; --n) {
      text += random() % 3 == 0 ? "a" : kPieces[random() % kPieces.size()];
    }
    SCOPED_TRACE(i);
    load_and_check(text);
    if (HasFatalFailure()) return;
  }
}

TEST(CatalogMutationTest, AnchorsOfAnchorsEnd) {
  std::string text = "a: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 30; ++i) {
    const std::string name = std::to_string(i), before = std::to_string(i - 1);
    text += "b" + name + ": &a" + name + " [";
    for (int k = 0; k < 10; ++k) text += "*a" + before + (k < 9 ? ", " : "]\n");
  }
  const Loaded loaded = load_text("m.yaml", text);
  ASSERT_EQ(loaded.errors.size(), 1u);
  EXPECT_EQ(loaded.errors[0].message, "YAML: the document has more than 200000 values");
}

TEST(CatalogMutationTest, ErrorsAreCounted) {
  std::string text = "apiVersion: spur/v1\nkind: Segment\nmetadata: {name: x}\nspec:\n  when: a\n";
  for (int i = 0; i < 3000; ++i) text += "  zz" + std::to_string(i) + ": 1\n";
  const Loaded loaded = load_text("m.yaml", text);
  ASSERT_EQ(loaded.errors.size(), kErrorsMax + 1);
  EXPECT_EQ(loaded.errors.back().message, "and 2000 more");
}

TEST(CatalogMutationTest, ManyBrokenDocumentsEnd) {
  std::string text;
  for (int i = 0; i < 50'000; ++i) text += "---\n`\n";
  EXPECT_EQ(load_text("m.yaml", text).errors.size(), 100u);
}

}  // namespace
}  // namespace spur::catalog
