// Timestamps as event producers write them: RFC 3339, read without locale, calendar library or
// clock.
#pragma once

#include <optional>
#include <string_view>

#include "state/time.h"

namespace spur {

// "2026-03-01T08:30:00.250Z" and what else RFC 3339 allows: a space or t for T, any offset (+02:00;
// also +0200, which strftime's %z writes), 0 to 9 digits of fraction, cut to the millisecond
// towards the past. Proleptic Gregorian, years 0000 to 9999, so the result may lie outside
// [kInstantMin, kInstantMax]. nullopt: anything else, days that do not exist, hour 24, leap seconds
// (:60), a missing offset.
std::optional<Instant> parse_timestamp(std::string_view text);

}  // namespace spur
