// Expected decisions against those made, side by side: the longest run of both that agrees, and
// what stands between.
//
//       +1h    user_id:ann  cart-abandoned [k1]  email cart-1  sent
//     - +25h   cart-abandoned  email cart-2  sent                          (line 14)
//     + +25h   user_id:ann  cart-abandoned [k1]  email cart-2  suppressed: while
//         verdict: expected sent, got suppressed
#pragma once

#include <span>
#include <string>
#include <vector>

#include "daemon/trigger_test/test_file.h"

namespace spur::trigger_test {

// Everything that the expectation gives is so.
bool agrees(const Expectation& expected, const Decision& got);

// `got` in the documented order (sort_decisions()). Empty if each expectation meets its decision
// and none is left over; else the lines above, without a final newline each.
std::vector<std::string> difference(std::span<const Expectation> expected,
                                    std::span<const Decision> got, Instant start);

// The same of two runs of one test; action ids may differ.
std::vector<std::string> difference(std::span<const Decision> expected,
                                    std::span<const Decision> got, Instant start);

// One decision as a line of the diff, without its sign; `+1h` counts from `start`.
std::string to_line(const Decision& decision, Instant start);

}  // namespace spur::trigger_test
