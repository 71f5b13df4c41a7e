// What an evaluation may cost, told from the checked tree before anything is run.
//
// A step is what Limits::steps_max counts: about one node evaluated, one turn of a macro, one
// element looked through. Both branches of a condition count, and a loop runs to its end, so the
// figures are of the worst data. How long a list from outside is cannot be known here: it is
// counted once as one element, and once as a list as long as events usually have. What is `dyn`
// counts as a list only where it is looped over or searched.
#pragma once

#include <cstdint>

#include "operators/expression/checker.h"

namespace spur::expression {

// The length of a list or map that comes from outside, in Cost::likely.
inline constexpr std::int64_t kElementsAssumed = 100;
// Both figures stop here: more is as much too much.
inline constexpr std::int64_t kCostMax = 1'000'000'000'000;

struct Cost {
  std::int64_t own = 0;     // what the source alone asks for
  std::int64_t likely = 0;  // with lists and maps of kElementsAssumed
};

// Requires a tree without errors.
Cost cost_of(const Tree& tree, const Checked& checked);

}  // namespace spur::expression
