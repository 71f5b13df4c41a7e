// What the operators decide, computed again from catalog.md in the plainest way: by looking at the whole history for
// each answer. Shares no code with the fold.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "tests/operators/random_history.h"

namespace spur::testing {

struct Rules {
  Millis wait{0};  // absence by key: opened by Added, restarted by Added and Removed, closed by Ordered
  Millis window{0};                  // of the number of Added
  int at_least = 0;                  // threshold on it
  int needed = 0;                    // event Viewed, if that many Added are in the window
  Millis cooldown{0};                // of the latter
  Millis idle{0};                    // session of all events
  int kth = 0;                       // novelty of the value of Viewed; 0: every new one
  bool after_first = false;
};

// "<ms> <customer> <trigger> <key>" of what is sent up to and including `until`.
std::multiset<std::string> brute_force(const std::vector<RandomEvent>& history, const Rules& rules, Instant until);

// The same as a catalog.
std::string catalog_of(const Rules& rules);

}  // namespace spur::testing
