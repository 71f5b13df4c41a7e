// Event names that are probably mistyped.
#pragma once

#include <vector>

#include "daemon/authoring/never.h"
#include "spur/v1/catalog.pb.h"

namespace spur::authoring {

// Names in the patterns of triggers and sessions that no Source and no Feature has: all of them if
// some Source lists its names in `order`; else those that are nearly a name of a Feature or of the
// e-commerce funnel, which every Source knows.
std::vector<Never> unknown_event_names(const spur::v1::Catalog& catalog);

}  // namespace spur::authoring
