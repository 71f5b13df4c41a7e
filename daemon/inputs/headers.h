// The headers of a record in one piece of bytes, so that they travel with its value: each name and
// each value behind its length, four bytes, the lowest first. Stored in messages between shards.
//
// No headers are no bytes. What is not packed so (bytes of another) reads as far as it makes sense.
#pragma once

#include <string>
#include <string_view>

#include "state/codec/byte_io.h"

namespace spur {

inline void pack_header(std::string_view name, std::string_view value, std::string& to) {
  ByteWriter out(to);
  for (const std::string_view part : {name, value}) {
    out.fixed32(static_cast<std::uint32_t>(part.size()));
    out.raw(part);
  }
}

// Calls visit(name, value) for each header, in their order; views into `packed`.
template <typename Visit>
void for_each_header(std::string_view packed, Visit&& visit) {
  ByteReader in(packed);
  for (;;) {
    const std::string_view name = in.raw(in.fixed32());
    const std::string_view value = in.raw(in.fixed32());
    if (!in.ok()) return;
    visit(name, value);
  }
}

}  // namespace spur
