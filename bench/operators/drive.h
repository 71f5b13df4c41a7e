// Drives a shard with the events of the peers' job, a run at a time, as a worker does: the events of a run are decoded,
// applied, and what is due is fired. Generating and decoding can be left out of what is measured.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/inputs/segment.h"
#include "operators/shard.h"
#include "state/customers.h"
#include "state/store.h"

namespace spur {

// A catalog from lines "Kind name: {spec}", with a Source `events` and a Channel `email`.
std::shared_ptr<const catalog::Compiled> compiled(std::string_view lines);

struct SplitMix {
  std::uint64_t state;
  std::uint64_t next() {
    state += 0x9e3779b97f4a7c15ULL;
    std::uint64_t z = state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }
  std::uint64_t below(std::uint64_t n) { return next() % n; }
  double unit() { return static_cast<double>(next() >> 11) * 0x1p-53; }
};

// One event as the job has it: 55 % views, 25 % added, 8 % removed, 7 % checkouts, 5 % orders.
struct Made {
  std::string user;
  std::string json;
};
void make_event(SplitMix& random, std::uint64_t customer, Instant time, Made& made);
// The same with a given name.
void make_event(SplitMix& random, std::uint64_t customer, std::string_view name, Instant time, Made& made);

class Drive {
 public:
  static constexpr std::size_t kRun = 256;
  static constexpr std::size_t kHintsAhead = Customers::kHintsAhead;

  Drive(std::shared_ptr<const catalog::Compiled> catalog, Store& store, std::size_t memory_limit_bytes = 0);

  // The run that follows. First its messages, then decode(), then apply(); the last two are what a worker does.
  std::array<Made, kRun>& messages() { return messages_; }
  void decode();
  // Answers how many customers timers woke.
  std::size_t apply();
  // Freezes, encodes and writes what is dirty, at once, and evicts.
  void write_behind();

  Customers& customers() { return customers_; }
  Shard& shard() { return shard_; }
  std::uint64_t decisions() const { return decisions_; }

 private:
  std::shared_ptr<const catalog::Compiled> catalog_;
  Store& store_;
  Customers customers_;
  Shard shard_;
  ScoreTape tape_;
  Effects effects_;
  Arena arena_;
  SegmentDecoder decoder_;
  std::array<Made, kRun> messages_;
  std::vector<Event> events_;
  std::uint64_t run_ = 0, decisions_ = 0;
};

}  // namespace spur
