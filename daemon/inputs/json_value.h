// A value of CEL as JSON would have it: so that whatever a map makes, an event's properties and
// traits hold what those of a Segment call can hold, and nothing else.
#pragma once

#include <optional>

#include "daemon/inputs/decoded.h"
#include "state/arena.h"
#include "state/value.h"

namespace spur {

// Changes `value` in place; what is copied lies in `arena`. An int becomes a double up to 2^53, as
// JSON's numbers are read; a timestamp its RFC 3339 text, a duration its seconds ("90s"); an
// optional its value or absent. A key of a map that is no text becomes its text. Malformed for what
// JSON cannot say (bytes, types, NaN) and beyond the limits of a message, in which `depth` objects
// stand around the value.
std::optional<Malformed> make_json(Value& value, std::size_t depth, const InputLimits& limits,
                                   Arena& arena);

}  // namespace spur
