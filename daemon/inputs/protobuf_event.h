// spur.v1.Event as bytes, the native form: a topic of it is written by producers that have
// proto/spur/v1/event.proto. Its `call` is the Segment call as a message, its `json` the same as
// text.
//
// A value that begins with { is that JSON itself, which no Event can begin with: so files of lines
// (backtest, publish) and Publish write the calls of such a Source as those of any other.
//
// What `call` must have is what a Segment call must have. Numbers are doubles, as protobuf's Struct
// has them; keys come in byte order, since a protobuf map has none.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "daemon/inputs/decoded.h"
#include "daemon/inputs/segment.h"
#include "state/arena.h"
#include "state/event.h"

namespace spur {

class ProtobufDecoder {
 public:
  explicit ProtobufDecoder(const InputLimits& limits = {});
  ~ProtobufDecoder();

  // As SegmentDecoder::decode, but that the event's text may also point into the decoder, and is
  // good until the next.
  Decoded decode(std::string_view bytes, SegmentDecoder& segment, const EventSchema& schema,
                 std::uint32_t source, Arena& arena);

 private:
  struct Message;  // so that nobody needs protobuf to include this

  InputLimits limits_;
  std::unique_ptr<Message> message_;
};

}  // namespace spur
