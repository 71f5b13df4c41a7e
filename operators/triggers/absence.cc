#include "operators/triggers/absence.h"

#include <algorithm>

#include "operators/gate.h"
#include "operators/guards/ladder.h"
#include "operators/opened.h"
#include "operators/retract.h"
#include "operators/triggers/backfill.h"
#include "operators/triggers/business.h"
#include "operators/triggers/collect.h"
#include "operators/triggers/sequence.h"

namespace spur::triggers {
namespace {

// From when on an event ends the instance: since it began; what must stay away, since its last step.
Instant exit_from(Turn& turn, const Instances::View& instance, bool silence) {
  return silence ? instance.opened_at : began(turn, instance);
}

// The keys that `pattern` means at this event; `all` if it means every open instance.
struct Meant {
  bool any = false;
  bool all = false;
  absl::InlinedVector<std::string_view, 4> keys;  // of the event, or in the turn's arena

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
      meant.keys.push_back(key);
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
  Instances& all = turn.customer.instances;
  for (auto it = all.lower_bound(use.owner, ""); it != all.end() && it.trigger() == use.owner;) {
    const Instances::View wait = *it;
    // What happened before the wait was opened does not end it.
    if (!meant.has(wait.key) || (turn.late && t < exit_from(turn, wait, silence)) ||
        (silence && !only_silence_missing(turn, wait))) {
      ++it;
      continue;
    }
    mutate(turn, Tag::kInstanceClosed, wait.key, use.owner);
    business_ends(turn, wait);
    it = all.erase(it);
  }
  const KeyChosen chosen = [&](const std::string& key) { return meant.has(key); };
  const Millis silent_for = silence ? turn.catalog().triggers[use.owner].silent_for : Millis{-1};
  drop_pending(turn, use.owner, t, chosen, "exit", silent_for);
  retract_ended(turn, use.owner, t, chosen, silent_for);
}

}  // namespace

std::optional<Instant> absence_deadline(Turn& turn, std::uint32_t index, Instant t,
                                        std::string_view key,
                                        absl::FunctionRef<InstanceView()> view_of_wait) {
  const catalog::Trigger& trigger = turn.catalog().triggers[index];
  const std::string_view kept = turn.arena().copy(key);  // `key` may go where the wait goes
  turn.slots.set_session_key(kept);                      // the one meant from here on
  const Instant active = activation(turn.shard, index);
  if (trigger.after_always) return std::max(t + *trigger.after_always, active);
  const InstanceView view = view_of_wait();
  turn.slots.set_instance(&view);
  const Value value = turn.evaluate(trigger.after ? *trigger.after : *trigger.until);
  turn.slots.set_instance(nullptr);
  turn.slots.set_session_key(kept);
  if (trigger.after && value.is(Kind::kDuration)) return std::max(t + value.as_millis(), active);
  if (trigger.until && value.is(Kind::kTimestamp)) return std::max(value.as_instant(), active);
  ++turn.shard.trigger_counters[index].errors;
  ++turn.shard.counters.conditions_in_error;
  return std::nullopt;
}

void drop_instances(Turn& turn, std::uint32_t trigger, Instant t) {
  Instances& all = turn.customer.instances;
  for (auto it = all.lower_bound(trigger, ""); it != all.end() && it.trigger() == trigger;) {
    const Instances::View instance = *it;
    if (t < began(turn, instance)) {
      ++it;
      continue;
    }
    mutate(turn, Tag::kInstanceClosed, instance.key, trigger);
    business_ends(turn, instance);
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
    const Instant t = turn.event->time;
    Instances& all = turn.customer.instances;
    for (auto it = all.lower_bound(use.owner, ""); it != all.end() && it.trigger() == use.owner; ++it) {
      const Instances::View wait = *it;
      if (!meant.has(wait.key) || t < wait.opened_at) continue;
      const std::optional<Instant> due =
          absence_deadline(turn, use.owner, t, wait.key, [&]() -> InstanceView {
            return {wait.key,
                    wait.opened_at,
                    wait.count,
                    nullptr,
                    Instances::opened(wait, turn.arena()),
                    Value::absent(),
                    nullptr};
          });
      // A late one must not bring a deadline nearer that a newer event has set.
      const Instant restarted = !due ? wait.due : turn.late ? std::max(wait.due, *due) : *due;
      all.restart(it, wait.count + 1, wait.opened_at, restarted);
      mutate(turn, Tag::kInstance, wait.key, static_cast<std::uint64_t>(restarted.ms));
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
      Instances& all = turn.customer.instances;
      const auto open_in = [&](std::uint32_t version) { return all.contains(version, key); };
      if (open_in(use.owner) ||
          std::any_of(trigger.earlier.begin(), trigger.earlier.end(), open_in))
        return;
      const std::optional<Instant> due =
          absence_deadline(turn, use.owner, turn.event->time, key, [&]() -> InstanceView {
            return {key, turn.event->time, 1, turn.event, {}, item, nullptr};
          });
      if (!due) return;
      const bool past = *due <= turn.now && *due < turn.event->time;
      if (turn.late && *due <= turn.now) return;  // a late one opens a wait only if its deadline is ahead
      if (past) {
        Firing firing;
        firing.trigger = use.owner;
        firing.key = key;
        firing.base = *due;
        firing.opened_at = turn.event->time;
        firing.count = 1;
        firing.event = turn.event;
        firing.item = item;
        collect(turn, firing);
        return;
      }
      if (all.count(use.owner) >= kWaitsMax) {
        ++turn.shard.counters.dropped_over_limit;
        return;
      }
      Instances::Fresh fresh;
      fresh.trigger = use.owner;
      fresh.count = 1;
      fresh.opened_at = turn.event->time;
      fresh.due = *due;
      fresh.key = key;
      encode_opened(*turn.event, turn.catalog().schema, trigger.opened_fields,
                    trigger.keeps_item ? item : Value::absent(), turn.shard.bytes);
      fresh.opened = turn.shard.bytes;
      mutate(turn, Tag::kInstance, fresh.key, static_cast<std::uint64_t>(fresh.due.ms));
      all.insert(fresh);
      guards::ladder_opened(turn, use.owner, turn.event->time);
    });
  }
}

Instances::Iterator absence_concludes(Turn& turn, Instances::Iterator wait, Instant hold_until) {
  const Instances::View ended = *wait;
  Firing firing;
  firing.trigger = ended.trigger;
  firing.key = turn.arena().copy(ended.key);
  firing.base = ended.due;
  firing.opened_at = ended.opened_at;
  firing.count = ended.count;
  firing.opened = turn.arena().copy(Instances::opened(ended, turn.arena()));
  mutate(turn, Tag::kInstanceClosed, ended.key, ended.trigger);
  if (turn.catalog().triggers[ended.trigger].grace.count > 0) firing.hold_until = hold_until;
  const Instances::Iterator next = turn.customer.instances.erase(wait);
  collect(turn, firing);
  return next;
}

}  // namespace spur::triggers
