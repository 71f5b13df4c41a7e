#include "daemon/inputs/event_parts.h"

#define XXH_INLINE_ALL
#include <fmt/core.h>
#include <xxhash.h>

#include <utility>

#include "daemon/inputs/envelope.h"
#include "daemon/inputs/json_fields.h"

namespace spur {
namespace {

Malformed too_long(std::string_view what, std::size_t size, std::size_t bytes_max) {
  return Malformed{Reason::kStringTooLong,
                   fmt::format("`{}` of {} bytes; at most {} are taken", what, size, bytes_max)};
}

std::optional<Malformed> check(const EventParts& parts, CallType type, const InputLimits& limits) {
  if (type == CallType::kTrack && parts.name.empty())
    return Malformed{Reason::kMissingEventName, "the event has no name"};
  if (parts.user_id.empty() && parts.named_id.empty() && parts.anonymous_id.empty())
    return Malformed{Reason::kMissingIdentity,
                     "nothing tells whom it is about: no identity is there"};
  for (const auto& [what, text] :
       {std::pair{"user_id", parts.user_id}, std::pair{"anonymous_id", parts.anonymous_id},
        std::pair{"id", parts.id}}) {
    if (text.size() > limits.id_bytes_max) return too_long(what, text.size(), limits.id_bytes_max);
  }
  if (parts.name.size() > limits.string_bytes_max)
    return too_long("name", parts.name.size(), limits.string_bytes_max);
  if (!parts.time)
    return Malformed{Reason::kMissingTimestamp, "nothing tells the time of the event"};
  return check_time(*parts.time, "the time of the event");
}

}  // namespace

Decoded make_event(const EventParts& parts, const EventSchema& schema, std::uint32_t source,
                   const InputLimits& limits, Arena& arena) {
  std::string_view name = parts.name;
  CallType type = parts.type;
  if (parts.name_tells_call && name.starts_with('$')) {
    const std::optional<CallType> call = call_named(name);
    if (!call) {
      return Malformed{
          Reason::kUnknownType,
          fmt::format("`{:.40}` is none of $identify, $page, $screen, $group, $alias", name)};
    }
    type = *call;
  }
  // As with a Segment call: `type` says all of these that is to say.
  const bool named =
      type == CallType::kTrack || type == CallType::kPage || type == CallType::kScreen;
  if (type != parts.type || !named) name = {};
  if (auto malformed = check(parts, type, limits)) return *std::move(malformed);
  const std::span<Value> fields = arena.array<Value>(schema.field_count());
  for (const auto& [key, value] :
       {std::pair{"properties", parts.properties}, std::pair{"traits", parts.traits},
        std::pair{"context", parts.context}}) {
    assign_fields(JsonFields::child(schema.root(), key), value, fields);
  }
  Decoded decoded;
  Event& event = std::get<Event>(decoded);
  event.source = source;
  event.type = type;
  event.name = name;
  event.name_index = schema.index_of(type, name);
  event.id = parts.id.empty() ? derived_id({parts.content}, arena) : parts.id;
  event.user_id = parts.user_id;
  event.anonymous_id = parts.anonymous_id;
  event.named_id = parts.named_id;
  event.time = *parts.time;
  event.fields = fields;
  event.traits = parts.traits_set;
  event.content_hash = XXH3_64bits(parts.content.data(), parts.content.size());
  return decoded;
}

}  // namespace spur
