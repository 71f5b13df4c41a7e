// Values as bytes: traits, event fields, action data and what else outlives an arena.
//
// One tag byte (the Kind below, a small detail above it), then the content. The detail holds what
// is common and short: a bool's truth, whether a double is a whole number (prices, quantities: 2 to
// 4 bytes instead of 9), a text's length or a list's size below 15. Equal values of one kind have
// equal bytes. A computed map (LookupMap) becomes a plain one in the order of its keys(). Frozen by
// tests/golden/state/values.txt.
//
// The four functions come in two pairs: encode/decode stand alone and begin with a version byte;
// write/read are for layouts that have a version of their own.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "state/arena.h"
#include "state/codec/byte_io.h"
#include "state/value.h"

namespace spur {

// Lists, maps and optionals inside each other. What lies deeper is stored as an error value, so
// that encoding is total; bytes that nest deeper are refused.
inline constexpr int kValueDepthMax = 64;

void encode_value(const Value& value, std::string& out);
// nullopt: not whole, not canonical, of another version, or followed by something. Text is copied
// into `arena`.
std::optional<Value> decode_value(std::string_view bytes, Arena& arena);

void write_value(const Value& value, ByteWriter& out);
// On failure the reader is failed and the answer absent. Text points into the reader's bytes; lists
// and maps are in `arena`.
Value read_value(ByteReader& in, Arena& arena);

// Whether `text` is UTF-8 as Unicode defines it: no surrogates, nothing overlong, nothing beyond
// U+10FFFF.
bool is_utf8(std::string_view text);

}  // namespace spur
