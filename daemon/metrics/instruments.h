// Instruments: the numbers that threads count in and a scrape reads. No lock on either side, no label lookup when
// counting: whoever counts holds the instrument.
//
// All relaxed: a scrape sees each number as it was at some moment, not all at the same one.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace spur::metrics {

// Only grows.
class Counter {
 public:
  void add(std::uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

// Goes up and down.
class Gauge {
 public:
  void add(std::int64_t n) { value_.fetch_add(n, std::memory_order_relaxed); }
  void set(std::int64_t n) { value_.store(n, std::memory_order_relaxed); }
  std::int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};

// Upper bounds in microseconds: 1-2.5-5 steps around what is promised (p99 below 1 ms), then up to where nobody waits.
inline constexpr std::array<std::uint64_t, 16> kLatencyBoundsMicros = {
    100,    250,    500,     1'000,   2'500,     5'000,     10'000,    25'000,
    50'000, 100'000, 250'000, 500'000, 1'000'000, 2'500'000, 5'000'000, 10'000'000};

// Up to what a run may have by default (run_inputs_max).
inline constexpr std::array<std::uint64_t, 12> kSizeBounds = {0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024};

// A histogram as a scrape reads it, in the unit of its metric's name.
struct HistogramSnapshot {
  std::vector<double> bounds;         // upper ones, ascending; without infinity
  std::vector<std::uint64_t> counts;  // of each bucket, not cumulative; the last: beyond all bounds
  double sum = 0;
};

// Values in fixed buckets, at most the bound each.
template <const auto& kBounds>
class Buckets {
 public:
  // `value` decides the bucket, in the unit of the bounds; `exact` is what is summed up.
  void record(std::uint64_t value, std::uint64_t exact, std::uint64_t times) {
    const auto bound = std::lower_bound(kBounds.begin(), kBounds.end(), value);
    counts_[static_cast<std::size_t>(bound - kBounds.begin())].fetch_add(times, std::memory_order_relaxed);
    sum_.fetch_add(exact * times, std::memory_order_relaxed);
  }
  HistogramSnapshot snapshot(double bound_unit, double sum_unit) const {
    HistogramSnapshot out;
    for (const std::uint64_t bound : kBounds) out.bounds.push_back(static_cast<double>(bound) / bound_unit);
    for (const auto& count : counts_) out.counts.push_back(count.load(std::memory_order_relaxed));
    out.sum = static_cast<double>(sum_.load(std::memory_order_relaxed)) / sum_unit;
    return out;
  }

 private:
  std::array<std::atomic<std::uint64_t>, kBounds.size() + 1> counts_{};
  std::atomic<std::uint64_t> sum_{0};
};

// Latencies.
class Histogram {
 public:
  void record(std::chrono::nanoseconds latency, std::uint64_t times = 1) {
    const auto nanos = static_cast<std::uint64_t>(std::max<std::int64_t>(latency.count(), 0));
    // A bucket takes what is at most its bound: 100 µs and a nanosecond belongs to the next.
    buckets_.record((nanos + 999) / 1000, nanos, times);
  }
  HistogramSnapshot snapshot() const { return buckets_.snapshot(1e6, 1e9); }

 private:
  Buckets<kLatencyBoundsMicros> buckets_;
};

// How many of something at once: inputs of a run, appends of a commit.
class SizeHistogram {
 public:
  void record(std::uint64_t size) { buckets_.record(size, size, 1); }
  HistogramSnapshot snapshot() const { return buckets_.snapshot(1, 1); }

 private:
  Buckets<kSizeBounds> buckets_;
};

// Instruments by the value of one label, at most `kLabelsMax` of them; further values share "other". Looking one up
// takes a lock: do it once and keep the reference, or for what is rare.
template <typename Instrument>
class Labelled {
 public:
  static constexpr std::size_t kLabelsMax = 100;

  Instrument& at(std::string_view label) {
    const std::lock_guard lock(mutex_);
    const auto found = instruments_.find(label);
    if (found != instruments_.end()) return found->second;
    return instruments_[std::string(instruments_.size() < kLabelsMax ? label : "other")];
  }
  template <typename Visit>
  void for_each(Visit visit) const {
    const std::lock_guard lock(mutex_);
    for (const auto& [label, instrument] : instruments_) visit(label, instrument);
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, Instrument, std::less<>> instruments_;  // nodes: references stay good
};

}  // namespace spur::metrics
