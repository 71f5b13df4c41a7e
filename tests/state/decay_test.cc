#include "state/aggregates/decay.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace spur {
namespace {

TEST(DecayTest, TheIntegerTableIsRightToSixteenDigits) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 100'000; ++i) {
    const std::uint64_t denominator = 1 + random() % (std::uint64_t{1} << (1 + random() % 45));
    const std::uint64_t numerator = random() % denominator;
    const long double exact =
        std::exp2l(static_cast<long double>(numerator) / static_cast<long double>(denominator));
    const long double ours =
        std::ldexp(static_cast<long double>(power_of_two(numerator, denominator)), -63);
    ASSERT_NEAR(static_cast<double>(ours / exact - 1), 0, 1e-16) << numerator << "/" << denominator;
  }
}

TEST(DecayTest, AWeightHalvesEachHalfLife) {
  EXPECT_EQ(decay_factor(0, 1000), 1.0);
  EXPECT_EQ(decay_factor(1000, 1000), 0.5);
  EXPECT_EQ(decay_factor(10'000, 1000), 1.0 / 1024);
  EXPECT_EQ(decay_factor(-5, 1000), 1.0);
  EXPECT_NEAR(decay_factor(500, 1000), std::sqrt(0.5), 1e-15);
  EXPECT_EQ(decay_factor(31'536'000'000'000, 1), 0.0);
}

// Frozen: another value is another fold.
TEST(DecayTest, TheTableIsTheSameOnEveryMachine) {
  EXPECT_EQ(power_of_two(1, 2), 13043817825332782212ULL);  // floor(sqrt(2) * 2^63 + 1/2)
  EXPECT_EQ(power_of_two(0, 7), 9223372036854775808ULL);
}

}  // namespace
}  // namespace spur
