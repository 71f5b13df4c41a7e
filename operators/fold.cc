#include "operators/fold.h"

#include <algorithm>

#include "operators/guards/ladder.h"
#include "operators/held.h"
#include "operators/opened.h"
#include "operators/retract.h"
#include "operators/triggers/schedule.h"
#include "operators/triggers/session.h"
#include "state/codec/value_codec.h"

namespace spur {
namespace {

SessionState* find_session(Customer& customer, std::uint32_t session, std::string_view key) {
  for (SessionState& s : customer.sessions) {
    if (s.session == session && s.key == key) return &s;
  }
  return nullptr;
}

// A new element in its place. With too many keys at once, the closed one longest silent makes room, else the oldest.
SessionState* add_session(Turn& turn, std::uint32_t session, std::string_view key) {
  CompactVector<SessionState>& all = turn.customer.sessions;
  std::size_t same = 0;
  std::size_t victim = all.size();
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].session != session) continue;
    ++same;
    if (victim == all.size() || std::tuple(all[i].open, all[i].last) < std::tuple(all[victim].open, all[victim].last)) {
      victim = i;
    }
  }
  if (same >= kSessionKeysMax) {
    all.erase(all.begin() + static_cast<std::ptrdiff_t>(victim));
    ++turn.shard.counters.dropped_over_limit;
  }
  SessionState fresh;
  fresh.session = session;
  fresh.key = key;
  const auto place = std::lower_bound(all.begin(), all.end(), fresh, [](const SessionState& a, const SessionState& b) {
    return a.session != b.session ? a.session < b.session : a.key < b.key;
  });
  return &*all.insert(place, std::move(fresh));
}

// What was counted within the session of that key falls to empty; `last`: no other of it is open.
void clear_within(Turn& turn, std::uint32_t session, std::string_view key, bool last) {
  for (const std::uint32_t f : turn.catalog().sessions[session].features) {
    if (turn.catalog().features[f].per_session) {
      if (turn.customer.keyed(f) != nullptr) turn.customer.keyed_or_new(f).erase(key);
      continue;
    }
    if (!last) continue;
    turn.customer.features.clear(f);
    if (turn.customer.keyed(f) != nullptr) turn.customer.keyed_or_new(f).clear();
  }
}

void want_thresholds(Turn& turn, const std::vector<std::uint32_t>& thresholds) {
  turn.thresholds.insert(turn.thresholds.end(), thresholds.begin(), thresholds.end());
}

void open_session(Turn& turn, std::uint32_t index, std::string_view key) {
  const catalog::Session& session = turn.catalog().sessions[index];
  SessionState* state = find_session(turn.customer, index, key);
  if (state == nullptr) state = add_session(turn, index, key);
  state->open = true;
  state->started = state->last = turn.event->time;
  state->events = 1;
  ++state->count;
  state->opened.clear();
  if (!session.opened_fields.empty()) {
    encode_opened(*turn.event, turn.catalog().schema, session.opened_fields, Value::absent(), turn.shard.bytes);
    state->opened = turn.shard.bytes;
  }
  mutate(turn, Tag::kSession, key, state->count);
  want_thresholds(turn, session.thresholds);
  if (!session.triggers.empty()) turn.opened_sessions.emplace_back(index, turn.arena().copy(key));
  for (const std::uint32_t t : session.triggers) guards::ladder_opened(turn, t, turn.event->time);
}

// A late event kept a session of this key that has ended by silence since: what that end sent is retracted, what is
// held is taken back.
void was_not_over(Turn& turn, const catalog::Session& session, const SessionState& ended) {
  const Instant t = turn.event->time;
  const Instant end = ended.last + session.idle;
  if (session.idle.count == 0 || t < ended.last || t > end) return;
  for (const std::uint32_t trigger : session.triggers) {
    if (turn.catalog().triggers[trigger].moment != catalog::SessionMoment::kIdle) continue;
    const auto of_that_end = [&](const auto& step) {
      return step.trigger == trigger && step.fired_at == end && step.key == ended.key.view();
    };
    take_back_held(turn, trigger, t, ended.key);
    drop_steps(turn, "contradicted", of_that_end);
    retract_if(turn, of_that_end);
  }
}

}  // namespace

Instant idle_deadline(const catalog::Compiled& catalog, const SessionState& session) {
  const Millis idle = catalog.sessions[session.session].idle;
  return session.open && idle.count > 0 ? session.last + idle : Instant::never();
}

void fold_traits(Turn& turn) {
  if (!turn.event->traits.is(Kind::kMap)) return;
  std::vector<Trait>& traits = turn.customer.more().traits;
  bool zone_changed = false;
  for (const MapEntry& entry : turn.event->traits.entries()) {
    std::string value;
    encode_value(entry.value, value);
    const std::string_view name = entry.key.as_text();
    const auto place = std::lower_bound(traits.begin(), traits.end(), name,
                                        [](const Trait& t, std::string_view n) { return t.name < n; });
    const bool known = place != traits.end() && place->name == name;
    zone_changed = zone_changed || name == "timezone";
    if (value.size() > kTraitBytesMax || (!known && traits.size() >= kTraitsMax)) {
      ++turn.shard.counters.dropped_over_limit;
      continue;
    }
    if (known && turn.event->time < place->time)
      continue;  // of two at one instant, the one taken later
    mutate(turn, Tag::kTrait, name, hash64(value));
    if (known) {
      place->value = std::move(value);
      place->time = turn.event->time;
    } else {
      traits.insert(place, {std::string(name), std::move(value), turn.event->time});
    }
  }
  turn.slots.forget();
  want_thresholds(turn, turn.catalog().trait_thresholds);
  if (!zone_changed) return;
  for (const std::uint32_t t : turn.catalog().schedules) {  // their local times are other instants now
    const catalog::Trigger& trigger = turn.catalog().triggers[t];
    if (!trigger.zone) triggers::plan_schedule(turn, t, std::max(turn.now, trigger.from));
  }
}

void fold_session_starts(Turn& turn) {
  const catalog::Listeners& at = turn.catalog().listeners(turn.event->name_index);
  if (at.session_opens.empty() && at.session_keeps.empty()) return;
  bool changed = false;
  SessionKeys opened;  // an event that opens one does not keep it as well
  const auto newly = [&](std::uint32_t session, std::string_view key) {
    for (const auto& [s, k] : opened) {
      if (s == session && k == key) return true;
    }
    return false;
  };
  // A late one opens a session only if its end by silence is ahead.
  const auto over = [&](const catalog::Session& session) {
    return turn.late && session.idle.count > 0 && turn.event->time + session.idle <= turn.now;
  };
  for (const catalog::Use& use : at.session_opens) {
    if (over(turn.catalog().sessions[use.owner])) continue;
    for_each_match(turn, *use.pattern, [&](Value, std::string_view key) {
      const SessionState* const state = find_session(turn.customer, use.owner, key);
      if (state != nullptr && state->open) return;
      open_session(turn, use.owner, key);
      opened.emplace_back(use.owner, turn.arena().copy(key));
      changed = true;
    });
  }
  for (const catalog::Use& use : at.session_keeps) {
    const catalog::Session& session = turn.catalog().sessions[use.owner];
    const auto keep = [&](SessionState& state) {
      if (!state.open || newly(use.owner, state.key)) return;
      if (turn.event->time <
          state.started) {  // late: part of it where it alone would have opened it
        if (!session.opens.empty() || state.started - turn.event->time > session.idle) return;
        state.started = turn.event->time;
      }
      opened.emplace_back(use.owner, turn.arena().copy(state.key));  // kept once, whatever many patterns say so
      state.last = std::max(state.last, turn.event->time);
      ++state.events;
      mutate(turn, Tag::kSession, state.key, state.events);
      want_thresholds(turn, session.thresholds_kept);
      changed = true;
    };
    for_each_match(turn, *use.pattern, [&](Value, std::string_view key) {
      if (session.keyed && !use.pattern->key) {  // means all that are open
        for (SessionState& state : turn.customer.sessions) {
          if (state.session == use.owner) keep(state);
        }
        return;
      }
      SessionState* const state = find_session(turn.customer, use.owner, key);
      if (turn.late && state != nullptr && !state->open) was_not_over(turn, session, *state);
      if (state != nullptr && state->open) {
        keep(*state);
      } else if (session.opens.empty() && !over(session)) {
        open_session(turn, use.owner, key);
        opened.emplace_back(use.owner, turn.arena().copy(key));
        changed = true;
      }
    });
  }
  if (changed) turn.slots.forget();
}

namespace {

// Counts the event in each of the open sessions that it is about. Answers whether it matched.
bool fold_within(Turn& turn, const catalog::Use& use) {
  const catalog::Feature& feature = turn.catalog().features[use.owner];
  bool matched = false;
  for_each_match(turn, *use.pattern, [&](Value, std::string_view key) {
    matched = true;
    const Value of = feature.of ? turn.evaluate(*feature.of) : Value::integer(1);
    if (of.is_error()) return;
    for (const SessionState& s : turn.customer.sessions) {
      if (static_cast<std::int32_t>(s.session) != feature.session || !s.open ||
          turn.event->time < s.started)
        continue;
      if (use.pattern->key && s.key != key) continue;
      turn.shard.digest.add(feature.definition, static_cast<std::uint64_t>(use.owner));
      if (turn.customer.keyed_or_new(use.owner).add(feature.spec, s.key, turn.event->time, turn.now,
                                                    of, turn.shard.digest) ==
          Aggregate::Added::kError) {
        ++turn.shard.counters.conditions_in_error;
      }
    }
  });
  return matched;
}

}  // namespace

void fold_features(Turn& turn) {
  const catalog::Compiled& catalog = turn.catalog();
  const catalog::Listeners& at = catalog.listeners(turn.event->name_index);
  if (at.features.empty()) return;
  if (turn.customer.features.size() < catalog.features.size()) turn.customer.features.resize(catalog.features.size());
  std::int64_t done = catalog::kNone;  // several patterns of one feature mean an event once
  for (const catalog::Use& use : at.features) {
    if (static_cast<std::int64_t>(use.owner) == done && !use.pattern->of) continue;
    const catalog::Feature& feature = catalog.features[use.owner];
    if (feature.per_session) {
      if (fold_within(turn, use)) done = use.owner;
      turn.slots.forget();
      continue;
    }
    if (feature.session != catalog::kNone) {
      const auto session = static_cast<std::uint32_t>(feature.session);
      const bool open = std::any_of(
          turn.customer.sessions.begin(), turn.customer.sessions.end(), [&](const SessionState& s) {
            return s.session == session && s.open && turn.event->time >= s.started;
          });
      if (!open) continue;
    }
    for_each_match(turn, *use.pattern, [&](Value, std::string_view) {
      done = use.owner;
      turn.shard.digest.add(feature.definition, static_cast<std::uint64_t>(use.owner));  // whose mutation follows
      // With values of their own (an intent's scores) each pattern counts for itself.
      const std::optional<expression::Program>& value = use.pattern->of ? use.pattern->of : feature.of;
      const Value of = value ? turn.evaluate(*value) : Value::integer(1);
      if (of.is_error()) return;
      if (!feature.by) {
        if (turn.customer.features.add(use.owner, feature.spec, turn.event->time, turn.now, of, turn.shard.digest) ==
            Aggregate::Added::kError) {
          ++turn.shard.counters.conditions_in_error;
        }
        return;
      }
      const std::optional<std::string_view> by = key_text(turn.evaluate(*feature.by), turn.arena());
      if (!by) return;
      if (turn.customer.keyed_or_new(use.owner).add(feature.spec, *by, turn.event->time, turn.now, of,
                                                    turn.shard.digest) == Aggregate::Added::kError) {
        ++turn.shard.counters.conditions_in_error;
      }
    });
    // One that reads another must see it folded; catalog.feature_order has put it behind.
    turn.slots.forget();
  }
}

void fold_models(Turn& turn) {
  const catalog::Listeners& at = turn.catalog().listeners(turn.event->name_index);
  for (const catalog::Use& use : at.models) {
    bool matches = false;
    for_each_match(turn, *use.pattern, [&](Value, std::string_view) { matches = true; });
    if (!matches) continue;
    std::vector<ModelState>& models = turn.customer.more().models;
    const auto place = std::lower_bound(models.begin(), models.end(), use.owner,
                                        [](const ModelState& m, std::uint32_t i) { return m.model < i; });
    const Instant t = turn.event->time;
    if (place == models.end() || place->model != use.owner) {
      models.insert(place, {use.owner, t, t, 1});
    } else {
      ModelState& state = *place;
      const bool days = turn.catalog().models[use.owner].distinct_days;
      // A late event of a day between the first and the last may be that day's first or not: only the first, the last
      // and their number are kept, so it counts as a new one.
      const bool same = days && (utc_day(t) == utc_day(state.first) || utc_day(t) == utc_day(state.last));
      if (!same) ++state.purchases;
      state.first = std::min(state.first, t);
      state.last = std::max(state.last, t);
    }
    mutate(turn, Tag::kModel, static_cast<std::uint64_t>(t.ms));
    turn.slots.forget();
  }
}

void end_session(Turn& turn, std::size_t session, catalog::SessionMoment moment, Instant hold_until) {
  SessionState& state = turn.customer.sessions[session];
  turn.slots.set_ended_session(&state);  // it is as just before until its triggers have been asked
  triggers::session_moment(turn, state, moment, hold_until);
  turn.slots.set_ended_session(nullptr);
  state.open = false;
  state.events = 0;
  state.opened.clear();
  mutate(turn, Tag::kSession, state.key, 0);
  // With several at once, `within` with `by` counts over all that are open.
  const bool another = std::any_of(turn.customer.sessions.begin(), turn.customer.sessions.end(),
                                   [&](const SessionState& s) { return s.session == state.session && s.open; });
  clear_within(turn, state.session, state.key, !another);
  turn.slots.forget();
  const std::vector<std::uint32_t>& thresholds = turn.catalog().sessions[state.session].thresholds;
  turn.thresholds.insert(turn.thresholds.end(), thresholds.begin(), thresholds.end());
}

void fire_opened_sessions(Turn& turn) {
  for (const auto& [session, key] : turn.opened_sessions) {
    const SessionState* const state = find_session(turn.customer, session, key);
    if (state != nullptr)
      triggers::session_moment(turn, *state, catalog::SessionMoment::kOpened, Instant::distant_past());
  }
}

void fold_session_ends(Turn& turn) {
  const catalog::Listeners& at = turn.catalog().listeners(turn.event->name_index);
  for (const catalog::Use& use : at.session_closes) {
    const bool keyed = turn.catalog().sessions[use.owner].keyed;
    absl::InlinedVector<std::string_view, 4> keys;
    bool all = false;
    for_each_match(turn, *use.pattern, [&](Value, std::string_view key) {
      if (keyed && !use.pattern->key) {
        all = true;
      } else {
        keys.push_back(key);
      }
    });
    for (std::size_t i = 0; i < turn.customer.sessions.size(); ++i) {
      const SessionState& state = turn.customer.sessions[i];
      if (state.session != use.owner || !state.open || turn.event->time < state.started) continue;
      if (!all && std::find(keys.begin(), keys.end(), state.key.view()) == keys.end()) continue;
      end_session(turn, i, catalog::SessionMoment::kClosed, Instant::distant_past());
    }
  }
}

}  // namespace spur
