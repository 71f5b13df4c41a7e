#include "state/digest.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace spur {

void Digest::add(std::uint64_t tag, std::string_view text) { add(tag, hash64(text)); }

std::uint64_t hash64(std::string_view bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

}  // namespace spur
