#include "daemon/eval/cel_json.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include "absl/strings/escaping.h"
#include "operators/expression/calendar.h"
#include "operators/expression/containers.h"
#include "operators/expression/text.h"

namespace spur::eval {
namespace {

using expression::Type;

constexpr std::string_view kTimestampUrl = "type.googleapis.com/google.protobuf.Timestamp";
constexpr std::string_view kDurationUrl = "type.googleapis.com/google.protobuf.Duration";

std::string_view text_of(const Value& json) {
  return json.is(Kind::kString) ? json.as_text() : std::string_view();
}

// Of a JSON number, or of a whole number in quotes, as proto3 JSON writes those of 64 bits.
template <typename Number>
std::optional<Number> whole(const Value& json) {
  if (json.is(Kind::kString)) {
    const std::string_view text = json.as_text();
    Number number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
  }
  if (json.is(Kind::kInt)) return static_cast<Number>(json.as_int());
  if (json.is(Kind::kUint)) return static_cast<Number>(json.as_uint());
  if (!json.is(Kind::kDouble) || json.as_double() != std::trunc(json.as_double())) {
    return std::nullopt;
  }
  if (std::fabs(json.as_double()) > 9007199254740992.0) return std::nullopt;
  return static_cast<Number>(json.as_double());
}

std::optional<double> real(const Value& json) {
  if (json.is(Kind::kDouble)) return json.as_double();
  if (json.is(Kind::kInt)) return static_cast<double>(json.as_int());
  if (json.is(Kind::kUint)) return static_cast<double>(json.as_uint());
  const std::string_view word = text_of(json);
  if (word == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (word == "Infinity") return std::numeric_limits<double>::infinity();
  if (word == "-Infinity") return -std::numeric_limits<double>::infinity();
  return std::nullopt;
}

Value read_bytes(const Value& json, Arena& arena) {
  std::string bytes;
  if (!json.is(Kind::kString) ||
      !absl::Base64Unescape({json.as_text().data(), json.as_text().size()}, &bytes)) {
    return Value::error("bytesValue is no base64");
  }
  return Value::bytes(arena.copy(bytes));
}

Value read_list(const Value& json, Arena& arena) {
  const Value values = member(json, "values");
  if (!values.is(Kind::kList)) return Value::list({});
  const std::span<Value> list = arena.array<Value>(values.elements().size());
  for (std::size_t i = 0; i < list.size(); ++i) {
    list[i] = read_cel_value(values.elements()[i], arena);
    if (list[i].is_error()) return list[i];
  }
  return Value::list(list);
}

Value read_map(const Value& json, Arena& arena) {
  const Value entries = member(json, "entries");
  if (!entries.is(Kind::kList)) return Value::map(std::span<const MapEntry>());
  const std::span<MapEntry> map = arena.array<MapEntry>(entries.elements().size());
  for (std::size_t i = 0; i < map.size(); ++i) {
    const Value& entry = entries.elements()[i];
    map[i] = {read_cel_value(member(entry, "key"), arena),
              read_cel_value(member(entry, "value"), arena)};
    if (map[i].key.is_error()) return map[i].key;
    if (map[i].value.is_error()) return map[i].value;
    if (!expression::can_be_key(map[i].key.kind())) {
      return Value::error("a key of mapValue must be a bool, int, uint or string");
    }
  }
  return Value::map(std::span<const MapEntry>(map));
}

// A protobuf message that has a CEL value: the two of time.
Value read_object(const Value& json) {
  const std::string_view type = text_of(member(json, "@type"));
  const std::string_view text = text_of(member(json, "value"));
  if (type == kTimestampUrl) return expression::parse_timestamp(text);
  if (type == kDurationUrl) return expression::parse_duration(text, false);
  return Value::error("objectValue: no messages here but Timestamp and Duration");
}

Type primitive(std::string_view name) {
  if (name == "BOOL") return Type::boolean();
  if (name == "INT64") return Type::integer();
  if (name == "UINT64") return Type::unsigned_integer();
  if (name == "DOUBLE") return Type::real();
  if (name == "STRING") return Type::string();
  if (name == "BYTES") return Type::bytes();
  return Type::dyn();
}

Type abstract(const Value& json) {
  std::vector<Type> parameters;
  const Value types = member(json, "parameterTypes");
  if (types.is(Kind::kList)) {
    for (const Value& type : types.elements()) parameters.push_back(read_cel_type(type));
  }
  const std::string name(text_of(member(json, "name")));
  if (name != "optional_type") return Type::abstract(name, std::move(parameters));
  return Type::optional(parameters.empty() ? Type::dyn() : parameters[0]);
}

void append_member(std::string* out, std::string_view key, std::string_view json) {
  *out += "{\"";
  *out += key;
  *out += "\":";
  *out += json;
  *out += '}';
}

std::string in_quotes(std::string_view text) {
  std::string quoted;
  expression::append_json_string(&quoted, text);
  return quoted;
}

std::string double_json(double d) {
  if (d == 0 && std::signbit(d)) return "-0.0";  // a JSON reader takes -0 for the int 0
  const std::string text = expression::double_text(d);
  return std::isfinite(d) ? text : in_quotes(text);
}

void append_list(std::string* out, const Value& value) {
  *out += "{\"listValue\":{";
  if (!value.elements().empty()) {
    *out += "\"values\":";
    char before = '[';
    for (const Value& element : value.elements()) {
      *out += before;
      append_cel_value(out, element);
      before = ',';
    }
    *out += ']';
  }
  *out += "}}";
}

void append_map(std::string* out, const Value& value) {
  *out += "{\"mapValue\":{";
  char before = '[';
  expression::MapCursor cursor(value);
  while (cursor.next()) {
    if (before == '[') *out += "\"entries\":";
    *out += before;
    *out += "{\"key\":";
    append_cel_value(out, cursor.key());
    *out += ",\"value\":";
    append_cel_value(out, cursor.value());
    *out += '}';
    before = ',';
  }
  if (before == ',') *out += ']';
  *out += "}}";
}

void append_object(std::string* out, std::string_view url, const std::string& text) {
  *out += "{\"objectValue\":{\"@type\":\"";
  *out += url;
  *out += "\",\"value\":";
  *out += in_quotes(text);
  *out += "}}";
}

}  // namespace

Value member(const Value& object, std::string_view key) {
  if (!object.is(Kind::kMap)) return Value::absent();
  for (const MapEntry& entry : object.entries()) {
    if (entry.key.is(Kind::kString) && entry.key.as_text() == key) return entry.value;
  }
  return Value::absent();
}

Value read_cel_value(const Value& json, Arena& arena) {
  if (!json.is(Kind::kMap) || json.entries().size() != 1) {
    return Value::error("not a value as cel.expr.Value writes it, e.g. {\"int64Value\": \"7\"}");
  }
  const std::string_view kind = json.entries()[0].key.as_text();
  const Value& inner = json.entries()[0].value;
  if (kind == "nullValue") return Value::null();
  if (kind == "listValue") return read_list(inner, arena);
  if (kind == "mapValue") return read_map(inner, arena);
  if (kind == "objectValue") return read_object(inner);
  if (kind == "bytesValue") return read_bytes(inner, arena);
  if (kind == "boolValue" && inner.is(Kind::kBool)) return inner;
  if (kind == "stringValue" && inner.is(Kind::kString)) return inner;
  if (kind == "typeValue" && inner.is(Kind::kString)) return Value::type(inner.as_text());
  if (kind == "int64Value") {
    if (const auto number = whole<std::int64_t>(inner)) return Value::integer(*number);
  } else if (kind == "uint64Value") {
    if (const auto number = whole<std::uint64_t>(inner)) return Value::unsigned_integer(*number);
  } else if (kind == "doubleValue") {
    if (const auto number = real(inner)) return Value::real(*number);
  } else if (kind == "optionalValue") {
    if (inner.is(Kind::kNull)) return Value::optional(nullptr);
    const std::span<Value> held = arena.array<Value>(1);
    held[0] = read_cel_value(inner, arena);
    return held[0].is_error() ? held[0] : Value::optional(held.data());
  }
  return Value::error(arena.copy("`" + std::string(kind) + "` holds no value that is known here"));
}

Type read_cel_type(const Value& json) {
  if (!json.is(Kind::kMap) || json.entries().size() != 1) return Type::dyn();
  const std::string_view kind = json.entries()[0].key.as_text();
  const Value& inner = json.entries()[0].value;
  if (kind == "primitive") return primitive(text_of(inner));
  if (kind == "null") return Type::null();
  if (kind == "listType") return Type::list(read_cel_type(member(inner, "elemType")));
  if (kind == "mapType") {
    return Type::map(read_cel_type(member(inner, "keyType")),
                     read_cel_type(member(inner, "valueType")));
  }
  if (kind == "type") return Type::type(read_cel_type(inner));
  if (kind == "typeParam") return Type::parameter(std::string(text_of(inner)));
  if (kind == "abstractType") return abstract(inner);
  const std::string_view name = text_of(inner);
  if (kind == "wellKnown" && name == "TIMESTAMP") return Type::timestamp();
  if (kind == "wellKnown" && name == "DURATION") return Type::duration();
  if (kind == "messageType" && name == "google.protobuf.Timestamp") return Type::timestamp();
  if (kind == "messageType" && name == "google.protobuf.Duration") return Type::duration();
  return Type::dyn();
}

void append_cel_value(std::string* out, const Value& value) {
  switch (value.kind()) {
    case Kind::kNull:
      return append_member(out, "nullValue", "null");
    case Kind::kBool:
      return append_member(out, "boolValue", value.as_bool() ? "true" : "false");
    case Kind::kInt:
      return append_member(out, "int64Value", in_quotes(std::to_string(value.as_int())));
    case Kind::kUint:
      return append_member(out, "uint64Value", in_quotes(std::to_string(value.as_uint())));
    case Kind::kDouble:
      return append_member(out, "doubleValue", double_json(value.as_double()));
    case Kind::kString:
      return append_member(out, "stringValue", in_quotes(value.as_text()));
    case Kind::kBytes:
      return append_member(out, "bytesValue", in_quotes(expression::base64_text(value.as_text())));
    case Kind::kType:
      return append_member(out, "typeValue", in_quotes(value.as_text()));
    case Kind::kList:
      return append_list(out, value);
    case Kind::kMap:
      return append_map(out, value);
    case Kind::kTimestamp:
      return append_object(out, kTimestampUrl,
                           expression::timestamp_text(value.seconds(), value.nanos()));
    case Kind::kDuration:
      return append_object(out, kDurationUrl,
                           expression::duration_text(value.seconds(), value.nanos()));
    case Kind::kOptional:
      return append_member(
          out, "optionalValue",
          value.optional_value() == nullptr ? "null" : to_cel_json(*value.optional_value()));
    case Kind::kAbsent:
    case Kind::kError:
      return append_member(out, "nullValue", "null");
  }
}

std::string to_cel_json(const Value& value) {
  std::string json;
  append_cel_value(&json, value);
  return json;
}

}  // namespace spur::eval
