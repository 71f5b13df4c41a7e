// CloudEvents 1.0 as events: the JSON format (structured mode), and on Kafka the binary mode too,
// in which attributes are headers `ce_…` and the value is the data.
//
// A record is binary if it has a header ce_specversion and no content-type that begins with
// application/cloudevents; anything else is read as structured.
//
//   type          the name; $page and the like as in a map
//   source, id    Event::id, with a space between: together they are unique, and no source holds
//   one subject       userId time          Event::time; without it when the log took the record
//   data          the properties: an object, or nothing
//
// The Source's `map` may say otherwise of each. Its `body` is the event in the structured form, in
// binary mode too: body.type, body.data.total. Data is JSON, of any media type that says so or of
// none; also as data_base64. Attributes are texts, numbers or booleans, null is none; one that is
// no text where the specification wants one is WRONG_TYPE.
#pragma once

#include <cstdint>
#include <string_view>

#include "daemon/inputs/decoded.h"
#include "daemon/inputs/json_reader.h"
#include "operators/catalog/compiled.h"
#include "state/arena.h"
#include "state/event.h"

namespace spur {

class CloudEventDecoder {
 public:
  explicit CloudEventDecoder(const InputLimits& limits = {}) : reader_(limits), limits_(limits) {}

  // As SegmentDecoder::decode. `map` may be nullptr.
  Decoded decode(const RawInput& record, const catalog::Mapping* map, const EventSchema& schema,
                 std::uint32_t source, Arena& arena);

 private:
  JsonReader reader_;
  InputLimits limits_;
};

}  // namespace spur
