// The readings of gaps, from the times of events (or of days) in ascending order: over all time and
// over a window alike.
#pragma once

#include <array>
#include <cstdint>

#include "state/aggregates/aggregate.h"

namespace spur {

class GapStatistics {
 public:
  // Times kept for the percentiles: 32 gaps.
  static constexpr std::size_t kTimes = 33;

  // `by_day`: times of one UTC day after the first of them are passed over.
  explicit GapStatistics(bool by_day) : by_day_(by_day) {}

  // `count` events at `time`, which is not before the last one.
  void add(std::int64_t time, std::uint64_t count);
  // Events that were not added, before all that were: how many, and the time of the first.
  void add_earlier(std::int64_t first, std::uint64_t count);

  Value read(Member member) const;

 private:
  std::int64_t newest(std::size_t back) const { return times_[(pushed_ - 1 - back) % kTimes]; }
  Value percentile(std::uint64_t numerator, std::uint64_t denominator) const;

  bool by_day_;
  std::uint64_t count_ = 0;  // of events, or days
  std::int64_t first_ = 0;
  std::array<std::int64_t, kTimes> times_;  // a ring of the newest
  std::size_t pushed_ = 0;
};

}  // namespace spur
