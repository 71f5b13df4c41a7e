#include "operators/triggers/novelty.h"

#include <algorithm>

#include "operators/gate.h"
#include "operators/retract.h"
#include "operators/triggers/collect.h"

namespace spur::triggers {
namespace {

// Whether `value` was not there; it is now.
bool insert(Turn& turn, TriggerState& state, std::uint32_t limit, std::uint64_t value) {
  std::vector<std::uint64_t>& seen = state.rest().seen;
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

// What a late event contradicts: a firing for this value at a later instant, of which steps have
// not left yet.
void cancel_later(Turn& turn, std::uint32_t trigger, std::string_view value) {
  if (!turn.late) return;
  drop_contradicted(turn, trigger, value);
  retract_contradicted(turn, trigger, value);
}

}  // namespace

void novelty_fires(Turn& turn) {
  const std::vector<catalog::Use>& uses =
      turn.catalog().listeners(turn.event->name_index).novelties;
  for (std::size_t n = 0; n < uses.size();) {
    const std::uint32_t owner = uses[n].owner;
    const catalog::Trigger& trigger = turn.catalog().triggers[owner];
    TriggerState* const before = find_state(turn.customer, owner);
    const bool first_event = before == nullptr || before->more == nullptr || before->more->seen.empty();
    for (; n < uses.size() && uses[n].owner == owner; ++n) {
      const catalog::Pattern& pattern = *uses[n].pattern;
      for_each_match(turn, pattern, [&](Value item, std::string_view) {
        const std::optional<std::string_view> text =
            key_text(turn.evaluate(*pattern.of), turn.arena());
        if (!text) return;
        TriggerState& state = state_of(turn, owner);
        if (!insert(turn, state, trigger.limit, hash64(*text)))
          return cancel_later(turn, owner, *text);
        const std::uint64_t ordinal = state.more->seen.size() + state.more->seen_dropped;
        if (trigger.kth > 0 && ordinal != static_cast<std::uint64_t>(trigger.kth)) return;
        if (trigger.after_first && first_event) return;
        Firing firing;
        firing.trigger = owner;
        firing.key = *text;
        firing.base = firing.opened_at = turn.now;
        firing.count = 1;
        firing.event = turn.event;
        firing.item = item;
        collect(turn, firing);
      });
    }
  }
}

}  // namespace spur::triggers
