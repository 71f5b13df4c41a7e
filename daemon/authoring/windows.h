// Comparisons that the window of a feature makes false for ever.
#pragma once

#include <vector>

#include "daemon/authoring/never.h"
#include "spur/v1/catalog.pb.h"

namespace spur::authoring {

// Of what is counted in a window:
//   features.gaps.mean >= duration("60d")         with a window of 30d: no gap in it is that long
//   now - features.last_order > duration("60d")   of the time of an event: older ones are gone
//   features.gaps.count >= 31                     with distinct_days and 30d: there are no more
//   days
// in any condition of the catalog.
std::vector<Never> impossible_windows(const spur::v1::Catalog& catalog);

}  // namespace spur::authoring
