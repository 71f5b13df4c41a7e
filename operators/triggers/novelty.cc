#include "operators/triggers/novelty.h"

#include <algorithm>

#include "operators/triggers/collect.h"

namespace spur::triggers {
namespace {

// Whether `value` was not there; it is now.
bool insert(Turn& turn, TriggerState& state, std::uint32_t limit, std::uint64_t value) {
  if (state.more == nullptr) state.more = std::make_unique<TriggerState::More>();
  std::vector<std::uint64_t>& seen = state.more->seen;
  if (std::find(seen.begin(), seen.end(), value) != seen.end()) return false;
  if (seen.size() >= limit) {
    seen.erase(seen.begin());
    ++state.more->seen_dropped;
    ++turn.shard.counters.dropped_over_limit;
  }
  seen.push_back(value);
  mutate(turn, Tag::kNovel, value);
  return true;
}

}  // namespace

void novelty_fires(Turn& turn) {
  for (const catalog::Use& use : turn.catalog().listeners(turn.event->name_index).novelties) {
    const catalog::Trigger& trigger = turn.catalog().triggers[use.owner];
    TriggerState* const before = find_state(turn.customer, use.owner);
    const bool first_event = before == nullptr || before->more == nullptr || before->more->seen.empty();
    for_each_match(turn, *use.pattern, [&](Value item, std::string_view) {
      const std::optional<std::string_view> text = key_text(turn.evaluate(*trigger.of), turn.arena());
      if (!text) return;
      TriggerState& state = state_of(turn, use.owner);
      if (!insert(turn, state, trigger.limit, hash64(*text))) return;
      const std::uint64_t ordinal = state.more->seen.size() + state.more->seen_dropped;
      if (trigger.kth > 0 && ordinal != static_cast<std::uint64_t>(trigger.kth)) return;
      if (trigger.after_first && first_event) return;
      Firing firing;
      firing.trigger = use.owner;
      firing.key = std::string(*text);
      firing.base = firing.opened_at = turn.now;
      firing.count = 1;
      firing.event = turn.event;
      firing.item = item;
      collect(turn, std::move(firing));
    });
  }
}

}  // namespace spur::triggers
