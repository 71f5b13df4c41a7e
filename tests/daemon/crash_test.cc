// The daemon dies at every n-th run, before its append or after its commit, and is started again.
// What it decided must be byte for byte what it decides undisturbed (docs/architecture.md: recovery
// is replay).
#include <atomic>
#include <map>

#include "daemon/owned_shard.h"
#include "state/codec/keys.h"
#include "state/rocks_store.h"
#include "tests/daemon/engine_fixture.h"

namespace spur::testing {
namespace {

enum class CrashAt { kNever, kBeforeAppend, kAfterCommit };

struct Case {
  CrashAt at = CrashAt::kNever;
  int every = 0;              // runs
  std::int64_t flush_ms = 0;  // state written behind this often
};

class CrashTest : public EngineTest, public ::testing::WithParamInterface<Case> {
 protected:
  // A story of orders, carts and silences; each step is folded before the next, so that run numbers
  // are those of the undisturbed story too.
  std::vector<std::string> tell(const Case& c) {
    crashes_ = 0;
    std::atomic<int> runs{0};
    const auto due = [&](std::uint32_t, std::uint64_t) {
      return c.every != 0 && ++runs % c.every == 0;
    };
    if (c.at == CrashAt::kBeforeAppend) options_.faults.crash_before_append = due;
    if (c.at == CrashAt::kAfterCommit) options_.faults.crash_after_commit = due;
    options_.flush_interval = std::chrono::milliseconds(c.flush_ms);
    open();
    apply(shop_catalog());
    survive();
    for (int i = 0; i < 60; ++i) {
      const std::string user = absl::StrCat("user", i % 7);
      const std::string event =
          track(user, i % 3 == 0 ? "Product Added" : "Order Completed", i, clock_.read().wall);
      // Not acknowledged, the event may be in the log all the same: a publisher that repeats it is
      // the publisher's story.
      publish({event}).status().IgnoreError();
      survive();
      while (inputs_in_log() < static_cast<std::uint64_t>(i + 1)) {
        publish({event}).status().IgnoreError();
        survive();
      }
      clock_.advance(kMinute * (i % 5 == 0 ? 70 : 3));
      survive();
    }
    return decision_bytes();
  }
};

TEST_P(CrashTest, DecidesTheSameBytesAsUndisturbed) {
  const std::vector<std::string> disturbed = tell(GetParam());
  EXPECT_GT(crashes_, 0);
  for (const ShardStats& shard : engine_->stats().shards) EXPECT_EQ(shard.divergences, 0u);
  // No action twice, none missing: spurseq is dense per shard.
  std::map<std::uint32_t, std::uint64_t> last;
  const auto deliveries = engine_->read_actions(kTopic, "", 100'000);
  ASSERT_TRUE(deliveries.ok());
  for (const ActionDelivery& delivery : *deliveries) {
    EXPECT_EQ(delivery.action.spurseq(), ++last[delivery.action.id().shard()]);
  }
  engine_.reset();

  options_.directory = folder_.path() + "/undisturbed";
  options_.faults = {};
  const Instant end = clock_.read().wall;
  clock_.jump_wall(kNoon - end);
  const std::vector<std::string> undisturbed = tell({CrashAt::kNever, 0, 3'600'000});
  EXPECT_EQ(disturbed.size(), undisturbed.size());
  EXPECT_TRUE(disturbed == undisturbed);
  EXPECT_GT(undisturbed.size(), 40u);
}

INSTANTIATE_TEST_SUITE_P(EveryNthRun, CrashTest,
                         ::testing::Values(Case{CrashAt::kBeforeAppend, 3, 30'000},
                                           Case{CrashAt::kBeforeAppend, 7, 3'600'000},
                                           Case{CrashAt::kAfterCommit, 2, 3'600'000},
                                           Case{CrashAt::kAfterCommit, 3, 30'000},
                                           Case{CrashAt::kAfterCommit, 10, 30'000}));

// A restore that dies leaves rows without a position (copy_rows). Should no snapshot be there
// the next time, and all of the journal, replay begins at its beginning.
TEST_F(EngineTest, RowsThatAnInterruptedRestoreLeftAreNotFoldedUpon) {
  options_.shards = 1;
  const auto order_once = [&] {
    open();
    apply(shop_catalog());
    ASSERT_TRUE(order("ann").ok());
    ASSERT_TRUE(settle());
  };
  const RocksShared shared{8 << 20, 16 << 20};
  StoreBatch left;
  const std::string here = options_.directory;
  options_.directory = here + "-elsewhere";
  ASSERT_NO_FATAL_FAILURE(order_once());
  ASSERT_TRUE(engine_->shutdown().ok());
  engine_.reset();
  {
    auto store = RocksStore::open(options_.directory + "/state/0", shared);
    ASSERT_TRUE(store.ok()) << store.status();
    ASSERT_TRUE((*store)
                    ->scan("",
                           [&](std::string_view key, std::string_view row) {
                             if (key != position_key()) left.puts.emplace_back(key, row);
                             return true;
                           })
                    .ok());
    ASSERT_FALSE(left.puts.empty());
  }
  options_.directory = here;
  ASSERT_NO_FATAL_FAILURE(order_once());
  engine_.reset();
  {
    auto store = RocksStore::open(options_.directory + "/state/0", shared);
    ASSERT_TRUE(store.ok()) << store.status();
    const auto position = read_position(**store);
    ASSERT_TRUE(position.ok() && !position->has_value());
    ASSERT_TRUE((*store)->write(left).ok());
    ASSERT_TRUE((*store)->flush().ok());
  }
  open();
  EXPECT_THAT(engine_->health().parked, ::testing::IsEmpty()) << engine_->health().why;
  ASSERT_TRUE(order("ann").ok());
  ASSERT_TRUE(settle());
  const auto greeted = engine_->read_actions(kTopic, "", 10);
  ASSERT_TRUE(greeted.ok()) << greeted.status();
  ASSERT_THAT(*greeted, ::testing::SizeIs(2));
  EXPECT_EQ(greeted->back().action.data_json(), R"({"orders":2})");
}

}  // namespace
}  // namespace spur::testing
