// Turn: one customer at one instant of its time line, either an event or the timers due then; and Firing, what an
// operator answers. Plain values that the parts of the fold hand to one another.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "operators/activation.h"
#include "operators/catalog/compiled.h"
#include "operators/effects.h"
#include "operators/score_tape.h"
#include "operators/shard.h"
#include "operators/watcher.h"
#include "state/arena.h"
#include "state/customer.h"
#include "state/digest.h"
#include "state/event.h"

namespace spur {

// What stays the same through a run, and the counters that its effects are numbered by.
struct RunState {
  std::uint32_t shard = 0;
  std::uint64_t seq = 0;
  Instant clock = Instant::distant_past();
  Instant wall = Instant::never();
  ClockMode mode = ClockMode::kWall;
  ScoreTape* scores = nullptr;
  std::uint32_t input = 0;    // index of the input being applied
  std::uint32_t ordinal = 0;  // of the next effect of this input
};

// Since which catalog a definition has been there, without a break.
struct Since {
  std::uint32_t generation = 1;
  Instant at = Instant::distant_past();  // the shard's clock when that catalog came
  // The wall clock then, if that was ahead of it: while a history is read it is.
  Instant live = Instant::distant_past();
};

class BusinessData;

// Shard-wide state that a turn reads and moves.
struct ShardState {
  std::shared_ptr<const catalog::Compiled> catalog;
  BusinessData* business = nullptr;  // never, while there is a turn
  std::uint32_t generation = 0;
  std::vector<Since> features_since;   // by feature
  std::vector<Since> triggers_since;   // by trigger
  std::vector<Instant> activations;    // by trigger; empty where none has `backfill`
  std::vector<Millis> session_grace;   // by session: how long its end by silence may have to wait
  std::vector<Millis> trigger_grace;   // by trigger; empty where none has one, and so no session either
  std::uint32_t newest_since = 1;      // the greatest generation in the two
  std::map<std::string, std::uint64_t, std::less<>> spurseq_by_topic;  // the last given
  std::map<std::uint32_t, std::uint64_t> sent, accepted;  // messages, by the other shard: the last number
  std::vector<std::uint32_t> true_without_events;  // thresholds that hold for a customer without events
  std::vector<std::uint32_t> asked_at_creation;    // thresholds for which that depends on the instant
  RunState run;
  Digest digest;
  Arena arena;
  std::string bytes;  // what is being encoded; kept for its memory
  Shard::Counters counters;
  std::vector<Shard::TriggerCounters> trigger_counters;
  Shard::Assumed assumed;
  Watcher* watcher = nullptr;  // nobody
};

// An operator fired, and its `if` said yes. Lives as long as the turn; its texts lie in the turn's arena or event.
struct Firing {
  std::uint32_t trigger = 0;
  std::string_view key;
  Instant base;            // what the steps' `after` counts from: the instant that fired, or an `until` already past
  Instant opened_at;
  std::uint32_t count = 0;
  const Event* event = nullptr;  // the event that opened or fired it, if it is this turn's
  std::string_view opened;  // else its encoding; empty: none
  Value item;               // of an `each`
  Value previous;           // of a change of business data: the record before it
  Instant hold_until = Instant::distant_past();  // a conclusion from silence: the clock must pass this before it leaves
  // Of a session's end: what the steps due at once answer as of just before it, by step.
  struct Prepared {
    bool condition = true;
    std::string_view data;
    std::string_view last_data;  // the same as a value, where the trigger reads instance.last
  };
  std::span<const Prepared> prepared;
  // A later or deferred step of an earlier firing, which outlives this; everything above is its own.
  const Pending* pending = nullptr;
};

// Sessions by (index, key); the keys live in the turn's arena.
using SessionKeys = absl::InlinedVector<std::pair<std::uint32_t, std::string_view>, 4>;

struct Turn {
  ShardState& shard;
  Customer& customer;
  Instant now;
  const Event* event = nullptr;
  Instant received{0};     // of the event
  bool late = false;       // the event is older than `now`
  Activation& slots;
  Effects& effects;
  absl::InlinedVector<Firing, 2> firings;
  // Lists that most events put something into stand in the turn: an event of a known customer allocates nothing.
  absl::InlinedVector<std::uint32_t, 16> thresholds;  // to be asked at the end of this turn
  SessionKeys opened_sessions = {};                   // by this event
  std::vector<std::uint32_t> gone_on = {};            // channels on which marketing went: arbitration

  const catalog::Compiled& catalog() const { return *shard.catalog; }
  Arena& arena() const { return shard.arena; }

  // Whether a condition holds; none holds. An error value counts, for the trigger, and does not hold.
  bool holds(const std::optional<expression::Program>& condition, std::uint32_t trigger);
  Value evaluate(const expression::Program& program) { return program.evaluate(slots, shard.arena); }
};

// Calls `matched(item, key)` for each time that `pattern` matches the turn's event: once, or once per element with
// `each` (elements of one key count once). `item` is absent without `each`; `key` is "" for a pattern without key.
template <typename Matched>
void for_each_match(Turn& turn, const catalog::Pattern& pattern, Matched&& matched);

// Mutation tags of the digest. Never reused.
enum class Tag : std::uint64_t {
  kEvent = 1,
  kTrait = 2,
  kSession = 3,
  kInstance = 4,
  kInstanceClosed = 5,
  kLevel = 6,
  kSeen = 7,
  kFired = 8,
  kPending = 9,
  kDecision = 10,
  kDeadLetter = 11,
  kModel = 12,
  kBuffered = 13,
  kTimer = 14,
  kHeld = 15,
  kCatalog = 16,
  kNovel = 17,
  kScore = 18,
  kForward = 19,
  kArrival = 20,
  kConsent = 21,
  kErased = 22,
  kRetract = 23,
  kRecord = 24,
  kTold = 25,
};

inline void mutate(Turn& turn, Tag tag, std::uint64_t value) {
  turn.shard.digest.add(static_cast<std::uint64_t>(tag), value);
}
inline void mutate(Turn& turn, Tag tag, std::string_view text, std::uint64_t value) {
  turn.shard.digest.add(static_cast<std::uint64_t>(tag), text);
  turn.shard.digest.add(static_cast<std::uint64_t>(tag), value);
}

}  // namespace spur

#include "operators/match.h"
