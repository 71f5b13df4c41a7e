#include "tests/state/aggregate_samples.h"

namespace spur::testing {
namespace {

TEST(AggregateCodecTest, EveryKindComesBackWithTheSameBytesAndReadings) {
  for (const AggregateSample& sample : sample_aggregates()) {
    const std::string bytes = encoded(sample.aggregate, sample.spec);
    Aggregate decoded;
    ASSERT_TRUE(decoded.decode(sample.spec, bytes)) << sample.name;
    EXPECT_EQ(encoded(decoded, sample.spec), bytes) << sample.name;
    EXPECT_EQ(decoded.overflowed(), sample.aggregate.overflowed()) << sample.name;
    Arena arena;
    for (const Member member : members_of(sample.spec.kind)) {
      for (const Millis after : {kDay * 2, kDay * 3, kDay * 5}) {
        EXPECT_EQ(text_of(decoded.read(sample.spec, member, kStart + after, arena)),
                  text_of(sample.aggregate.read(sample.spec, member, kStart + after, arena)))
            << sample.name;
      }
    }
  }
}

TEST(AggregateCodecTest, EveryPrefixAndAnythingBehindIsRefusedAndLeavesItEmpty) {
  for (const AggregateSample& sample : sample_aggregates()) {
    const std::string bytes = encoded(sample.aggregate, sample.spec);
    Aggregate decoded;
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_FALSE(decoded.decode(sample.spec, std::string_view(bytes).substr(0, size)))
          << sample.name << " " << size;
      EXPECT_TRUE(decoded.empty());
    }
    EXPECT_FALSE(decoded.decode(sample.spec, bytes + '\0')) << sample.name;
  }
}

TEST(AggregateCodecTest, BytesOfAnotherKindAreRefused) {
  const std::vector<AggregateSample> samples = sample_aggregates();
  for (const AggregateSample& from : samples) {
    for (const AggregateSample& to : samples) {
      const bool alike = from.spec.kind == to.spec.kind &&
                         from.spec.distinct_days == to.spec.distinct_days &&
                         (from.spec.window.count > 0) == (to.spec.window.count > 0);
      if (alike) continue;
      Aggregate decoded;
      EXPECT_FALSE(decoded.decode(to.spec, encoded(from.aggregate, from.spec)))
          << from.name << " as " << to.name;
    }
  }
}

TEST(AggregateCodecTest, AFlippedBitIsRefusedOrDecodesToSomethingSound) {
  for (const AggregateSample& sample : sample_aggregates()) {
    const std::string bytes = encoded(sample.aggregate, sample.spec);
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
      std::string flipped = bytes;
      flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
      Aggregate decoded;
      if (!decoded.decode(sample.spec, flipped)) continue;
      EXPECT_EQ(encoded(decoded, sample.spec), flipped) << sample.name;
      Arena arena;
      for (const Member member : members_of(sample.spec.kind))
        decoded.read(sample.spec, member, kStart + kDay * 3, arena);
      decoded.advance(sample.spec, kStart + kDay * 4);
    }
  }
}

TEST(AggregateCodecTest, NothingIsTwoBytes) {
  for (const AggregateKind kind : all_kinds()) {
    AggregateSpec spec;
    spec.kind = kind;
    spec.half_life = kDay;
    Aggregate aggregate;
    EXPECT_EQ(encoded(aggregate, spec), std::string("\x01\x00", 2));
    EXPECT_TRUE(aggregate.decode(spec, std::string_view("\x01\x00", 2)));
    EXPECT_TRUE(aggregate.empty());
  }
}

}  // namespace
}  // namespace spur::testing
