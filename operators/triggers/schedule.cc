#include "operators/triggers/schedule.h"

#include "operators/triggers/collect.h"
#include "state/codec/value_codec.h"

namespace spur::triggers {

Zone customer_zone(Turn& turn) {
  if (turn.customer.rare != nullptr) {
    for (const Trait& trait : turn.customer.rare->traits) {
      if (trait.name != "timezone") continue;
      const std::optional<Value> name = decode_value(trait.value, turn.arena());
      if (!name || !name->is(Kind::kString)) break;
      if (std::optional<Zone> zone = Zone::load(name->as_text())) return *zone;
    }
  }
  return turn.catalog().policy.zone;
}

void plan_schedule(Turn& turn, std::uint32_t index, Instant from) {
  const catalog::Trigger& trigger = turn.catalog().triggers[index];
  const Zone zone = trigger.zone ? *trigger.zone : customer_zone(turn);
  state_of(turn, index).next = trigger.cron->next(from - Millis{1}, zone);
}

void ask_schedule(Turn& turn, std::uint32_t index) {
  const catalog::Trigger& trigger = turn.catalog().triggers[index];
  ++turn.shard.counters.evaluations;
  const bool holds = turn.holds(trigger.when, index);
  TriggerState& state = state_of(turn, index);
  const bool fires = holds && (!trigger.rising || !state.level);
  if (state.level != holds) {
    state.level = holds;
    mutate(turn, Tag::kLevel, std::uint64_t{index} << 1 | (holds ? 1 : 0));
  }
  plan_schedule(turn, index, turn.now + Millis{1});
  if (!fires) return;
  Firing firing;
  firing.trigger = index;
  firing.base = firing.opened_at = turn.now;
  firing.count = 1;
  collect(turn, firing);
}

}  // namespace spur::triggers
