// What a decoder is given, and what it makes of one message: an Event, or why it is none.
//
// Bad input is not an error of ours but part of history: a Malformed is journaled and becomes a
// dead letter, so that a replay agrees (style.md C9, "the input"). Whether and why a message is
// refused depends on its bytes and its Source alone: never on what else the catalog in force reads,
// on the machine or on a clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "state/event.h"

namespace spur {

// Why a message was refused. Journaled and counted by its name, which is therefore never changed or
// given a new meaning; the numbers may change.
enum class Reason : std::uint8_t {
  kNotJson,          // NOT_JSON: no JSON document, or more than one
  kTruncated,        // TRUNCATED: JSON that stops in the middle
  kTooLarge,         // TOO_LARGE: the message has more bytes than allowed
  kTooDeep,          // TOO_DEEP: objects and lists inside each other beyond the limit
  kTooManyFields,    // TOO_MANY_FIELDS: an object with too many keys
  kTooManyElements,  // TOO_MANY_ELEMENTS: a list that is too long
  kStringTooLong,    // STRING_TOO_LONG: a text, a key or an id
  kInvalidUtf8,      // INVALID_UTF8: also a lone surrogate such as "\ud83d", which no UTF-8 can say
  kNumberOutOfRange,  // NUMBER_OUT_OF_RANGE: beyond ±1.8e308
  kWrongType,         // WRONG_TYPE: e.g. a list where the envelope wants text
  kMissingType,       // MISSING_TYPE
  kUnknownType,       // UNKNOWN_TYPE: none of the six calls
  kMissingEventName,  // MISSING_EVENT_NAME: a track without `event`
  kMissingIdentity,   // MISSING_IDENTITY: nothing tells whom it is about
  kMissingTimestamp,  // MISSING_TIMESTAMP: nothing to tell the time by
  kBadTimestamp,      // BAD_TIMESTAMP: not RFC 3339, or no such day or second
  kTimeOutOfRange,    // TIME_OUT_OF_RANGE: outside [kInstantMin, kInstantMax], 1970 to 2969
  kEmptyBatch,        // EMPTY_BATCH: a batch without a call
  kMappingFailed,     // MAPPING_FAILED: an expression of the Source's map is in error
  kMissingAttribute,  // MISSING_ATTRIBUTE: of a CloudEvent: id, source, type or specversion
  kBadAttribute,      // BAD_ATTRIBUTE: of a CloudEvent: specversion is not 1.0, data is given twice
  kUnsupportedContent,  // UNSUPPORTED_CONTENT: a CloudEvent whose data or format is not JSON
  kNotProtobuf,         // NOT_PROTOBUF: bytes that are no spur.v1.Event
};
inline constexpr std::size_t kReasonCount = 23;

// "NOT_JSON", "TRUNCATED", …
std::string_view to_text(Reason reason);

struct Malformed {
  Reason reason;
  std::string
      detail;  // one clause for a person, e.g. "`timestamp`: no offset; end it with Z or +hh:mm"
};

using Decoded = std::variant<Event, Malformed>;

// A record as it lies in a log or a file.
struct RawInput {
  std::string_view bytes;
  std::string_view headers = {};                   // packed (headers.h); empty: none
  std::optional<Instant> received = std::nullopt;  // when the log took it
};

// What one message may hold. Chosen above what users already live under (Segment: 32 KB a call),
// and low enough that no message can hold a shard up.
struct InputLimits {
  std::size_t message_bytes_max = 1 << 20;
  std::size_t depth_max = 32;            // the event itself is 1, its properties 2
  std::size_t list_elements_max = 10'000;
  std::size_t object_keys_max = 1'024;
  std::size_t string_bytes_max = 64 * 1024;
  std::size_t key_bytes_max = 256;       // of an object's key
  std::size_t id_bytes_max =
      1'024;  // of userId, anonymousId and messageId, which become keys of the store
  std::size_t batch_calls_max = 2'500;  // of one record; as Segment's own batches
  // What a batch says once, written into each of its calls, all together.
  std::size_t batch_shared_bytes_max = 1 << 20;
};

}  // namespace spur
