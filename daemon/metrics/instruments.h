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

// Latencies, in fixed buckets.
class Histogram {
 public:
  void record(std::chrono::nanoseconds latency, std::uint64_t times = 1) {
    const auto nanos = static_cast<std::uint64_t>(std::max<std::int64_t>(latency.count(), 0));
    // A bucket takes what is at most its bound: 100 µs and a nanosecond belongs to the next.
    const auto bound = std::lower_bound(kLatencyBoundsMicros.begin(), kLatencyBoundsMicros.end(), (nanos + 999) / 1000);
    counts_[static_cast<std::size_t>(bound - kLatencyBoundsMicros.begin())].fetch_add(times, std::memory_order_relaxed);
    sum_nanos_.fetch_add(nanos * times, std::memory_order_relaxed);
  }

  struct Snapshot {
    std::array<std::uint64_t, kLatencyBoundsMicros.size() + 1> counts{};  // of each bucket, the last: beyond all bounds
    std::uint64_t sum_nanos = 0;
  };
  Snapshot snapshot() const {
    Snapshot out;
    for (std::size_t i = 0; i < counts_.size(); ++i) out.counts[i] = counts_[i].load(std::memory_order_relaxed);
    out.sum_nanos = sum_nanos_.load(std::memory_order_relaxed);
    return out;
  }

 private:
  std::array<std::atomic<std::uint64_t>, kLatencyBoundsMicros.size() + 1> counts_{};
  std::atomic<std::uint64_t> sum_nanos_{0};
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
