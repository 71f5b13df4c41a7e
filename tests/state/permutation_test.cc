// Any order of arrival gives the readings of the oracle, at every instant at which any reading
// could differ.
#include <algorithm>

#include "tests/state/aggregate_fixture.h"
#include "tests/state/oracle.h"

namespace spur::testing {
namespace {

struct Shape {
  AggregateSpec spec;
  Millis spread;  // events lie within this
};

std::vector<Shape> shapes() {
  std::vector<Shape> shapes;
  for (const AggregateKind kind : all_kinds()) {
    for (const bool by_day : {false, true}) {
      if (by_day && kind != AggregateKind::kGaps) continue;
      const auto add = [&](Millis window, Millis offset, Millis spread) {
        AggregateSpec spec;
        spec.kind = kind;
        spec.window = window;
        spec.offset = offset;
        spec.half_life = kHour * 7;
        spec.distinct_days = by_day;
        shapes.push_back({spec, spread});
      };
      add(Millis{0}, Millis{0}, kDay * 60);
      add(Millis{50}, Millis{0}, Millis{100});
      add(Millis{50}, Millis{30}, Millis{100});
      add(Millis{10}, Millis{60}, Millis{100});
      add(kDay * 7, Millis{0}, kDay * 20);
      add(kDay * 7, kDay * 7, kDay * 20);
      add(Millis{0}, kDay * 3, kDay * 10);
    }
  }
  return shapes;
}

class PermutationTest : public ::testing::Test {
 protected:
  void make_events(const Shape& shape, std::size_t count) {
    events_.clear();
    for (std::size_t i = 0; i < count; ++i) {
      const auto ahead =
          static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(shape.spread.count));
      events_.push_back({kStart + Millis{ahead}, some_value(shape.spec.kind, random_)});
    }
  }

  // All instants at which the oracle's reading can change, and their neighbours.
  std::vector<Instant> edges(const AggregateSpec& spec, Instant from) const {
    std::vector<Instant> edges;
    for (const OracleEvent& event : events_) {
      for (const Millis edge : {spec.offset, spec.offset + spec.window}) {
        for (const std::int64_t around : {-1, 0, 1})
          edges.push_back(event.time + edge + Millis{around});
      }
    }
    std::erase_if(edges, [&](Instant edge) { return edge < from; });
    std::sort(edges.begin(), edges.end());
    edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
    return edges;
  }

  void expect_same(const AggregateSpec& spec, const Oracle& oracle, const Aggregate& aggregate,
                   Instant now) {
    Arena arena;
    for (const Member member : members_of(spec.kind)) {
      ASSERT_TRUE(
          same(spec.kind, oracle.read(member, now), aggregate.read(spec, member, now, arena)))
          << name_of(spec) << ", member " << static_cast<int>(member) << ", at start + "
          << (now - kStart).count;
    }
  }

  std::mt19937_64 random_{20260301};
  std::vector<OracleEvent> events_;
};

TEST_F(PermutationTest, AfterEveryEventInAnyOrderTheReadingIsTheOraclesAndSoAfterTheWindowMoved) {
  for (const Shape& shape : shapes()) {
    for (int round = 0; round < 12; ++round) {
      make_events(shape, 1 + random_() % (round == 11 ? 150 : 40));
      Oracle oracle(shape.spec);
      Aggregate aggregate;
      Instant now = kStart;
      if (round % 3 == 0)
        std::sort(events_.begin(), events_.end(), [](auto& a, auto& b) { return a.time < b.time; });
      for (const OracleEvent& event : events_) {
        now = std::max(now, event.time);
        Digest digest;
        oracle.add(event.time, event.of);
        aggregate.add(shape.spec, event.time, now, event.of, digest);
        expect_same(shape.spec, oracle, aggregate, now);
        if (HasFatalFailure()) return;
      }
      // Once with advance() at each edge, once only reading.
      for (const bool advances : {false, true}) {
        Aggregate moved = aggregate;
        for (const Instant edge : edges(shape.spec, now)) {
          expect_same(shape.spec, oracle, moved, edge);
          if (advances) moved.advance(shape.spec, edge);
          expect_same(shape.spec, oracle, moved, edge);
          if (HasFatalFailure()) return;
        }
      }
    }
  }
}

TEST_F(PermutationTest, ReadingsOfAllOrdersAreEqualToTheLastBit) {
  for (const Shape& shape : shapes()) {
    for (int round = 0; round < 6; ++round) {
      make_events(shape, 60);
      const Instant end = kStart + shape.spread;
      std::vector<std::string> expected;
      for (int permutation = 0; permutation < 8; ++permutation) {
        Aggregate aggregate;
        Instant now = kStart;
        Digest digest;
        for (const OracleEvent& event : events_) {
          now = std::max(now, event.time);
          aggregate.add(shape.spec, event.time, now, event.of, digest);
        }
        aggregate.advance(shape.spec, end);
        std::vector<std::string> actual;
        Arena arena;
        for (const Instant at :
             {end, end + shape.spec.offset, end + shape.spec.window + Millis{-5}}) {
          if (at < end) continue;
          for (const Member member : members_of(shape.spec.kind)) {
            actual.push_back(text_of(aggregate.read(shape.spec, member, at, arena)));
          }
        }
        if (permutation == 0) expected = actual;
        ASSERT_EQ(expected, actual) << name_of(shape.spec);
        std::shuffle(events_.begin(), events_.end(), random_);
      }
    }
  }
}

TEST_F(PermutationTest, NothingChangesBeforeNextChange) {
  for (const Shape& shape : shapes()) {
    if (shape.spec.kind == AggregateKind::kDecayed) continue;  // changes all the time
    for (int round = 0; round < 8; ++round) {
      make_events(shape, 1 + random_() % 25);
      Oracle oracle(shape.spec);
      Aggregate aggregate;
      Instant now = kStart;
      Digest digest;
      for (const OracleEvent& event : events_) {
        now = std::max(now, event.time);
        oracle.add(event.time, event.of);
        aggregate.add(shape.spec, event.time, now, event.of, digest);
      }
      Instant before = now;
      for (const Instant edge : edges(shape.spec, now)) {
        if (edge <= before) continue;
        bool changes = false;
        for (const Member member : members_of(shape.spec.kind)) {
          changes |= text_of(oracle.read(member, before)) != text_of(oracle.read(member, edge));
        }
        const Instant next = aggregate.next_change(shape.spec, before);
        ASSERT_GT(next, before) << name_of(shape.spec);
        if (changes) {
          ASSERT_EQ(next, edge) << name_of(shape.spec);
        }
        // A count changes whenever it is said to; of the others it may be by luck that it does not.
        if (shape.spec.kind == AggregateKind::kCount && next == edge &&
            shape.spec.offset.count == 0) {
          ASSERT_TRUE(changes) << name_of(shape.spec);
        }
        before = edge;
        if (round % 2 == 0) aggregate.advance(shape.spec, edge);
      }
      ASSERT_EQ(aggregate.next_change(shape.spec, Instant{3 * kInstantMax.ms}), Instant::never());
    }
  }
}

TEST_F(PermutationTest, ACopyACodecRoundTripAndTheOriginalGoOnAlike) {
  for (const Shape& shape : shapes()) {
    make_events(shape, 60);
    std::sort(events_.begin(), events_.end(), [](auto& a, auto& b) { return a.time < b.time; });
    Aggregate aggregate, copy, stored;
    Digest digest;
    for (const OracleEvent& event : events_) {
      aggregate.add(shape.spec, event.time, event.time, event.of, digest);
      copy.add(shape.spec, event.time, event.time, event.of, digest);
      stored.add(shape.spec, event.time, event.time, event.of, digest);
      copy = Aggregate(copy);
      ASSERT_TRUE(stored.decode(shape.spec, encoded(stored, shape.spec))) << name_of(shape.spec);
      ASSERT_EQ(encoded(aggregate, shape.spec), encoded(copy, shape.spec)) << name_of(shape.spec);
      ASSERT_EQ(encoded(aggregate, shape.spec), encoded(stored, shape.spec)) << name_of(shape.spec);
    }
  }
}

}  // namespace
}  // namespace spur::testing
