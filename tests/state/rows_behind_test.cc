// Rows that are written behind: what was changed lies over what is frozen, and that over the store.
#include "state/rows_behind.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "state/memory_store.h"

namespace spur::testing {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> all(RowsBehind& rows, std::string_view prefix,
                             std::string_view from = "") {
  std::vector<std::string> found;
  rows.scan(prefix, from, [&](std::string_view key, std::string_view value) {
    found.push_back(std::string(key) + "=" + std::string(value));
    return true;
  });
  return found;
}

void write(RowsBehind& rows, Store& store) {
  StoreBatch batch;
  std::size_t all = 1'000'000;
  ASSERT_TRUE(rows.add_to(batch, all));
  ASSERT_TRUE(store.write(batch).ok());
  ASSERT_TRUE(rows.let_go(all));
}

TEST(RowsBehindTest, ALookSeesTheNewestWhereverItLies) {
  MemoryStore store;
  RowsBehind rows(store);
  for (const char* key : {"a1", "a2", "a3", "b1"}) rows.put(key, "stored");
  rows.freeze();
  write(rows, store);
  rows.put("a2", "frozen");
  rows.put("a4", "frozen");
  rows.erase("a3");
  rows.freeze();
  rows.put("a0", "changed");
  rows.put("a3", "changed");
  rows.erase("a4");
  EXPECT_THAT(all(rows, "a"), ElementsAre("a0=changed", "a1=stored", "a2=frozen", "a3=changed"));
  EXPECT_EQ(rows.get("a4"), nullptr);
  EXPECT_EQ(*rows.get("a2"), "frozen");
}

TEST(RowsBehindTest, WhatIsChangedAfterTheCutIsNotInIt) {
  MemoryStore store;
  RowsBehind rows(store);
  rows.put("a", "cut");
  rows.freeze();
  rows.put("a", "later");
  rows.put("b", "later");
  write(rows, store);
  EXPECT_EQ(*store.get("a"), "cut");
  EXPECT_FALSE(store.get("b")->has_value());
  EXPECT_THAT(all(rows, ""), ElementsAre("a=later", "b=later"));
}

TEST(RowsBehindTest, AScanStopsWhereItIsTold) {
  MemoryStore store;
  RowsBehind rows(store);
  for (const char* key : {"a1", "a3", "a5"}) rows.put(key, "");
  rows.freeze();
  write(rows, store);
  for (const char* key : {"a2", "a4"}) rows.put(key, "");
  std::vector<std::string> seen;
  rows.scan("a", "a2", [&](std::string_view key, std::string_view) {
    seen.emplace_back(key);
    return seen.size() < 3;
  });
  EXPECT_THAT(seen, ElementsAre("a2", "a3", "a4"));
}

// Against a map that knows it all, whenever the cuts fall and however small their slices are.
TEST(RowsBehindTest, AnyHistoryReadsLikeAMap) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    std::mt19937_64 random(seed);
    MemoryStore store;
    RowsBehind rows(store);
    std::map<std::string, std::string> expected;
    enum { kNone, kAdding, kLettingGo } cut = kNone;
    StoreBatch batch;
    for (int step = 0; step < 200; ++step) {
      const std::string key = "k" + std::to_string(random() % 12);
      switch (random() % 5) {
        case 0:
        case 1:
          expected[key] = std::to_string(step);
          rows.put(key, expected[key]);
          break;
        case 2:
          expected.erase(key);
          rows.erase(key);
          break;
        case 3:
          if (cut != kNone) break;
          rows.freeze();
          cut = kAdding;
          batch = {};
          break;
        default: {
          std::size_t slice = random() % 4;
          if (cut == kAdding && rows.add_to(batch, slice)) {
            ASSERT_TRUE(store.write(batch).ok());
            cut = kLettingGo;
          }
          if (cut == kLettingGo && rows.let_go(slice)) cut = kNone;
        }
      }
      const std::string* const found = rows.get(key);
      ASSERT_EQ(found != nullptr, expected.contains(key)) << "seed " << seed;
      if (found != nullptr) {
        ASSERT_EQ(*found, expected[key]);
      }
      std::vector<std::string> lines;
      for (auto it = expected.lower_bound(key); it != expected.end(); ++it)
        lines.push_back(it->first + "=" + it->second);
      ASSERT_EQ(all(rows, "k", key), lines) << "seed " << seed;
    }
  }
}

}  // namespace
}  // namespace spur::testing
