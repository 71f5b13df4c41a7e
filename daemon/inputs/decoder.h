// The lid on the formats: a record of any Source as the events that it holds. What takes events
// takes them from here: the fold live and in replay, backtest, trigger tests, and Publish to find
// the shard.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <variant>

#include "daemon/inputs/cloud_event.h"
#include "daemon/inputs/decoded.h"
#include "daemon/inputs/mapped_json.h"
#include "daemon/inputs/protobuf_event.h"
#include "daemon/inputs/segment.h"
#include "daemon/inputs/segment_batch.h"
#include "operators/catalog/compiled.h"
#include "state/arena.h"

namespace spur {

// One per thread: keeps the memory that decoding needs.
class Decoder {
 public:
  explicit Decoder(const InputLimits& limits = {})
      : segment_(limits), batch_(limits), mapped_(limits), cloud_(limits), protobuf_(limits) {}

  // Whether the headers of a record are a part of what it says.
  static bool reads_headers(const catalog::Source& source) {
    return source.format == catalog::Format::kCloudEvents;
  }

  // Calls each(decoded, bytes) for every event of the record, at least once. `bytes` say the event
  // alone: the record, or one call of a batch. They and the event are good during the call.
  // `source` is an index of catalog.sources.
  template <typename Each>
  void decode(const RawInput& input, const catalog::Compiled& catalog, std::uint32_t source,
              Each&& each) {
    decode(input, catalog.sources[source], catalog.schema, source, each);
  }
  // The same for who reads less of an event, or more, than the catalog: what is refused, and why,
  // is the same under every schema.
  template <typename Each>
  void decode(const RawInput& input, const catalog::Source& from, const EventSchema& schema,
              std::uint32_t source, Each&& each) {
    arena_.reset();
    if (from.format != catalog::Format::kSegment) [[unlikely]] {
      return each(decode_other(input, from, schema, source), input.bytes);
    }
    const Decoded decoded = segment_.decode(input.bytes, schema, source, arena_);
    // A batch is no good call, for it has no `type`; and whatever else is wrong with it may be
    // wrong with one of its calls alone.
    if (std::holds_alternative<Malformed>(decoded)) [[unlikely]] {
      return decode_batch(input.bytes, decoded, schema, source, each);
    }
    each(decoded, input.bytes);
  }

  // One Segment call, whatever the format of the Source: as trigger tests write events.
  Decoded decode_call(std::string_view bytes, const catalog::Compiled& catalog,
                      std::uint32_t source) {
    arena_.reset();
    return segment_.decode(bytes, catalog.schema, source, arena_);
  }

 private:
  Decoded decode_other(const RawInput& input, const catalog::Source& from,
                       const EventSchema& schema, std::uint32_t source);
  // `alone`: what the record is if it is no batch.
  void decode_batch(std::string_view bytes, const Decoded& alone, const EventSchema& schema,
                    std::uint32_t source,
                    const std::function<void(const Decoded&, std::string_view)>& each);

  SegmentDecoder segment_;
  SegmentBatch batch_;
  MappedJsonDecoder mapped_;
  CloudEventDecoder cloud_;
  ProtobufDecoder protobuf_;
  Arena arena_;
};

}  // namespace spur
