// The daemon dies at every n-th run, before its append or after its commit, and is started again.
// What it decided must be byte for byte what it decides undisturbed (docs/architecture.md: recovery is
// replay).
#include <atomic>
#include <map>

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

}  // namespace
}  // namespace spur::testing
