// Durations, instants and times of day as people write them.
#include "operators/catalog/durations.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace spur::catalog {
namespace {

TEST(DurationTest, ReadsAllUnits) {
  EXPECT_EQ(parse_duration("250ms")->count, 250);
  EXPECT_EQ(parse_duration("90s")->count, 90'000);
  EXPECT_EQ(parse_duration("30m")->count, 1'800'000);
  EXPECT_EQ(parse_duration("2h")->count, 7'200'000);
  EXPECT_EQ(parse_duration("7d")->count, 604'800'000);
  EXPECT_EQ(parse_duration("4w")->count, 4 * kWeek.count);
  EXPECT_EQ(parse_duration("0s")->count, 0);
  EXPECT_EQ(parse_duration("36500d")->count, 36500 * kDay.count);
}

TEST(DurationTest, ReadsCombinationsFromLargeToSmall) {
  EXPECT_EQ(parse_duration("1h30m")->count, 5'400'000);
  EXPECT_EQ(parse_duration("1w2d3h4m5s6ms")->count, 788'645'006);
  EXPECT_EQ(parse_duration("-3d")->count, -3 * kDay.count);
}

TEST(DurationTest, RefusesAllElse) {
  for (const char* text :
       {"", "-", "7", "d", "7 d", " 7d", "7d ", "1.5h", "30m1h", "1h1h", "7D", "1y", "+1h",
        "1h-30m", "99999999999999999999d", "400000d", "365250d1ms", "0x1s", "7dd"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

TEST(DurationTest, IsReadBackAsWritten) {
  EXPECT_EQ(to_text(Millis{5'400'000}), "1h30m");
  EXPECT_EQ(to_text(Millis{0}), "0s");
  std::mt19937_64 random(11);
  for (int i = 0; i < 10'000; ++i) {
    const Millis duration{
        static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(kDurationMax.count)) *
        (i % 2 == 0 ? 1 : -1)};
    ASSERT_EQ(parse_duration(to_text(duration)), duration) << to_text(duration);
  }
}

TEST(InstantTest, ReadsRfc3339) {
  EXPECT_EQ(parse_instant("1970-01-01T00:00:00Z")->ms, 0);
  EXPECT_EQ(parse_instant("2026-03-01T08:00:00Z")->ms, 1'772'352'000'000);
  EXPECT_EQ(parse_instant("2026-03-01T09:00:00.250+01:00")->ms, 1'772'352'000'250);
  EXPECT_EQ(parse_instant("2026-02-28T22:30:00-09:30")->ms, 1'772'352'000'000);
  EXPECT_EQ(parse_instant("2026-03-01t08:00:00.1z")->ms, 1'772'352'000'100);
  EXPECT_EQ(parse_instant("2026-03-01 08:00:00.100000Z")->ms, 1'772'352'000'100);
}

TEST(InstantTest, RefusesAllElse) {
  for (const char* text :
       {"", "2026-03-01", "2026-03-01T08:00Z", "2026-03-01T08:00:00", "2026-02-29T08:00:00Z",
        "2026-13-01T08:00:00Z", "2026-03-01T24:00:00Z", "2026-03-01T08:60:00Z",
        "2026-03-01T08:00:60Z", "2026-03-01T08:00:00.0001Z", "2026-03-01T08:00:00.Z",
        "2026-03-01T08:00:00+1:00", "2026-03-01T08:00:00Zx", "1969-12-31T23:59:59Z",
        "3000-01-01T00:00:00Z", "26-03-01T08:00:00Z"}) {
    EXPECT_FALSE(parse_instant(text)) << text;
  }
}

TEST(TimeOfDayTest, IsHoursAndMinutes) {
  EXPECT_EQ(parse_time_of_day("00:00"), 0);
  EXPECT_EQ(parse_time_of_day("21:30"), 1290);
  EXPECT_EQ(parse_time_of_day("23:59"), 1439);
  for (const char* text : {"", "24:00", "8:00", "21", "21:60", "21:00:00", "21.00", "1260"}) {
    EXPECT_FALSE(parse_time_of_day(text)) << text;
  }
}

}  // namespace
}  // namespace spur::catalog
