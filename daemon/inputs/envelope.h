// What the decoders of all formats say of an event alike: its time, its derived id, its traits.
#pragma once

#include <initializer_list>
#include <optional>
#include <string_view>

#include "daemon/inputs/decoded.h"
#include "state/arena.h"
#include "state/event.h"

namespace spur {

// An instant as RFC 3339 text. Malformed if it is none, or lies outside what an event may have.
std::optional<Malformed> read_time(std::string_view text, Instant& time);
// Whether an event may have the time; `text` says it for people.
std::optional<Malformed> check_time(Instant time, std::string_view text);
Malformed bad_timestamp(std::string_view text);

// The id of an event that brings none: "derived-" and the xxh3-128 of `parts`, each with its size,
// so that no two lists of parts run together into the same bytes. Frozen: ids are kept for
// de-duplication.
std::string_view derived_id(std::initializer_list<std::string_view> parts, Arena& arena);

// The traits that a call sets on the customer: identify's own before those of its context; of other
// calls the context's, for those of a group call describe the account. Maps, or absent.
Value traits_set_by(CallType type, const Value& own, const Value& in_context, Arena& arena);

}  // namespace spur
