// Local time over the days on which clocks are changed.
#include "operators/calendar.h"

#include <gtest/gtest.h>

#include <string>

#include "operators/catalog/durations.h"

namespace spur {
namespace {

Instant utc(const std::string& text) {
  const auto instant = catalog::parse_instant(text);
  EXPECT_TRUE(instant.has_value()) << text;
  return instant.value_or(Instant{0});
}

Zone zone(const std::string& name) {
  const auto zone = Zone::load(name);
  EXPECT_TRUE(zone.has_value()) << name;
  return zone.value_or(Zone());
}

constexpr int hm(int hour, int minute = 0) { return hour * 60 + minute; }

TEST(DayTest, CountsFromTheEpochAndBack) {
  EXPECT_EQ(day_of({1970, 1, 1}).count, 0);
  EXPECT_EQ(day_of({1969, 12, 31}).count, -1);
  EXPECT_EQ(day_of({2000, 3, 1}).count, 11017);
  for (std::int64_t n = -800'000; n < 800'000; n += 97) {
    const Date date = date_of(Day{n});
    ASSERT_EQ(day_of(date).count, n);
    ASSERT_LE(date.day, days_in_month(date.year, date.month));
  }
}

TEST(DayTest, KnowsItsWeekday) {
  EXPECT_EQ(weekday_of(day_of({2026, 3, 1})), 0);    // Sunday
  EXPECT_EQ(weekday_of(day_of({1970, 1, 1})), 4);    // Thursday
  EXPECT_EQ(weekday_of(day_of({1969, 12, 27})), 6);  // Saturday
}

TEST(DayTest, KnowsLeapYears) {
  EXPECT_EQ(days_in_month(2024, 2), 29);
  EXPECT_EQ(days_in_month(2100, 2), 28);
  EXPECT_EQ(days_in_month(2000, 2), 29);
}

TEST(ZoneTest, LoadsByIanaName) {
  EXPECT_TRUE(Zone::load("Europe/Stockholm"));
  EXPECT_TRUE(Zone::load("America/Argentina/Buenos_Aires"));
  EXPECT_TRUE(Zone::load("UTC"));
}

TEST(ZoneTest, RefusesWhatDiffersBetweenMachines) {
  for (const char* name :
       {"", "Europe/Atlantis", "localtime", "/etc/localtime", "../../etc/passwd", "right/UTC",
        "libc:localtime", "Fixed/UTC+01:00:00", "file:UTC", "europe/", "zone.tab"}) {
    EXPECT_FALSE(Zone::load(name)) << name;
  }
}

TEST(ZoneTest, UtcTakesTheSamePathAsItsZone) {
  const Zone plain = Zone::utc(), loaded = zone("Africa/Abidjan");  // UTC since 1912
  for (std::int64_t ms = 0; ms < 4'000'000'000'000; ms += 86'399'999'999) {
    const Instant t{ms};
    ASSERT_EQ(plain.local(t), loaded.local(t));
    ASSERT_EQ(plain.next_time_of_day(t, hm(7, 13)), loaded.next_time_of_day(t, hm(7, 13)));
    ASSERT_EQ(plain.stretch_end(t, hm(21), hm(8)), loaded.stretch_end(t, hm(21), hm(8)));
  }
}

TEST(ZoneTest, KeepsMillisecondsAndRoundsDown) {
  const LocalTime local = zone("Asia/Kathmandu").local(utc("2026-03-01T18:15:00.250Z"));  // +05:45
  EXPECT_EQ(local.day, day_of({2026, 3, 2}));
  EXPECT_EQ(local.ms_of_day, 250);
  EXPECT_EQ(zone("Asia/Kathmandu").local({-1}).ms_of_day % 1000, 999);
}

TEST(ZoneTest, ASkippedTimeIsTheEndOfTheGap) {
  // 2026-03-29: 02:00 becomes 03:00 in Stockholm. 2026-03-08: the same in New York. Lord Howe skips
  // half an hour.
  EXPECT_EQ(zone("Europe/Stockholm").instant(day_of({2026, 3, 29}), hm(2, 30)),
            utc("2026-03-29T01:00:00Z"));
  EXPECT_EQ(zone("Europe/Stockholm").instant(day_of({2026, 3, 29}), hm(2)),
            utc("2026-03-29T01:00:00Z"));
  EXPECT_EQ(zone("Europe/Stockholm").instant(day_of({2026, 3, 29}), hm(3)),
            utc("2026-03-29T01:00:00Z"));
  EXPECT_EQ(zone("America/New_York").instant(day_of({2026, 3, 8}), hm(2, 59)),
            utc("2026-03-08T07:00:00Z"));
  EXPECT_EQ(zone("Australia/Lord_Howe").instant(day_of({2026, 10, 4}), hm(2, 10)),
            utc("2026-10-03T15:30:00Z"));
}

TEST(ZoneTest, ADoubleTimeIsItsFirst) {
  // 2026-10-25: 03:00 becomes 02:00 in Stockholm.
  EXPECT_EQ(zone("Europe/Stockholm").instant(day_of({2026, 10, 25}), hm(2, 30)),
            utc("2026-10-25T00:30:00Z"));
  EXPECT_EQ(zone("Europe/Stockholm").instant(day_of({2026, 10, 25}), hm(3)),
            utc("2026-10-25T02:00:00Z"));
  EXPECT_EQ(zone("Australia/Lord_Howe").instant(day_of({2026, 4, 5}), hm(1, 45)),
            utc("2026-04-04T14:45:00Z"));
}

TEST(ZoneTest, AWholeSkippedDayIsTheEndOfTheGap) {
  // Samoa went over the date line: there was no 2011-12-30.
  EXPECT_EQ(zone("Pacific/Apia").instant(day_of({2011, 12, 30}), hm(12)),
            utc("2011-12-30T10:00:00Z"));
  EXPECT_EQ(zone("Pacific/Apia").instant(day_of({2011, 12, 31}), hm(0)),
            utc("2011-12-30T10:00:00Z"));
}

TEST(ZoneTest, NextTimeOfDayIsNowIfItIsNow) {
  const Zone stockholm = zone("Europe/Stockholm");
  EXPECT_EQ(stockholm.next_time_of_day(utc("2026-01-10T07:00:00Z"), hm(8)),
            utc("2026-01-10T07:00:00Z"));
  EXPECT_EQ(stockholm.next_time_of_day(utc("2026-01-10T07:00:00.001Z"), hm(8)),
            utc("2026-01-11T07:00:00Z"));
  EXPECT_EQ(stockholm.next_time_of_day(Instant::never(), hm(8)), Instant::never());
}

TEST(ZoneTest, NextTimeOfDayCrossesTheGapAndTheDouble) {
  const Zone stockholm = zone("Europe/Stockholm");
  EXPECT_EQ(stockholm.next_time_of_day(utc("2026-03-29T00:15:00Z"), hm(2, 30)),
            utc("2026-03-29T01:00:00Z"));
  EXPECT_EQ(stockholm.next_time_of_day(utc("2026-03-29T01:00:00.001Z"), hm(2, 30)),
            utc("2026-03-30T00:30:00Z"));
  // Between the two 02:30 of October the next is tomorrow's.
  EXPECT_EQ(stockholm.next_time_of_day(utc("2026-10-25T00:45:00Z"), hm(2, 30)),
            utc("2026-10-26T01:30:00Z"));
}

TEST(ZoneTest, AClockSetBackOverMidnightDoesNotLoseADay) {
  // Toronto until 2006 at 02:00, but St John's at 00:01 back to 23:01 of the day before
  // (2010-11-07).
  const Zone st_johns = zone("America/St_Johns");
  const Instant after_midnight = utc("2010-11-07T02:30:30Z");  // 00:00:30 local, first time
  EXPECT_EQ(st_johns.local(after_midnight).day, day_of({2010, 11, 7}));
  EXPECT_EQ(st_johns.next_time_of_day(after_midnight, hm(23, 30)), utc("2010-11-08T03:00:00Z"));
  EXPECT_EQ(st_johns.local(utc("2010-11-07T02:31:00Z")).day, day_of({2010, 11, 6}));
}

TEST(ZoneTest, LaterLocalTimesAreNeverEarlierInstants) {
  for (const char* name :
       {"Europe/Stockholm", "America/New_York", "America/St_Johns", "Australia/Lord_Howe",
        "Pacific/Apia", "Africa/Casablanca", "America/Havana", "Asia/Tehran"}) {
    const Zone z = zone(name);
    Instant last = Instant::distant_past();
    for (Day day = day_of({2009, 1, 1}); day < day_of({2012, 1, 1}); day = day + 1) {
      for (int minute = 0; minute < kMinutesPerDay; minute += 15) {
        const Instant t = z.instant(day, minute);
        ASSERT_GE(t, last) << name << " " << date_of(day).year << "-" << date_of(day).month << "-"
                           << date_of(day).day;
        last = t;
      }
    }
  }
}

TEST(ZoneTest, AStretchEndsInTheMorning) {
  const Zone stockholm = zone("Europe/Stockholm");
  const auto end = [&](const char* t) { return stockholm.stretch_end(utc(t), hm(21), hm(8)); };
  EXPECT_EQ(end("2026-01-10T19:59:59.999Z"), std::nullopt);             // 20:59
  EXPECT_EQ(end("2026-01-10T20:00:00Z"), utc("2026-01-11T07:00:00Z"));  // 21:00 is inside
  EXPECT_EQ(end("2026-01-11T00:30:00Z"), utc("2026-01-11T07:00:00Z"));
  EXPECT_EQ(end("2026-01-11T07:00:00Z"), std::nullopt);  // 08:00 is outside
  // Over the change of clocks the night is an hour shorter.
  EXPECT_EQ(end("2026-03-28T22:00:00Z"), utc("2026-03-29T06:00:00Z"));
}

TEST(ZoneTest, AStretchWithinADay) {
  const Zone new_york = zone("America/New_York");
  EXPECT_EQ(new_york.stretch_end(utc("2026-06-01T16:30:00Z"), hm(12), hm(14)),
            utc("2026-06-01T18:00:00Z"));
  EXPECT_EQ(new_york.stretch_end(utc("2026-06-01T18:00:00Z"), hm(12), hm(14)), std::nullopt);
  EXPECT_EQ(new_york.stretch_end(utc("2026-06-01T15:59:00Z"), hm(12), hm(14)), std::nullopt);
}

TEST(ZoneTest, AStretchThatEndsInADoubleHourEndsOnce) {
  const Zone stockholm = zone("Europe/Stockholm");
  EXPECT_EQ(stockholm.stretch_end(utc("2026-10-25T00:10:00Z"), hm(22), hm(2, 30)),
            utc("2026-10-25T00:30:00Z"));
  EXPECT_EQ(stockholm.stretch_end(utc("2026-10-25T01:10:00Z"), hm(22), hm(2, 30)),
            std::nullopt);  // the second 02:10
}

}  // namespace
}  // namespace spur
