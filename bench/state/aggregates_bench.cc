// What an event and a reading cost one feature: windows that hold 10 and 1,000 entries in steady
// state (each event that comes makes one leave), and all time. `bytes` is the heap a feature holds
// then.
#include <benchmark/benchmark.h>

#include "state/aggregates/aggregate.h"

namespace spur {
namespace {

constexpr Instant kStart{1'767'225'600'000};

AggregateSpec spec_of(AggregateKind kind, std::int64_t entries) {
  AggregateSpec spec;
  spec.kind = kind;
  spec.window = Millis{entries * 1000};  // an event a second; 0: all time
  spec.half_life = kMinute;
  return spec;
}

// Prices for what is measured, a category out of as many as there are entries for what is distinct.
Value value_of(std::int64_t i, std::int64_t entries) {
  return Value::real(static_cast<double>(i * 7919 % (entries == 0 ? 100 : entries)) + 0.99);
}

Aggregate filled(const AggregateSpec& spec, std::int64_t entries, Instant& now) {
  Aggregate aggregate;
  Digest digest;
  for (std::int64_t i = 0; i < std::max<std::int64_t>(entries, 100) * 2; ++i) {
    now = now + kSecond;
    aggregate.add(spec, now, now, value_of(i, entries), digest);
  }
  return aggregate;
}

void add(benchmark::State& state, AggregateKind kind) {
  const std::int64_t entries = state.range(0);
  const AggregateSpec spec = spec_of(kind, entries);
  Instant now = kStart;
  Aggregate aggregate = filled(spec, entries, now);
  Digest digest;
  std::int64_t i = 0;
  for (auto _ : state) {
    now = now + kSecond;
    aggregate.add(spec, now, now, value_of(++i, entries), digest);
  }
  benchmark::DoNotOptimize(digest.value());
  state.counters["bytes"] = static_cast<double>(aggregate.memory_bytes());
}

// A minute late, each of them: what is newer has to move.
void add_late(benchmark::State& state, AggregateKind kind) {
  const std::int64_t entries = state.range(0);
  const AggregateSpec spec = spec_of(kind, entries);
  Instant now = kStart;
  Aggregate aggregate = filled(spec, entries, now);
  Digest digest;
  std::int64_t i = 0;
  for (auto _ : state) {
    now = now + kSecond;
    aggregate.add(spec, now - kMinute, now, value_of(++i, entries), digest);
  }
  benchmark::DoNotOptimize(digest.value());
}

void read(benchmark::State& state, AggregateKind kind) {
  const std::int64_t entries = state.range(0);
  const AggregateSpec spec = spec_of(kind, entries);
  Instant now = kStart;
  const Aggregate aggregate = filled(spec, entries, now);
  Arena arena;
  for (auto _ : state) {
    benchmark::DoNotOptimize(aggregate.read(spec, Member::kValue, now, arena));
  }
}

void next_change(benchmark::State& state, AggregateKind kind) {
  const std::int64_t entries = state.range(0);
  const AggregateSpec spec = spec_of(kind, entries);
  Instant now = kStart;
  const Aggregate aggregate = filled(spec, entries, now);
  for (auto _ : state) {
    benchmark::DoNotOptimize(aggregate.next_change(spec, now));
  }
}

#define SPUR_BENCH_KIND(name, kind)                                              \
  BENCHMARK_CAPTURE(add, name, AggregateKind::kind)->Arg(0)->Arg(10)->Arg(1000); \
  BENCHMARK_CAPTURE(read, name, AggregateKind::kind)->Arg(0)->Arg(10)->Arg(1000)
SPUR_BENCH_KIND(count, kCount);
SPUR_BENCH_KIND(sum, kSum);
SPUR_BENCH_KIND(mean, kMean);
SPUR_BENCH_KIND(max, kMax);
SPUR_BENCH_KIND(last, kLast);
SPUR_BENCH_KIND(distinct, kDistinct);
SPUR_BENCH_KIND(gaps, kGaps);
BENCHMARK_CAPTURE(add, decayed, AggregateKind::kDecayed)->Arg(0);
BENCHMARK_CAPTURE(read, decayed, AggregateKind::kDecayed)->Arg(0);
BENCHMARK_CAPTURE(add_late, sum, AggregateKind::kSum)->Arg(1000);
BENCHMARK_CAPTURE(add_late, distinct, AggregateKind::kDistinct)->Arg(1000);
BENCHMARK_CAPTURE(next_change, sum, AggregateKind::kSum)->Arg(1000);
#undef SPUR_BENCH_KIND

}  // namespace
}  // namespace spur
