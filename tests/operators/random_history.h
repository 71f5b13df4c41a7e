// Random histories and random small catalogs, by seed. Instants lie on a coarse grid and lengths are multiples of it,
// so that events meet deadlines exactly.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "state/time.h"

namespace spur::testing {

// SplitMix64: the same numbers on every machine.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next();
  int below(int n) { return static_cast<int>(next() % static_cast<std::uint64_t>(n)); }
  bool one_in(int n) { return below(n) == 0; }

 private:
  std::uint64_t state_;
};

struct RandomEvent {
  Instant time;
  std::string id, customer, name;
  int key = 0;    // properties.k; 0: none
  int value = 0;  // properties.v
};

// In the order of (time, id). Names are Added, Removed, Ordered, Viewed.
std::vector<RandomEvent> random_history(Random& random, int events, int customers);
std::string to_json(const RandomEvent& event);

// A record of business data about the product that events call `k`.
struct RandomRecord {
  Instant since, comes;  // it comes later than it holds from only where a newer one is there
  int key = 0, price = 0, stock = 0;
  bool deleted = false;
};

// Over the time of `history`, in the order of `since`, between the instants of its grid. Some come
// up to `lateness` late.
std::vector<RandomRecord> random_records(Random& random, const std::vector<RandomEvent>& history,
                                         int records, Millis lateness);
// What a topic would hold of it; of one that is deleted its key alone says that.
std::string to_json(const RandomRecord& record);

// Up to eight triggers of all operators, with guards and steps. `policy` is put into its Policy.
std::string random_catalog(Random& random, const std::string& policy);

}  // namespace spur::testing
