#include "daemon/log/pace.h"

#include <gtest/gtest.h>

namespace spur::kafka {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

TEST(PaceTest, EachShardHasAnEqualPartAndNoneIsTooFast) {
  EXPECT_EQ((Rate{0, 1s}.gap(4)), 0ns);
  EXPECT_EQ((Rate{10, 1s}.gap(1)), 100ms);
  EXPECT_EQ((Rate{10, 1s}.gap(4)), 400ms);
  EXPECT_EQ((Rate{3, 1s}.gap(1)), 333'333'334ns);
}

TEST(PaceTest, OneLeavesAtOnceAndTheNextAGapLater) {
  Pace pace;
  EXPECT_EQ(pace.allowed(1h, 1s), 1u);
  pace.leave(1h, 1s);
  EXPECT_EQ(pace.allowed(1h, 1s), 0u);
  EXPECT_EQ(pace.allowed(pace.due() - 1ns, 1s), 0u);
  EXPECT_EQ(pace.allowed(pace.due(), 1s), 1u);
  EXPECT_EQ(pace.due(), 1h + 1s - Pace::kBurst);
}

TEST(PaceTest, WakingUpEveryFiveMillisecondsLosesNothing) {
  Pace pace;
  std::size_t left = 0;
  for (nanoseconds now = 0ns; now < 1s; now += 5ms) {
    const std::size_t allowed = pace.allowed(now, 100us);
    for (std::size_t i = 0; i < allowed; ++i) pace.leave(now, 100us);
    left += allowed;
  }
  EXPECT_GE(left, 9'950u);
  EXPECT_LE(left, 10'051u);
}

TEST(PaceTest, AQuietTimeIsNotMadeUpFor) {
  Pace pace;
  pace.leave(0s, 1ms);
  EXPECT_EQ(pace.allowed(1h, 1ms), 6u);  // as at any time: the burst, and one
}

}  // namespace
}  // namespace spur::kafka
