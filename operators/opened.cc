#include "operators/opened.h"

#include <new>

#include "state/codec/byte_io.h"
#include "state/codec/event_codec.h"
#include "state/codec/value_codec.h"

namespace spur {

void encode_opened(const Event& event, const EventSchema& schema, const std::vector<EventSchema::FieldIndex>& fields,
                   const Value& item, std::string& out) {
  out.clear();
  std::string element;
  if (!item.is_absent()) encode_value(item, element);
  ByteWriter(out).text(element);
  encode_brief(event, schema, fields, out);
}

std::optional<Opened> decode_opened(std::string_view bytes, const EventSchema& schema, Arena& arena) {
  if (bytes.empty()) return std::nullopt;
  ByteReader in(bytes);
  const std::string_view element = in.text();
  if (!in.ok()) return std::nullopt;
  Opened opened;
  if (!element.empty()) {
    const std::optional<Value> item = decode_value(element, arena);
    if (!item) return std::nullopt;
    opened.item = *item;
  }
  const std::optional<StoredEvent> stored = decode_event(in.rest(), schema, arena);
  if (!stored) return std::nullopt;
  opened.event = new (arena.allocate(sizeof(Event))) Event(stored->event);
  return opened;
}

std::string opened_event_id(std::string_view bytes, const EventSchema& schema, Arena& arena) {
  const std::optional<Opened> opened = decode_opened(bytes, schema, arena);
  return opened ? std::string(opened->event->id) : std::string();
}

}  // namespace spur
