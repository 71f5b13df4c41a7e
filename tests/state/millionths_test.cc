#include "state/aggregates/millionths.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

namespace spur {
namespace {

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();

TEST(MillionthsTest, NumbersAreRoundedHalfToEven) {
  EXPECT_EQ(to_millionths(Value::real(19.99)), 19'990'000);
  EXPECT_EQ(to_millionths(Value::integer(-3)), -3'000'000);
  EXPECT_EQ(to_millionths(Value::unsigned_integer(3)), 3'000'000);
  // Exact halves of a millionth: odd multiples of 2^-7 = 7812.5 millionths.
  EXPECT_EQ(to_millionths(Value::real(1.0 / 128)), 7812);
  EXPECT_EQ(to_millionths(Value::real(3.0 / 128)), 23438);
  EXPECT_EQ(to_millionths(Value::real(5.0 / 128)), 39062);
  EXPECT_EQ(to_millionths(Value::real(-1.0 / 128)), -7812);
  EXPECT_EQ(to_millionths(Value::real(-3.0 / 128)), -23438);
  // The double next to 5e-7 lies just below the half, the one above it over.
  EXPECT_EQ(to_millionths(Value::real(4.9999999999999998e-7)), 0);
  EXPECT_EQ(to_millionths(Value::real(5.0000000000000021e-7)), 1);
  EXPECT_EQ(to_millionths(Value::real(-0.0)), 0);
  EXPECT_EQ(to_millionths(Value::real(5e-324)), 0);
}

TEST(MillionthsTest, WhatDoesNotFitIsNoNumber) {
  EXPECT_EQ(to_millionths(Value::integer(kMax / 1'000'000)), kMax / 1'000'000 * 1'000'000);
  EXPECT_EQ(to_millionths(Value::integer(kMax / 1'000'000 + 1)), std::nullopt);
  EXPECT_EQ(to_millionths(Value::unsigned_integer(~0ULL)), std::nullopt);
  EXPECT_EQ(to_millionths(Value::real(1e13)), std::nullopt);
  EXPECT_EQ(to_millionths(Value::real(-1e300)), std::nullopt);
  EXPECT_EQ(to_millionths(Value::real(std::numeric_limits<double>::infinity())), std::nullopt);
  EXPECT_EQ(to_millionths(Value::real(std::numeric_limits<double>::quiet_NaN())), std::nullopt);
  EXPECT_EQ(to_millionths(Value::string("7")), std::nullopt);
  EXPECT_EQ(to_millionths(Value::boolean(true)), std::nullopt);
  EXPECT_EQ(to_millionths(Value::absent()), std::nullopt);
}

TEST(MillionthsTest, RandomPricesAgreeWithLongDoubles) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 100'000; ++i) {
    const double d = static_cast<double>(static_cast<std::int64_t>(random())) /
                     static_cast<double>(random() >> (random() % 60));
    if (!(d < 1e4 && d > -1e4)) continue;
    // 64 bits of mantissa: the product is exact enough but at a half, which chance does not hit.
    ASSERT_EQ(to_millionths(Value::real(d)), __builtin_llrintl(static_cast<long double>(d) * 1e6L))
        << d;
  }
}

TEST(MillionthsTest, ARatioIsTheNearestDouble) {
  EXPECT_EQ(from_millionths(19'990'000), 19.99);
  EXPECT_EQ(from_millionths(-1), -1e-6);
  EXPECT_EQ(from_millionths(0), 0);
  const int128 large = static_cast<int128>(kMax) * 1'000'000'000;
  EXPECT_EQ(from_millionths(large), 9223372036854775807000.0);
  EXPECT_EQ(from_millionths(-large), -9223372036854775807000.0);
  std::mt19937_64 random(2);
  for (int i = 0; i < 100'000; ++i) {
    // q and its remainder give the exact place between two neighbours of 53 bits: compare without
    // rounding.
    const int128 numerator =
        static_cast<int128>(random()) << (random() % 60) | static_cast<int128>(random() >> 1);
    const std::uint64_t denominator = 1'000'000 * (1 + random() % 1000);
    const double d = ratio(numerator, denominator);
    const auto error = [&](double candidate) {
      const long double e =
          static_cast<long double>(numerator) / static_cast<long double>(denominator) -
          static_cast<long double>(candidate);
      return e < 0 ? -e : e;
    };
    ASSERT_LE(error(d), error(std::nextafter(d, 1e300)) * 1.01L);
    ASSERT_LE(error(d), error(std::nextafter(d, 0)) * 1.01L);
  }
}

TEST(MillionthsTest, TotalsOf128BitsAreStored) {
  for (const int128 value :
       {static_cast<int128>(0), static_cast<int128>(-1), static_cast<int128>(kMax) * kMax,
        -static_cast<int128>(kMax) * kMax, static_cast<int128>(static_cast<uint128>(1) << 127)}) {
    std::string bytes;
    ByteWriter out(bytes);
    write_int128(value, out);
    ByteReader in(bytes);
    EXPECT_TRUE(read_int128(in) == value);
    EXPECT_TRUE(in.done());
  }
}

}  // namespace
}  // namespace spur
