#include "state/digest.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace spur {

std::uint64_t hash64_of_some(std::string_view bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

}  // namespace spur
