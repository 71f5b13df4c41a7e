#include "daemon/inputs/mapped_json.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "daemon/inputs/envelope.h"
#include "daemon/inputs/json_fields.h"
#include "daemon/inputs/json_value.h"
#include "state/aggregates/key_text.h"

namespace spur {
namespace {

using expression::Program;

constexpr std::size_t kPropertyDepth = 2;  // what a property lies in: the event, and its properties

class BodySlots final : public expression::Slots {
 public:
  BodySlots(const catalog::Mapping& map, std::span<const Value> fields)
      : map_(map), fields_(fields) {}
  Value load(std::uint32_t slot) override { return fields_[map_.slots[slot]]; }

 private:
  const catalog::Mapping& map_;
  std::span<const Value> fields_;
};

// Asks the programs of one map about one body. The first thing wrong ends it.
class Mapped {
 public:
  Mapped(const catalog::Mapping& map, std::span<const Value> fields, const InputLimits& limits,
         Arena& arena)
      : map_(map), slots_(map, fields), limits_(limits), arena_(arena) {}

  std::optional<Malformed> run(EventParts& parts) {
    const bool identified = map_.user_id || map_.anonymous_id || !map_.named_ids.empty();
    if (identified) parts.user_id = parts.anonymous_id = {};
    if (map_.id) parts.id = key("id", *map_.id);
    if (map_.user_id) parts.user_id = key("identities.user_id", *map_.user_id);
    if (map_.anonymous_id) parts.anonymous_id = key("identities.anonymous_id", *map_.anonymous_id);
    for (const catalog::Mapping::Named& named : map_.named_ids) named_id(named, parts);
    if (map_.name) parts.name = text("name", *map_.name);
    if (map_.time) time(parts);
    if (!map_.properties.empty()) parts.properties = all("properties", map_.properties);
    if (!map_.traits.empty()) parts.traits = parts.traits_set = all("traits", map_.traits);
    return std::move(failure_);
  }

 private:
  // `in`: of what in a list, with a dot behind.
  void fail(Reason reason, std::string_view what, std::string_view detail,
            std::string_view in = {}) {
    if (!failure_) failure_ = Malformed{reason, fmt::format("map.{}{}: {}", in, what, detail)};
  }

  // Absent for null and for an optional that is none.
  Value ask(std::string_view what, const Program& program, Reason if_error = Reason::kMappingFailed,
            std::string_view in = {}) {
    Value value = program.evaluate(slots_, arena_);
    if (value.is(Kind::kOptional))
      value = value.optional_value() == nullptr ? Value::absent() : *value.optional_value();
    if (value.is_error()) fail(if_error, what, value.as_text(), in);
    return value.is(Kind::kNull) || value.is_error() ? Value::absent() : value;
  }

  // A text, or a number as a key.
  std::string_view key(std::string_view what, const Program& program, std::string_view in = {}) {
    const Value value = ask(what, program, Reason::kMappingFailed, in);
    if (value.is_absent()) return {};
    const bool fits = value.is(Kind::kString) || value.is_number();
    const std::optional<std::string_view> text =
        fits ? key_text(value, arena_) : std::optional<std::string_view>();
    if (!text) fail(Reason::kWrongType, what, "neither a text nor a number", in);
    return text.value_or("");
  }

  std::string_view text(std::string_view what, const Program& program) {
    const Value value = ask(what, program);
    if (value.is_absent()) return {};
    if (value.is(Kind::kString)) return value.as_text();
    fail(Reason::kWrongType, what, "not a text");
    return {};
  }

  // Cut to the millisecond towards the past, after what a calculation with a double may have lost of
  // a microsecond: duration('1s') * 1772350200.25.
  static Instant instant_of(const Value& timestamp) {
    const std::int64_t micros = (timestamp.nanos() + 500) / 1000;
    return Instant{timestamp.seconds() * 1000 + micros / 1000};
  }

  void time(EventParts& parts) {
    // timestamp('yesterday') is the text's fault, not the map's.
    const Value value = ask("time", *map_.time, Reason::kBadTimestamp);
    parts.time.reset();
    if (value.is(Kind::kTimestamp)) {
      parts.time = instant_of(value);
    } else if (value.is(Kind::kString)) {
      Instant read;
      if (auto malformed = read_time(value.as_text(), read)) {
        if (!failure_) failure_ = *std::move(malformed);
      }
      parts.time = read;
    } else if (!value.is_absent()) {
      fail(Reason::kBadTimestamp, "time", "neither a timestamp nor RFC 3339 text");
    }
  }

  // Asked and checked also where a stronger one is there: what is refused depends on the record
  // alone.
  void named_id(const catalog::Mapping::Named& named, EventParts& parts) {
    constexpr std::string_view kIn = "identities.";
    const std::string_view value = key(named.name, named.program, kIn);
    if (value.size() > limits_.id_bytes_max) {
      fail(Reason::kStringTooLong, named.name,
           fmt::format("{} bytes; at most {} are taken", value.size(), limits_.id_bytes_max), kIn);
    }
    if (value.empty() || !parts.named_id.empty()) return;
    const std::span<char> text = arena_.array<char>(named.name.size() + 1 + value.size());
    char* end = std::copy(named.name.begin(), named.name.end(), text.data());
    *end++ = ':';
    std::copy(value.begin(), value.end(), end);
    parts.named_id = {text.data(), text.size()};
  }

  // A map of what `named` gives; what is none is left out.
  Value all(std::string_view key, const std::vector<catalog::Mapping::Named>& named) {
    if (named.front().name.empty()) return whole(key, named.front().program);
    const std::span<MapEntry> entries = arena_.array<MapEntry>(named.size());
    std::size_t count = 0;
    for (const catalog::Mapping::Named& one : named) {
      if (failure_) break;
      Value value = one.program.evaluate(slots_, arena_);
      if (auto malformed = make_json(value, kPropertyDepth, limits_, arena_))
        fail(malformed->reason, fmt::format("{}.{}", key, one.name), malformed->detail);
      if (!value.is_absent()) entries[count++] = {Value::string(one.name), value};
    }
    return Value::map(entries.first(count));
  }

  Value whole(std::string_view key, const Program& program) {
    Value value = ask(key, program);
    if (failure_ || value.is_absent()) return value;
    if (!value.is(Kind::kMap)) {
      fail(Reason::kWrongType, key, "not a map");
      return Value::absent();
    }
    if (auto malformed = make_json(value, kPropertyDepth - 1, limits_, arena_))
      fail(malformed->reason, key, malformed->detail);
    return value;
  }

  const catalog::Mapping& map_;
  BodySlots slots_;
  const InputLimits& limits_;
  Arena& arena_;
  std::optional<Malformed> failure_;
};

}  // namespace

std::optional<Malformed> apply_map(const catalog::Mapping& map, std::span<const Value> fields,
                                   const InputLimits& limits, Arena& arena, EventParts& parts) {
  return Mapped(map, fields, limits, arena).run(parts);
}

Decoded MappedJsonDecoder::decode(std::string_view bytes, const catalog::Mapping& map,
                                  const EventSchema& schema, std::uint32_t source, Arena& arena) {
  JsonReader::Token at = reader_.open_object(bytes, "an event");
  if (at == nullptr) return reader_.take_failure();
  JsonFields fields(reader_, arena, arena.array<Value>(map.body.field_count()));
  at = fields.take(at, JsonFields::child(map.body.root(), "body"));
  if (at == nullptr || !reader_.finish(at)) return reader_.take_failure();
  EventParts parts;
  parts.content = bytes;
  parts.name_tells_call = true;
  if (auto malformed = apply_map(map, fields.fields(), limits_, arena, parts))
    return *std::move(malformed);
  return make_event(parts, schema, source, limits_, arena);
}

}  // namespace spur
