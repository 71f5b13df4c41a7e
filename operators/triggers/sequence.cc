#include "operators/triggers/sequence.h"

#include <algorithm>

#include "operators/guards/ladder.h"
#include "operators/held.h"
#include "operators/opened.h"
#include "operators/triggers/absence.h"
#include "operators/triggers/collect.h"

namespace spur::triggers {
namespace {

using catalog::Pattern;
using catalog::Trigger;

bool means(const Pattern& pattern, const Event& event) {
  return pattern.all_names || std::find(pattern.names.begin(), pattern.names.end(),
                                        event.name_index) != pattern.names.end();
}

// Whether the event is the step that the instance waits for.
bool is_next_step(Turn& turn, const Instance& instance) {
  const Trigger& trigger = turn.catalog().triggers[instance.trigger];
  if (instance.count > trigger.later_steps.size()) return false;
  bool matches = false;
  for (const Pattern& pattern : trigger.later_steps[instance.count - 1].patterns) {
    if (matches || !means(pattern, *turn.event)) continue;
    for_each_match(turn, pattern, [&](Value, std::string_view key) {
      matches = matches || !pattern.key || instance.key.view() == key;
    });
  }
  return matches;
}

void fire(Turn& turn, Instance&& instance, Instant hold_until) {
  Firing firing;
  firing.trigger = instance.trigger;
  firing.key = instance.key.str();
  firing.base = turn.now;
  firing.opened_at = began(turn, instance);
  firing.count = instance.count;
  firing.opened = instance.opened.str();
  firing.hold_until = hold_until;
  collect(turn, std::move(firing));
}

// When the instance that has just taken a step at `t` waits no longer.
Instant deadline(const Trigger& trigger, std::uint32_t count, Instant t) {
  if (count > trigger.later_steps.size()) return t + trigger.silent_for;
  const Millis within = trigger.later_steps[count - 1].within;
  return within.count > 0 ? t + within : Instant::never();
}

// The instance at `place` takes its next step. Answers the place behind it, or where the next
// stands if it ended.
std::size_t advance(Turn& turn, std::size_t place) {
  CompactVector<Instance>& all = turn.customer.instances;
  Instance& instance = all[place];
  const Trigger& trigger = turn.catalog().triggers[instance.trigger];
  const Instant t = turn.event->time;
  ++instance.count;
  instance.opened_at = t;
  const bool done = instance.count > trigger.later_steps.size();
  const bool fires = done && trigger.silent_for.count == 0;
  instance.due = fires ? t : deadline(trigger, instance.count, t);
  // A late step goes on only with what is still ahead.
  const bool over = turn.late && !fires && instance.due <= turn.now;
  mutate(turn, Tag::kInstance, instance.key, static_cast<std::uint64_t>(instance.due.ms));
  if (!fires && !over) return place + 1;
  Instance ended = std::move(instance);
  all.erase(all.begin() + static_cast<std::ptrdiff_t>(place));
  mutate(turn, Tag::kInstanceClosed, ended.key, ended.trigger);
  if (fires) fire(turn, std::move(ended), Instant::distant_past());
  return place;
}

// All instances of `owner` that the event is the next step of. Their keys join `taken`.
void advance_all(Turn& turn, std::uint32_t owner,
                 std::vector<std::pair<std::uint32_t, std::string>>& taken) {
  CompactVector<Instance>& all = turn.customer.instances;
  auto place = static_cast<std::size_t>(instance_place(all, owner, "") - all.begin());
  while (place < all.size() && all[place].trigger == owner) {
    // A step that came before the last one taken is none.
    if (turn.event->time < all[place].opened_at || !is_next_step(turn, all[place])) {
      ++place;
      continue;
    }
    taken.emplace_back(turn.catalog().triggers[owner].current, all[place].key.str());
    place = advance(turn, place);
  }
}

void drop(Turn& turn, std::uint32_t owner, std::string_view key) {
  CompactVector<Instance>& all = turn.customer.instances;
  const auto place = instance_place(all, owner, key);
  if (place == all.end() || place->trigger != owner || place->key.view() != key) return;
  mutate(turn, Tag::kInstanceClosed, place->key, owner);
  all.erase(place);
}

// The first step has come for `key`: a new beginning, whatever was under way.
void begin(Turn& turn, std::uint32_t owner, std::string_view key, Value item) {
  const Trigger& trigger = turn.catalog().triggers[owner];
  CompactVector<Instance>& all = turn.customer.instances;
  const Instant t = turn.event->time;
  const Instant due = deadline(trigger, 1, t);
  if (turn.late) {
    take_back_held(turn, owner, t, key);
    const auto place = instance_place(all, owner, key);
    // It starts over only what has not gone on since.
    const bool gone_on = place != all.end() && place->trigger == owner &&
                         place->key.view() == key && t < place->opened_at;
    if (gone_on || due <= turn.now) return;
  }
  drop(turn, owner, key);
  for (const std::uint32_t earlier : trigger.earlier) drop(turn, earlier, key);
  const auto same = static_cast<std::size_t>(
      std::count_if(all.begin(), all.end(), [&](const Instance& i) { return i.trigger == owner; }));
  if (same >= kWaitsMax) {
    ++turn.shard.counters.dropped_over_limit;
    return;
  }
  Instance fresh;
  fresh.trigger = owner;
  fresh.count = 1;
  fresh.opened_at = t;
  fresh.due = due;
  fresh.key = key;
  fresh.opened = encode_opened(*turn.event, turn.catalog().schema, trigger.opened_fields,
                               trigger.keeps_item ? item : Value::absent());
  mutate(turn, Tag::kInstance, fresh.key, static_cast<std::uint64_t>(fresh.due.ms));
  all.insert(instance_place(all, owner, key), std::move(fresh));
  guards::ladder_opened(turn, owner, t);
}

}  // namespace

bool only_silence_missing(const Turn& turn, const Instance& instance) {
  const Trigger& trigger = turn.catalog().triggers[instance.trigger];
  return trigger.kind == catalog::Operator::kSequence &&
         instance.count > trigger.later_steps.size();
}

Instant began(Turn& turn, const Instance& instance) {
  if (turn.catalog().triggers[instance.trigger].kind != catalog::Operator::kSequence)
    return instance.opened_at;
  const std::optional<Opened> opened =
      decode_opened(instance.opened.view(), turn.catalog().schema, turn.arena());
  return opened ? opened->event->time : instance.opened_at;
}

void sequence_advances(Turn& turn) {
  const catalog::Listeners& at = turn.catalog().listeners(turn.event->name_index);
  if (at.sequences.empty()) return;
  // Steps of all versions first: what one of them has taken does not begin another.
  std::vector<std::pair<std::uint32_t, std::string>> taken;  // by the trigger in force
  for (const std::uint32_t owner : at.sequences) advance_all(turn, owner, taken);
  for (std::size_t n = 0; n < at.sequence_opens.size();) {
    const std::uint32_t owner = at.sequence_opens[n].owner;
    n = for_each_match_of_owner(turn, at.sequence_opens, n, [&](Value item, std::string_view key) {
      const auto is_taken = [&](const auto& t) { return t.first == owner && t.second == key; };
      if (std::none_of(taken.begin(), taken.end(), is_taken)) begin(turn, owner, key, item);
    });
  }
}

void sequence_concludes(Turn& turn, std::size_t place, Instant hold_until) {
  Instance ended = std::move(turn.customer.instances[place]);
  turn.customer.instances.erase(turn.customer.instances.begin() +
                                static_cast<std::ptrdiff_t>(place));
  mutate(turn, Tag::kInstanceClosed, ended.key, ended.trigger);
  if (!only_silence_missing(turn, ended)) return;
  const bool graced = turn.catalog().triggers[ended.trigger].grace.count > 0;
  fire(turn, std::move(ended), graced ? hold_until : Instant::distant_past());
}

}  // namespace spur::triggers
