// A UUID as text takes 36 bytes, as a number 16. Ids of events mostly are UUIDs, and a customer keeps one for each open
// wait, so what is kept of an event is shortened by them in memory.
//
// No knowledge of what the bytes mean: a text of 36 that is spelled as a UUID in lower case, with its length in front,
// is replaced wherever it stands, so that expanding gives back the same bytes whatever they were.
#pragma once

#include <string>
#include <string_view>

#include "state/arena.h"

namespace spur {

// Never empty for bytes that are not, "" for "".
std::string shorten_uuid(std::string_view bytes);
// What was shortened, in `arena` (or in `shortened`, where nothing was left out).
std::string_view expand_uuid(std::string_view shortened, Arena& arena);

}  // namespace spur
