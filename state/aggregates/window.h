// Which instants a window spans, and how its oldest values are merged: the arithmetic that all
// windowed aggregates share.
#pragma once

#include <algorithm>
#include <cstdint>

#include "state/aggregates/aggregate.h"
#include "state/time.h"

namespace spur {

inline bool has_window(const AggregateSpec& spec) {
  return spec.window.count > 0 || spec.offset.count > 0;
}

// As of `now` the window is (cutoff, boundary], in milliseconds: an entry at or before the cutoff
// has left, one after the boundary has not entered yet.
struct Window {
  std::int64_t cutoff = 0;
  std::int64_t boundary = 0;

  Window() = default;
  constexpr Window(std::int64_t cutoff_ms, std::int64_t boundary_ms)
      : cutoff(cutoff_ms), boundary(boundary_ms) {}
  Window(const AggregateSpec& spec, Instant now) {
    boundary = now.ms - spec.offset.count;
    cutoff = boundary - length(spec);
  }

  static std::int64_t length(const AggregateSpec& spec) {
    return spec.window.count > 0 ? spec.window.count
                                 : kInstantMax.ms;  // a thousand years: offset alone
  }
  // When an entry of that time enters and leaves.
  static Instant enters(const AggregateSpec& spec, std::int64_t time) {
    return {time + spec.offset.count};
  }
  static Instant leaves(const AggregateSpec& spec, std::int64_t time) {
    return {time + spec.offset.count + length(spec)};
  }
};

// To what unit an entry is exact. Stored: a number is never reused.
enum class Unit : std::uint8_t { kMillisecond = 0, kMinute = 1, kHour = 2, kDay = 3 };

// Beyond `limit` hours there are days; beyond this many of them (eleven years with an event each
// day) the oldest go.
inline constexpr std::size_t kDaysMax = 4'096;

constexpr std::int64_t millis_of(Unit unit) {
  switch (unit) {
    case Unit::kMillisecond:
      return 1;
    case Unit::kMinute:
      return kMinute.count;
    case Unit::kHour:
      return kHour.count;
    case Unit::kDay:
      return kDay.count;
  }
  return 1;
}

// The start of the unit that holds `time`, which is not before 1970.
constexpr std::int64_t start_of(Unit unit, std::int64_t time) {
  return time - time % millis_of(unit);
}

inline std::size_t values_limit(const AggregateSpec& spec) {
  return std::min(spec.limit == 0 ? AggregateSpec::kValuesDefault : spec.limit,
                  AggregateSpec::kLimitMax);
}
inline std::size_t members_limit(const AggregateSpec& spec) {
  return std::min(spec.limit == 0 ? AggregateSpec::kMembersDefault : spec.limit,
                  AggregateSpec::kLimitMax);
}

// An event's time as add() and decode() accept it.
constexpr bool is_event_time(std::int64_t ms) {
  return ms >= kInstantMin.ms && ms <= kInstantMax.ms;
}

}  // namespace spur
