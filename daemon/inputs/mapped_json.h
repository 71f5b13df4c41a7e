// Any JSON object as an event, by the `map` of its Source: CEL over `body`.
//
// Only the paths of the body that the map names are kept. Every expression is asked of every
// message, also one whose property nobody reads, so that what is refused does not depend on the
// triggers. What need not be there is written `body.?mail`: a plain `body.mail` that is not there
// is an error, and the message a dead letter.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "daemon/inputs/decoded.h"
#include "daemon/inputs/event_parts.h"
#include "daemon/inputs/json_reader.h"
#include "operators/catalog/compiled.h"
#include "state/arena.h"
#include "state/event.h"

namespace spur {

// What the map makes of a body, into `parts`; what it does not say stays as it is. `fields`: by
// map.body, and must stay as long as the parts.
std::optional<Malformed> apply_map(const catalog::Mapping& map, std::span<const Value> fields,
                                   const InputLimits& limits, Arena& arena, EventParts& parts);

// As SegmentDecoder: one per thread, and what it gives points into `bytes`, `arena` and `map`.
class MappedJsonDecoder {
 public:
  explicit MappedJsonDecoder(const InputLimits& limits = {}) : reader_(limits), limits_(limits) {}

  Decoded decode(std::string_view bytes, const catalog::Mapping& map, const EventSchema& schema,
                 std::uint32_t source, Arena& arena);

 private:
  JsonReader reader_;
  InputLimits limits_;
};

}  // namespace spur
