// Customer: everything a shard remembers of one customer, as a plain value.
//
// Compact, since there are millions: what most customers do not have sits behind one pointer
// (Rare), features and open waits stand in one block each, and what belongs to a definition is kept
// under its index in the catalog of `layout`. On a change of catalog the indices are remapped when
// the customer is next touched (state/layout.h); stored rows carry hashes of definitions instead.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "state/aggregates/keyed.h"
#include "state/compact_text.h"
#include "state/compact_vector.h"
#include "state/feature_states.h"
#include "state/identity.h"
#include "state/instances.h"
#include "state/time.h"

namespace spur {

struct Trait {
  std::string name;
  std::string value;  // value_codec
  Instant time;       // of the event that set it: the last write by event time wins
};

// The state of a feature with `by`.
struct KeyedFeature {
  std::uint32_t feature = 0;  // index in the catalog
  KeyedAggregates values;
};

// One stretch of activity, open or between two.
struct SessionState {
  std::uint32_t session = 0;  // index in the catalog
  bool open = false;
  CompactText key;
  Instant started;
  Instant last;
  std::uint64_t events = 0;  // in the open one
  std::uint64_t count = 0;   // opened so far
  // operators/opened.h: what the session's triggers name of the event that opened it.
  CompactText opened;
};

struct KeyTime {
  std::string key;
  Instant time;
  std::uint8_t silenced = 0;  // reasons already recorded since
};

struct LastData {
  std::string key;
  Instant at;
  std::string data;  // value_codec, a map
};

// What a trigger remembers of a customer beyond its open waits.
struct TriggerState {
  std::uint32_t trigger = 0;  // index in the catalog
  // threshold, prediction: fired and not re-armed; rising schedule: true the last time.
  bool level = false;
  bool fired = false;               // a firing was sent, held out or deferred: last_fired counts
  std::uint8_t silenced = 0;        // reasons already recorded since last_fired
  Instant next = Instant::never();  // the operator's own timer
  Instant last_fired;
  struct More {
    // novelty: hashes of values as seen; date: the instant last asked about.
    std::vector<std::uint64_t> seen;
    std::vector<KeyTime> by_key;  // by key, sorted
    std::vector<LastData> last;   // by key, sorted
    std::uint64_t seen_dropped = 0;
    // On a ladder: when a step of it last went through.
    Instant last_sent = Instant::distant_past();
  };
  std::unique_ptr<More> more;

  More& rest() {
    if (more == nullptr) more = std::make_unique<More>();
    return *more;
  }
};

// A step that waits: for its time, for quiet hours to end, or (a held conclusion) for its grace to
// pass.
struct Pending {
  enum class State : std::uint8_t { kWaiting = 1, kDeferred = 2 };

  std::uint32_t trigger = 0;
  std::uint32_t step = 0;
  State state = State::kWaiting;
  bool counted = false;       // its firing has set the cooldown
  std::uint32_t channel = 0;  // of a deferred one
  std::uint32_t count = 0;
  Instant due;      // when the step was due: what `expires` counts from
  Instant release;  // when to ask
  Instant fired_at;
  Instant opened_at;
  std::string key;
  std::string opened;
  // value_codec; of a deferred step that reads it: the record before the change.
  std::string previous;
};

// A firing that concluded from silence and waits for its grace to pass.
struct Held {
  std::uint32_t trigger = 0;
  std::uint32_t count = 0;
  Instant release;  // the clock must pass this
  Instant due;
  Instant opened_at;
  std::string key;
  std::string opened;
  std::string decisions;  // what was decided at `due`, encoded; leaves at the release
};

// Times at which actions were sent, for caps: one per channel and class.
struct Sent {
  std::uint32_t channel = 0;
  std::uint8_t trigger_class = 0;
  std::vector<Instant> times;  // ascending, as far back as the longest cap reaches
};

// An id seen within the Source's `deduplicate`.
struct Seen {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  Instant arrived;  // the shard's clock
  std::uint64_t content = 0;
};

// An event that waits for the lateness to pass.
struct Buffered {
  Instant time;
  std::uint16_t rank = 0;
  std::string id;
  std::string event;  // event_codec
  Instant received;
};

// What a BG/NBD model knows: recency and frequency.
struct ModelState {
  std::uint32_t model = 0;
  Instant first;
  Instant last;
  std::uint64_t purchases = 0;  // distinct days, or events
};

// What is known of the consent for one purpose: the last word by event time.
struct Consent {
  std::string purpose;
  bool granted = false;
  Instant time;
  std::string source;
  std::string text_version;
  std::string legal_basis;
};

// An action that has left, and that a late event can still contradict.
struct Retractable {
  std::uint32_t trigger = 0;
  std::uint32_t step = 0;
  std::uint32_t channel = 0;
  std::uint32_t count = 0;
  Instant at;  // the instant it was decided about
  Instant fired_at;
  Instant opened_at;
  std::string key;
  std::string opened;
  std::uint64_t run = 0;  // its id, on this shard
  std::uint32_t input = 0;
  std::uint32_t ordinal = 0;
};

struct Customer {
  // What Customers keeps of it; the fold leaves these and those at the end alone.
  enum class Cut : std::uint8_t { kClean, kDirty, kFrozen, kWriting };

  IdentityKind kind = IdentityKind::kUserId;
  Cut cut = Cut::kClean;
  bool dirty_again = false;            // touched while its frozen row waits to be written
  std::uint32_t layout = 0;            // generation of the catalog that the indices below belong to
  std::uint32_t planned = 0;           // generation whose timers it has; 0: none yet
  std::uint32_t first_generation = 0;  // of the catalog in force when it was first seen
  CompactText identity;
  Instant first_seen;
  Instant newest = Instant::distant_past();  // the newest instant that was decided for it
  // Nothing of its own is due before; may be early, never late.
  Instant next_due = Instant::never();

  FeatureStates features;  // by index in the catalog; may be shorter: the rest is empty
  CompactVector<SessionState> sessions;  // by (session, key)
  Instances instances;                   // open waits, by (trigger, key)
  CompactVector<TriggerState> triggers;  // by trigger; only those with something to remember
  CompactVector<Seen> seen;              // in order of arrival

  struct Rare {
    Instant erased = Instant::never();  // when it was erased: nothing is folded any more
    std::vector<Trait> traits;          // by name
    std::vector<Pending> pending;       // in no order that matters: sorted when due
    std::vector<Held> held;
    std::vector<Sent> sent;                // by (channel, class)
    std::vector<Buffered> buffered;        // by (time, rank, id)
    std::vector<ModelState> models;        // by model
    std::vector<KeyedFeature> keyed;       // by feature
    std::vector<Consent> consents;         // by purpose
    std::vector<Retractable> retractable;  // in the order they left
  };
  std::unique_ptr<Rare> rare;

  // --- kept by Customers, as are `cut` and `dirty_again` ---
  Instant wake = Instant::never();         // in the wake index
  Instant stored_wake = Instant::never();  // the wake row in the store
  std::uint64_t touched = 0;               // for eviction

  bool is_erased() const { return rare != nullptr && rare->erased != Instant::never(); }
  Identity id() const { return {kind, identity}; }
  Rare& more() {
    if (rare == nullptr) rare = std::make_unique<Rare>();
    return *rare;
  }
  // Of a feature with `by`: its values, nullptr if it has none; and the same, made if it has none.
  const KeyedAggregates* keyed(std::uint32_t feature) const;
  KeyedAggregates& keyed_or_new(std::uint32_t feature);

  // All that it costs, with the allocator's share, its place in the table and its plan; an
  // estimate, some per cent off.
  std::size_t memory_bytes() const;
};

}  // namespace spur
