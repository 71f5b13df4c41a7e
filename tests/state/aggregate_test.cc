// Single claims about single aggregates; any order of arrival is permutation_test.cc.
#include "state/aggregates/aggregate.h"

#include "tests/state/aggregate_fixture.h"

namespace spur::testing {
namespace {

class AggregateTest : public ::testing::Test {
 protected:
  void use(AggregateKind kind, Millis window = {}, Millis offset = {}) {
    spec_ = {};
    spec_.kind = kind;
    spec_.window = window;
    spec_.offset = offset;
    aggregate_.clear();
    now_ = kStart;
  }
  Aggregate::Added add(Millis at, const Value& of = Value::absent()) {
    now_ = std::max(now_, kStart + at);
    return aggregate_.add(spec_, kStart + at, now_, of, digest_);
  }
  std::string read(Millis at, Member member = Member::kValue) {
    return text_of(aggregate_.read(spec_, member, kStart + at, arena_));
  }

  AggregateSpec spec_;
  Aggregate aggregate_;
  Digest digest_;
  Arena arena_;
  Instant now_ = kStart;
};

TEST_F(AggregateTest, WithoutEventsCountSumAndDistinctAreZeroAndAllElseIsMissing) {
  for (const AggregateKind kind : all_kinds()) {
    use(kind);
    const bool whole = kind == AggregateKind::kCount || kind == AggregateKind::kDistinct;
    EXPECT_EQ(read({}), whole ? "int 0" : kind == AggregateKind::kSum ? "double 0" : "absent");
  }
  use(AggregateKind::kGaps);
  EXPECT_EQ(read({}, Member::kCount), "int 0");
  EXPECT_EQ(read({}, Member::kMean), "absent");
}

TEST_F(AggregateTest, AWindowIsOpenAtItsStartAndClosedAtItsEnd) {
  use(AggregateKind::kCount, Millis{100});
  add(Millis{0});
  EXPECT_EQ(read(Millis{0}), "int 1");
  EXPECT_EQ(read(Millis{99}), "int 1");
  EXPECT_EQ(read(Millis{100}), "int 0");
  EXPECT_EQ(aggregate_.next_change(spec_, kStart), kStart + Millis{100});
  EXPECT_EQ(aggregate_.next_change(spec_, kStart + Millis{100}), Instant::never());
}

TEST_F(AggregateTest, AnOffsetWindowIsEnteredAndLeftToTheMillisecond) {
  use(AggregateKind::kSum, Millis{100}, Millis{30});
  add(Millis{0}, Value::real(2.5));
  EXPECT_EQ(read(Millis{29}), "double 0");
  EXPECT_EQ(read(Millis{30}), "double 2.5");
  EXPECT_EQ(read(Millis{129}), "double 2.5");
  EXPECT_EQ(read(Millis{130}), "double 0");
  EXPECT_EQ(aggregate_.next_change(spec_, kStart), kStart + Millis{30});
  EXPECT_EQ(aggregate_.next_change(spec_, kStart + Millis{30}), kStart + Millis{130});
}

TEST_F(AggregateTest, WhatIsOlderThanTheWindowReachesOrHasTheWrongKindChangesNothing) {
  use(AggregateKind::kSum, Millis{100});
  add(Millis{200}, Value::real(1));
  const std::string before = encoded(aggregate_, spec_);
  const std::uint64_t digest = digest_.value();
  EXPECT_EQ(add(Millis{100}, Value::real(5)), Aggregate::Added::kOutside);
  EXPECT_EQ(add(Millis{200}, Value::string("5")), Aggregate::Added::kError);
  EXPECT_EQ(add(Millis{200}, Value::absent()), Aggregate::Added::kError);
  EXPECT_EQ(encoded(aggregate_, spec_), before);
  EXPECT_EQ(digest_.value(), digest);
  EXPECT_EQ(add(Millis{101}, Value::real(5)), Aggregate::Added::kYes);
  EXPECT_EQ(read(Millis{200}), "double 6");
}

TEST_F(AggregateTest, SumsOfPricesAreExact) {
  use(AggregateKind::kSum);
  for (int i = 0; i < 10; ++i) add(Millis{i}, Value::real(0.1));
  EXPECT_EQ(read(kDay), "double 1");
  use(AggregateKind::kMean);
  add(Millis{0}, Value::integer(1));
  add(Millis{1}, Value::real(2));
  add(Millis{2}, Value::unsigned_integer(2));
  EXPECT_EQ(read(kDay), "double 1.6666666666666667");
}

TEST_F(AggregateTest, ASumGoesBeyond64Bits) {
  use(AggregateKind::kSum);
  for (int i = 0; i < 1000; ++i) add(Millis{i}, Value::real(9e12));
  EXPECT_EQ(read(kDay), "double 9000000000000000");
}

TEST_F(AggregateTest, EqualNumbersAreOneMemberAndTextIsNone) {
  use(AggregateKind::kDistinct);
  add(Millis{0}, Value::integer(7));
  add(Millis{1}, Value::real(7));
  add(Millis{2}, Value::unsigned_integer(7));
  EXPECT_EQ(read(kDay), "int 1");
  add(Millis{3}, Value::string("7"));
  EXPECT_EQ(read(kDay), "int 2");
}

TEST_F(AggregateTest, MinMaxFirstAndLastKeepTheType) {
  use(AggregateKind::kMax, kDay);
  add(Millis{0}, Value::duration(Millis{5}));
  EXPECT_EQ(read(Millis{0}), "duration 0+5000000");
  use(AggregateKind::kLast);
  add(Millis{0}, Value::string("a category with a long name"));
  EXPECT_EQ(read(Millis{0}), "string 'a category with a long name'");
}

TEST_F(AggregateTest, GapsAreOfTheNewest32AndTheMeanOfAll) {
  use(AggregateKind::kGaps);
  std::int64_t at = 0;
  for (int gap = 1; gap <= 40; ++gap) {
    add(Millis{at});
    at += gap * 10;
  }
  EXPECT_EQ(read(kDay, Member::kCount), "int 39");
  EXPECT_EQ(read(kDay, Member::kMean), "duration 0+200000000");  // 7,800 / 39
  EXPECT_EQ(read(kDay, Member::kLast), "duration 0+390000000");
  EXPECT_EQ(read(kDay, Member::kMedian), "duration 0+230000000");  // 8 to 39: the 16th
  EXPECT_EQ(read(kDay, Member::kP90), "duration 0+360000000");     // the 29th
}

TEST_F(AggregateTest, ALateEventOnADayLongKnownIsNoNewDay) {
  use(AggregateKind::kGaps);
  spec_.distinct_days = true;
  for (int day = 0; day < 100; ++day) add(kDay * day + kHour);
  EXPECT_EQ(read(kDay * 99 + kHour, Member::kCount), "int 99");
  add(kDay * 3 + kHour * 2);
  add(Millis{5});
  EXPECT_EQ(read(kDay * 99 + kHour, Member::kCount), "int 99");
  EXPECT_EQ(read(kDay * 99 + kHour, Member::kMean),
            "duration 86436+363000000");  // from the new first time
}

TEST_F(AggregateTest, AWeightHalvesEachHalfLife) {
  use(AggregateKind::kDecayed);
  spec_.half_life = kMinute * 20;
  add(Millis{0}, Value::integer(5));
  EXPECT_EQ(read(kMinute * 0), "double 5");
  EXPECT_EQ(read(kMinute * 20), "double 2.5");
  add(kMinute * 20, Value::integer(1));
  EXPECT_EQ(read(kMinute * 40), "double 1.75");
}

TEST_F(AggregateTest, AnEmptyWindowGivesItsMemoryBack) {
  for (const AggregateKind kind : all_kinds()) {
    use(kind, kHour);
    spec_.half_life = kHour;
    for (int i = 0; i < 100; ++i) add(kMinute * i, Value::integer(i));
    aggregate_.advance(spec_, kStart + kDay);
    EXPECT_TRUE(aggregate_.empty()) << name_of(spec_);
    EXPECT_EQ(aggregate_.memory_bytes(), 0u);
  }
}

TEST_F(AggregateTest, AFeatureOfFewEventsTakesFewBytes) {
  const auto bytes = [&](AggregateKind kind, Millis window, int events) {
    use(kind, window);
    spec_.half_life = kDay;
    for (int i = 0; i < events; ++i) add(kHour * i, Value::real(19.99 + i));
    return aggregate_.memory_bytes();
  };
  EXPECT_EQ(bytes(AggregateKind::kCount, Millis{0}, 1000), 0u);
  EXPECT_LE(bytes(AggregateKind::kSum, Millis{0}, 1000), 24u);
  EXPECT_LE(bytes(AggregateKind::kLast, Millis{0}, 1000), 40u);
  EXPECT_LE(bytes(AggregateKind::kCount, kDay * 30, 5), 56u);
  EXPECT_LE(bytes(AggregateKind::kSum, kDay * 30, 3), 88u);
  EXPECT_LE(bytes(AggregateKind::kDistinct, kDay * 30, 2), 88u);
  EXPECT_LE(bytes(AggregateKind::kGaps, Millis{0}, 5), 72u);
  EXPECT_LE(bytes(AggregateKind::kDecayed, Millis{0}, 1000), 280u);
}

}  // namespace
}  // namespace spur::testing
