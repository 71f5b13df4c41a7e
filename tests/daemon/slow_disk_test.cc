// A disk that takes no state for a while: memory stays bounded, and what was published waits in the
// log.
#include <chrono>

#include "daemon/live_shard.h"
#include "tests/daemon/engine_fixture.h"
#include "tests/daemon/faulty_file_system.h"

namespace spur::testing {
namespace {

constexpr std::size_t kCustomersMax = 400 << 10;  // bytes of them, in memory, of one shard
constexpr int kAtOnce = 20;

class SlowDiskTest : public EngineTest {
 protected:
  SlowDiskTest() {
    faulty_.files->only("/state/");
    options_.faults.env = faulty_.env.get();
    options_.shards = 1;
    options_.workers = 1;
    options_.state_memory_bytes_max = kCustomersMax;
    options_.run_inputs_max = kAtOnce;
    options_.queue_events_max = 200;
  }
  ~SlowDiskTest() override {
    faulty_.files->let_go();
    engine_.reset();  // it writes through what is ours, and goes after us otherwise
  }

  // Orders of as many customers that were never seen.
  absl::Status order_of_new() {
    std::vector<std::string> events;
    for (int i = 0; i < kAtOnce; ++i, ++number_)
      events.push_back(track(absl::StrCat("c", number_), "Order Completed", number_, kNoon));
    return publish(events).status();
  }

  FaultyEnv faulty_;
};

TEST_F(SlowDiskTest, CustomersTakeNoMoreThanTwiceTheirMemoryAndPublishersAreTold) {
  open();
  apply(shop_catalog());
  faulty_.files->hold();
  int taken = 0;
  std::uint64_t most = 0;
  absl::Status refused;
  // A worker that is late only is no reason to stop: its queue may be full, and have room again.
  const auto until = std::chrono::steady_clock::now() + kPatience;
  bool held_up = false;
  while ((refused.ok() || !held_up) && std::chrono::steady_clock::now() < until) {
    refused = order_of_new();
    if (refused.ok()) taken += kAtOnce;
    const ShardStats shard = engine_->stats().shards[0];
    most = std::max(most, shard.customer_bytes);
    held_up = shard.held_up;
  }
  EXPECT_TRUE(absl::IsResourceExhausted(refused)) << refused << " after " << taken << " events";
  EXPECT_GT(most, kCustomersMax) << "the bound was never met";
  // The run that crosses it is finished.
  EXPECT_LE(most, LiveShard::kCrowdedTimesMax * kCustomersMax + kAtOnce * 4096);
  EXPECT_TRUE(engine_->stats().shards[0].held_up);
  EXPECT_TRUE(engine_->health().live);

  faulty_.files->let_go();
  ASSERT_TRUE(settle());
  EXPECT_EQ(actions().size(), static_cast<std::size_t>(taken));
  EXPECT_FALSE(engine_->stats().shards[0].held_up);
  EXPECT_TRUE(order_of_new().ok());
}

}  // namespace
}  // namespace spur::testing
