// How much of a shard's time a flush takes at once, on a clock that moves with each look at it.
#include "daemon/flush.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "state/memory_store.h"
#include "tests/daemon/temporary_folder.h"

namespace spur::testing {
namespace {

using std::chrono::microseconds;
using std::chrono::nanoseconds;

class TickingClock final : public Clock {
 public:
  static constexpr microseconds kTick{100};
  ClockReading read() const override { return {Instant{0}, now_ += kTick}; }
  nanoseconds sleep_for(nanoseconds) const override { return nanoseconds(0); }
  void watch(std::function<void()>) override {}
  nanoseconds now() const { return now_; }
  void move_to(nanoseconds to) { now_ = to; }

 private:
  mutable nanoseconds now_{0};
};

class NoFlushes final : public FlushQueue {
  void submit(FlushJob) override { ADD_FAILURE() << "nothing was asked to be written"; }
};

class WriteBehindTest : public ::testing::Test {
 protected:
  WriteBehindTest() {
    owned_.customers.set_layout(1, std::make_shared<Layout>());
    bool created = false;
    for (int i = 0; i < kCustomers; ++i)
      owned_.customers.touch({IdentityKind::kUserId, std::to_string(i)}, created);
    behind_.begin(Offset{1});
  }

  static constexpr int kCustomers = 1'000;
  // How many looks at the clock a slice is, after the one that it begins with.
  static constexpr int kLooks =
      (WriteBehind::kSliceMax + TickingClock::kTick - microseconds(1)) / TickingClock::kTick;
  static constexpr int kSlices =
      kCustomers / (kLooks * static_cast<int>(WriteBehind::kRowsAtOnce)) + 1;

  TemporaryFolder folder_;
  MemoryStore store_;
  std::unique_ptr<Breadcrumb> crumb_ = *Breadcrumb::open(folder_.path() + "/crumb", 1);
  OwnedShard owned_{{.index = 0, .shards = 1, .store = &store_, .crumb = crumb_.get()}};
  NoFlushes flushes_;
  WriteBehind behind_{0, owned_, store_, flushes_, {}, {}, Outbox(), /*trims=*/false};
  TickingClock clock_;
};

TEST_F(WriteBehindTest, ASliceIsAQuarterOfAMillisecondAndAsMuchTimeLiesBehindIt) {
  int slices = 0;
  while (!behind_.ready()) {
    const nanoseconds begun = clock_.now();
    ASSERT_FALSE(behind_.work(clock_, /*hurried=*/false)) << "a pause comes first";
    ++slices;
    const nanoseconds took = clock_.now() - begun;
    ASSERT_LE(took, (kLooks + 1) * TickingClock::kTick);
    if (behind_.ready()) break;
    const nanoseconds next = behind_.next_slice().value();
    ASSERT_GE(next - clock_.now(), WriteBehind::kSliceMax);
    ASSERT_FALSE(behind_.work(clock_, /*hurried=*/false));  // too early: one look, nothing else
    ASSERT_EQ(behind_.next_slice(), next);
    clock_.move_to(next);
  }
  EXPECT_EQ(slices, kSlices);
  EXPECT_EQ(behind_.next_slice(), std::nullopt);
}

TEST_F(WriteBehindTest, InAHurrySlicesFollowEachOther) {
  int slices = 1;
  while (behind_.work(clock_, /*hurried=*/true)) ++slices;
  EXPECT_TRUE(behind_.ready());
  EXPECT_EQ(slices, kSlices);
}

}  // namespace
}  // namespace spur::testing
