// Whole millionths: how sums are kept, so that they are the same in every order of addition
// (docs/limits.md, "A feature").
#pragma once

#include <cstdint>
#include <optional>

#include "state/aggregates/int128.h"
#include "state/codec/byte_io.h"
#include "state/value.h"

namespace spur {

// `value` × 10⁶ rounded half to even, exactly: from the double itself, not from a double product.
// nullopt if it is no number, not finite, or beyond int64.
std::optional<std::int64_t> to_millionths(const Value& value);

// numerator / denominator as the nearest double, ties to even. denominator > 0.
double ratio(int128 numerator, std::uint64_t denominator);

// The double nearest to `millionths` / 10⁶.
inline double from_millionths(int128 millionths) { return ratio(millionths, 1'000'000); }

// Events that one customer can have; keeps count × 10⁶ within 64 bits.
inline constexpr std::uint64_t kCountMax = std::uint64_t{1} << 43;

// The double nearest to `millionths` / 10⁶ / count. count in [1, kCountMax].
inline double mean_of_millionths(int128 millionths, std::uint64_t count) {
  return ratio(millionths, 1'000'000 * count);
}

// Stored form of a total: zigzag, 7 bits a byte, one spelling; few totals need more than 8 bytes.
void write_int128(int128 value, ByteWriter& out);
int128 read_int128(ByteReader& in);

}  // namespace spur
