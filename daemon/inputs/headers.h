// The headers of a record in one piece of bytes, so that they travel with its value: each name and
// each value behind its length, four bytes, the lowest first. Stored in messages between shards.
//
// No headers are no bytes. What is not packed so (bytes of another) reads as far as it makes sense.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace spur {

inline void pack_header(std::string_view name, std::string_view value, std::string& to) {
  for (const std::string_view part : {name, value}) {
    for (int shift = 0; shift < 32; shift += 8)
      to += static_cast<char>(static_cast<std::uint32_t>(part.size()) >> shift & 255);
    to += part;
  }
}

// Takes the next part off the front of `packed`; false: none is left.
inline bool unpack_part(std::string_view& packed, std::string_view& part) {
  if (packed.size() < 4) return false;
  std::uint32_t size = 0;
  for (std::size_t i = 0; i < 4; ++i)
    size |= static_cast<std::uint32_t>(static_cast<unsigned char>(packed[i])) << (8 * i);
  if (packed.size() - 4 < size) return false;
  part = packed.substr(4, size);
  packed.remove_prefix(4 + size);
  return true;
}

// Calls visit(name, value) for each header, in their order; views into `packed`.
template <typename Visit>
void for_each_header(std::string_view packed, Visit&& visit) {
  std::string_view name, value;
  while (unpack_part(packed, name) && unpack_part(packed, value)) visit(name, value);
}

}  // namespace spur
