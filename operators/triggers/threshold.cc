#include "operators/triggers/threshold.h"

#include <algorithm>

#include "operators/triggers/backfill.h"
#include "operators/triggers/collect.h"

namespace spur::triggers {
namespace {

// The next instant at which the answer may change with no event.
Instant next_asking(Turn& turn, const catalog::Trigger& trigger) {
  Instant next = trigger.every.count > 0 ? turn.now + trigger.every : Instant::never();
  for (const std::uint32_t f : trigger.windowed_features) {
    const AggregateSpec& spec = turn.catalog().features[f].spec;
    if (turn.catalog().features[f].by) {
      const KeyedAggregates* const keyed = turn.customer.keyed(f);
      if (keyed != nullptr) next = std::min(next, keyed->next_change(spec, turn.now));
    } else {
      next = std::min(next, turn.customer.features.next_change(f, spec, turn.now));
    }
  }
  return next;
}

void set_level(Turn& turn, std::uint32_t trigger, bool level) {
  state_of(turn, trigger).level = level;
  mutate(turn, Tag::kLevel, std::uint64_t{trigger} << 1 | (level ? 1 : 0));
}

void set_timer(Turn& turn, std::uint32_t index, const catalog::Trigger& trigger) {
  const Instant next = next_asking(turn, trigger);
  TriggerState* const state = find_state(turn.customer, index);
  if (state != nullptr) {
    state->next = next;
  } else if (next != Instant::never()) {
    state_of(turn, index).next = next;
  }
}

}  // namespace

void ask_threshold(Turn& turn, std::uint32_t index) {
  const catalog::Trigger& trigger = turn.catalog().triggers[index];
  if (turn.now < activation(turn.shard, index)) return;  // planned for then
  ++turn.shard.counters.evaluations;
  const TriggerState* const state = find_state(turn.customer, index);
  bool level = state != nullptr && state->level;
  if (level && trigger.rearm_before && turn.event != nullptr && turn.holds(trigger.rearm_before, index)) {
    set_level(turn, index, false);
    level = false;
  }
  if (!level) {
    if (turn.holds(trigger.when, index)) {
      set_level(turn, index, true);
      Firing firing;
      firing.trigger = index;
      firing.base = firing.opened_at = turn.now;
      firing.count = 1;
      firing.event = turn.event;
      collect(turn, firing);
    }
  } else if (trigger.rearm ? turn.holds(trigger.rearm, index) : !turn.holds(trigger.when, index)) {
    set_level(turn, index, false);
  }
  set_timer(turn, index, trigger);
}

void settle_threshold(Turn& turn, std::uint32_t index) {
  const catalog::Trigger& trigger = turn.catalog().triggers[index];
  if (turn.holds(trigger.when, index)) set_level(turn, index, true);
  set_timer(turn, index, trigger);
}

}  // namespace spur::triggers
