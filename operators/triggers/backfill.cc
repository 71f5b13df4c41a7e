#include "operators/triggers/backfill.h"

#include <algorithm>
#include <map>

#include "operators/guards/ladder.h"
#include "operators/opened.h"
#include "operators/triggers/absence.h"
#include "operators/triggers/collect.h"

namespace spur::triggers {
namespace {

using catalog::Remembered;
using catalog::Trigger;

// When the newest event was that `remembered` counts for `key`; distant_past(): never.
Instant newest(Turn& turn, const Remembered& remembered, std::string_view key) {
  Instant newest = Instant::distant_past();
  for (const std::uint32_t f : remembered.features) {
    const catalog::Feature& feature = turn.catalog().features[f];
    const Member member =
        feature.spec.kind == AggregateKind::kGaps ? Member::kNewest : Member::kValue;
    Value at = Value::absent();
    if (!feature.by) {
      at = turn.customer.features.read(f, feature.spec, member, turn.now, turn.arena());
    } else if (const KeyedAggregates* const keyed = turn.customer.keyed(f)) {
      at = keyed->read(feature.spec, key, member, turn.now, turn.arena());
    }
    if (at.is(Kind::kTimestamp)) newest = std::max(newest, at.as_instant());
  }
  return newest;
}

// An opening that is remembered.
struct Opening {
  Instant at = Instant::distant_past();
  const Remembered* by = nullptr;
};

// The newest opening of each key, in the order of keys.
std::map<std::string_view, Opening> newest_openings(Turn& turn, const Trigger& trigger) {
  std::map<std::string_view, Opening> openings;
  for (const Remembered& by : trigger.opened_by) {
    const auto add = [&](std::string_view key) {
      const Instant at = newest(turn, by, key);
      Opening& opening = openings[key];
      if (at > opening.at) opening = {at, &by};
    };
    for (const std::uint32_t f : by.features) {
      if (!turn.catalog().features[f].by) {
        add("");
      } else if (const KeyedAggregates* const keyed = turn.customer.keyed(f)) {
        for (const Value& key : keyed->keys(turn.arena())) add(key.as_text());
      }
    }
  }
  return openings;
}

// Whether something ended what `opening` has opened. Of an event of that very instant that does not
// open as well nobody knows which came first: it is taken to have ended it.
bool ended(Turn& turn, const Trigger& trigger, const Opening& opening, std::string_view key) {
  return std::any_of(trigger.ended_by.begin(), trigger.ended_by.end(), [&](const Remembered& by) {
    const Instant at = newest(turn, by, key);
    return at > opening.at || (at == opening.at && !by.opens);
  });
}

// Makes the slots see an event of which nothing but name and time is known.
class RememberedEvent {
 public:
  RememberedEvent(Turn& turn, const Remembered& by, Instant at) : turn_(turn) {
    event_.name = by.event;
    event_.name_index = turn.catalog().schema.find_name(by.event);
    event_.time = at;
    turn_.event = &event_;
    turn_.slots.begin(turn_.customer, turn_.now, &event_, turn_.shard.run.scores);
  }
  ~RememberedEvent() {
    turn_.event = nullptr;
    turn_.slots.begin(turn_.customer, turn_.now, nullptr, turn_.shard.run.scores);
  }
  RememberedEvent(const RememberedEvent&) = delete;
  RememberedEvent& operator=(const RememberedEvent&) = delete;

 private:
  Turn& turn_;
  Event event_;
};

// What is opened is not fired here: a wait that is over is due at this very instant.
void open(Turn& turn, std::uint32_t index, std::string_view key, const Opening& opening,
          Instant restarted) {
  const Trigger& trigger = turn.catalog().triggers[index];
  Instances::Fresh fresh;
  fresh.trigger = index;
  fresh.count = 1;
  fresh.opened_at = opening.at;
  fresh.key = key;
  {
    const RememberedEvent event(turn, *opening.by, opening.at);
    if (opening.by->where && !turn.evaluate(*opening.by->where).is_true()) return;
    encode_opened(*turn.event, turn.catalog().schema, trigger.opened_fields, Value::absent(),
                  turn.shard.bytes);
    fresh.opened = turn.arena().copy(turn.shard.bytes);
  }
  {
    const RememberedEvent event(turn, *opening.by, std::max(opening.at, restarted));
    const std::optional<Instant> due = absence_deadline(turn, index, turn.event->time, key, [&] {
      return InstanceView{key, opening.at, 1, nullptr, fresh.opened, Value::absent(), nullptr};
    });
    if (!due) return;
    fresh.due = *due;
  }
  if (turn.customer.instances.count(index) >= kWaitsMax) {
    ++turn.shard.counters.dropped_over_limit;
    return;
  }
  mutate(turn, Tag::kInstance, fresh.key, static_cast<std::uint64_t>(fresh.due.ms));
  turn.customer.instances.insert(fresh);
  guards::ladder_opened(turn, index, turn.now);
}

}  // namespace

Instant activation(const ShardState& shard, std::uint32_t trigger) {
  return shard.activations.empty() ? Instant::distant_past() : shard.activations[trigger];
}

void plan_backfill(Turn& turn, std::uint32_t index, bool is_new) {
  const Trigger& trigger = turn.catalog().triggers[index];
  const Instant at = activation(turn.shard, index);
  const bool waits = trigger.kind == catalog::Operator::kAbsence;
  // The trigger has seen all of a customer that is new, but for what its level is.
  if (is_new ? waits || at <= turn.now
             : turn.shard.triggers_since[index].generation <= turn.customer.planned)
    return;
  if (trigger.kind == catalog::Operator::kSequence || (waits && trigger.opened_by.empty())) return;
  TriggerState& state = state_of(turn, index);
  state.level = false;
  state.next = at;
}

void take_up_waits(Turn& turn, std::uint32_t index) {
  const Trigger& trigger = turn.catalog().triggers[index];
  const Instances& waits = turn.customer.instances;
  const auto open_in = [&](std::string_view key) {
    return waits.contains(index, key) ||
           std::any_of(trigger.earlier.begin(), trigger.earlier.end(),
                       [&](std::uint32_t version) { return waits.contains(version, key); });
  };
  for (const auto& [key, opening] : newest_openings(turn, trigger)) {
    // What came after it the trigger has seen itself.
    if (opening.by == nullptr || opening.at > turn.shard.triggers_since[index].at) continue;
    if (open_in(key) || ended(turn, trigger, opening, key)) continue;
    Instant restarted = Instant::distant_past();
    for (const Remembered& by : trigger.reset_by)
      restarted = std::max(restarted, newest(turn, by, key));
    open(turn, index, key, opening, restarted);
  }
}

}  // namespace spur::triggers
