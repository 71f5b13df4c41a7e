// Values as text: what an action's `data` and a decision's line print, and what string() and keys
// are made of.
//
// Canonical, so that the same value is the same text on every machine: a double that is a whole
// number below 1e21 has no point (20.0 is "20"), others the fewest digits that read back as the
// same double; a map's keys come in the map's own order; timestamps are RFC 3339 in UTC with as
// many digits of the second as needed, durations CEL's "3600s".
#pragma once

#include <string>
#include <string_view>

#include "state/value.h"

namespace spur::expression {

// A scalar as a reader expects it: a string is itself, without quotes; 7, 7u and 7.0 are all "7";
// null is "null"; bytes are base64; a type its name; an optional what it holds, else "". Lists and
// maps are JSON. An error is its message, absent is "".
std::string to_text(const Value& value);

// JSON, compact. Strings are escaped as little as JSON allows; ints and uints are numbers with all
// their digits; NaN and infinities are strings, as JSON has none; times, bytes and types are
// strings as above; map keys are to_text(key); optional.none(), absent and errors are null.
std::string to_json(const Value& value);
void append_json(std::string* out, const Value& value);

// `text` as a JSON string with its quotes.
void append_json_string(std::string* out, std::string_view text);

// The parts, for those who print a column themselves.
std::string double_text(double d);
std::string timestamp_text(std::int64_t seconds, std::int32_t nanos);
std::string duration_text(std::int64_t seconds, std::int32_t nanos);
std::string base64_text(std::string_view bytes);

}  // namespace spur::expression
