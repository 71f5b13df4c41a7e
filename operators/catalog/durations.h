// Durations and instants as YAML writes them. Pure; no locale, no clock.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "state/time.h"

namespace spur::catalog {

// The longest duration accepted, either way: a thousand years, so that adding one to an instant
// cannot overflow.
inline constexpr Millis kDurationMax{365'250 * kDay.count};

// "90s", "30m", "2h", "7d", "4w", "250ms", "0s", and combinations from the larger unit to the
// smaller: "1h30m". Whole numbers only, a leading `-` negates all. A day is 86,400 s. nullopt for
// anything else, also beyond kDurationMax.
std::optional<Millis> parse_duration(std::string_view text);

// The shortest text that parse_duration reads back: "1h30m", "2w1d", "0s".
std::string to_text(Millis duration);

// RFC 3339: "2026-03-01T08:00:00Z", "2026-03-01T08:00:00.250+01:00". Milliseconds at most are kept;
// a finer fraction, a date that does not exist, or a year outside 1970 to 2969 is nullopt, and so
// is a leap second.
std::optional<Instant> parse_instant(std::string_view text);

// "21:00" in minutes of the day, 00:00 to 23:59.
std::optional<int> parse_time_of_day(std::string_view text);

}  // namespace spur::catalog
