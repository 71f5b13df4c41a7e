// The two kinds of time that Spur computes with, both in whole milliseconds.
//
// They are separate types so that an instant and a length cannot be swapped. Neither reads a clock: time comes in with
// the input (docs/architecture.md, "Time"). Calendars and zones are not here; see operators/calendar.h.
#pragma once

#include <compare>
#include <cstdint>
#include <limits>

namespace spur {

// A length of time in milliseconds. May be negative. A day is always 86,400,000.
struct Millis {
  std::int64_t count = 0;

  friend constexpr auto operator<=>(Millis, Millis) = default;
  friend constexpr Millis operator+(Millis a, Millis b) { return {a.count + b.count}; }
  friend constexpr Millis operator-(Millis a, Millis b) { return {a.count - b.count}; }
  friend constexpr Millis operator*(Millis a, std::int64_t n) { return {a.count * n}; }
};

inline constexpr Millis kSecond{1000};
inline constexpr Millis kMinute{60 * 1000};
inline constexpr Millis kHour{60 * 60 * 1000};
inline constexpr Millis kDay{24 * 60 * 60 * 1000};
inline constexpr Millis kWeek{7 * 24 * 60 * 60 * 1000};

// A point in time: milliseconds since 1970-01-01T00:00:00Z.
//
// Events may lie in [kInstantMin, kInstantMax] = years 1970 to 2969 (the decoder refuses others), so that adding any
// Millis up to a thousand years cannot overflow. `never()` is later than all of them.
struct Instant {
  std::int64_t ms = 0;

  static constexpr Instant never() { return {std::numeric_limits<std::int64_t>::max()}; }
  static constexpr Instant distant_past() { return {std::numeric_limits<std::int64_t>::min()}; }

  friend constexpr auto operator<=>(Instant, Instant) = default;
  // Adding to never() stays never(); adding to distant_past() stays there.
  friend constexpr Instant operator+(Instant t, Millis d) {
    return t == never() || t == distant_past() ? t : Instant{t.ms + d.count};
  }
  friend constexpr Instant operator-(Instant t, Millis d) { return t + Millis{-d.count}; }
  friend constexpr Millis operator-(Instant a, Instant b) { return {a.ms - b.ms}; }
};

inline constexpr Instant kInstantMin{0};
inline constexpr Instant kInstantMax{31'536'000'000'000};  // 2969-05-03, about a thousand years

// The UTC day that holds `t`, counted from 1970-01-01. Rounds down, also before 1970.
constexpr std::int64_t utc_day(Instant t) {
  const std::int64_t day = t.ms / kDay.count;
  return t.ms % kDay.count < 0 ? day - 1 : day;
}

}  // namespace spur
