// Schedules: what they say, what is wrong with them, and when they come.
#include "operators/cron.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include "operators/catalog/durations.h"

namespace spur {
namespace {

Instant utc(const std::string& text) {
  const auto instant = catalog::parse_instant(text);
  EXPECT_TRUE(instant.has_value()) << text;
  return instant.value_or(Instant{0});
}

std::string written(Instant t) {
  if (t == Instant::never()) return "never";
  const LocalTime local = Zone::utc().local(t);
  const Date date = date_of(local.day);
  char text[32];
  std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d", date.year, date.month, date.day,
                local.minute_of_day() / 60, local.minute_of_day() % 60);
  return text;
}

Cron cron(const std::string& text) {
  const Cron::Parsed parsed = Cron::parse(text);
  EXPECT_TRUE(parsed.cron.has_value()) << text << ": " << parsed.error->message;
  return parsed.cron.value_or(Cron());
}

// The next `count` instants, in UTC.
std::vector<std::string> next(const std::string& text, const std::string& after, int count,
                              const std::string& zone = "UTC") {
  std::vector<std::string> instants;
  Instant t = utc(after);
  for (int i = 0; i < count; ++i) {
    t = cron(text).next(t, *Zone::load(zone));
    instants.push_back(written(t));
  }
  return instants;
}

using Texts = std::vector<std::string>;

TEST(CronTest, EveryMidnight) {
  EXPECT_EQ(next("0 0 * * *", "2026-02-27T12:00:00Z", 3),
            (Texts{"2026-02-28T00:00", "2026-03-01T00:00", "2026-03-02T00:00"}));
}

TEST(CronTest, IsStrictlyAfter) {
  EXPECT_EQ(next("0 9 * * *", "2026-01-01T09:00:00Z", 1), Texts{"2026-01-02T09:00"});
  EXPECT_EQ(next("0 9 * * *", "2026-01-01T08:59:59.999Z", 1), Texts{"2026-01-01T09:00"});
}

TEST(CronTest, ListsRangesAndSteps) {
  EXPECT_EQ(next("5,10-12,*/30 8 * * *", "2026-01-01T00:00:00Z", 7),
            (Texts{"2026-01-01T08:00", "2026-01-01T08:05", "2026-01-01T08:10", "2026-01-01T08:11",
                   "2026-01-01T08:12", "2026-01-01T08:30", "2026-01-02T08:00"}));
  EXPECT_EQ(
      next("0 8-18/5 * * *", "2026-01-01T00:00:00Z", 4),
      (Texts{"2026-01-01T08:00", "2026-01-01T13:00", "2026-01-01T18:00", "2026-01-02T08:00"}));
}

TEST(CronTest, NamesInAnyCase) {
  EXPECT_EQ(next("0 0 1 jan,Jul *", "2026-02-01T00:00:00Z", 2),
            (Texts{"2026-07-01T00:00", "2027-01-01T00:00"}));
  EXPECT_EQ(next("0 9 * * MON-fri", "2026-03-06T09:00:00Z", 2),
            (Texts{"2026-03-09T09:00", "2026-03-10T09:00"}));
}

TEST(CronTest, SundayIsZeroAndSeven) {
  EXPECT_EQ(next("0 0 * * 0", "2026-03-02T00:00:00Z", 1), Texts{"2026-03-08T00:00"});
  EXPECT_EQ(next("0 0 * * 7", "2026-03-02T00:00:00Z", 1), Texts{"2026-03-08T00:00"});
  EXPECT_EQ(
      next("0 0 * * 5-7", "2026-03-02T00:00:00Z", 4),
      (Texts{"2026-03-06T00:00", "2026-03-07T00:00", "2026-03-08T00:00", "2026-03-13T00:00"}));
}

TEST(CronTest, TwoRestrictedDayFieldsMeanEither) {
  EXPECT_EQ(
      next("0 0 13 * FRI", "2026-03-01T00:00:00Z", 4),
      (Texts{"2026-03-06T00:00", "2026-03-13T00:00", "2026-03-20T00:00", "2026-03-27T00:00"}));
  EXPECT_EQ(next("0 0 10 * FRI", "2026-03-06T00:00:00Z", 2),
            (Texts{"2026-03-10T00:00", "2026-03-13T00:00"}));
}

TEST(CronTest, ADayFieldThatBeginsWithAStarMeansBoth) {
  EXPECT_EQ(next("0 0 */2 * FRI", "2026-03-01T00:00:00Z", 2),
            (Texts{"2026-03-13T00:00", "2026-03-27T00:00"}));
}

TEST(CronTest, Shorthands) {
  EXPECT_EQ(next("@hourly", "2026-03-01T10:15:00Z", 1), Texts{"2026-03-01T11:00"});
  EXPECT_EQ(next("@daily", "2026-03-01T10:15:00Z", 1), Texts{"2026-03-02T00:00"});
  EXPECT_EQ(next("@weekly", "2026-03-01T10:15:00Z", 1), Texts{"2026-03-08T00:00"});
  EXPECT_EQ(next("@monthly", "2026-03-01T10:15:00Z", 1), Texts{"2026-04-01T00:00"});
  EXPECT_EQ(next(" @yearly ", "2026-03-01T10:15:00Z", 1), Texts{"2027-01-01T00:00"});
}

TEST(CronTest, WaitsForLeapDays) {
  EXPECT_EQ(next("0 0 29 2 *", "2096-03-01T00:00:00Z", 2),
            (Texts{"2104-02-29T00:00", "2108-02-29T00:00"}));
  EXPECT_EQ(next("0 0 29 2 */7", "2026-01-01T00:00:00Z", 1),
            Texts{"2032-02-29T00:00"});  // a Sunday
}

TEST(CronTest, NeverComesIfNoMonthHasTheDay) {
  EXPECT_EQ(next("0 0 30 2 *", "2026-01-01T00:00:00Z", 1), Texts{"never"});
  EXPECT_EQ(next("0 0 31 4,6,9,11 *", "2026-01-01T00:00:00Z", 1), Texts{"never"});
  EXPECT_EQ(next("0 0 30 2 MON", "2026-01-01T00:00:00Z", 1),
            Texts{"2026-02-02T00:00"});  // either day
  EXPECT_EQ(cron("* * * * *").next(Instant::never(), Zone::utc()), Instant::never());
}

TEST(CronTest, ASkippedTimeFiresWhenTheGapEnds) {
  EXPECT_EQ(next("30 2 * * *", "2026-03-28T12:00:00Z", 2, "Europe/Stockholm"),
            (Texts{"2026-03-29T01:00", "2026-03-30T00:30"}));
  EXPECT_EQ(
      next("*/20 1-3 * * *", "2026-03-29T00:30:00Z", 4,
           "Europe/Stockholm"),  // several skipped ones: once
      (Texts{"2026-03-29T00:40", "2026-03-29T01:00", "2026-03-29T01:20", "2026-03-29T01:40"}));
  EXPECT_EQ(next("0 0 30 12 *", "2011-12-01T00:00:00Z", 1, "Pacific/Apia"),
            Texts{"2011-12-30T10:00"});
}

TEST(CronTest, ADoubleTimeFiresOnce) {
  EXPECT_EQ(next("30 2 * * *", "2026-10-24T12:00:00Z", 2, "Europe/Stockholm"),
            (Texts{"2026-10-25T00:30", "2026-10-26T01:30"}));
  EXPECT_EQ(next("30 1 * * *", "2026-10-31T12:00:00Z", 2, "America/New_York"),
            (Texts{"2026-11-01T05:30", "2026-11-02T06:30"}));
  // Asked within the second pass, the answer is not what has been.
  EXPECT_EQ(next("*/30 2 * * *", "2026-10-25T01:05:00Z", 1, "Europe/Stockholm"),
            Texts{"2026-10-26T01:00"});
}

TEST(CronTest, NextIsTheFirstOfAllLaterOnes) {
  // Against a walk over every local minute.
  std::mt19937 random(7);
  for (const char* name :
       {"Europe/Stockholm", "America/St_Johns", "Australia/Lord_Howe", "Africa/Casablanca"}) {
    const Zone zone = *Zone::load(name);
    for (const char* text :
         {"*/7 * * * *", "13 */5 * * *", "0 0 * * 1", "59 23 28-31 * *", "30 2 * * *"}) {
      const Cron schedule = cron(text);
      std::vector<Instant> all;
      for (Instant t = schedule.next(utc("2010-01-01T00:00:00Z"), zone);
           t < utc("2012-01-01T00:00:00Z"); t = schedule.next(t, zone)) {
        ASSERT_TRUE(all.empty() || t > all.back());
        all.push_back(t);
      }
      for (int i = 0; i < 500; ++i) {
        const Instant t{utc("2010-01-02T00:00:00Z").ms +
                        static_cast<std::int64_t>(random() % (700ULL * 86400)) * 1000};
        const auto expected = std::upper_bound(all.begin(), all.end(), t);
        if (expected != all.end()) {
          ASSERT_EQ(schedule.next(t, zone), *expected) << name << " " << text;
        }
      }
    }
  }
}

struct BadCron {
  const char* text;
  std::size_t offset;
  const char* message;
};

TEST(CronTest, SaysExactlyWhatIsWrong) {
  const BadCron table[] = {
      {"", 0, "cron needs 5 fields and has 0"},
      {"0 9 * *", 7, "cron needs 5 fields and has 4"},
      {"0 9 * * * *", 10, "cron needs 5 fields and has 6"},
      {"60 9 * * *", 0, "minute 60 is out of range"},
      {"0 24 * * *", 2, "hour 24 is out of range"},
      {"0 9 0 * *", 4, "day of month 0 is out of range"},
      {"0 9 * 13 *", 6, "month 13 is out of range"},
      {"0 9 * * 8", 8, "day of week 8 is out of range"},
      {"0 9 * * MOO", 8, "`MOO` is not a day of week"},
      {"0 9 * * JAN", 8, "`JAN` is not a day of week"},
      {"MON 9 * * *", 0, "`MON` is not a minute"},
      {"0 18-8 * * *", 2, "the range 18-8 in hour runs backwards"},
      {"5/10 * * * *", 0, "a step in minute needs a range"},
      {"*/0 * * * *", 2, "step 0 in minute is out of range"},
      {"*/99 * * * *", 2, "step 99 in minute is out of range"},
      {"1,,2 * * * *", 2, "a number is missing in minute"},
      {"1- * * * *", 2, "a number is missing in minute"},
      {"1x * * * *", 1, "unexpected `x` in minute"},
      {"99999999999999999999 * * * *", 0, "minute 10000 is out of range"},
      {"@reboot", 0, "`@reboot` is not a schedule"},
      {"? * * * *", 0, "a number is missing in minute"},
  };
  for (const BadCron& bad : table) {
    const Cron::Parsed parsed = Cron::parse(bad.text);
    ASSERT_TRUE(parsed.error.has_value()) << bad.text;
    EXPECT_FALSE(parsed.cron.has_value());
    EXPECT_EQ(parsed.error->message, bad.message) << bad.text;
    EXPECT_EQ(parsed.error->offset, bad.offset) << bad.text;
  }
}

}  // namespace
}  // namespace spur
