#include "daemon/inputs/decoder.h"

#include <utility>

#include "state/check.h"

namespace spur {

Decoded Decoder::decode_other(const RawInput& input, const catalog::Source& from,
                              const EventSchema& schema, std::uint32_t source) {
  switch (from.format) {
    case catalog::Format::kJson:
      return mapped_.decode(input.bytes, *from.map, schema, source, arena_);
    case catalog::Format::kCloudEvents:
      return cloud_.decode(input, from.map.get(), schema, source, arena_);
    case catalog::Format::kProtobuf:
      return protobuf_.decode(input.bytes, segment_, schema, source, arena_);
    case catalog::Format::kSegment:
      break;
  }
  SPUR_CHECK(false && "decode() reads Segment calls itself");
  return {};
}

void Decoder::decode_batch(std::string_view bytes, const Decoded& alone, const EventSchema& schema,
                           std::uint32_t source,
                           const std::function<void(const Decoded&, std::string_view)>& each) {
  switch (batch_.open(bytes)) {
    case SegmentBatch::Outcome::kNone:
      return each(alone, bytes);
    case SegmentBatch::Outcome::kMalformed:
      return each(batch_.take_failure(), bytes);
    case SegmentBatch::Outcome::kBatch:
      break;
  }
  for (std::size_t i = 0; i < batch_.size(); ++i) {
    const std::string_view call = batch_.call(i);
    arena_.reset();  // the calls lie in the record and in the batch
    const Decoded decoded = segment_.decode(call, schema, source, arena_);
    if (std::holds_alternative<Malformed>(decoded) && batch_.is_batch(call)) [[unlikely]] {
      each(Malformed{Reason::kWrongType, "a call of a batch is a batch itself; send it alone"},
           SegmentBatch::alone(call));
    } else {
      each(decoded, call);
    }
  }
}

}  // namespace spur
