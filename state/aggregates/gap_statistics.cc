#include "state/aggregates/gap_statistics.h"

#include <algorithm>

namespace spur {

void GapStatistics::add(std::int64_t time, std::uint64_t count) {
  if (by_day_) {
    if (pushed_ > 0 && utc_day({newest(0)}) == utc_day({time})) return;
    count = 1;
  }
  if (count_ == 0) first_ = time;
  count_ += count;
  for (std::uint64_t i = 0; i < std::min<std::uint64_t>(count, kTimes); ++i)
    times_[pushed_++ % kTimes] = time;
}

void GapStatistics::add_earlier(std::int64_t first, std::uint64_t count) {
  if (count == 0) return;
  first_ = first;
  count_ += count;
}

Value GapStatistics::read(Member member) const {
  const std::uint64_t gaps = count_ == 0 ? 0 : count_ - 1;
  if (member == Member::kCount) return Value::integer(static_cast<std::int64_t>(gaps));
  if (member == Member::kNewest && count_ > 0) return Value::timestamp({newest(0)});
  if (gaps == 0) return Value::absent();
  switch (member) {
    case Member::kMean:
      return Value::duration(Millis{(newest(0) - first_) / static_cast<std::int64_t>(gaps)});
    case Member::kLast:
      return Value::duration(Millis{newest(0) - newest(1)});
    case Member::kMedian:
      return percentile(1, 2);
    case Member::kP90:
      return percentile(9, 10);
    default:
      return Value::absent();
  }
}

Value GapStatistics::percentile(std::uint64_t numerator, std::uint64_t denominator) const {
  std::array<std::int64_t, kTimes - 1> gaps;
  const std::size_t n = std::min(pushed_, kTimes) - 1;
  for (std::size_t i = 0; i < n; ++i) gaps[i] = newest(i) - newest(i + 1);
  const std::size_t rank = (n * numerator + denominator - 1) / denominator;  // nearest-rank, from 1
  std::nth_element(gaps.begin(), gaps.begin() + static_cast<std::ptrdiff_t>(rank - 1),
                   gaps.begin() + static_cast<std::ptrdiff_t>(n));
  return Value::duration(Millis{gaps[rank - 1]});
}

}  // namespace spur
