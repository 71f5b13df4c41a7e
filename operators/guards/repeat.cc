#include "operators/guards/repeat.h"

#include <algorithm>

#include "fmt/format.h"
#include "operators/gate.h"
#include "operators/triggers/collect.h"

namespace spur::guards {
namespace {

enum Bit : std::uint8_t { kWarming = 1, kOnce = 2, kCooldown = 4, kLadder = 8 };

std::uint8_t bit_of(std::string_view reason) {
  return reason == "warming" ? kWarming : reason == "once" ? kOnce : reason == "ladder" ? kLadder : kCooldown;
}

// The state by `key`, made if there is none. Of more than kKeyTimesMax one goes: a key that never fired, else the one
// that fired longest ago; but a key that did not fire takes nobody's memory of having fired: nullptr.
KeyTime* key_state(Turn& turn, TriggerState& state, std::string_view key, bool fired) {
  if (KeyTime* const found = triggers::find_key_state(state, key)) return found;
  std::vector<KeyTime>& all = state.rest().by_key;
  if (all.size() >= kKeyTimesMax) {
    ++turn.shard.counters.dropped_over_limit;
    const auto oldest = std::min_element(all.begin(), all.end(),
                                         [](const KeyTime& a, const KeyTime& b) { return a.time < b.time; });
    if (!fired && oldest->time != Instant::distant_past()) return nullptr;
    all.erase(oldest);
  }
  const auto place = std::lower_bound(all.begin(), all.end(), key,
                                      [](const KeyTime& k, std::string_view text) { return k.key < text; });
  return &*all.insert(place, {std::string(key), Instant::distant_past(), 0});
}

bool by_key(const catalog::Trigger& trigger) { return trigger.once_key || trigger.cooldown_key.count > 0; }

Answer within(Instant last, Millis length, Instant now, Detail detail) {
  if (length.count == 0 || now >= last + length) return Answer::yes();
  if (detail == Detail::kNo) return Answer::no("cooldown");
  return Answer::no("cooldown",
                    fmt::format("{} s since the last, cooldown {} s", (now - last).count / 1000, length.count / 1000));
}

}  // namespace

Answer warming(const Turn& turn, std::uint32_t index) {
  const ShardState& shard = turn.shard;
  if (turn.customer.first_generation >= shard.newest_since) return Answer::yes();
  const catalog::Trigger& trigger = turn.catalog().triggers[index];
  for (const std::uint32_t f : trigger.features) {
    const Since& since = shard.features_since[f];
    if (since.generation <= turn.customer.first_generation) continue;
    const AggregateSpec& spec = turn.catalog().features[f].spec;
    const bool session = turn.catalog().features[f].session != catalog::kNone;
    if (session) continue;  // whole again at the next opening
    if (spec.window.count > 0 && turn.now >= since.at + spec.window + spec.offset) continue;
    return Answer::no("warming",
                      fmt::format("features.{} is new since this customer is known", turn.catalog().features[f].name));
  }
  const Since& since = shard.triggers_since[index];
  if (trigger.kind == catalog::Operator::kNovelty && since.generation > turn.customer.first_generation) {
    return Answer::no("warming", "what this customer had before the trigger came is not known");
  }
  return Answer::yes();
}

Answer once(Turn& turn, std::uint32_t index, std::string_view key) {
  const catalog::Trigger& trigger = turn.catalog().triggers[index];
  if (!trigger.once_customer && !trigger.once_key) return Answer::yes();
  TriggerState* const state =
      triggers::find_state(turn.customer, turn.catalog().triggers[index].current);
  if (state == nullptr) return Answer::yes();
  if (trigger.once_customer && state->fired) return Answer::no("once", "once a customer");
  const KeyTime* const at = trigger.once_key ? triggers::find_key_state(*state, key) : nullptr;
  if (at != nullptr && at->time != Instant::distant_past()) return Answer::no("once", "once a key");
  return Answer::yes();
}

Answer cooldown(Turn& turn, std::uint32_t index, std::string_view key, Detail detail) {
  const catalog::Trigger& trigger = turn.catalog().triggers[index];
  TriggerState* const state =
      triggers::find_state(turn.customer, turn.catalog().triggers[index].current);
  if (state == nullptr) return Answer::yes();
  if (state->fired) {
    Answer answer = within(state->last_fired, trigger.cooldown, turn.now, detail);
    if (!answer.through()) return answer;
  }
  if (trigger.cooldown_key.count == 0) return Answer::yes();
  const KeyTime* const at = triggers::find_key_state(*state, key);
  if (at == nullptr || at->time == Instant::distant_past()) return Answer::yes();
  return within(at->time, trigger.cooldown_key, turn.now, detail);
}

bool recorded_before(Turn& turn, std::uint32_t index, std::string_view key, std::string_view reason) {
  TriggerState& state = triggers::state_of(turn, turn.catalog().triggers[index].current);
  std::uint8_t* silenced = &state.silenced;
  if (by_key(turn.catalog().triggers[index]) && reason != "warming") {
    KeyTime* const of_key = key_state(turn, state, key, /*fired=*/false);
    if (of_key == nullptr) return false;  // no room to remember it: recorded each time
    silenced = &of_key->silenced;
  }
  if ((*silenced & bit_of(reason)) != 0) return true;
  *silenced |= bit_of(reason);
  return false;
}

void went_through(Turn& turn, std::uint32_t index, std::string_view key, Instant at) {
  const catalog::Trigger& trigger = turn.catalog().triggers[index];
  const bool keyed = by_key(trigger);
  if (!keyed && trigger.cooldown.count == 0 && !trigger.once_customer) return;  // nothing asks
  TriggerState& state = triggers::state_of(turn, turn.catalog().triggers[index].current);
  state.last_fired = state.fired ? std::max(state.last_fired, at) : at;
  state.fired = true;
  state.silenced = 0;
  mutate(turn, Tag::kFired, key, static_cast<std::uint64_t>(at.ms));
  if (!keyed) return;
  if (!trigger.once_key && state.more != nullptr) {  // what has cooled down says nothing any more
    std::erase_if(state.more->by_key,
                  [&](const KeyTime& old) { return old.time + trigger.cooldown_key <= turn.now && old.key != key; });
  }
  KeyTime& k = *key_state(turn, state, key, /*fired=*/true);
  k.time = std::max(k.time, at);
  k.silenced = 0;
}

Undo before_firing(Turn& turn, std::uint32_t index, std::string_view key) {
  Undo before;
  before.on_ladder = !turn.catalog().triggers[index].below.empty();
  TriggerState* const state =
      triggers::find_state(turn.customer, turn.catalog().triggers[index].current);
  if (state == nullptr) return before;
  if (before.on_ladder && state->more != nullptr) before.last_sent = state->more->last_sent;
  before.fired = state->fired;
  before.last_fired = state->last_fired;
  before.silenced = state->silenced;
  if (const KeyTime* const k = triggers::find_key_state(*state, key)) {
    before.key_known = true;
    before.key_time = k->time;
    before.key_silenced = k->silenced;
  }
  return before;
}

void undo(Turn& turn, std::uint32_t index, std::string_view key, Instant fired_at, const Undo& before) {
  TriggerState* const state =
      triggers::find_state(turn.customer, turn.catalog().triggers[index].current);
  if (state == nullptr) return;
  if (before.on_ladder && state->more != nullptr && state->more->last_sent <= fired_at)
    state->more->last_sent = before.last_sent;
  if (!state->fired || state->last_fired <= fired_at) {
    state->fired = before.fired;
    state->last_fired = before.last_fired;
    state->silenced = before.silenced;
  }
  KeyTime* const k = triggers::find_key_state(*state, key);
  if (k == nullptr || k->time > fired_at) return;
  k->time = before.key_known ? before.key_time : Instant::distant_past();
  k->silenced = before.key_silenced;
}

}  // namespace spur::guards
