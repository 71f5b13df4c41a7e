// FeatureStates against an Aggregate for each feature: whatever the block keeps packed, readings
// and stored bytes are those of the aggregate on its own.
#include "state/feature_states.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "tests/state/aggregate_fixture.h"

namespace spur::testing {
namespace {

struct Pair {
  AggregateSpec spec;
  Aggregate alone;
};

// Each kind over all time, over a window, over one that begins in the past, and with a limit that
// is soon reached.
std::vector<Pair> one_of_each() {
  std::vector<Pair> all;
  for (const AggregateKind kind : all_kinds()) {
    for (const bool by_day : {false, true}) {
      if (by_day && kind != AggregateKind::kGaps) continue;
      for (const Millis window : {Millis{0}, kHour * 30}) {
        for (const Millis offset : {Millis{0}, kHour * 7}) {
          for (const std::uint32_t limit : {0u, 6u}) {
            AggregateSpec spec;
            spec.kind = kind;
            spec.window = window;
            spec.offset = offset;
            spec.half_life = kHour * 3;
            spec.distinct_days = by_day;
            spec.limit = limit;
            all.push_back({spec, {}});
          }
        }
      }
    }
  }
  return all;
}

std::string bytes_of(const Pair& pair) {
  std::string bytes;
  pair.alone.encode(pair.spec, bytes);
  return bytes;
}
std::string bytes_of(const FeatureStates& states, std::size_t i, const Pair& pair) {
  std::string bytes;
  states.encode(i, pair.spec, bytes);
  return bytes;
}

void expect_same(const FeatureStates& states, const std::vector<Pair>& all, Instant now) {
  Arena arena;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Pair& pair = all[i];
    SCOPED_TRACE(name_of(pair.spec));
    ASSERT_EQ(states.empty(i), pair.alone.empty());
    ASSERT_EQ(bytes_of(states, i, pair), bytes_of(pair));
    ASSERT_EQ(states.next_change(i, pair.spec, now), pair.alone.next_change(pair.spec, now));
    ASSERT_EQ(states.overflowed(i, pair.spec), pair.alone.overflowed());
    for (const Member member : members_of(pair.spec.kind)) {
      ASSERT_EQ(text_of(states.read(i, pair.spec, member, now, arena)),
                text_of(pair.alone.read(pair.spec, member, now, arena)));
    }
  }
}

class FeatureStatesTest : public ::testing::TestWithParam<int> {
 protected:
  // Adds one event to some of the features, by a clock that mostly goes on and sometimes leaps;
  // some are late.
  void step() {
    now_ = now_ +
           (random_() % 50 == 0 ? kHour * 40 : kMinute * static_cast<std::int64_t>(random_() % 90));
    for (std::size_t i = 0; i < all_.size(); ++i) {
      if (random_() % 3 == 0) continue;
      const Instant time =
          random_() % 4 == 0 ? now_ - kMinute * static_cast<std::int64_t>(random_() % 3000) : now_;
      const Value of = some_value(all_[i].spec.kind, random_);
      Digest mine, its;
      const Aggregate::Added added = states_.add(i, all_[i].spec, time, now_, of, mine);
      ASSERT_EQ(added, all_[i].alone.add(all_[i].spec, time, now_, of, its));
      ASSERT_EQ(mine.value(), its.value());
    }
  }

  std::mt19937_64 random_{static_cast<std::uint64_t>(GetParam())};
  std::vector<Pair> all_ = one_of_each();
  FeatureStates states_;
  Instant now_ = kStart + kDay * 60;
};

TEST_P(FeatureStatesTest, ReadAndStoreWhatTheAggregateOnItsOwnDoes) {
  states_.resize(all_.size());
  for (int n = 0; n < 300; ++n) {
    ASSERT_NO_FATAL_FAILURE(step());
    ASSERT_NO_FATAL_FAILURE(expect_same(states_, all_, now_));
  }
}

TEST_P(FeatureStatesTest, ClearedFeaturesBeginAnewAndLeaveTheOthersAlone) {
  states_.resize(all_.size());
  for (int n = 0; n < 120; ++n) {
    ASSERT_NO_FATAL_FAILURE(step());
    for (std::size_t i = 0; i < all_.size(); ++i) {
      if (random_() % 20 != 0) continue;
      states_.clear(i);
      all_[i].alone.clear();
    }
    ASSERT_NO_FATAL_FAILURE(expect_same(states_, all_, now_));
  }
}

TEST_P(FeatureStatesTest, StoredBytesComeBackAsTheyWere) {
  states_.resize(all_.size());
  for (int n = 0; n < 60; ++n) {
    ASSERT_NO_FATAL_FAILURE(step());
    FeatureStates again;
    again.resize(all_.size());
    for (std::size_t i = 0; i < all_.size(); ++i) {
      ASSERT_TRUE(again.decode(i, all_[i].spec, bytes_of(states_, i, all_[i])))
          << name_of(all_[i].spec);
    }
    states_ = std::move(again);
    ASSERT_NO_FATAL_FAILURE(expect_same(states_, all_, now_));
  }
}

TEST_P(FeatureStatesTest, AChangeOfCatalogMovesThemToOtherPlaces) {
  states_.resize(all_.size());
  for (int n = 0; n < 60; ++n) {
    ASSERT_NO_FATAL_FAILURE(step());
    FeatureStates moved;
    moved.resize(all_.size());
    for (std::size_t i = 0; i < all_.size(); ++i) states_.move_to(i, moved, all_.size() - 1 - i);
    for (std::size_t i = 0; i < all_.size(); ++i) ASSERT_TRUE(states_.empty(i));
    std::reverse(all_.begin(), all_.end());
    states_ = std::move(moved);
    ASSERT_NO_FATAL_FAILURE(expect_same(states_, all_, now_));
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, FeatureStatesTest, ::testing::Range(0, 8));

TEST(FeatureStates, BeyondTheirNumberEverythingIsEmpty) {
  FeatureStates none;
  Arena arena;
  const AggregateSpec count;
  EXPECT_EQ(none.size(), 0u);
  EXPECT_EQ(none.block(), nullptr);
  EXPECT_TRUE(none.empty(3));
  EXPECT_EQ(text_of(none.read(3, count, Member::kValue, kStart, arena)), "int 0");
  none.clear(3);
  none.resize(2);
  none.resize(1);
  EXPECT_EQ(none.size(), 2u);
}

TEST(FeatureStates, OneThatOutgrowsThePackedFormComesBackToItWhenItsWindowHasEmptied) {
  AggregateSpec spec;
  spec.window = kHour;
  FeatureStates states;
  states.resize(3);
  Digest digest;
  Instant now = kStart;
  const auto add = [&] { states.add(1, spec, now, now, Value::integer(1), digest); };
  for (int n = 0; n < 20; ++n) add();
  EXPECT_EQ(states.own_bytes(), 0u);  // twenty times of 6 bytes are packed
  add();
  EXPECT_GT(states.own_bytes(), 0u);
  Arena arena;
  EXPECT_EQ(text_of(states.read(1, spec, Member::kValue, now, arena)), "int 21");
  now = now + kDay;
  add();
  EXPECT_EQ(states.own_bytes(), 0u);
  EXPECT_EQ(text_of(states.read(1, spec, Member::kValue, now, arena)), "int 1");
}

TEST(FeatureStates, ThreeTimesTakeSixBytesEachAndFourOfTheirOwn) {
  AggregateSpec spec;
  spec.window = kDay;
  FeatureStates states;
  states.resize(1);
  Digest digest;
  for (int n = 0; n < 3; ++n) states.add(0, spec, kStart, kStart, Value::integer(1), digest);
  // The block: its size in front (8), the number of features (4), a length, then two counts and
  // three times.
  EXPECT_LE(states.block_bytes(), 8u + 4u + 1u + 2u + 3 * 6u + 15u);
}

}  // namespace
}  // namespace spur::testing
