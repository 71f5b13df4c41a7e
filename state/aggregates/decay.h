// Powers of two with fractional exponents, in integers: what `decayed` computes with instead of
// libm, whose last digit differs between machines (docs/architecture.md).
//
// 2^(x / 2^32), for 32 bits of x, is the product of four table entries, one for each byte of x; the
// lower 32 bits are taken as linear. The tables come from repeated integer square roots of 2, at
// compile time. Relative error below 2^-57.
#pragma once

#include <cstdint>

namespace spur {

// 2^(numerator / denominator) × 2^63, rounded; 0 <= numerator < denominator < 2^50, so that
// rounding never reaches 2^64.
std::uint64_t power_of_two(std::uint64_t numerator, std::uint64_t denominator);

// 2^(−age / half_life) as a double, at least 15 digits right. age < 0 counts as 0; half_life > 0.
double decay_factor(std::int64_t age, std::int64_t half_life);

// value × 2^-shift, exactly where the result is a normal double.
double scaled_down(double value, std::int64_t shift);

}  // namespace spur
