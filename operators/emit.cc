#include "operators/emit.h"

#include <string>
#include <utility>

namespace spur {

Decision new_decision(Turn& turn, std::uint32_t trigger, std::string_view key, Instant fired_at) {
  const catalog::Trigger& of = turn.catalog().triggers[trigger];
  RunState& run = turn.shard.run;
  Decision decision;
  decision.id = {run.shard, run.seq, run.input, run.ordinal++};
  decision.time = turn.now;
  decision.customer = to_text(turn.customer.id());
  decision.trigger = of.name;
  decision.instance = key;
  decision.fired_at = fired_at;
  decision.class_name = std::string(catalog::to_text(of.trigger_class));
  return decision;
}

void about_step(const Turn& turn, std::uint32_t trigger, std::uint32_t step, std::uint32_t channel,
                Decision& decision) {
  const catalog::Channel& on = turn.catalog().channels[channel];
  decision.channel = on.name;
  decision.topic = on.topic;
  decision.template_name = turn.catalog().triggers[trigger].steps[step].template_name;
  decision.step = step;
}

void emit(Turn& turn, Decision&& decision) {
  if (decision.id.ordinal >= kEffectsPerInput) {
    ++turn.shard.counters.dropped_over_limit;
    return;
  }
  if (decision.leaves()) {
    const auto it = turn.shard.spurseq_by_topic.find(decision.topic);
    std::uint64_t& last = it != turn.shard.spurseq_by_topic.end()
                              ? it->second
                              : turn.shard.spurseq_by_topic[decision.topic];
    decision.spurseq = ++last;
  }
  if (turn.shard.watcher != nullptr) turn.shard.watcher->decided(decision);
  turn.effects.decisions.push_back(std::move(decision));
}

}  // namespace spur
