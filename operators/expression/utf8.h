// Code points of UTF-8 text: CEL's strings count, cut and compare by code point.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace spur::expression {

// Whether `text` is well-formed UTF-8: no overlong forms, no surrogates, nothing beyond U+10FFFF.
bool is_utf8(std::string_view text);

// How many code points; `text` must be well-formed, as all strings of Values are.
std::size_t code_points(std::string_view text);

// The byte offset at which code point number `index` starts, text.size() for the one past the last;
// npos beyond.
std::size_t byte_offset(std::string_view text, std::size_t index);

// The code point that starts at `offset`; *length is how many bytes it takes. Bad bytes are U+FFFD,
// one byte each.
std::uint32_t decode_code_point(std::string_view text, std::size_t offset, std::size_t* length);

// Appends `code_point`, which must be a Unicode scalar value.
void append_code_point(std::string* out, std::uint32_t code_point);

// Space by Unicode's White_Space property.
bool is_space(std::uint32_t code_point);

}  // namespace spur::expression
