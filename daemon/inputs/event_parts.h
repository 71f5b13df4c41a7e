// The parts of an event as a decoder found them, and the event that they make: the last step of
// every format but the Segment call itself, which has its own for speed.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "daemon/inputs/decoded.h"
#include "state/arena.h"
#include "state/event.h"

namespace spur {

struct EventParts {
  CallType type = CallType::kTrack;
  bool name_tells_call = false;  // a name $identify, $page, $screen, $group or $alias is that call
  std::string_view name, id, user_id, anonymous_id;  // empty: not there
  std::string_view named_id;                         // as Event has it; the same
  std::optional<Instant> time;
  Value properties, traits, context;  // maps, or absent
  Value traits_set;                   // on the customer
  // What is hashed: for the id where there is none, and to tell a repeat from other content.
  std::string_view content;
};

// Views and values of `parts` must stay as long as the event.
Decoded make_event(const EventParts& parts, const EventSchema& schema, std::uint32_t source,
                   const InputLimits& limits, Arena& arena);

}  // namespace spur
