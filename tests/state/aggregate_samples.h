// One aggregate of every layout, built the same way each time: for codec tests and goldens.
#pragma once

#include "tests/state/aggregate_fixture.h"

namespace spur::testing {

struct AggregateSample {
  std::string name;
  AggregateSpec spec;
  Aggregate aggregate;
};

inline std::vector<AggregateSample> sample_aggregates() {
  std::vector<AggregateSample> samples;
  for (const AggregateKind kind : all_kinds()) {
    for (const bool by_day : {false, true}) {
      if (by_day && kind != AggregateKind::kGaps) continue;
      for (const std::uint32_t limit : {0u, 3u}) {
        for (const Millis window : {Millis{0}, kDay * 2}) {
          if (limit != 0 && window.count == 0 && kind != AggregateKind::kDistinct) continue;
          AggregateSpec spec;
          spec.kind = kind;
          spec.window = window;
          spec.offset = window.count == 0 ? Millis{0} : kHour * 10;
          spec.half_life = kHour * 3;
          spec.distinct_days = by_day;
          spec.limit = limit;
          AggregateSample sample{name_of(spec) + ", limit " + std::to_string(limit), spec, {}};
          Digest digest;
          for (int i = 0; i < 12; ++i) {
            const Instant time = kStart + kMinute * (i * 37 % 12 * 211);
            const char* const text = i % 2 == 0 ? "category one of many" : "shoes";
            const bool number = takes_numbers(kind) || i % 3 != 0;
            const Value of = number ? Value::real(i * 7 % 5 * 1.25) : Value::string(text);
            sample.aggregate.add(spec, time, kStart + kDay * 2, of, digest);
          }
          samples.push_back(std::move(sample));
        }
      }
    }
  }
  return samples;
}

}  // namespace spur::testing
