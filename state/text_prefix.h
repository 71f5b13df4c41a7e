// The beginning of a text that may be too long.
#pragma once

#include <cstddef>
#include <string_view>

namespace spur {

// At most `bytes_max` bytes of UTF-8, not cut within a character.
inline std::string_view text_prefix(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  while (bytes_max > 0 && (static_cast<unsigned char>(text[bytes_max]) & 0xC0) == 0x80) --bytes_max;
  return text.substr(0, bytes_max);
}

}  // namespace spur
