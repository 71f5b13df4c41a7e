#include "state/aggregates/millionths.h"

#include <bit>
#include <limits>

namespace spur {
namespace {

constexpr std::uint64_t kMillion = 1'000'000;
constexpr uint128 kPositiveMax = std::numeric_limits<std::int64_t>::max();

std::optional<std::int64_t> with_sign(bool negative, uint128 magnitude) {
  if (magnitude > kPositiveMax + (negative ? 1 : 0)) return std::nullopt;
  const auto bits = static_cast<std::uint64_t>(magnitude);
  return static_cast<std::int64_t>(negative ? 0 - bits : bits);
}

std::optional<std::int64_t> from_double(double d) {
  const auto bits = std::bit_cast<std::uint64_t>(d);
  const bool negative = bits >> 63 != 0;
  const int exponent = static_cast<int>(bits >> 52 & 0x7ff);
  if (exponent == 0x7ff) return std::nullopt;  // infinite or no number
  if (exponent == 0) return 0;                 // zero, or far below half a millionth
  const std::uint64_t mantissa = (bits & ((std::uint64_t{1} << 52) - 1)) | std::uint64_t{1} << 52;
  const int shift = exponent - 1075;                                  // value = mantissa × 2^shift
  const uint128 product = static_cast<uint128>(mantissa) * kMillion;  // below 2^73
  if (shift >= 54) return std::nullopt;
  if (shift >= 0) return with_sign(negative, product << shift);
  if (shift <= -75) return 0;
  const uint128 one = static_cast<uint128>(1) << -shift;
  uint128 whole = product >> -shift;
  const uint128 rest = product & (one - 1);
  if (rest > one / 2 || (rest == one / 2 && (whole & 1) != 0)) whole += 1;
  return with_sign(negative, whole);
}

// 2^-shift; shift in [0, 1022].
double negative_power_of_two(int shift) {
  return std::bit_cast<double>(static_cast<std::uint64_t>(1023 - shift) << 52);
}

int leading_zeros(uint128 value) {
  const auto high = static_cast<std::uint64_t>(value >> 64);
  return high != 0 ? std::countl_zero(high)
                   : 64 + std::countl_zero(static_cast<std::uint64_t>(value));
}

}  // namespace

std::optional<std::int64_t> to_millionths(const Value& value) {
  switch (value.kind()) {
    case Kind::kInt: {
      std::int64_t product = 0;
      if (__builtin_mul_overflow(value.as_int(), std::int64_t{kMillion}, &product))
        return std::nullopt;
      return product;
    }
    case Kind::kUint:
      return with_sign(false, static_cast<uint128>(value.as_uint()) * kMillion);
    case Kind::kDouble:
      return from_double(value.as_double());
    default:
      return std::nullopt;
  }
}

double ratio(int128 numerator, std::uint64_t denominator) {
  if (numerator == 0) return 0;
  const bool negative = numerator < 0;
  uint128 magnitude = negative ? 0 - static_cast<uint128>(numerator) : numerator;
  constexpr std::uint64_t kExact = std::uint64_t{1} << 53;
  double result = 0;
  if (magnitude <= kExact && denominator <= kExact) {
    result = static_cast<double>(static_cast<std::uint64_t>(magnitude)) /
             static_cast<double>(denominator);
  } else {
    // With all 128 bits in use the quotient has 64 or more, so the rest, as one bit at its very
    // end, rounds it rightly.
    const int shift = leading_zeros(magnitude);
    magnitude <<= shift;
    uint128 quotient = magnitude / denominator;
    if (magnitude % denominator != 0) quotient |= 1;
    result = static_cast<double>(quotient) * negative_power_of_two(shift);
  }
  return negative ? -result : result;
}

void write_int128(int128 value, ByteWriter& out) {
  uint128 bits = static_cast<uint128>(value) << 1 ^ static_cast<uint128>(value >> 127);
  for (; bits >= 0x80; bits >>= 7) out.u8(static_cast<std::uint8_t>(bits | 0x80));
  out.u8(static_cast<std::uint8_t>(bits));
}

int128 read_int128(ByteReader& in) {
  uint128 bits = 0;
  for (int shift = 0; shift < 128; shift += 7) {
    const std::uint8_t byte = in.u8();
    if (!in.ok() || (shift == 126 && byte > 3)) return in.fail();
    bits |= static_cast<uint128>(byte & 0x7f) << shift;
    if (byte >= 0x80) continue;
    if (byte == 0 && shift != 0) return in.fail();
    return static_cast<int128>(bits >> 1 ^ (0 - (bits & 1)));
  }
  return in.fail();
}

}  // namespace spur
