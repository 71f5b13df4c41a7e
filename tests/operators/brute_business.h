// What business data decides, computed again from catalog.md in the plainest way, as
// brute_force.h does for the other operators: records as of an event's time, and changes told to
// those who care. Shares no code with the fold.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "tests/operators/random_history.h"

namespace spur::testing {

struct BusinessRules {
  Millis lateness{0};
  Millis within{0};          // of an interest in the product `k` of a Viewed
  bool closes = false;       // an Ordered of the product ends it
  bool once_a_view = false;  // not told again until it was viewed again
};

// "<ms> <customer> <trigger> <key> <data>" of what is sent up to and including `until`. Both in the
// order of their times.
std::multiset<std::string> brute_business(const std::vector<RandomEvent>& history,
                                          const std::vector<RandomRecord>& records,
                                          const BusinessRules& rules, Instant until);

// The same as a catalog.
std::string catalog_of(const BusinessRules& rules);

}  // namespace spur::testing
