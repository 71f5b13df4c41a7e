#include "operators/triggers/sequence.h"

#include <algorithm>

#include "operators/guards/ladder.h"
#include "operators/held.h"
#include "operators/opened.h"
#include "operators/triggers/absence.h"
#include "operators/triggers/backfill.h"
#include "operators/triggers/collect.h"

namespace spur::triggers {
namespace {

using catalog::Pattern;
using catalog::Trigger;

// Keys, by the trigger in force, of which the event has taken a step; they lie in the turn's arena.
using Taken = absl::InlinedVector<std::pair<std::uint32_t, std::string_view>, 4>;

bool means(const Pattern& pattern, const Event& event) {
  return pattern.all_names ||
         std::find(pattern.names.begin(), pattern.names.end(), event.name_index) != pattern.names.end();
}

// Whether the event is the step that the instance waits for.
bool is_next_step(Turn& turn, const Instances::View& instance) {
  const Trigger& trigger = turn.catalog().triggers[instance.trigger];
  if (instance.count > trigger.later_steps.size()) return false;
  bool matches = false;
  for (const Pattern& pattern : trigger.later_steps[instance.count - 1].patterns) {
    if (matches || !means(pattern, *turn.event)) continue;
    for_each_match(turn, pattern, [&](Value, std::string_view key) {
      matches = matches || !pattern.key || instance.key == key;
    });
  }
  return matches;
}

// When the instance of `index` that has just taken a step at `t` waits no longer.
Instant deadline(const Turn& turn, std::uint32_t index, std::uint32_t count, Instant t) {
  const Trigger& trigger = turn.catalog().triggers[index];
  if (count > trigger.later_steps.size())
    return std::max(t + trigger.silent_for, activation(turn.shard, index));
  const Millis within = trigger.later_steps[count - 1].within;
  return within.count > 0 ? t + within : Instant::never();
}

// What of the instance fires, copied from where it stands; it began at `began_at`.
Firing firing_of(Turn& turn, const Instances::View& instance, std::uint32_t count, Instant began_at) {
  Firing firing;
  firing.trigger = instance.trigger;
  firing.key = turn.arena().copy(instance.key);
  firing.base = turn.now;
  firing.opened_at = began_at;
  firing.count = count;
  firing.opened = turn.arena().copy(Instances::opened(instance, turn.arena()));
  return firing;
}

// The instance takes its next step. Answers the one behind it.
Instances::Iterator advance(Turn& turn, Instances::Iterator it) {
  Instances& all = turn.customer.instances;
  const Instances::View instance = *it;
  const Trigger& trigger = turn.catalog().triggers[instance.trigger];
  const Instant t = turn.event->time;
  const std::uint32_t count = instance.count + 1;
  const bool done = count > trigger.later_steps.size();
  const bool fires = done && trigger.silent_for.count == 0;
  const Instant due = fires ? t : deadline(turn, instance.trigger, count, t);
  // A late step goes on only with what is still ahead.
  const bool over = turn.late && !fires && due <= turn.now;
  mutate(turn, Tag::kInstance, instance.key, static_cast<std::uint64_t>(due.ms));
  if (!fires && !over) {
    all.restart(it, count, t, due);
    return ++it;
  }
  mutate(turn, Tag::kInstanceClosed, instance.key, instance.trigger);
  Firing firing = firing_of(turn, instance, count, began(turn, instance));
  const Instances::Iterator next = all.erase(it);
  if (fires) collect(turn, firing);
  return next;
}

// All instances of `owner` that the event is the next step of.
void advance_all(Turn& turn, std::uint32_t owner, Taken& taken) {
  Instances& all = turn.customer.instances;
  for (auto it = all.lower_bound(owner, ""); it != all.end() && it.trigger() == owner;) {
    const Instances::View instance = *it;
    // A step that came before the last one taken is none.
    if (turn.event->time < instance.opened_at || !is_next_step(turn, instance)) {
      ++it;
      continue;
    }
    taken.emplace_back(turn.catalog().triggers[owner].current, turn.arena().copy(instance.key));
    it = advance(turn, it);
  }
}

void drop(Turn& turn, std::uint32_t owner, std::string_view key) {
  Instances& all = turn.customer.instances;
  if (!all.contains(owner, key)) return;
  mutate(turn, Tag::kInstanceClosed, key, owner);
  all.erase(all.lower_bound(owner, key));
}

// The first step has come for `key`: a new beginning, whatever was under way.
void begin(Turn& turn, std::uint32_t owner, std::string_view key, Value item) {
  const Trigger& trigger = turn.catalog().triggers[owner];
  Instances& all = turn.customer.instances;
  const Instant t = turn.event->time;
  const Instant due = deadline(turn, owner, 1, t);
  if (turn.late) {
    take_back_held(turn, owner, t, key);
    // It starts over only what has not gone on since.
    const bool gone_on = all.contains(owner, key) && t < (*all.lower_bound(owner, key)).opened_at;
    if (gone_on || due <= turn.now) return;
  }
  drop(turn, owner, key);
  for (const std::uint32_t earlier : trigger.earlier) drop(turn, earlier, key);
  if (all.count(owner) >= kWaitsMax) {
    ++turn.shard.counters.dropped_over_limit;
    return;
  }
  Instances::Fresh fresh;
  fresh.trigger = owner;
  fresh.count = 1;
  fresh.opened_at = t;
  fresh.due = due;
  fresh.key = key;
  encode_opened(*turn.event, turn.catalog().schema, trigger.opened_fields,
                trigger.keeps_item ? item : Value::absent(), turn.shard.bytes);
  fresh.opened = turn.shard.bytes;
  mutate(turn, Tag::kInstance, key, static_cast<std::uint64_t>(due.ms));
  all.insert(fresh);
  guards::ladder_opened(turn, owner, t);
}

}  // namespace

bool only_silence_missing(const Turn& turn, const Instances::View& instance) {
  const Trigger& trigger = turn.catalog().triggers[instance.trigger];
  return trigger.kind == catalog::Operator::kSequence && instance.count > trigger.later_steps.size();
}

Instant began(Turn& turn, const Instances::View& instance) {
  if (turn.catalog().triggers[instance.trigger].kind != catalog::Operator::kSequence) return instance.opened_at;
  const std::optional<Opened> opened =
      decode_opened(Instances::opened(instance, turn.arena()), turn.catalog().schema, turn.arena());
  return opened ? opened->event->time : instance.opened_at;
}

void sequence_advances(Turn& turn) {
  const catalog::Listeners& at = turn.catalog().listeners(turn.event->name_index);
  if (at.sequences.empty()) return;
  // Steps of all versions first: what one of them has taken does not begin another.
  Taken taken;
  for (const std::uint32_t owner : at.sequences) advance_all(turn, owner, taken);
  for (std::size_t n = 0; n < at.sequence_opens.size();) {
    const std::uint32_t owner = at.sequence_opens[n].owner;
    n = for_each_match_of_owner(turn, at.sequence_opens, n, [&](Value item, std::string_view key) {
      const auto is_taken = [&](const auto& t) { return t.first == owner && t.second == key; };
      if (std::none_of(taken.begin(), taken.end(), is_taken)) begin(turn, owner, key, item);
    });
  }
}

Instances::Iterator sequence_concludes(Turn& turn, Instances::Iterator it, Instant hold_until) {
  const Instances::View ended = *it;
  mutate(turn, Tag::kInstanceClosed, ended.key, ended.trigger);
  const bool fires = only_silence_missing(turn, ended);
  Firing firing;
  if (fires) firing = firing_of(turn, ended, ended.count, began(turn, ended));
  if (turn.catalog().triggers[ended.trigger].grace.count > 0) firing.hold_until = hold_until;
  const Instances::Iterator next = turn.customer.instances.erase(it);
  if (fires) collect(turn, firing);
  return next;
}

}  // namespace spur::triggers
