// Calendar: instants and the local time of day, for quiet hours and schedules.
//
// Local times exist only where a zone is named. Two rules settle the days on which clocks are
// changed, everywhere in Spur: a local time that is skipped means the instant at which the gap
// ends, and one that occurs twice means its first occurrence. So every (day, time of day) is
// exactly one instant, and a later local time is never an earlier instant.
//
// No libc time function and no process-wide zone are used; zone data is the system's tzdata, whose
// version is part of the fold version. All functions are pure and may be called from any thread.
// Instants between the years 1000 and 4000 are supported, far beyond what events may carry.
#pragma once

#include <absl/time/time.h>

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "state/time.h"

namespace spur {

inline constexpr int kMinutesPerDay = 24 * 60;

// A day of the calendar, without a zone: days since 1970-01-01.
struct Day {
  std::int64_t count = 0;

  friend constexpr auto operator<=>(Day, Day) = default;
  friend constexpr Day operator+(Day day, std::int64_t days) { return {day.count + days}; }
  friend constexpr Day operator-(Day day, std::int64_t days) { return {day.count - days}; }
  friend constexpr std::int64_t operator-(Day a, Day b) { return a.count - b.count; }
};

// The same day as people write it, in the proleptic Gregorian calendar.
struct Date {
  int year = 1970;
  int month = 1;  // 1 to 12
  int day = 1;    // 1 to 31

  friend constexpr auto operator<=>(const Date&, const Date&) = default;
};

// Requires a date that exists.
Day day_of(const Date& date);
Date date_of(Day day);
// 0 is Sunday, 6 is Saturday.
int weekday_of(Day day);
// 28 to 31.
int days_in_month(int year, int month);

// What the clock on the wall shows.
struct LocalTime {
  Day day;
  std::int64_t ms_of_day = 0;  // 0 to 86,399,999

  int minute_of_day() const { return static_cast<int>(ms_of_day / kMinute.count); }
  friend constexpr auto operator<=>(const LocalTime&, const LocalTime&) = default;
};

// A value, cheap to copy. UTC takes a path of plain arithmetic.
class Zone {
 public:
  Zone() = default;  // UTC

  // By IANA name: "Europe/Stockholm", "UTC". nullopt if there is none of that name. Names of files,
  // fixed offsets, "localtime" and zones that count leap seconds ("right/...") are not zones here:
  // they differ between machines.
  static std::optional<Zone> load(std::string_view name);
  static Zone utc() { return {}; }

  const std::string& name() const { return name_; }

  LocalTime local(Instant t) const;
  int minute_of_day(Instant t) const { return local(t).minute_of_day(); }

  // The instant of a local time: of a skipped one the end of the gap, of a double one the first.
  Instant instant(Day day, int minute_of_day) const;

  // The first instant >= t that is the given local time of some day. never() stays never().
  Instant next_time_of_day(Instant t, int minute_of_day) const;

  // Whether t lies in [from, to) of local time, each day anew; `to` not after `from` means over
  // midnight. Answers the instant at which that stretch ends, or nullopt if t is outside. On a day
  // when `to` occurs twice the stretch ends at the first, and the repeated minutes are outside.
  std::optional<Instant> stretch_end(Instant t, int from_minute, int to_minute) const;

 private:
  std::string name_ = "UTC";
  absl::TimeZone zone_ = absl::UTCTimeZone();
  bool utc_ = true;
};

}  // namespace spur
