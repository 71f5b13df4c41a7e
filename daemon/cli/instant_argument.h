// An instant on the command line: RFC 3339, or a date (its midnight in UTC).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "state/time.h"

namespace spur::cli {

std::optional<Instant> parse_instant(std::string_view text);
// What to say when it is none.
std::string instant_hint(std::string_view text);

}  // namespace spur::cli
