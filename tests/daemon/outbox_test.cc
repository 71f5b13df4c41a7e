#include "daemon/outbox.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "state/codec/keys.h"
#include "state/memory_store.h"
#include "tests/daemon/hex.h"

namespace spur::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

RunEffects effects() {
  RunEffects effects;
  effects.actions.push_back({"actions.email", 7, "ann", "an action"});
  effects.decisions.push_back({"user_id:ann", "a decision"});
  effects.dead_letters.push_back("a dead letter");
  effects.messages.push_back({3, 9, "a message"});
  return effects;
}

TEST(OutboxTest, WhatLagsIsStoredOnceAndGoesWhenItHasArrived) {
  MemoryStore store;
  Outbox outbox;
  StoreBatch first;
  outbox.update({{4, effects()}, {6, effects()}}, first);
  EXPECT_THAT(first.puts, SizeIs(2));
  ASSERT_TRUE(store.write(first).ok());
  StoreBatch second;
  outbox.update({{6, effects()}}, second);
  EXPECT_THAT(second.puts, IsEmpty());
  EXPECT_THAT(second.deletes, ElementsAre(unsent_key(4)));
  ASSERT_TRUE(store.write(second).ok());

  Outbox again;
  std::vector<UnsentRun> rows;
  ASSERT_TRUE(again.load(store, rows).ok());
  ASSERT_THAT(rows, SizeIs(1));
  EXPECT_EQ(rows[0].seq, 6u);
  EXPECT_EQ(rows[0].effects.actions[0].key, "ann");
  EXPECT_EQ(rows[0].effects.messages[0].seq, 9u);
  StoreBatch third;
  again.update({}, third);
  EXPECT_THAT(third.deletes, ElementsAre(unsent_key(6)));
}

TEST(OutboxTest, ADamagedRowIsSaidToBe) {
  MemoryStore store;
  ASSERT_TRUE(store.write({{{unsent_key(4), "\xff"}}, {}}).ok());
  Outbox outbox;
  std::vector<UnsentRun> rows;
  EXPECT_EQ(outbox.load(store, rows).code(), absl::StatusCode::kDataLoss);
}

TEST(OutboxTest, RowsAreFrozen) {
  expect_golden("tests/golden/journal/unsent.txt",
                {{"key", unsent_key(258)}, {"row", encode_unsent(effects())}});
}

}  // namespace
}  // namespace spur::testing
