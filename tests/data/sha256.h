// SHA-256, for the digests of the known answers. FIPS 180-4, written plainly.
#pragma once

#include <string>
#include <string_view>

namespace spur::testing {

// In lower-case hex.
std::string sha256_hex(std::string_view bytes);

}  // namespace spur::testing
