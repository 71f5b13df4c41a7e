#include "operators/triggers/absence.h"

#include <algorithm>

#include "operators/gate.h"
#include "operators/guards/ladder.h"
#include "operators/opened.h"
#include "operators/retract.h"
#include "operators/triggers/collect.h"
#include "operators/triggers/sequence.h"

namespace spur::triggers {
namespace {

auto place_of(CompactVector<Instance>& all, std::uint32_t trigger, std::string_view key) {
  return instance_place(all, trigger, key);
}

// The deadline of a wait that is opened or restarted by an event at `t`; nothing if its expression is an error.
std::optional<Instant> deadline(Turn& turn, const catalog::Trigger& trigger, std::uint32_t index, Instant t) {
  const Value value = turn.evaluate(trigger.after ? *trigger.after : *trigger.until);
  if (trigger.after && value.is(Kind::kDuration)) return t + value.as_millis();
  if (trigger.until && value.is(Kind::kTimestamp)) return value.as_instant();
  ++turn.shard.trigger_counters[index].errors;
  ++turn.shard.counters.conditions_in_error;
  return std::nullopt;
}

// From when on an event ends the instance: since it began; what must stay away, since its last step.
Instant exit_from(Turn& turn, const Instance& instance, bool silence) {
  return silence ? instance.opened_at : began(turn, instance);
}

// The keys that `pattern` means at this event; `all` if it means every open instance.
struct Meant {
  bool any = false;
  bool all = false;
  std::vector<std::string> keys;

  bool has(std::string_view key) const {
    return any && (all || std::find(keys.begin(), keys.end(), key) != keys.end());
  }
};

void add_meant(Turn& turn, const catalog::Use& use, Meant& meant) {
  for_each_match(turn, *use.pattern, [&](Value, std::string_view key) {
    meant.any = true;
    if (!use.pattern->key) {
      meant.all = true;
    } else {
      meant.keys.emplace_back(key);
    }
  });
}

Meant meant_by(Turn& turn, const catalog::Use& use) {
  Meant meant;
  add_meant(turn, use, meant);
  return meant;
}

// `silence`: only what has nothing left to wait for but that this does not come.
void exit_by(Turn& turn, const catalog::Use& use, bool silence = false) {
  const Meant meant = meant_by(turn, use);
  if (!meant.any) return;
  const Instant t = turn.event->time;
  CompactVector<Instance>& all = turn.customer.instances;
  for (auto it = place_of(all, use.owner, ""); it != all.end() && it->trigger == use.owner;) {
    // What happened before the wait was opened does not end it.
    if (!meant.has(it->key) || (turn.late && t < exit_from(turn, *it, silence)) ||
        (silence && !only_silence_missing(turn, *it))) {
      ++it;
      continue;
    }
    mutate(turn, Tag::kInstanceClosed, it->key, use.owner);
    it = all.erase(it);
  }
  const KeyChosen chosen = [&](const std::string& key) { return meant.has(key); };
  const Millis silent_for = silence ? turn.catalog().triggers[use.owner].silent_for : Millis{-1};
  drop_pending(turn, use.owner, t, chosen, "exit", silent_for);
  retract_ended(turn, use.owner, t, chosen, silent_for);
}

}  // namespace

CompactVector<Instance>::iterator instance_place(CompactVector<Instance>& all, std::uint32_t trigger,
                                                 std::string_view key) {
  return std::lower_bound(all.begin(), all.end(), std::pair(trigger, key),
                          [](const Instance& i, const std::pair<std::uint32_t, std::string_view>& at) {
                            return i.trigger != at.first ? i.trigger < at.first : i.key.view() < at.second;
                          });
}

void drop_instances(Turn& turn, std::uint32_t trigger, Instant t) {
  CompactVector<Instance>& all = turn.customer.instances;
  for (auto it = place_of(all, trigger, ""); it != all.end() && it->trigger == trigger;) {
    if (t < began(turn, *it)) {
      ++it;
      continue;
    }
    mutate(turn, Tag::kInstanceClosed, it->key, trigger);
    it = all.erase(it);
  }
}

void absence_exits(Turn& turn) {
  const catalog::Listeners& at = turn.catalog().listeners(turn.event->name_index);
  for (const catalog::Use& use : at.exits) exit_by(turn, use);
  for (const catalog::Use& use : at.closes) exit_by(turn, use);
  for (const catalog::Use& use : at.silences) exit_by(turn, use, /*silence=*/true);
}

void absence_resets(Turn& turn) {
  const std::vector<catalog::Use>& uses = turn.catalog().listeners(turn.event->name_index).resets;
  for (std::size_t n = 0; n < uses.size();) {
    const catalog::Use& use = uses[n];
    Meant meant;  // by all patterns of the trigger: an event restarts a wait once
    for (; n < uses.size() && uses[n].owner == use.owner; ++n) add_meant(turn, uses[n], meant);
    if (!meant.any) continue;
    const catalog::Trigger& trigger = turn.catalog().triggers[use.owner];
    const Instant t = turn.event->time;
    CompactVector<Instance>& all = turn.customer.instances;
    for (auto it = place_of(all, use.owner, ""); it != all.end() && it->trigger == use.owner; ++it) {
      if (!meant.has(it->key) || t < it->opened_at) continue;
      const InstanceView view{it->key, it->opened_at, it->count, nullptr, it->opened, Value::absent(), nullptr};
      turn.slots.set_instance(&view);
      const std::optional<Instant> due = deadline(turn, trigger, use.owner, t);
      turn.slots.set_instance(nullptr);
      ++it->count;
      // A late one must not bring a deadline nearer that a newer event has set.
      if (due) it->due = turn.late ? std::max(it->due, *due) : *due;
      mutate(turn, Tag::kInstance, it->key, static_cast<std::uint64_t>(it->due.ms));
    }
    const KeyChosen chosen = [&](const std::string& key) { return meant.has(key); };
    reopen_held(turn, use.owner, chosen);
    reopen_retracted(turn, use.owner, chosen);
  }
}

void absence_opens(Turn& turn) {
  const std::vector<catalog::Use>& uses = turn.catalog().listeners(turn.event->name_index).opens;
  for (std::size_t n = 0; n < uses.size();) {
    const catalog::Use& use = uses[n];
    const catalog::Trigger& trigger = turn.catalog().triggers[use.owner];
    n = for_each_match_of_owner(turn, uses, n, [&](Value item, std::string_view key) {
      CompactVector<Instance>& all = turn.customer.instances;
      const auto open_in = [&](std::uint32_t version) {
        const auto place = place_of(all, version, key);
        return place != all.end() && place->trigger == version && place->key.view() == key;
      };
      if (open_in(use.owner) ||
          std::any_of(trigger.earlier.begin(), trigger.earlier.end(), open_in))
        return;
      const InstanceView view{key, turn.event->time, 1, turn.event, {}, item, nullptr};
      turn.slots.set_instance(&view);
      const std::optional<Instant> due = deadline(turn, trigger, use.owner, turn.event->time);
      turn.slots.set_instance(nullptr);
      if (!due) return;
      const bool past = *due <= turn.now && *due < turn.event->time;
      if (turn.late && *due <= turn.now) return;  // a late one opens a wait only if its deadline is ahead
      if (past) {
        Firing firing;
        firing.trigger = use.owner;
        firing.key = std::string(key);
        firing.base = *due;
        firing.opened_at = turn.event->time;
        firing.count = 1;
        firing.event = turn.event;
        firing.item = item;
        collect(turn, std::move(firing));
        return;
      }
      const auto same = static_cast<std::size_t>(
          std::count_if(all.begin(), all.end(), [&](const Instance& i) { return i.trigger == use.owner; }));
      if (same >= kWaitsMax) {
        ++turn.shard.counters.dropped_over_limit;
        return;
      }
      Instance fresh;
      fresh.trigger = use.owner;
      fresh.count = 1;
      fresh.opened_at = turn.event->time;
      fresh.due = *due;
      fresh.key = key;
      fresh.opened = encode_opened(*turn.event, turn.catalog().schema, trigger.opened_fields,
                                   trigger.keeps_item ? item : Value::absent());
      mutate(turn, Tag::kInstance, fresh.key, static_cast<std::uint64_t>(fresh.due.ms));
      all.insert(place_of(all, use.owner, key), std::move(fresh));
      guards::ladder_opened(turn, use.owner, turn.event->time);
    });
  }
}

void absence_concludes(Turn& turn, std::size_t instance, Instant hold_until) {
  Instance ended = std::move(turn.customer.instances[instance]);
  turn.customer.instances.erase(turn.customer.instances.begin() + static_cast<std::ptrdiff_t>(instance));
  mutate(turn, Tag::kInstanceClosed, ended.key, ended.trigger);
  Firing firing;
  firing.trigger = ended.trigger;
  firing.key = ended.key.str();
  firing.base = ended.due;
  firing.opened_at = ended.opened_at;
  firing.count = ended.count;
  firing.opened = ended.opened.str();
  if (turn.catalog().triggers[ended.trigger].grace.count > 0) firing.hold_until = hold_until;
  collect(turn, std::move(firing));
}

}  // namespace spur::triggers
