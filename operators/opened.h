// What an instance keeps of the event that opened or fired it: the envelope, the fields that its trigger's expressions
// name, and the element of an `each` where they name that.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "state/arena.h"
#include "state/event.h"

namespace spur {

// Replaces what `out` holds. `item` absent: none is kept.
void encode_opened(const Event& event, const EventSchema& schema, const std::vector<EventSchema::FieldIndex>& fields,
                   const Value& item, std::string& out);

struct Opened {
  const Event* event = nullptr;
  Value item;
};
// Both live in `arena`. nullopt for "" and for bytes that are not whole.
std::optional<Opened> decode_opened(std::string_view bytes, const EventSchema& schema, Arena& arena);

// The id of the event alone; "" if there is none.
std::string opened_event_id(std::string_view bytes, const EventSchema& schema, Arena& arena);

}  // namespace spur
