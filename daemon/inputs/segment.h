// The Segment call as an event: the canonical shape of Spur's input. RudderStack's is the same with
// more fields around.
//
// What is read:
//   type                  one of track, identify, page, screen, group, alias
//   event, name           the name of a track, of a page or screen
//   messageId             Event::id; text or a number. Without it the id is "derived-" and the
//                         xxh3-128 of who, what, when, properties and traits as they are written
//   userId, anonymousId   text or a number (7 and 7.0 are "7"); one must be there
//   timestamp             Event::time, RFC 3339. Without it receivedAt − (sentAt −
//                         originalTimestamp) if the three are there, else originalTimestamp,
//                         else receivedAt, else sentAt
//   traits, context.traits, and the paths of the schema below properties, context, traits or any
//                         field that is none of the above (groupId, previousId, integrations)
// Other fields are checked and passed over. Of a key given twice the first counts; null and empty
// text are as good as absent in the fields above, and `[]` is an empty properties, context or
// traits (PHP writes an empty map so).
//
// Numbers are doubles; a whole number beyond 2^53 stays int, beyond int64 uint, beyond uint64 it is
// a double again (JavaScript writes 1e20 without an exponent).
#pragma once

#include <cstdint>
#include <string_view>

#include "daemon/inputs/decoded.h"
#include "daemon/inputs/json_reader.h"
#include "state/arena.h"
#include "state/event.h"

namespace spur {

// One per thread: keeps the memory that parsing needs, so that a warm decoder allocates nothing.
class SegmentDecoder {
 public:
  explicit SegmentDecoder(const InputLimits& limits = {}) : reader_(limits), limits_(limits) {}

  // Decodes one call. `bytes` need no padding. The Event's text points into `bytes`, or into
  // `arena` where it had escapes; fields and traits lie in `arena`: keep both unchanged while the
  // Event is in use. The whole message is checked, so that what is refused does not depend on
  // `schema`.
  Decoded decode(std::string_view bytes, const EventSchema& schema, std::uint32_t source,
                 Arena& arena);

 private:
  JsonReader reader_;
  InputLimits limits_;
};

}  // namespace spur
