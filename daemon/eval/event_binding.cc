#include "daemon/eval/event_binding.h"

#include <utility>
#include <variant>

#include "operators/catalog/compile_context.h"

namespace spur::eval {
namespace {

constexpr EventSchema::FieldIndex kProperties = 0, kContext = 1, kTraits = 2;

}  // namespace

expression::Environment trigger_environment(bool with_event) {
  const spur::v1::Catalog none;
  const catalog::SourceMap nowhere;
  catalog::Compiled compiled;
  std::vector<catalog::Error> errors, warnings;
  const catalog::CompileContext context{none, nowhere, compiled, errors, warnings, {}};
  catalog::Place place{.event = with_event, .instance = with_event, .opened = with_event};
  place.why_no_event = "there is no event here; give one with --event FILE";
  expression::Environment environment = context.environment(place);
  for (const char* name : {"features", "before", "sessions", "models"}) {
    environment.declare_unavailable(
        name, "`" + std::string(name) +
                  "` come from a catalog and a customer's history; try them in a trigger test");
  }
  return environment;
}

std::string EventBinding::take(std::string bytes) {
  bytes_ = std::move(bytes);
  schema_ = EventSchema();
  schema_.add_field({"properties"});
  schema_.add_field({"context"});
  schema_.add_field({"traits"});
  SegmentDecoder decoder;
  Decoded decoded = decoder.decode(bytes_, schema_, 0, arena_);
  if (const auto* malformed = std::get_if<Malformed>(&decoded)) {
    return std::string(to_text(malformed->reason)) + ": " + malformed->detail;
  }
  event_ = std::get<Event>(decoded);
  taken_ = true;
  return "";
}

Value EventBinding::load(std::uint32_t slot) {
  const expression::Reference& reference = references_[slot];
  std::string_view name = reference.variable;
  if (!taken_) return expression::select(Value::absent(), reference.path);
  if (name == "now") return Value::timestamp(event_.time);
  if (name == "segments") return Value::map(std::span<const MapEntry>());
  if (name == "traits") {
    const Value none = Value::map(std::span<const MapEntry>());
    return expression::select(event_.traits.is_absent() ? none : event_.traits, reference.path);
  }
  if (name == "instance.key") return Value::string("");
  if (name == "instance.count") return Value::integer(1);
  if (name == "instance.opened_at") return Value::timestamp(event_.time);
  if (name.starts_with("instance.opened.")) {
    name.remove_prefix(std::string_view("instance.opened.").size());
  } else if (name.starts_with("event.")) {
    name.remove_prefix(std::string_view("event.").size());
  } else {
    return expression::select(Value::absent(), reference.path);
  }
  if (name == "id") return Value::string(event_.id);
  if (name == "name") return Value::string(event_.name);
  if (name == "type") return Value::string(to_text(event_.type));
  if (name == "time") return Value::timestamp(event_.time);
  const EventSchema::FieldIndex field = name == "properties" ? kProperties
                                        : name == "context"  ? kContext
                                                             : kTraits;
  return expression::select(event_.fields[field], reference.path);
}

}  // namespace spur::eval
