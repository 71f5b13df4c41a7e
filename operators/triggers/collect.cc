#include "operators/triggers/collect.h"

#include <algorithm>

#include "operators/gate.h"
#include "operators/instance_view.h"

namespace spur::triggers {

void collect(Turn& turn, Firing firing) {
  const catalog::Trigger& trigger = turn.catalog().triggers[firing.trigger];
  Shard::TriggerCounters& counters = turn.shard.trigger_counters[firing.trigger];
  InstanceView view{firing.key,   firing.opened_at, firing.count,
                    firing.event, firing.opened,    firing.item};
  view.previous = firing.previous;
  view = view_of(turn.catalog(), turn.customer, firing.trigger, view);
  const InstanceScope scope(turn.slots, view);
  if (!turn.holds(trigger.condition, firing.trigger)) {
    ++counters.if_false;
    return;
  }
  ++counters.fired;
  ++turn.shard.counters.firings;
  if (trigger.kind == catalog::Operator::kSession) {
    const auto later = std::find_if(trigger.steps.begin(), trigger.steps.end(),
                                    [](const catalog::Step& step) { return step.after.count > 0; });
    const auto prepared = turn.arena().array<Firing::Prepared>(
        static_cast<std::size_t>(later - trigger.steps.begin()));
    for (std::size_t i = 0; i < prepared.size(); ++i) {
      const catalog::Step& step = trigger.steps[i];
      prepared[i].condition = turn.holds(step.condition, firing.trigger);
      prepared[i].data = turn.arena().copy(step_data(turn, step));
      if (trigger.keeps_last_data)
        prepared[i].last_data = turn.arena().copy(step_values(turn, step));
    }
    firing.prepared = prepared;
  }
  turn.firings.push_back(firing);
}

TriggerState* find_state(Customer& customer, std::uint32_t trigger) {
  const auto place =
      std::lower_bound(customer.triggers.begin(), customer.triggers.end(), trigger,
                       [](const TriggerState& s, std::uint32_t t) { return s.trigger < t; });
  return place == customer.triggers.end() || place->trigger != trigger ? nullptr : &*place;
}

TriggerState& state_of(Turn& turn, std::uint32_t trigger) {
  CompactVector<TriggerState>& all = turn.customer.triggers;
  const auto place =
      std::lower_bound(all.begin(), all.end(), trigger,
                       [](const TriggerState& s, std::uint32_t t) { return s.trigger < t; });
  if (place != all.end() && place->trigger == trigger) return *place;
  TriggerState fresh;
  fresh.trigger = trigger;
  return *all.insert(place, std::move(fresh));
}

KeyTime* find_key_state(TriggerState& state, std::string_view key) {
  if (state.more == nullptr) return nullptr;
  std::vector<KeyTime>& all = state.more->by_key;
  const auto place =
      std::lower_bound(all.begin(), all.end(), key,
                       [](const KeyTime& k, std::string_view text) { return k.key < text; });
  return place == all.end() || place->key != key ? nullptr : &*place;
}

}  // namespace spur::triggers
