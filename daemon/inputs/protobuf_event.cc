#include "daemon/inputs/protobuf_event.h"

#include <fmt/core.h>
#include <google/protobuf/struct.pb.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "daemon/inputs/envelope.h"
#include "daemon/inputs/event_parts.h"
#include "spur/v1/event.pb.h"

namespace spur {
namespace {

// A protobuf Struct as a Value, within the limits of a message. Views into the message.
class StructReader {
 public:
  StructReader(const InputLimits& limits, Arena& arena) : limits_(limits), arena_(arena) {}

  // `depth` counts as in JSON: the call is 1, its properties are 2.
  Value map(const google::protobuf::Struct& from, std::size_t depth) {
    const auto size = static_cast<std::size_t>(from.fields_size());
    if (too_deep(depth)) return Value::null();
    if (size > limits_.object_keys_max) return fail(Reason::kTooManyFields, "an object", size);
    const std::span<MapEntry> entries = arena_.array<MapEntry>(size);
    std::size_t count = 0;
    for (const auto& [key, value] : from.fields()) {
      if (key.size() > limits_.key_bytes_max)
        return fail(Reason::kStringTooLong, "a key", key.size());
      entries[count++] = {Value::string(key), read(value, depth)};
      if (failure_) return Value::null();
    }
    std::sort(entries.begin(), entries.end(), [](const MapEntry& a, const MapEntry& b) {
      return a.key.as_text() < b.key.as_text();
    });
    return Value::map(entries);
  }

  std::optional<Malformed> take_failure() { return std::move(failure_); }

 private:
  Value fail(Reason reason, std::string_view what, std::size_t size) {
    if (!failure_) failure_ = Malformed{reason, fmt::format("{} of {}", what, size)};
    return Value::null();
  }

  bool too_deep(std::size_t depth) {
    if (depth <= limits_.depth_max) return false;
    fail(Reason::kTooDeep, "objects and lists in one another, a depth", depth);
    return true;
  }

  Value read(const google::protobuf::Value& from, std::size_t depth) {
    switch (from.kind_case()) {
      case google::protobuf::Value::kBoolValue:
        return Value::boolean(from.bool_value());
      case google::protobuf::Value::kNumberValue:
        if (std::isfinite(from.number_value())) return Value::real(from.number_value());
        if (!failure_) failure_ = Malformed{Reason::kNumberOutOfRange, "NaN or infinite"};
        return Value::null();
      case google::protobuf::Value::kStringValue:
        if (from.string_value().size() > limits_.string_bytes_max)
          return fail(Reason::kStringTooLong, "a text", from.string_value().size());
        return Value::string(from.string_value());
      case google::protobuf::Value::kStructValue:
        return map(from.struct_value(), depth + 1);
      case google::protobuf::Value::kListValue:
        return list(from.list_value(), depth + 1);
      case google::protobuf::Value::kNullValue:
      case google::protobuf::Value::KIND_NOT_SET:
        return Value::null();
    }
    return Value::null();
  }

  Value list(const google::protobuf::ListValue& from, std::size_t depth) {
    const auto size = static_cast<std::size_t>(from.values_size());
    if (too_deep(depth)) return Value::null();
    if (size > limits_.list_elements_max) return fail(Reason::kTooManyElements, "a list", size);
    const std::span<Value> values = arena_.array<Value>(size);
    for (std::size_t i = 0; i < size && !failure_; ++i)
      values[i] = read(from.values(static_cast<int>(i)), depth);
    return Value::list(values);
  }

  const InputLimits& limits_;
  Arena& arena_;
  std::optional<Malformed> failure_;
};

std::optional<Malformed> parts_of(const spur::v1::Call& call, const InputLimits& limits,
                                  Arena& arena, EventParts& parts) {
  constexpr std::string_view kWanted = "one of TRACK, IDENTIFY, PAGE, SCREEN, GROUP, ALIAS";
  if (call.type() == spur::v1::Call::UNSPECIFIED)
    return Malformed{Reason::kMissingType, fmt::format("no `type`: {}", kWanted)};
  if (!spur::v1::Call::Type_IsValid(call.type()))
    return Malformed{Reason::kUnknownType,
                     fmt::format("`type` is {}, not {}", static_cast<int>(call.type()), kWanted)};
  static_assert(static_cast<int>(CallType::kTrack) == spur::v1::Call::TRACK &&
                static_cast<int>(CallType::kIdentify) == spur::v1::Call::IDENTIFY &&
                static_cast<int>(CallType::kPage) == spur::v1::Call::PAGE &&
                static_cast<int>(CallType::kScreen) == spur::v1::Call::SCREEN &&
                static_cast<int>(CallType::kGroup) == spur::v1::Call::GROUP &&
                static_cast<int>(CallType::kAlias) == spur::v1::Call::ALIAS);
  parts.type = static_cast<CallType>(call.type());
  parts.name = call.name();
  parts.id = call.message_id();
  parts.user_id = call.user_id();
  parts.anonymous_id = call.anonymous_id();
  if (call.has_timestamp()) {
    const std::int32_t nanos = call.timestamp().nanos();
    if (nanos < 0 || nanos > 999'999'999)
      return Malformed{Reason::kBadTimestamp,
                       fmt::format("`timestamp.nanos` is {}, not 0 to 999,999,999", nanos)};
    // Towards the past; seconds beyond what an event may have are told as such.
    const std::int64_t seconds = std::clamp(call.timestamp().seconds(), kInstantMin.ms / 1000 - 1,
                                            kInstantMax.ms / 1000 + 1);
    parts.time = Value::timestamp(seconds, nanos).as_instant();
  }
  StructReader reader(limits, arena);
  Value traits, context;
  if (call.has_properties()) parts.properties = reader.map(call.properties(), 2);
  if (call.has_traits()) traits = reader.map(call.traits(), 2);
  if (call.has_context()) context = reader.map(call.context(), 2);
  // `traits` of a group call describe the account.
  const Value context_traits = field(context, "traits");
  if (!context_traits.is_absent() && !context_traits.is(Kind::kMap) &&
      !context_traits.is(Kind::kNull))
    return Malformed{Reason::kWrongType, "`context.traits` is not an object"};
  parts.context = context;
  parts.traits = traits;
  parts.traits_set = traits_set_by(
      parts.type, traits, context_traits.is(Kind::kMap) ? context_traits : Value::absent(), arena);
  return reader.take_failure();
}

}  // namespace

struct ProtobufDecoder::Message {
  spur::v1::Event event;
};

ProtobufDecoder::ProtobufDecoder(const InputLimits& limits)
    : limits_(limits), message_(std::make_unique<Message>()) {}
ProtobufDecoder::~ProtobufDecoder() = default;

Decoded ProtobufDecoder::decode(std::string_view bytes, SegmentDecoder& segment,
                                const EventSchema& schema, std::uint32_t source, Arena& arena) {
  if (bytes.starts_with('{')) return segment.decode(bytes, schema, source, arena);
  if (bytes.size() > limits_.message_bytes_max) {
    return Malformed{Reason::kTooLarge, fmt::format("{} bytes; at most {} are taken", bytes.size(),
                                                    limits_.message_bytes_max)};
  }
  spur::v1::Event& event = message_->event;
  if (!event.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return Malformed{Reason::kNotProtobuf, "the bytes are no spur.v1.Event"};
  if (!event.has_call()) {
    if (event.json().empty())
      return Malformed{Reason::kNotProtobuf, "a spur.v1.Event with neither `call` nor `json`"};
    return segment.decode(event.json(), schema, source, arena);
  }
  EventParts parts;
  parts.content = bytes;
  if (auto malformed = parts_of(event.call(), limits_, arena, parts)) return *std::move(malformed);
  return make_event(parts, schema, source, limits_, arena);
}

}  // namespace spur
