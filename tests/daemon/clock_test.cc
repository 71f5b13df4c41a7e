#include "daemon/clock.h"

#include <gtest/gtest.h>

namespace spur::testing {
namespace {

constexpr Instant kNoon{1'772'366'400'000};

ClockReading at(Millis wall, Millis steady) {
  return {kNoon + wall, std::chrono::milliseconds(steady.count)};
}

TEST(ShardClockTest, FollowsTheWall) {
  ShardClock clock(Instant::distant_past());
  EXPECT_EQ(clock.tick(at({0}, {0})), kNoon);
  EXPECT_EQ(clock.tick(at({250}, {250})), kNoon + Millis{250});
  EXPECT_FALSE(clock.held());
}

TEST(ShardClockTest, NeverGoesBack) {
  ShardClock clock(kNoon + kHour);
  EXPECT_GE(clock.tick(at({0}, {0})), kNoon + kHour);
  EXPECT_GE(clock.tick(at(Millis{-5000}, {10})), kNoon + kHour);
}

TEST(ShardClockTest, AWallBehindIsCaughtUpWithAtHalfSpeed) {
  ShardClock clock(kNoon + kSecond);
  clock.tick(at({0}, {0}));
  for (int i = 1; i <= 1000; ++i)
    clock.tick(at({i}, {i}));  // a second, in steps too short for a whole half
  EXPECT_EQ(clock.tick(at({1000}, {1000})), kNoon + Millis{1500});
  EXPECT_EQ(clock.tick(at({3000}, {3000})), kNoon + Millis{3000});
}

TEST(ShardClockTest, AJumpOfAYearIsHeldTwoSecondsAheadOfItsWitness) {
  ShardClock clock(kNoon);
  clock.tick(at({0}, {0}));
  EXPECT_EQ(clock.tick(at(kDay * 365, {100})), kNoon + Millis{100} + ShardClock::kAheadMax);
  EXPECT_TRUE(clock.held());
  EXPECT_EQ(clock.tick(at(kDay * 365, {1100})), kNoon + Millis{1100} + ShardClock::kAheadMax);
}

TEST(ShardClockTest, AJumpThatAClockElsewhereHasSeenTooPasses) {
  ShardClock clock(kNoon);
  clock.tick(at({0}, {0}));
  clock.tick(at(kDay, {100}));
  ASSERT_TRUE(clock.held());
  clock.witness(at(kDay, {50}));
  EXPECT_EQ(clock.tick(at(kDay, {100})), kNoon + kDay);
  EXPECT_FALSE(clock.held());
  EXPECT_EQ(clock.tick(at(kDay + kHour, {200})), kNoon + kDay + Millis{150} + ShardClock::kAheadMax);
}

TEST(ShardClockTest, AClockElsewhereThatIsSlowHoldsNothing) {
  ShardClock clock(kNoon);
  clock.tick(at({0}, {0}));
  clock.witness(at(Millis{-3'600'000}, {50}));
  EXPECT_EQ(clock.tick(at({60'000}, {60'000})), kNoon + kMinute);
  EXPECT_FALSE(clock.held());
}

TEST(ShardClockTest, AJumpBackAgainIsForgiven) {
  ShardClock clock(kNoon);
  clock.tick(at({0}, {0}));
  clock.tick(at(kDay * 365, {100}));
  clock.tick(at({5000}, {5000}));
  EXPECT_FALSE(clock.held());
  EXPECT_EQ(clock.tick(at({9000}, {9000})), kNoon + Millis{9000});
}

TEST(ManualClockTest, TellsItsWatcherThatItMoved) {
  ManualClock clock(kNoon);
  int moved = 0;
  clock.watch([&] { ++moved; });
  clock.advance(kMinute);
  clock.jump_wall(kHour);
  EXPECT_EQ(moved, 2);
  EXPECT_EQ(clock.read().wall, kNoon + kMinute + kHour);
  EXPECT_EQ(clock.read().steady, std::chrono::minutes(1));
}

}  // namespace
}  // namespace spur::testing
