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
  outbox.update({{4, effects()}, {6, effects()}}, {}, first);
  EXPECT_THAT(first.puts, SizeIs(2));
  ASSERT_TRUE(store.write(first).ok());
  StoreBatch second;
  outbox.update({{6, effects()}}, {}, second);
  EXPECT_THAT(second.puts, IsEmpty());
  EXPECT_THAT(second.deletes, ElementsAre(unsent_key(4)));
  ASSERT_TRUE(store.write(second).ok());

  Outbox again;
  Unsent rows;
  ASSERT_TRUE(again.load(store, 6, rows).ok());
  ASSERT_THAT(rows.runs, SizeIs(1));
  EXPECT_EQ(rows.runs[0].seq, 6u);
  EXPECT_EQ(rows.runs[0].effects.actions[0].key, "ann");
  EXPECT_EQ(rows.runs[0].effects.messages[0].seq, 9u);
  EXPECT_THAT(rows.spilled, IsEmpty());
  StoreBatch third;
  again.update({}, {}, third);
  EXPECT_THAT(third.deletes, ElementsAre(unsent_key(6)));
}

TEST(OutboxTest, ADamagedRowIsSaidToBe) {
  MemoryStore store;
  ASSERT_TRUE(store.write({{{unsent_key(4), "\xff"}}, {}}).ok());
  Outbox outbox;
  Unsent rows;
  EXPECT_EQ(outbox.load(store, 9, rows).code(), absl::StatusCode::kDataLoss);
}

TEST(OutboxTest, WhatLeftMemoryStaysAsRowsUntilItsRunsAreThrough) {
  MemoryStore store;
  Outbox outbox;
  StoreBatch first;
  outbox.update({{4, effects()}, {5, effects()}, {6, effects()}}, {}, first);
  ASSERT_TRUE(store.write(first).ok());
  const std::uint64_t all = outbox.bytes();
  StoreBatch second;
  outbox.update({}, {{5, 6}}, second);
  EXPECT_THAT(second.deletes, ElementsAre(unsent_key(4)));
  EXPECT_THAT(second.puts, IsEmpty());
  ASSERT_TRUE(store.write(second).ok());
  EXPECT_EQ(outbox.bytes(), all / 3 * 2);

  std::uint64_t through = 0;
  const auto one = outbox.read(store, {5, 6}, 1, through);  // one is given, however large
  ASSERT_TRUE(one.ok()) << one.status();
  ASSERT_THAT(*one, SizeIs(1));
  EXPECT_EQ((*one)[0].seq, 5u);
  EXPECT_EQ((*one)[0].effects.actions[0].bytes, "an action");
  EXPECT_EQ(through, 5u);
  const auto rest = outbox.read(store, {6, 8}, 1 << 20, through);
  ASSERT_TRUE(rest.ok()) << rest.status();
  EXPECT_THAT(*rest, SizeIs(1));
  EXPECT_EQ(through, 8u);

  StoreBatch third;
  outbox.update({}, {}, third);
  EXPECT_THAT(third.deletes, SizeIs(2));
  EXPECT_EQ(outbox.bytes(), 0u);
}

TEST(OutboxTest, ARowThatIsGoneWhenItIsWantedIsSaidToBe) {
  MemoryStore store;
  Outbox outbox;
  StoreBatch never_written;
  outbox.update({{4, effects()}}, {}, never_written);
  std::uint64_t through = 0;
  EXPECT_EQ(outbox.read(store, {4, 4}, 1, through).status().code(), absl::StatusCode::kDataLoss);
}

TEST(OutboxTest, ARecoveryTakesARoomfulIntoMemoryAndLeavesTheRestByOutlet) {
  MemoryStore store;
  Outbox outbox;
  RunEffects large;
  large.actions.push_back({"actions.email", 1, "ann", std::string(Unsent::kBytesMax / 4, 'x')});
  for (std::uint64_t seq = 1; seq <= 8; ++seq) ASSERT_TRUE(outbox.write(store, seq, large).ok());
  ASSERT_TRUE(outbox.write(store, 9, effects()).ok());
  ASSERT_TRUE(outbox.write(store, 10, effects()).ok());

  Outbox again;
  Unsent unsent;
  ASSERT_TRUE(again.load(store, 9, unsent).ok());  // run 10 is ahead of the position
  EXPECT_LE(unsent.bytes, Unsent::kBytesMax + large.actions[0].bytes.size() + 1024);
  ASSERT_THAT(unsent.runs, SizeIs(4));
  ASSERT_THAT(unsent.spilled, SizeIs(4));
  EXPECT_EQ(unsent.spilled[0].outlet, (Outlet{Outlet::Kind::kAction, "actions.email", 0}));
  EXPECT_EQ(unsent.spilled[0].runs, (RunRange{5, 9}));
  EXPECT_EQ(unsent.spilled[3].outlet, (Outlet{Outlet::Kind::kMessage, "", 3}));
  EXPECT_EQ(unsent.spilled[3].runs, (RunRange{9, 9}));
  StoreBatch batch;
  again.update(unsent.runs, {{5, 9}}, batch);
  EXPECT_THAT(batch.deletes, ElementsAre(unsent_key(10)));
}

TEST(OutboxTest, RowsAreFrozen) {
  expect_golden("tests/golden/journal/unsent.txt",
                {{"key", unsent_key(258)}, {"row", encode_unsent(effects())}});
}

}  // namespace
}  // namespace spur::testing
