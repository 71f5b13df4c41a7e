// A Value as the text of a key: of instances (`key`), of features (`by`), of reference records.
//
// Keys are compared as text (catalog.md, "Patterns"): 7, 7.0 and "7" are one key, because producers
// do not agree on how to send a number.
#pragma once

#include <optional>
#include <string_view>

#include "state/arena.h"
#include "state/value.h"

namespace spur {

// The text, or nullopt for what is no key: absent, null, NaN, infinity, bytes, lists, maps, types,
// errors. Text is handed out as it is, pointing to where the value points; all else is written into
// `arena`.
//
// * bool: true, false.
// * A number: a whole one below 10^21 by its digits alone ("-7"; "0" also for -0.0); else the
//   shortest digits that give the same double, as JavaScript writes it: "0.1", "1e+21", "1.5e-7".
// * A timestamp: RFC 3339 in UTC, without a fraction if it is zero, else with 3, 6 or 9 digits:
//   "2026-03-01T08:00:00Z". Years 0 to 9999.
// * A duration: seconds, as CEL writes them: "604800s", "0.5s".
// * An optional: the key of its value; none is no key.
std::optional<std::string_view> key_text(const Value& value, Arena& arena);

}  // namespace spur
