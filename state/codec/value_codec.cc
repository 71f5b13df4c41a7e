#include "state/codec/value_codec.h"

#include <bit>

namespace spur {
namespace {

constexpr std::uint8_t kVersion = 1;
// A detail of 15 says that the size follows as a varint (of size − 15, so that each size has one
// spelling).
constexpr std::uint8_t kSizeFollows = 15;
// Doubles up to here, if whole, are written as integers: beyond, they would no longer be shorter
// for sure.
constexpr double kWholeMax = 9007199254740992.0;  // 2^53
constexpr std::uint64_t kCanonicalNan = 0x7ff8000000000000ULL;

std::uint8_t tag(Kind kind, std::uint8_t detail) {
  return static_cast<std::uint8_t>(static_cast<std::uint8_t>(kind) | detail << 4);
}

void write_sized(Kind kind, std::size_t size, ByteWriter& out) {
  if (size < kSizeFollows) return out.u8(tag(kind, static_cast<std::uint8_t>(size)));
  out.u8(tag(kind, kSizeFollows));
  out.varint(size - kSizeFollows);
}

bool is_small_whole(double d) {
  if (!(d >= -kWholeMax && d <= kWholeMax)) return false;
  const auto whole = static_cast<std::int64_t>(d);
  return std::bit_cast<std::uint64_t>(static_cast<double>(whole)) ==
         std::bit_cast<std::uint64_t>(d);  // not -0.0
}

void write_double(double d, ByteWriter& out) {
  if (is_small_whole(d)) {
    out.u8(tag(Kind::kDouble, 1));
    return out.zigzag(static_cast<std::int64_t>(d));
  }
  out.u8(tag(Kind::kDouble, 0));
  out.fixed64(d == d ? std::bit_cast<std::uint64_t>(d) : kCanonicalNan);
}

// Detail 1: no nanoseconds.
void write_time(Kind kind, const Value& value, ByteWriter& out) {
  out.u8(tag(kind, value.nanos() == 0 ? 1 : 0));
  out.zigzag(value.seconds());
  if (value.nanos() != 0) out.zigzag(value.nanos());
}

void write(const Value& value, int depth, ByteWriter& out);

void write_map(const Value& map, int depth, ByteWriter& out) {
  if (!map.is_computed_map()) {
    write_sized(Kind::kMap, map.entries().size(), out);
    for (const MapEntry& entry : map.entries()) {
      write(entry.key, depth + 1, out);
      write(entry.value, depth + 1, out);
    }
    return;
  }
  const std::span<const Value> keys = map.lookup().keys();
  write_sized(Kind::kMap, keys.size(), out);
  for (const Value& key : keys) {
    write(key, depth + 1, out);
    write(map.lookup().find(key), depth + 1, out);
  }
}

void write_text(Kind kind, std::string_view text, ByteWriter& out) {
  write_sized(kind, text.size(), out);
  out.raw(text);
}

void write(const Value& value, int depth, ByteWriter& out) {
  if (depth > kValueDepthMax) return write_text(Kind::kError, "nested too deeply", out);
  const Kind kind = value.kind();
  switch (kind) {
    case Kind::kAbsent:
    case Kind::kNull:
      return out.u8(tag(kind, 0));
    case Kind::kBool:
      return out.u8(tag(kind, value.as_bool() ? 1 : 0));
    case Kind::kInt:
      out.u8(tag(kind, 0));
      return out.zigzag(value.as_int());
    case Kind::kUint:
      out.u8(tag(kind, 0));
      return out.varint(value.as_uint());
    case Kind::kDouble:
      return write_double(value.as_double(), out);
    case Kind::kString:
    case Kind::kBytes:
    case Kind::kType:
    case Kind::kError:
      return write_text(kind, value.as_text(), out);
    case Kind::kTimestamp:
    case Kind::kDuration:
      return write_time(kind, value, out);
    case Kind::kList:
      write_sized(kind, value.elements().size(), out);
      for (const Value& element : value.elements()) write(element, depth + 1, out);
      return;
    case Kind::kMap:
      return write_map(value, depth, out);
    case Kind::kOptional:
      out.u8(tag(kind, value.optional_value() == nullptr ? 0 : 1));
      if (value.optional_value() != nullptr) write(*value.optional_value(), depth + 1, out);
      return;
  }
}

std::size_t read_size(std::uint8_t detail, std::size_t bytes_min, ByteReader& in) {
  std::uint64_t size = detail;
  if (detail == kSizeFollows) size += in.varint_max(0xffffffff - kSizeFollows);
  if (size > in.left() / bytes_min) return in.fail();
  return size;
}

bool is_map_key(Kind kind) {
  return kind == Kind::kBool || kind == Kind::kInt || kind == Kind::kUint ||
         kind == Kind::kDouble || kind == Kind::kString;
}

Value bad(ByteReader& in) {
  in.fail();
  return Value::absent();
}

Value read_double(std::uint8_t detail, ByteReader& in) {
  if (detail == 1) {
    const std::int64_t whole = in.zigzag();
    if (whole > (std::int64_t{1} << 53) || whole < -(std::int64_t{1} << 53)) return bad(in);
    return Value::real(static_cast<double>(whole));
  }
  const std::uint64_t bits = in.fixed64();
  const auto d = std::bit_cast<double>(bits);
  if (d != d && bits != kCanonicalNan) return bad(in);
  if (in.ok() && is_small_whole(d)) return bad(in);
  return Value::real(d);
}

Value read_time(Kind kind, std::uint8_t detail, ByteReader& in) {
  const std::int64_t seconds = in.zigzag();
  const std::int64_t nanos = detail == 1 ? 0 : in.zigzag();
  if (detail == 0 && nanos == 0) return bad(in);
  const bool timestamp = kind == Kind::kTimestamp;
  if (nanos > 999'999'999 || nanos < (timestamp ? 0 : -999'999'999)) return bad(in);
  if (!timestamp && ((seconds > 0 && nanos < 0) || (seconds < 0 && nanos > 0))) return bad(in);
  const auto rest = static_cast<std::int32_t>(nanos);
  return timestamp ? Value::timestamp(seconds, rest) : Value::duration(seconds, rest);
}

Value read_text(Kind kind, std::uint8_t detail, ByteReader& in) {
  const std::string_view text = in.raw(read_size(detail, 1, in));
  if (kind == Kind::kBytes) return Value::bytes(text);
  if (!is_utf8(text)) return bad(in);
  if (kind == Kind::kString) return Value::string(text);
  return kind == Kind::kType ? Value::type(text) : Value::error(text);
}

Value read(int depth, ByteReader& in, Arena& arena);

Value read_list(int depth, std::uint8_t detail, ByteReader& in, Arena& arena) {
  const std::span<Value> elements = arena.array<Value>(read_size(detail, 1, in));
  for (Value& element : elements) element = read(depth + 1, in, arena);
  return Value::list(elements);
}

Value read_map(int depth, std::uint8_t detail, ByteReader& in, Arena& arena) {
  const std::span<MapEntry> entries = arena.array<MapEntry>(read_size(detail, 2, in));
  for (MapEntry& entry : entries) {
    entry.key = read(depth + 1, in, arena);
    entry.value = read(depth + 1, in, arena);
    if (!is_map_key(entry.key.kind())) return bad(in);
  }
  return Value::map(entries);
}

Value read_optional(int depth, std::uint8_t detail, ByteReader& in, Arena& arena) {
  if (detail == 0) return Value::optional(nullptr);
  const std::span<Value> inner = arena.array<Value>(1);
  inner[0] = read(depth + 1, in, arena);
  return Value::optional(inner.data());
}

// The largest detail each kind may have.
std::uint8_t detail_max(Kind kind) {
  switch (kind) {
    case Kind::kAbsent:
    case Kind::kNull:
    case Kind::kInt:
    case Kind::kUint:
      return 0;
    case Kind::kBool:
    case Kind::kDouble:
    case Kind::kTimestamp:
    case Kind::kDuration:
    case Kind::kOptional:
      return 1;
    default:
      return kSizeFollows;
  }
}

Value read(int depth, ByteReader& in, Arena& arena) {
  // Each level below the deepest may only be the error that write() puts there.
  if (depth > kValueDepthMax + 1) return bad(in);
  const std::uint8_t byte = in.u8();
  const auto kind = static_cast<Kind>(byte & 15);
  const std::uint8_t detail = byte >> 4;
  if (!in.ok() || (byte & 15) > static_cast<int>(Kind::kError) || detail > detail_max(kind))
    return bad(in);
  if (depth > kValueDepthMax && kind != Kind::kError) return bad(in);
  switch (kind) {
    case Kind::kAbsent:
      return Value::absent();
    case Kind::kNull:
      return Value::null();
    case Kind::kBool:
      return Value::boolean(detail == 1);
    case Kind::kInt:
      return Value::integer(in.zigzag());
    case Kind::kUint:
      return Value::unsigned_integer(in.varint());
    case Kind::kDouble:
      return read_double(detail, in);
    case Kind::kTimestamp:
    case Kind::kDuration:
      return read_time(kind, detail, in);
    case Kind::kString:
    case Kind::kBytes:
    case Kind::kType:
    case Kind::kError:
      return read_text(kind, detail, in);
    case Kind::kList:
      return read_list(depth, detail, in, arena);
    case Kind::kMap:
      return read_map(depth, detail, in, arena);
    case Kind::kOptional:
      return read_optional(depth, detail, in, arena);
  }
  return bad(in);
}

}  // namespace

void write_value(const Value& value, ByteWriter& out) { write(value, 0, out); }

Value read_value(ByteReader& in, Arena& arena) {
  const Value value = read(0, in, arena);
  return in.ok() ? value : Value::absent();
}

void encode_value(const Value& value, std::string& out) {
  ByteWriter writer(out);
  writer.u8(kVersion);
  write_value(value, writer);
}

std::optional<Value> decode_value(std::string_view bytes, Arena& arena) {
  ByteReader in(arena.copy(bytes));
  if (in.u8() != kVersion) return std::nullopt;
  const Value value = read_value(in, arena);
  if (!in.done()) return std::nullopt;
  return value;
}

bool is_utf8(std::string_view text) {
  const auto* at = reinterpret_cast<const unsigned char*>(text.data());
  const auto* const end = at + text.size();
  while (at != end) {
    const unsigned char lead = *at++;
    if (lead < 0x80) continue;
    const int more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
    if (lead < 0xc2 || lead > 0xf4 || end - at < more) return false;
    // The second byte's range is what keeps out overlong forms, surrogates and all beyond U+10FFFF.
    const unsigned char low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    const unsigned char high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (*at < low || *at > high) return false;
    for (int i = 1; i < more; ++i) {
      if ((at[i] & 0xc0) != 0x80) return false;
    }
    at += more;
  }
  return true;
}

}  // namespace spur
