// Events as bytes: what waits in a reorder buffer, and what an instance keeps of the event that
// opened it.
//
// Fields are stored under EventSchema::path_hash, not under their index, and the event's name as
// text: the bytes outlive the catalog that wrote them. Read under another schema, fields of paths
// it does not know are dropped, paths that were not stored are absent, and the name is looked up
// anew. A source has no index that outlives a catalog, so the caller hands over a number that does
// (source_key, e.g. a hash of the Source's name) and gets it back.
//
// Frozen by tests/golden/state/events.txt.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "state/arena.h"
#include "state/event.h"

namespace spur {

// Appends `event`, whose fields are those of `schema`, with all fields that are not absent.
void encode_event(const Event& event, const EventSchema& schema, std::uint64_t source_key,
                  std::string& out);

// What an instance keeps of the event that opened it: type, time, name and id, and of the fields
// only `kept`, ascending. Half as long as the whole, and there are some for every customer:
// whose it is says the customer, and nobody asks an instance for traits, source or content hash.
void encode_brief(const Event& event, const EventSchema& schema,
                  std::span<const EventSchema::FieldIndex> kept, std::string& out);

struct StoredEvent {
  Event event;  // `source` is 0: set it from source_key
  std::uint64_t source_key = 0;  // of a brief one 0
};

// Of either. nullopt: not whole, of another version, or followed by something. Everything the event points to
// is in `arena`.
std::optional<StoredEvent> decode_event(std::string_view bytes, const EventSchema& schema,
                                        Arena& arena);

}  // namespace spur
