#include "state/codec/event_codec.h"

#include "state/codec/byte_io.h"
#include "state/codec/value_codec.h"

namespace spur {
namespace {

// The first byte. A whole event that has an identity of another kind than the two has one text
// more; those without stay as they are.
constexpr std::uint8_t kWhole = 1, kBrief = 2, kWholeNamed = 3;

void write_envelope(const Event& event, std::uint64_t source_key, ByteWriter& out) {
  SPUR_CHECK(event.time >= kInstantMin && event.time <= kInstantMax);
  out.u8(event.named_id.empty() ? kWhole : kWholeNamed);
  out.u8(static_cast<std::uint8_t>(event.type));
  out.varint(static_cast<std::uint64_t>(event.time.ms));
  out.fixed64(source_key);
  out.fixed64(event.content_hash);
  out.text(event.name);
  out.text(event.id);
  out.text(event.user_id);
  out.text(event.anonymous_id);
  if (!event.named_id.empty()) out.text(event.named_id);
}

void write_field(const Event& event, const EventSchema& schema, EventSchema::FieldIndex index,
                 ByteWriter& out) {
  out.fixed32(schema.path_hash(index));
  write_value(event.fields[index], out);
}

bool has_field(const Event& event, EventSchema::FieldIndex index) {
  return index < event.fields.size() && !event.fields[index].is_absent();
}

// Where `hash` stands in the schema, or field_count(). Fields were stored in the order of their
// schema, so under the same one the search ends at once.
EventSchema::FieldIndex find_field(const EventSchema& schema, std::uint32_t hash,
                                   EventSchema::FieldIndex from) {
  const auto count = static_cast<EventSchema::FieldIndex>(schema.field_count());
  for (EventSchema::FieldIndex i = from; i < count; ++i) {
    if (schema.path_hash(i) == hash) return i;
  }
  for (EventSchema::FieldIndex i = 0; i < from && i < count; ++i) {
    if (schema.path_hash(i) == hash) return i;
  }
  return count;
}

std::string_view read_name(ByteReader& in) {
  const std::string_view text = in.text();
  if (!is_utf8(text)) in.fail();
  return text;
}

void read_fields(const EventSchema& schema, ByteReader& in, Event& event, Arena& arena) {
  const std::span<Value> fields = arena.array<Value>(schema.field_count());
  EventSchema::FieldIndex next = 0;
  for (std::size_t left = in.count(5); left != 0 && in.ok(); --left) {
    const std::uint32_t hash = in.fixed32();
    const Value value = read_value(in, arena);
    const EventSchema::FieldIndex index = find_field(schema, hash, next);
    if (index >= fields.size()) continue;  // a path that this catalog does not read
    fields[index] = value;
    next = index + 1;
  }
  event.fields = fields;
}

}  // namespace

void encode_event(const Event& event, const EventSchema& schema, std::uint64_t source_key,
                  std::string& out) {
  ByteWriter writer(out);
  write_envelope(event, source_key, writer);
  std::size_t count = 0;
  for (std::size_t i = 0; i < event.fields.size(); ++i)
    count += event.fields[i].is_absent() ? 0 : 1;
  writer.varint(count);
  for (EventSchema::FieldIndex i = 0; i < event.fields.size(); ++i) {
    if (has_field(event, i)) write_field(event, schema, i, writer);
  }
  write_value(event.traits, writer);
}

void encode_brief(const Event& event, const EventSchema& schema,
                  std::span<const EventSchema::FieldIndex> kept, std::string& out) {
  SPUR_CHECK(event.time >= kInstantMin && event.time <= kInstantMax);
  ByteWriter writer(out);
  writer.u8(kBrief);
  writer.u8(static_cast<std::uint8_t>(event.type));
  writer.varint(static_cast<std::uint64_t>(event.time.ms));
  writer.text(event.name);
  writer.text(event.id);
  std::size_t count = 0;
  for (const EventSchema::FieldIndex index : kept) count += has_field(event, index) ? 1 : 0;
  writer.varint(count);
  for (const EventSchema::FieldIndex index : kept) {
    if (has_field(event, index)) write_field(event, schema, index, writer);
  }
}

std::optional<StoredEvent> decode_event(std::string_view bytes, const EventSchema& schema,
                                        Arena& arena) {
  ByteReader in(arena.copy(bytes));
  const std::uint8_t form = in.u8();
  if (form < kWhole || form > kWholeNamed) return std::nullopt;
  const bool whole = form != kBrief;
  StoredEvent stored;
  Event& event = stored.event;
  const std::uint8_t type = in.u8();
  if (type < static_cast<std::uint8_t>(CallType::kTrack) ||
      type > static_cast<std::uint8_t>(CallType::kAlias))
    in.fail();
  event.type = static_cast<CallType>(type);
  event.time = {
      static_cast<std::int64_t>(in.varint_max(static_cast<std::uint64_t>(kInstantMax.ms)))};
  if (whole) {
    stored.source_key = in.fixed64();
    event.content_hash = in.fixed64();
  }
  event.name = read_name(in);
  event.id = read_name(in);
  if (whole) {
    event.user_id = read_name(in);
    event.anonymous_id = read_name(in);
    if (form == kWholeNamed) {
      event.named_id = read_name(in);
      if (!stored_kind(static_cast<std::uint32_t>(IdentityKind::kNamed), event.named_id)) in.fail();
    }
  }
  if (!in.ok()) return std::nullopt;
  event.name_index = schema.index_of(event.type, event.name);
  read_fields(schema, in, event, arena);
  event.traits = whole ? read_value(in, arena) : Value::absent();
  if (!in.done()) return std::nullopt;
  return stored;
}

}  // namespace spur
