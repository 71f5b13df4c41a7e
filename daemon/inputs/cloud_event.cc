#include "daemon/inputs/cloud_event.h"

#include <fmt/core.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "daemon/inputs/envelope.h"
#include "daemon/inputs/event_parts.h"
#include "daemon/inputs/headers.h"
#include "daemon/inputs/json_fields.h"
#include "daemon/inputs/mapped_json.h"
#include "daemon/inputs/structural_index.h"

namespace spur {
namespace {

constexpr std::string_view kStructured = "application/cloudevents";

absl::string_view absl_view(std::string_view text) { return {text.data(), text.size()}; }

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return absl::EqualsIgnoreCase(absl_view(a), absl_view(b));
}

// "application/json; charset=utf-8" without what follows the type.
std::string_view media_type(std::string_view text) {
  text = text.substr(0, text.find(';'));
  const absl::string_view bare = absl::StripAsciiWhitespace(absl_view(text));
  return {bare.data(), bare.size()};
}

bool is_json(std::string_view content_type) {
  const absl::string_view type = absl_view(media_type(content_type));
  return absl::EndsWithIgnoreCase(type, "/json") || absl::EndsWithIgnoreCase(type, "+json");
}

// Reads one event: first the whole of it as `body`, in the structured form, then what it means.
class Reading {
 public:
  Reading(JsonReader& reader, const InputLimits& limits, Arena& arena)
      : reader_(reader), limits_(limits), arena_(arena) {}

  bool structured(std::string_view bytes) {
    content_ = bytes;
    Token at = reader_.open_object(bytes, "a CloudEvent");
    if (at != nullptr) at = reader_.read(at, arena_, body_);
    if (at == nullptr || !reader_.finish(at)) return wrong();
    return decode_base64();
  }

  bool binary(std::string_view headers, std::string_view value) {
    binary_ = true;
    content_ = value;
    std::vector<MapEntry> entries;
    bool good = true;
    for_each_header(headers, [&](std::string_view name, std::string_view text) {
      good = good && attribute(name, text, entries);
    });
    if (!good) return false;
    if (!value.empty()) {
      Value data;
      if (!is_read(field_of(entries, "datacontenttype")) || !read_data(value, data)) return false;
      entries.push_back({Value::string("data"), data});
    }
    const std::span<MapEntry> kept = arena_.array<MapEntry>(entries.size());
    std::copy(entries.begin(), entries.end(), kept.begin());
    body_ = Value::map(kept);
    return true;
  }

  bool parts(const catalog::Mapping* map, std::optional<Instant> received, EventParts& parts) {
    const std::string_view version = text("specversion"), id = text("id"), source = text("source");
    parts.name = text("type");
    parts.user_id = text("subject");
    const std::string_view time = text("time"), content_type = text("datacontenttype");
    if (failure_) return false;
    for (const auto& [name, value] : {std::pair{"specversion", version}, std::pair{"id", id},
                                      std::pair{"source", source}, std::pair{"type", parts.name}}) {
      if (value.empty())
        return fail(Reason::kMissingAttribute, fmt::format("a CloudEvent without `{}`", name));
    }
    if (version != "1.0")
      return fail(Reason::kBadAttribute,
                  fmt::format("`specversion` is `{:.40}`, not 1.0", version));
    parts.name_tells_call = true;
    parts.id = arena_.copy(fmt::format("{} {}", source, id));
    // In binary mode most of an event stands in its attributes: another `id` or `type` is another
    // event, whatever a map makes of them.
    parts.content = binary_ ? arena_.copy(fmt::format("{}\n{} {}\n{}", parts.id, parts.name,
                                                      parts.user_id, content_))
                            : content_;
    parts.time = received;
    if (!time.empty()) {
      Instant read;
      if (auto malformed = read_time(time, read)) return fail(*std::move(malformed));
      parts.time = read;
    }
    if (map != nullptr && !mapped(*map, parts)) return false;
    if (map == nullptr || map->properties.empty()) return data_as_properties(content_type, parts);
    return true;
  }

  Malformed take_failure() { return *std::move(failure_); }

 private:
  using Token = JsonReader::Token;

  bool fail(Malformed malformed) {
    if (!failure_) failure_ = std::move(malformed);
    return false;
  }
  bool fail(Reason reason, std::string detail) {
    return fail(Malformed{reason, std::move(detail)});
  }
  bool wrong() { return fail(reader_.take_failure()); }

  static std::string_view field_of(const std::vector<MapEntry>& entries, std::string_view key) {
    for (const MapEntry& entry : entries) {
      if (entry.key.as_text() == key) return entry.value.as_text();
    }
    return {};
  }

  // A header as an attribute; others are passed over. The first of a name counts.
  bool attribute(std::string_view name, std::string_view value, std::vector<MapEntry>& entries) {
    if (equal_ignoring_case(name, "content-type")) {
      name = "datacontenttype";
    } else if (absl::StartsWith(absl_view(name), "ce_")) {
      name.remove_prefix(3);
    } else {
      return true;
    }
    if (!StructuralIndex::is_utf8(name) || !StructuralIndex::is_utf8(value))
      return fail(Reason::kInvalidUtf8, "a header is not UTF-8");
    if (value.size() > limits_.string_bytes_max || name.size() > limits_.key_bytes_max)
      return fail(Reason::kStringTooLong, fmt::format("a header of {} bytes", value.size()));
    if (name == "data" || !field_of(entries, name).empty()) return true;
    if (entries.size() == limits_.object_keys_max)
      return fail(Reason::kTooManyFields, fmt::format("more than {} attributes", entries.size()));
    entries.push_back({Value::string(name), Value::string(value)});
    return true;
  }

  // Whether data of this media type is read; without one it is taken to be JSON.
  bool is_read(std::string_view content_type) {
    return content_type.empty() || is_json(content_type) ||
           fail(Reason::kUnsupportedContent,
                fmt::format("the data is `{:.60}`; JSON is read", content_type));
  }

  bool read_data(std::string_view bytes, Value& data) {
    Token at = reader_.open(bytes);
    if (at != nullptr) at = reader_.read(at, arena_, data);
    return (at != nullptr && reader_.finish(at)) || wrong();
  }

  // Binary data in the JSON format. Without a media type nothing says that it is JSON.
  bool decode_base64() {
    const Value encoded = field(body_, "data_base64");
    if (encoded.is_absent() || encoded.is(Kind::kNull)) return true;
    const Value data = field(body_, "data");
    if (!data.is_absent() && !data.is(Kind::kNull))
      return fail(Reason::kBadAttribute, "both `data` and `data_base64`");
    const Value type = field(body_, "datacontenttype");
    if (!type.is(Kind::kString) || !is_json(type.as_text()))
      return fail(Reason::kUnsupportedContent, "`data_base64` of no JSON media type");
    std::string bytes;
    if (!encoded.is(Kind::kString) || !absl::Base64Unescape(absl_view(encoded.as_text()), &bytes))
      return fail(Reason::kWrongType, "`data_base64` is not base64");
    Value decoded;
    if (!read_data(arena_.copy(bytes), decoded)) return false;
    const std::span<const MapEntry> old = body_.entries();
    const std::span<MapEntry> all = arena_.array<MapEntry>(old.size() + 1);
    all[0] = {Value::string("data"), decoded};
    std::copy(old.begin(), old.end(), all.begin() + 1);
    body_ = Value::map(all);
    return true;
  }

  // An attribute that the specification calls a string; empty for none.
  std::string_view text(std::string_view name) {
    const Value value = field(body_, name);
    if (value.is(Kind::kString)) return value.as_text();
    if (!value.is_absent() && !value.is(Kind::kNull))
      fail(Reason::kWrongType, fmt::format("`{}` is not a text", name));
    return {};
  }

  bool mapped(const catalog::Mapping& map, EventParts& parts) {
    const std::span<Value> fields = arena_.array<Value>(map.body.field_count());
    assign_fields(JsonFields::child(map.body.root(), "body"), body_, fields);
    if (auto malformed = apply_map(map, fields, limits_, arena_, parts))
      return fail(*std::move(malformed));
    return true;
  }

  bool data_as_properties(std::string_view content_type, EventParts& parts) {
    const Value data = field(body_, "data");
    if (data.is_absent() || data.is(Kind::kNull)) return true;
    if (!is_read(content_type)) return false;
    if (!data.is(Kind::kMap)) {
      return fail(Reason::kWrongType,
                  "`data` is not an object; say in the Source's `map` what the properties are");
    }
    parts.properties = data;
    return true;
  }

  JsonReader& reader_;
  const InputLimits& limits_;
  Arena& arena_;
  bool binary_ = false;
  std::string_view content_;  // the record's value
  Value body_;
  std::optional<Malformed> failure_;
};

struct Mode {
  bool binary = false;
  std::string_view unread;  // a structured format that is not JSON
};

Mode mode_of(std::string_view headers) {
  std::string_view content_type;
  bool versioned = false;
  for_each_header(headers, [&](std::string_view name, std::string_view value) {
    if (equal_ignoring_case(name, "content-type")) content_type = media_type(value);
    if (name == "ce_specversion") versioned = true;
  });
  if (!absl::StartsWithIgnoreCase(absl_view(content_type), absl_view(kStructured)))
    return {versioned, {}};
  const bool json = equal_ignoring_case(content_type, kStructured) ||
                    equal_ignoring_case(content_type, "application/cloudevents+json");
  return {false, json ? std::string_view() : content_type};
}

// A header is any bytes, and what is said of it goes into a text.
Malformed unreadable(std::string_view content_type) {
  if (!StructuralIndex::is_utf8(content_type))
    return {Reason::kInvalidUtf8, "the content-type is not UTF-8"};
  return {Reason::kUnsupportedContent,
          fmt::format("`{:.60}`; a CloudEvent is read as application/cloudevents+json, or in "
                      "binary mode",
                      content_type)};
}

}  // namespace

Decoded CloudEventDecoder::decode(const RawInput& record, const catalog::Mapping* map,
                                  const EventSchema& schema, std::uint32_t source, Arena& arena) {
  const Mode mode = mode_of(record.headers);
  if (!mode.unread.empty()) return unreadable(mode.unread);
  Reading reading(reader_, limits_, arena);
  const bool read =
      mode.binary ? reading.binary(record.headers, record.bytes) : reading.structured(record.bytes);
  EventParts parts;
  if (!read || !reading.parts(map, record.received, parts)) return reading.take_failure();
  return make_event(parts, schema, source, limits_, arena);
}

}  // namespace spur
