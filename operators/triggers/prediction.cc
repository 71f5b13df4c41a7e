#include "operators/triggers/prediction.h"

#include "operators/models/bg_nbd.h"
#include "operators/triggers/backfill.h"
#include "operators/triggers/collect.h"

namespace spur::triggers {

void ask_prediction(Turn& turn, std::uint32_t index) {
  const catalog::Trigger& trigger = turn.catalog().triggers[index];
  const catalog::Model& model = turn.catalog().models[static_cast<std::size_t>(trigger.model)];
  const ModelState* history = nullptr;
  if (turn.customer.rare != nullptr) {
    for (const ModelState& m : turn.customer.rare->models) {
      if (static_cast<std::int32_t>(m.model) == trigger.model) history = &m;
    }
  }
  if (turn.now < activation(turn.shard, index)) return;  // planned for then
  if (history == nullptr) return;  // nothing to score before its first event
  ++turn.shard.counters.evaluations;
  const std::int64_t score = turn.shard.run.scores->next(
      [&] { return models::kMillion - models::bg_nbd_p_alive(model, *history, turn.now); });
  mutate(turn, Tag::kScore, static_cast<std::uint64_t>(score));
  TriggerState& state = state_of(turn, index);
  if (trigger.every.count > 0) state.next = turn.now + trigger.every;
  if (!state.level && score >= trigger.at_least_millionths) {
    state.level = true;
    mutate(turn, Tag::kLevel, std::uint64_t{index} << 1 | 1);
    Firing firing;
    firing.trigger = index;
    firing.base = firing.opened_at = turn.now;
    firing.count = 1;
    firing.event = turn.event;
    collect(turn, std::move(firing));
  } else if (state.level && score < trigger.rearm_below_millionths) {
    state.level = false;
    mutate(turn, Tag::kLevel, std::uint64_t{index} << 1);
  }
}

}  // namespace spur::triggers
