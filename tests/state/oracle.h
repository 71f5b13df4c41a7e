// The obviously right aggregate: keeps every event and looks at all of them for every reading.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "state/aggregates/aggregate.h"
#include "state/aggregates/millionths.h"
#include "state/aggregates/scalar.h"

namespace spur::testing {

struct OracleEvent {
  Instant time;
  Value of;
};

class Oracle {
 public:
  explicit Oracle(const AggregateSpec& spec) : spec_(spec) {}

  void add(Instant time, const Value& of) { events_.push_back({time, of}); }
  void clear() { events_.clear(); }

  // The events of the window as of `now`, by time, then by value.
  std::vector<OracleEvent> in_window(Instant now) const {
    std::vector<OracleEvent> in;
    for (const OracleEvent& event : events_) {
      const std::int64_t end = now.ms - spec_.offset.count;
      const bool entered = event.time.ms <= end;
      const bool left = spec_.window.count > 0 && event.time.ms <= end - spec_.window.count;
      if (entered && !left) in.push_back(event);
    }
    std::stable_sort(in.begin(), in.end(), [](const OracleEvent& a, const OracleEvent& b) {
      return a.time != b.time ? a.time < b.time : order(a.of, b.of) < 0;
    });
    return in;
  }

  Value read(Member member, Instant now) const {
    const std::vector<OracleEvent> in = in_window(now);
    const auto n = static_cast<std::int64_t>(in.size());
    switch (spec_.kind) {
      case AggregateKind::kCount:
        return Value::integer(n);
      case AggregateKind::kSum:
        return Value::real(static_cast<double>(total(in)) / 1e6);
      case AggregateKind::kMean:
        return n == 0
                   ? Value::absent()
                   : Value::real(static_cast<double>(total(in)) / (1e6 * static_cast<double>(n)));
      case AggregateKind::kMin:
        return extreme(in, -1);
      case AggregateKind::kMax:
        return extreme(in, 1);
      case AggregateKind::kFirst:
        return n == 0 ? Value::absent() : in.front().of;
      case AggregateKind::kLast:
        return n == 0 ? Value::absent() : in.back().of;
      case AggregateKind::kDistinct:
        return Value::integer(distinct(in));
      case AggregateKind::kGaps:
        return gaps(in, member);
      case AggregateKind::kDecayed:
        return decayed(in, now);
    }
    return Value::absent();
  }

 private:
  static long long total(const std::vector<OracleEvent>& in) {
    long long sum = 0;
    for (const OracleEvent& event : in) sum += *to_millionths(event.of);
    return sum;
  }
  static Value extreme(const std::vector<OracleEvent>& in, int sign) {
    Value best;
    for (const OracleEvent& event : in) {
      if (best.is_absent() || sign * order(event.of, best) > 0) best = event.of;
    }
    return best;
  }
  static std::int64_t distinct(const std::vector<OracleEvent>& in) {
    std::int64_t count = 0;
    for (std::size_t i = 0; i < in.size(); ++i) {
      bool seen = false;
      for (std::size_t j = 0; j < i; ++j)
        seen |= order(normalized(in[i].of), normalized(in[j].of)) == 0;
      count += seen ? 0 : 1;
    }
    return count;
  }
  Value gaps(const std::vector<OracleEvent>& in, Member member) const {
    std::vector<std::int64_t> times;
    for (const OracleEvent& event : in) {
      if (spec_.distinct_days && !times.empty() && utc_day({times.back()}) == utc_day(event.time))
        continue;
      times.push_back(event.time.ms);
    }
    const std::size_t count = times.empty() ? 0 : times.size() - 1;
    if (member == Member::kCount) return Value::integer(static_cast<std::int64_t>(count));
    if (count == 0) return Value::absent();
    if (member == Member::kMean)
      return Value::duration(
          Millis{(times.back() - times.front()) / static_cast<std::int64_t>(count)});
    std::vector<std::int64_t> newest;
    for (std::size_t i = times.size() - 1; i > 0 && newest.size() < 32; --i)
      newest.push_back(times[i] - times[i - 1]);
    if (member == Member::kLast) return Value::duration(Millis{newest.front()});
    std::sort(newest.begin(), newest.end());
    const double p = member == Member::kMedian ? 0.5 : 0.9;
    const auto rank =
        static_cast<std::size_t>(std::ceil(p * static_cast<double>(newest.size()) - 1e-9));
    return Value::duration(Millis{newest[rank - 1]});
  }
  Value decayed(const std::vector<OracleEvent>& in, Instant now) const {
    if (in.empty()) return Value::absent();
    long double sum = 0;
    for (const OracleEvent& event : in) {
      const long double age = static_cast<long double>(now.ms - spec_.offset.count - event.time.ms);
      sum += static_cast<long double>(*to_millionths(event.of)) / 1e6L *
             std::exp2l(-age / static_cast<long double>(spec_.half_life.count));
    }
    return Value::real(static_cast<double>(sum));
  }

  AggregateSpec spec_;
  std::vector<OracleEvent> events_;
};

}  // namespace spur::testing
