// The time line of one customer: in which order its events and its timers are taken (catalog.md,
// "Time, exactly").
//
// * before an event at t, the customer's own timers due before t fire; others never matter
// * an event at exactly a deadline is in time: timers of an instant come after its events, and
//   those after a change of business data, of which it is told before anything later
// * with a lateness L, what happens at t is decided when the clock has passed t + L; until then
//   events wait in order
// * a graced conclusion (absence, a session's idle end) is taken when the clock has passed d + G,
//   or earlier if something later than d must be taken first; its decisions then leave when the
//   clock has passed d + G
#pragma once

#include "operators/changes.h"
#include "operators/turn.h"

namespace spur {

inline constexpr std::size_t kBufferedMax =
    4'096;  // events that wait, of one customer; then the earliest is taken early
// Ids remembered, of one customer; then the oldest go, counted.
inline constexpr std::size_t kSeenMax = 1'024;
inline constexpr int kTimersPerWake = 10'000;  // instants taken in one wake; the rest at the next

class Timeline {
 public:
  // `shard` and `slots` outlive the timeline.
  Timeline(ShardState& shard, Activation& slots) : shard_(shard), slots_(slots) {}

  // Gives a customer that is new to the catalog in force its timers and levels. Leaves the arena as
  // it is: the event that made it known may lie there.
  void plan(Customer& customer, Instant at, Effects& effects);

  // Takes everything due before `limit`, events and timers; graced conclusions only where their
  // grace is over before it too, unless `final` (the end of a backtest).
  void advance(Customer& customer, Instant limit, bool final, Effects& effects);

  // Takes an event that has just arrived, with the lateness of the catalog: now, or into the
  // buffer.
  void arrive(Customer& customer, const Event& event, Instant received, Effects& effects);

  // Tells it at `at` of a change of business data whose turn has come to `place`, after what was
  // due before. False: it does not care any more. `fired` becomes whether that fired.
  bool tell(Customer& customer, const Changes::Telling& telling, std::string_view place, Instant at,
            bool& fired, Effects& effects);

  // When to look at this customer again, and before when nothing of its own can be due; never() if
  // nothing waits.
  struct Next {
    Instant wake = Instant::never();
    Instant due = Instant::never();  // earlier than `wake` where a grace is waited for
  };
  Next next(const Customer& customer) const;

  // Whether this is the first copy; remembers it.
  bool first_copy(Customer& customer, const Event& event);

 private:
  struct Due {
    Instant at = Instant::never();     // of the earliest timer, ready or not
    Instant ready = Instant::never();  // of the earliest whose time has come
  };
  Due timers(const Customer& customer, Instant limit, bool final) const;

  // `heard`: changes of business data before it may have been told already, whoever cares; of an
  // event that has waited for its turn, none.
  void take(Customer& customer, const Event& event, Instant received, Instant heard,
            Effects& effects);
  void take(Turn& turn, Instant heard);
  void take_buffered(Customer& customer, Effects& effects);
  // The earliest change before `limit` that the customer has to be told of; never(): none.
  Instant change(const Customer& customer, Instant limit) const;
  // An instant without an event: `take(turn)`, what fires is decided, and whoever watches is told
  // of it.
  template <typename Take>
  void at_instant(Customer& customer, Instant now, Effects& effects, Take&& take);
  void take_changes(Customer& customer, Instant at, Effects& effects);
  void take_timers(Customer& customer, Instant at, Instant limit, bool final, Effects& effects);
  // `released` becomes the steps whose time has come.
  template <typename HoldUntil>
  void fire_timers(Turn& turn, const HoldUntil& hold_until, std::vector<Pending>& released);
  void ask_thresholds(Turn& turn);

  ShardState& shard_;
  Activation& slots_;
};

}  // namespace spur
