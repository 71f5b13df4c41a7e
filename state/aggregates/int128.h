// 128-bit integers by names that -Wpedantic accepts.
#pragma once

#include <cstdint>

namespace spur {

__extension__ typedef __int128 int128;
__extension__ typedef unsigned __int128 uint128;

// Wraps around, so that adding and taking away are exact inverses in any order, even for bytes that
// make no sense.
constexpr int128 wrapping_add(int128 a, int128 b) {
  return static_cast<int128>(static_cast<uint128>(a) + static_cast<uint128>(b));
}
constexpr int128 wrapping_subtract(int128 a, int128 b) {
  return static_cast<int128>(static_cast<uint128>(a) - static_cast<uint128>(b));
}

// 128 bits in memory at an alignment of 8.
struct Int128 {
  std::uint64_t low = 0, high = 0;

  int128 get() const { return static_cast<int128>(static_cast<uint128>(high) << 64 | low); }
  void set(int128 value) {
    low = static_cast<std::uint64_t>(value);
    high = static_cast<std::uint64_t>(static_cast<uint128>(value) >> 64);
  }
  void add(int128 value) { set(wrapping_add(get(), value)); }
};

}  // namespace spur
