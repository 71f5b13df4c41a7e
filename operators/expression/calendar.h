// Timestamps and durations as CEL has them: their ranges, their arithmetic, their texts read, and
// their calendar.
//
// A timestamp lies in 0001-01-01T00:00:00Z .. 9999-12-31T23:59:59.999999999Z; a duration is
// whatever fits into int64 nanoseconds, about ±292 years. What would leave the range is an error
// value, never clamped. Writing them as text is text.h. Zones are the system's tzdata through absl;
// its version is part of the fold version.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "state/value.h"

namespace spur::expression {

// Wide enough for any sum or product of two durations before its range is checked.
__extension__ typedef __int128 WideNanos;

inline constexpr std::int64_t kNanosPerSecond = 1'000'000'000;
inline constexpr std::int64_t kTimestampSecondsMin = -62'135'596'800;
inline constexpr std::int64_t kTimestampSecondsMax = 253'402'300'799;

struct CivilTime {
  std::int64_t year = 1970;
  int month = 1;  // 1..12
  int day = 1;    // 1..31
  int hour = 0;
  int minute = 0;
  int second = 0;
  int weekday = 4;   // 0 is Sunday
  int year_day = 1;  // 1..366
};

// The calendar of the Gregorian year, also before 1582, `offset_seconds` east of UTC.
CivilTime civil_time(std::int64_t unix_seconds, std::int64_t offset_seconds);

// In a zone: "Europe/Stockholm", "UTC", "+02:00", "-09:30", "02:00". nullopt if there is no such
// zone.
std::optional<CivilTime> civil_time_in(std::int64_t unix_seconds, std::string_view zone);

// RFC 3339: "2009-02-13T23:31:30.5Z", "…+01:00". An error Value if it is none or out of range.
Value parse_timestamp(std::string_view text);
// Go's and CEL's form: "1h30m", "-1.5s", "250ms", "0"; units h m s ms us ns, with `days` also d and
// w.
Value parse_duration(std::string_view text, bool days);

// An error Value if out of range. `nanos` may be anything and is carried into the seconds.
Value make_timestamp(std::int64_t seconds, std::int64_t nanos);
Value make_duration(WideNanos nanos);
// The duration in nanoseconds, or nullopt for a Value made elsewhere that is out of range here.
std::optional<std::int64_t> duration_nanos(const Value& duration);

}  // namespace spur::expression
