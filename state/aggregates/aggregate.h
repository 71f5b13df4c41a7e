// One feature's value for one customer: the state behind `features.x`.
//
// An Aggregate is 8 bytes when nothing has happened (an all-time count for ever) and one heap block
// afterwards. What it computes is described by an AggregateSpec that the catalog owns and every
// call is handed; the state does not repeat it. The fold is commutative: any order of add() with
// the same events gives the same readings at the same instant (catalog.md, "Aggregates"). No CEL
// here: values come in.
//
// Exactly:
// * Sums. Each value is taken as whole millionths, rounded half to even; the total has 128 bits. A
//   reading is the total, or total / count, as the nearest double.
// * min, max, first, last and distinct take bool, int, uint, double, string, bytes, timestamp and
//   duration. Values of different types have the order bool < numbers < string < bytes < timestamp
//   < duration; among equal numbers int < uint < double.
// * distinct: equal numbers are one member whatever their type; text never equals a number. Beyond
//   `limit` the members seen longest ago go.
// * gaps.count is 0 without events, gaps.newest needs one, the other members two. Percentiles are
// nearest-rank:
//   of n gaps in ascending order the one in place ceil(n / 2) and ceil(9 n / 10), counted from 1.
//   `distinct_days`: the earliest event of a UTC day (of those in the window) stands for the day.
//   Late events count wherever they belong (gaps.h).
// * decayed: the sum of weight * 2^(-age / half_life) at the end of the window, t - offset, to ten
//   digits and more (decayed.h), then rounded to whole millionths: weights of one instant read as
//   their sum there, and as half of it a half-life later.
// * A window keeps `limit` single values. The older ones are merged by the minute, beyond `limit`
//   minutes by the hour, beyond `limit` hours by the day; a merged value counts as if it had
//   happened at the start of its unit, so that a unit enters and leaves as one whole. This too does
//   not depend on the order of arrival; but min and max keep only values that can still become the
//   reading, and when even those exceed `limit`, the instant at which one leaves may (never by more
//   than its unit). distinct merges only what an offset keeps waiting, and only by the day.
// * `offset` without `window` is a window of a thousand years.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "state/arena.h"
#include "state/digest.h"
#include "state/time.h"
#include "state/value.h"

namespace spur {

class PackedReader;
class PackedWriter;
class Scratch;

// Stored: a number is never reused.
enum class AggregateKind : std::uint8_t {
  kCount = 1,  // int
  kSum = 2,    // double; kept as whole millionths in 128 bits
  kMean = 3,   // double
  kMin = 4,    // the type of `of`
  kMax = 5,
  kDistinct = 6,  // int
  kFirst = 7,  // by event time; at one instant the smallest value in CEL's order, so that any order
               // agrees
  kLast = 8,   // by event time; at one instant the largest value
  kGaps = 9,   // gaps between events; see Member
  kDecayed = 10,  // double; each weight halves every half_life
};

// Which reading of an aggregate: of kGaps one of the others, of all else kValue.
enum class Member : std::uint8_t {
  kValue,
  kCount,   // gaps: number of gaps, int
  kMean,    // gaps: (last − first) / count, duration, rounded down to the millisecond
  kLast,    // gaps: the newest gap, duration
  kMedian,  // gaps: of the newest 32 gaps, duration
  kP90,     // gaps: of the newest 32 gaps, duration
  kNewest,  // gaps: when the newest event (or the first of the newest day) was, timestamp; needs one event
};

struct AggregateSpec {
  AggregateKind kind = AggregateKind::kCount;
  Millis window{0};            // 0: all time (or the session, whose end calls clear())
  Millis offset{0};            // the window is (t − offset − window, t − offset]
  Millis half_life{0};         // of kDecayed; more than 0
  bool distinct_days = false;  // gaps: events of one UTC day count once
  // kDistinct: members kept exactly; a window: single values kept, older ones are merged by the
  // minute, hour and day.
  std::uint32_t limit = 0;  // 0: the default, 10,000 members or 4,096 values

  static constexpr std::uint32_t kMembersDefault = 10'000;
  static constexpr std::uint32_t kValuesDefault = 4'096;
  // A larger `limit` means this one: positions in a block have 16 bits.
  static constexpr std::uint32_t kLimitMax = 16'000;
};

class Aggregate {
 public:
  Aggregate() = default;
  Aggregate(Aggregate&&) noexcept = default;
  Aggregate& operator=(Aggregate&&) noexcept = default;
  Aggregate(const Aggregate&);
  Aggregate& operator=(const Aggregate&);
  ~Aggregate();

  enum class Added : std::uint8_t {
    kYes,
    kOutside,  // older than the window reaches back from `now`: nothing changed
    kError,    // `of` has not the kind the aggregate needs, or is not representable: the event is
               // skipped
  };

  // Folds one event of time `time` with the value `of` (ignored by kCount and kGaps; the weight of
  // kDecayed). `now` >= `time` is the customer's newest instant, never smaller than in an earlier
  // call. Text in `of` is copied. Feeds the time and the value to `digest` unless nothing changed;
  // which feature it is the caller has to feed.
  Added add(const AggregateSpec& spec, Instant time, Instant now, const Value& of, Digest& digest);

  // The value as of `now` (which may lie after the last event; windows move with it; it never goes
  // back). Count, sum and distinct are 0 without events, all else is absent. Text in the answer
  // points into `arena`. Costs nothing to speak of, plus a step for each entry that entered or left
  // the window since the last add() or advance(); gaps and decayed over a window cost a step an
  // entry.
  Value read(const AggregateSpec& spec, Member member, Instant now, Arena& arena) const;

  // Drops what has left the window for good, as of `now`. read() gives the same before and after;
  // only memory changes.
  void advance(const AggregateSpec& spec, Instant now);

  // The first instant after `now` at which read() may differ from read() at `now` with no further
  // event: when an entry leaves the window or, with an offset, enters it. never() if there is none,
  // and for kDecayed (always changing).
  Instant next_change(const AggregateSpec& spec, Instant now) const;

  // Back to nothing: the end of the session that the feature is counted within.
  void clear() { state_.reset(); }
  bool empty() const { return state_ == nullptr; }
  // How many members or single values were dropped or merged because of `limit`, over the
  // aggregate's life.
  std::uint64_t overflowed() const;

  // Stored bytes, versioned, frozen by goldens. decode() answers false for bytes that are not whole
  // and valid for this spec's kind; the aggregate is then empty.
  void encode(const AggregateSpec& spec, std::string& out) const;
  bool decode(const AggregateSpec& spec, std::string_view bytes);

  // Heap bytes held, for memory limits and the figures in bench/README.md.
  std::size_t memory_bytes() const;

  // The packed form (packed.h): false if it has none. What unpack() gives borrows from both and
  // must be settled before it outlives one of them.
  bool pack(const AggregateSpec& spec, PackedWriter& out) const;
  static Aggregate unpack(const AggregateSpec& spec, PackedReader& in, Scratch& scratch);
  static bool begins_empty(const AggregateSpec& spec);
  // Whether it is a count, a sum or a mean over all time, which always has a packed form; and add()
  // to that.
  static bool is_total(const AggregateSpec& spec);
  static Added add_packed(const AggregateSpec& spec, PackedReader& before, PackedWriter& after,
                          Instant time, Instant now, const Value& of, Digest& digest);
  // As read() and next_change() of what unpack() gives.
  static Value read_packed(const AggregateSpec& spec, PackedReader& in, Member member, Instant now,
                           Arena& arena);
  static Instant next_change_packed(const AggregateSpec& spec, PackedReader& in, Instant now);
  void settle();

  struct State;  // aggregate_state.h
  struct Deleter {
    void operator()(State* state) const;
  };
  using StatePtr = std::unique_ptr<State, Deleter>;

 private:
  friend class FeatureStates;  // keeps the pointer of one that is not packed
  explicit Aggregate(StatePtr state) : state_(std::move(state)) {}

  StatePtr state_;
};
static_assert(sizeof(Aggregate) == 8);

}  // namespace spur
