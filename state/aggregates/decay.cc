#include "state/aggregates/decay.h"

#include <array>
#include <bit>

#include "state/aggregates/int128.h"

namespace spur {
namespace {

constexpr std::uint64_t kOne = std::uint64_t{1} << 63;

// The integer nearest to the square root.
constexpr std::uint64_t square_root(uint128 value) {
  uint128 root = 0;
  for (int bit = 63; bit >= 0; --bit) {
    const uint128 with = root | static_cast<uint128>(1) << bit;
    if (with * with <= value) root = with;
  }
  if (value - root * root > root) root += 1;
  return static_cast<std::uint64_t>(root);
}

constexpr std::uint64_t multiply(std::uint64_t a, std::uint64_t b) {
  return static_cast<std::uint64_t>((static_cast<uint128>(a) * b + (kOne >> 1)) >> 63);
}

using Table = std::array<std::uint64_t, 256>;

// Table l, entry b: 2^(b / 256^(l + 1)), times 2^63.
constexpr std::array<Table, 4> kTables = [] {
  std::array<Table, 4> tables{};
  uint128 root = static_cast<uint128>(1) << 64;  // 2, to begin with
  for (Table& table : tables) {
    std::array<std::uint64_t, 8> roots{};  // 2^(1/2), 2^(1/4), … below the last table's
    for (std::uint64_t& r : roots) {
      root = square_root(root << 63);
      r = static_cast<std::uint64_t>(root);
    }
    for (std::size_t byte = 0; byte < 256; ++byte) {
      std::uint64_t product = kOne;
      for (std::size_t bit = 0; bit < 8; ++bit) {
        if ((byte >> (7 - bit) & 1) != 0) product = multiply(product, roots[bit]);
      }
      table[byte] = product;
    }
  }
  return tables;
}();

constexpr std::uint64_t kLn2 = 2977044472;  // ln 2 × 2^32

}  // namespace

std::uint64_t power_of_two(std::uint64_t numerator, std::uint64_t denominator) {
  if (numerator == 0) return kOne;
  const auto x = static_cast<std::uint64_t>((static_cast<uint128>(numerator) << 64) / denominator);
  std::uint64_t power = kTables[0][x >> 56];
  power = multiply(power, kTables[1][x >> 48 & 0xff]);
  power = multiply(power, kTables[2][x >> 40 & 0xff]);
  power = multiply(power, kTables[3][x >> 32 & 0xff]);
  const uint128 rest = static_cast<uint128>(x & 0xffffffff) * kLn2;  // × 2^-96
  return power + static_cast<std::uint64_t>(static_cast<uint128>(power) * (rest >> 32) >> 64);
}

double scaled_down(double value, std::int64_t shift) {
  for (; shift > 1000; shift -= 1000) {
    value *= std::bit_cast<double>(std::uint64_t{23} << 52);  // 2^-1000
    if (value == 0) return value;
  }
  return value * std::bit_cast<double>(static_cast<std::uint64_t>(1023 - shift) << 52);
}

double decay_factor(std::int64_t age, std::int64_t half_life) {
  if (age <= 0) return 1;
  const std::int64_t halvings = age / half_life;
  const std::int64_t rest = age % half_life;
  if (rest == 0) return scaled_down(1, halvings);
  // 2^-(h + r) = 2^(1 − r) / 2^(h + 1)
  const std::uint64_t power = power_of_two(static_cast<std::uint64_t>(half_life - rest),
                                           static_cast<std::uint64_t>(half_life));
  return scaled_down(static_cast<double>(power), halvings + 1 + 63);
}

}  // namespace spur
