// What happens beyond `limit`, against a model that is handed all events at once; in any order of
// arrival.
#include <algorithm>
#include <map>

#include "state/aggregates/millionths.h"
#include "state/aggregates/window.h"
#include "tests/state/aggregate_fixture.h"

namespace spur::testing {
namespace {

struct Single {
  std::int64_t time;
  std::int64_t amount;
  auto operator<=>(const Single&) const = default;
};

// When each event counts as having happened: the newest `limit` at their own time; of the others,
// the newest `limit` minutes as minutes; of the others the newest `limit` hours; the others as
// days.
std::vector<Single> as_kept(std::vector<Single> events, std::size_t limit) {
  std::sort(events.begin(), events.end());
  std::vector<Single> kept;
  std::vector<Single> rest = events;
  for (const Unit unit : {Unit::kMillisecond, Unit::kMinute, Unit::kHour, Unit::kDay}) {
    std::map<std::int64_t, int> units;
    for (Single& event : rest) units[event.time = start_of(unit, event.time)] += 1;
    std::vector<Single> older;
    std::size_t singles = 0;
    for (auto it = rest.rbegin(); it != rest.rend(); ++it) {
      const auto newer =
          static_cast<std::size_t>(std::distance(units.upper_bound(it->time), units.end()));
      const bool keeps =
          unit == Unit::kDay || (unit == Unit::kMillisecond ? singles++ < limit : newer < limit);
      (keeps ? kept : older).push_back(*it);
    }
    std::reverse(older.begin(), older.end());
    rest = older;
  }
  return kept;
}

TEST(AggregateLimitsTest, BeyondTheLimitTheOldestCountByTheMinuteHourAndDayInAnyOrder) {
  std::mt19937_64 random(5);
  for (const AggregateKind kind : {AggregateKind::kCount, AggregateKind::kSum}) {
    for (const Millis offset : {Millis{0}, kHour * 5}) {
      for (const Millis spread : {kMinute * 8, kHour * 9, kDay * 20}) {
        for (int round = 0; round < 20; ++round) {
          AggregateSpec spec;
          spec.kind = kind;
          spec.window = Millis{spread.count / 2};
          spec.offset = offset;
          spec.limit = static_cast<std::uint32_t>(1 + random() % 6);
          std::vector<Single> events;
          for (int i = 0; i < 80; ++i) {
            const auto ahead =
                static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(spread.count));
            events.push_back(
                {kStart.ms + ahead / 50 * 50, static_cast<std::int64_t>(random() % 100)});
          }
          if (round % 2 == 0) std::sort(events.begin(), events.end());
          Aggregate aggregate;
          Instant now = kStart;
          std::vector<Single> so_far;
          for (const Single& event : events) {
            Digest digest;
            now = std::max(now, Instant{event.time});
            aggregate.add(spec, {event.time}, now, Value::integer(event.amount), digest);
            so_far.push_back(event);
          }
          const std::vector<Single> kept = as_kept(so_far, spec.limit);
          Instant at = now;
          for (int step = 0; step < 60; ++step, at = at + Millis{spread.count / 40}) {
            const Window window(spec, at);
            std::int64_t count = 0, sum = 0;
            for (const Single& event : kept) {
              if (event.time > window.boundary || event.time <= window.cutoff) continue;
              count += 1;
              sum += event.amount;
            }
            const std::string expected = kind == AggregateKind::kCount
                                             ? "int " + std::to_string(count)
                                             : text_of(Value::real(static_cast<double>(sum)));
            Arena arena;
            ASSERT_EQ(text_of(aggregate.read(spec, Member::kValue, at, arena)), expected)
                << name_of(spec) << ", limit " << spec.limit << ", spread " << spread.count
                << ", step " << step << ", round " << round;
            if (round % 3 == 0) aggregate.advance(spec, at);
            Aggregate decoded;
            ASSERT_TRUE(decoded.decode(spec, encoded(aggregate, spec)));
            ASSERT_EQ(encoded(decoded, spec), encoded(aggregate, spec));
            ASSERT_EQ(text_of(decoded.read(spec, Member::kValue, at, arena)), expected);
          }
        }
      }
    }
  }
}

TEST(AggregateLimitsTest, WhatIsMergedIsCounted) {
  AggregateSpec spec;
  spec.window = kDay * 30;
  Aggregate aggregate;
  Digest digest;
  for (int i = 0; i < 10'000; ++i)
    aggregate.add(spec, kStart + kSecond * i, kStart + kSecond * i, Value::absent(), digest);
  EXPECT_EQ(aggregate.overflowed(), 10'000u - 4'096);
  Arena arena;
  EXPECT_EQ(aggregate.read(spec, Member::kValue, kStart + kDay, arena).as_int(), 10'000);
}

TEST(AggregateLimitsTest, OfDistinctMembersThoseSeenLongestAgoGoInAnyOrder) {
  std::mt19937_64 random(6);
  AggregateSpec spec;
  spec.kind = AggregateKind::kDistinct;
  spec.limit = 20;
  std::vector<Single> events;
  for (int i = 0; i < 300; ++i)
    events.push_back({kStart.ms + static_cast<std::int64_t>(random() % 1000),
                      static_cast<std::int64_t>(random() % 60)});
  std::string expected;
  for (int permutation = 0; permutation < 20; ++permutation) {
    Aggregate aggregate;
    Digest digest;
    for (const Single& event : events)
      aggregate.add(spec, {event.time}, kStart + kDay, Value::integer(event.amount), digest);
    Arena arena;
    EXPECT_EQ(aggregate.read(spec, Member::kValue, kStart + kDay, arena).as_int(), 20);
    EXPECT_GT(aggregate.overflowed(), 0u);
    // The members themselves, without the counter, which does depend on who came and went.
    const std::string bytes = encoded(aggregate, spec);
    const std::string members = bytes.substr(bytes.find('\x14'));
    if (permutation == 0) expected = members;
    EXPECT_EQ(members, expected);
    std::shuffle(events.begin(), events.end(), random);
  }
}

TEST(AggregateLimitsTest, EveryKindStaysBoundedAndStorableBeyondItsLimit) {
  std::mt19937_64 random(7);
  for (const AggregateKind kind : all_kinds()) {
    for (const Millis offset : {Millis{0}, kDay * 3}) {
      AggregateSpec spec;
      spec.kind = kind;
      spec.window = kDay * 10;
      spec.offset = offset;
      spec.half_life = kDay;
      spec.limit = 5;
      Aggregate aggregate;
      Digest digest;
      Instant now = kStart;
      for (int i = 0; i < 3'000; ++i) {
        now = now + Millis{static_cast<std::int64_t>(random() % 2'000'000)};
        const Instant time =
            now - Millis{static_cast<std::int64_t>(random() % 3 == 0 ? random() % 800'000'000 : 0)};
        // Falling values are the worst case of a maximum, and rising ones of a minimum.
        const Value of = Value::integer(kind == AggregateKind::kMin ? i : -i);
        aggregate.add(spec, std::max(time, kStart), now, of, digest);
        if (i % 7 == 0) aggregate.advance(spec, now);
        ASSERT_LT(aggregate.memory_bytes(), 20'000u) << name_of(spec);
        if (i % 50 != 0) continue;
        Aggregate decoded;
        ASSERT_TRUE(decoded.decode(spec, encoded(aggregate, spec))) << name_of(spec);
        ASSERT_EQ(encoded(decoded, spec), encoded(aggregate, spec)) << name_of(spec);
      }
      EXPECT_GT(aggregate.overflowed() + (kind == AggregateKind::kLast ? 1 : 0), 0u)
          << name_of(spec);
    }
  }
}

}  // namespace
}  // namespace spur::testing
