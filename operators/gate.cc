#include "operators/gate.h"

#include <algorithm>
#include <span>
#include <tuple>

#include "operators/emit.h"
#include "operators/expression/text.h"
#include "operators/guards/age.h"
#include "operators/guards/arbitration.h"
#include "operators/guards/caps.h"
#include "operators/guards/consent.h"
#include "operators/guards/holdout.h"
#include "operators/guards/ladder.h"
#include "operators/guards/quiet_hours.h"
#include "operators/guards/reachable.h"
#include "operators/guards/repeat.h"
#include "operators/guards/shadow.h"
#include "operators/guards/still_true.h"
#include "operators/held.h"
#include "operators/instance_view.h"
#include "operators/opened.h"
#include "operators/retract.h"
#include "operators/triggers/collect.h"
#include "state/codec/value_codec.h"

namespace spur {
namespace {

using catalog::Channel;
using catalog::Step;
using catalog::Trigger;
using guards::Answer;

// One step about to be decided: what the firing or the pending step says of it.
struct StepAsked {
  std::uint32_t trigger = 0;
  std::uint32_t step = 0;
  Instant due;
  Instant fired_at;
  Instant opened_at;
  std::uint32_t count = 0;
  std::string_view key;
  const Event* event = nullptr;
  std::string_view opened;
  Value item;
  const Firing::Prepared* prepared = nullptr;
  bool later = false;  // a later or deferred step
  Value previous = {};
};

// Hands a decision to the effects, or to the conclusion that is being held.
void record(Turn& turn, std::uint32_t trigger, Decision&& decision, HeldDecisions* held) {
  Shard::TriggerCounters& counters = turn.shard.trigger_counters[trigger];
  if (decision.verdict == Verdict::kSent) ++counters.sent;
  if (decision.verdict == Verdict::kSuppressed) ++counters.suppressed;
  if (decision.verdict == Verdict::kDeferred) ++counters.deferred;
  if (decision.verdict == Verdict::kHeldOut) ++counters.held_out;
  mutate(turn, Tag::kDecision, decision.trigger, static_cast<std::uint64_t>(decision.time.ms));
  mutate(turn, Tag::kDecision, decision.customer, static_cast<std::uint64_t>(decision.verdict));
  mutate(turn, Tag::kDecision, decision.instance, hash64(decision.data) ^ decision.id.ordinal);
  if (held != nullptr) {
    held->decisions.push_back(std::move(decision));
    return;
  }
  emit(turn, std::move(decision));
}

std::string cause_of(Turn& turn, const StepAsked& asked) {
  if (asked.event != nullptr) return std::string(asked.event->id);
  return opened_event_id(asked.opened, turn.catalog().schema, turn.arena());
}

// Asks the guards of one channel.
Answer ask_channel(Turn& turn, const StepAsked& asked, std::uint32_t channel) {
  const Trigger& trigger = turn.catalog().triggers[asked.trigger];
  if (Answer a = guards::consent(turn, asked.trigger, channel); !a.through()) return a;
  if (asked.later) {  // of a firing it is asked once, before its steps
    if (Answer a = guards::ladder(turn, asked.trigger); !a.through()) return a;
  }
  if (Answer a = guards::reachable(turn, asked.trigger, channel); !a.through()) return a;
  if (Answer a = guards::still_true(turn, asked.trigger); !a.through()) return a;
  if (Answer a = guards::holdout(turn, trigger.trigger_class); !a.through()) return a;
  if (Answer a = guards::quiet_hours(turn, channel); !a.through()) return a;
  if (Answer a = guards::caps(turn, trigger.trigger_class, channel); !a.through()) return a;
  if (Answer a = guards::arbitration(turn, trigger.trigger_class, channel); !a.through()) return a;
  return guards::shadow(turn, asked.trigger);
}

struct Chosen {
  std::uint32_t channel = 0;
  Answer answer;
};

// The first channel that the guards let through, hold out or shadow; else the first they defer;
// else what the first said.
Chosen choose(Turn& turn, const StepAsked& asked, std::span<const std::uint32_t> channels) {
  std::optional<Chosen> deferred, first;
  for (const std::uint32_t channel : channels) {
    Chosen chosen{channel, ask_channel(turn, asked, channel)};
    const Answer::Kind kind = chosen.answer.kind;
    if (chosen.answer.through() || kind == Answer::Kind::kHeldOut || kind == Answer::Kind::kShadow)
      return chosen;
    if (chosen.answer.kind == Answer::Kind::kDeferred && !deferred) deferred = chosen;
    if (!first) first = chosen;
  }
  return deferred ? *deferred : *first;
}

InstanceView view_of_step(const Turn& turn, const StepAsked& asked) {
  InstanceView view{asked.key, asked.opened_at, asked.count, asked.event, asked.opened, asked.item};
  view.previous = asked.previous;
  return view_of(turn.catalog(), turn.customer, asked.trigger, view);
}

void remember_data(Turn& turn, const StepAsked& asked, const Step& step) {
  if (!turn.catalog().triggers[asked.trigger].keeps_last_data) return;
  std::string bytes =
      asked.prepared != nullptr ? std::string(asked.prepared->last_data) : step_values(turn, step);
  TriggerState& state = triggers::state_of(turn, turn.catalog().triggers[asked.trigger].current);
  std::vector<LastData>& all = state.rest().last;
  const auto place =
      std::lower_bound(all.begin(), all.end(), asked.key,
                       [](const LastData& l, std::string_view key) { return l.key < key; });
  if (place != all.end() && place->key == asked.key) {
    place->at = asked.fired_at;
    place->data = std::move(bytes);
    return;
  }
  all.insert(place, {std::string(asked.key), asked.fired_at, std::move(bytes)});
  if (all.size() > kLastDataMax) {
    all.erase(std::min_element(all.begin(), all.end(),
                               [](const LastData& a, const LastData& b) { return a.at < b.at; }));
    ++turn.shard.counters.dropped_over_limit;
  }
}

void add_pending(Turn& turn, Pending pending) {
  std::vector<Pending>& all = turn.customer.more().pending;
  if (all.size() >= kPendingMax) {
    ++turn.shard.counters.dropped_over_limit;
    return;
  }
  mutate(turn, Tag::kPending, pending.key, static_cast<std::uint64_t>(pending.release.ms));
  all.push_back(std::move(pending));
}

Pending pending_of(Turn& turn, const StepAsked& asked, Pending::State state) {
  const Trigger& trigger = turn.catalog().triggers[asked.trigger];
  Pending pending;
  pending.trigger = asked.trigger;
  pending.step = asked.step;
  pending.state = state;
  pending.count = asked.count;
  pending.due = asked.due;
  pending.fired_at = asked.fired_at;
  pending.opened_at = asked.opened_at;
  pending.key = std::string(asked.key);
  if (asked.event != nullptr) {
    encode_opened(*asked.event, turn.catalog().schema, trigger.opened_fields,
                  trigger.keeps_item ? asked.item : Value::absent(), pending.opened);
  } else {
    pending.opened = std::string(asked.opened);
  }
  // A later step does not see it; a deferred one is the same step as before.
  if (state == Pending::State::kDeferred && trigger.keeps_previous && !asked.previous.is_absent())
    encode_value(asked.previous, pending.previous);
  return pending;
}

// Decides one step. Answers whether it went through: sent, held out, deferred or shadowed.
// `released` is the deferred step that this is the release of.
bool decide_step(Turn& turn, const StepAsked& asked, const Pending* released, HeldDecisions* held) {
  const Trigger& trigger = turn.catalog().triggers[asked.trigger];
  const Step& step = trigger.steps[asked.step];
  const InstanceView view = view_of_step(turn, asked);
  turn.slots.set_instance(&view);

  Decision decision = new_decision(turn, asked.trigger, asked.key, asked.fired_at);
  decision.received = turn.received;
  decision.cause_event_id = cause_of(turn, asked);

  const std::span<const std::uint32_t> channels =
      released != nullptr ? std::span(&released->channel, 1) : std::span(step.channels);
  Chosen chosen{channels[0], Answer::yes()};
  if (Answer a = guards::age(turn, turn.now); !a.through()) {
    chosen.answer = a;
  } else if (step.expires.count > 0 && turn.now > asked.due + step.expires) {
    chosen.answer = Answer::no("expired");
  } else if (released == nullptr &&
             !(asked.prepared != nullptr ? asked.prepared->condition
                                         : turn.holds(step.condition, asked.trigger))) {
    chosen.answer = Answer::no("if");
  } else {
    chosen = choose(turn, asked, channels);
  }

  about_step(turn, asked.trigger, asked.step, chosen.channel, decision);
  decision.reason = std::string(chosen.answer.reason);
  decision.detail = std::move(chosen.answer.detail);
  const bool shadow = chosen.answer.kind == Answer::Kind::kShadow;
  switch (chosen.answer.kind) {
    case Answer::Kind::kSuppressed:
    case Answer::Kind::kShadow:
      decision.verdict = Verdict::kSuppressed;
      break;
    case Answer::Kind::kDeferred: {
      decision.verdict = Verdict::kDeferred;
      Pending pending = pending_of(turn, asked, Pending::State::kDeferred);
      pending.release = chosen.answer.until;
      pending.channel = chosen.channel;
      pending.counted = true;
      add_pending(turn, std::move(pending));
      break;
    }
    case Answer::Kind::kThrough:
      decision.verdict = Verdict::kSent;
      if (step.expires.count > 0) decision.expires = asked.due + step.expires;
      guards::count_sent(turn, trigger.trigger_class, chosen.channel);
      guards::arbitrated(turn, trigger.trigger_class, chosen.channel);
      break;
    case Answer::Kind::kHeldOut:
      decision.verdict = Verdict::kHeldOut;
      if (step.expires.count > 0) decision.expires = asked.due + step.expires;
      break;
  }
  decision.data =
      asked.prepared != nullptr ? std::string(asked.prepared->data) : step_data(turn, step);
  const bool through = !(chosen.answer.kind == Answer::Kind::kSuppressed);
  const bool sent =
      decision.verdict == Verdict::kSent || decision.verdict == Verdict::kHeldOut || shadow;
  if (sent && asked.step == 0) remember_data(turn, asked, step);
  turn.slots.set_instance(nullptr);
  if (held == nullptr) {
    remember_sent(
        turn, decision,
        {asked.trigger, chosen.channel, asked.count, asked.opened_at, asked.key, asked.opened});
  }
  record(turn, asked.trigger, std::move(decision), held);
  if (through) guards::ladder_sent(turn, asked.trigger);
  return through;
}

// A step that is still deferred gives way to the next of its channel.
void supersede(Turn& turn, const Pending& due) {
  const Trigger& trigger = turn.catalog().triggers[due.trigger];
  const std::vector<std::uint32_t>& channels = trigger.steps[due.step].channels;
  std::vector<Pending>& all = turn.customer.more().pending;
  for (std::size_t i = 0; i < all.size();) {
    const Pending& p = all[i];
    const bool gives_way = p.state == Pending::State::kDeferred && p.trigger == due.trigger &&
                           p.key == due.key && p.fired_at == due.fired_at && p.step < due.step &&
                           std::find(channels.begin(), channels.end(), p.channel) != channels.end();
    if (!gives_way) {
      ++i;
      continue;
    }
    drop_deferred(turn, p, "superseded");
    all.erase(all.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

void decide_pending(Turn& turn, const Firing& firing) {
  const Pending& p = *firing.pending;
  if (p.state == Pending::State::kWaiting) supersede(turn, p);
  const Value previous = decode_value(p.previous, turn.arena()).value_or(Value::absent());
  const StepAsked asked{p.trigger, p.step,   p.due, p.fired_at, p.opened_at, p.count, p.key,
                        nullptr,   p.opened, {},    nullptr,    true,        previous};
  const bool released = p.state == Pending::State::kDeferred;
  HeldDecisions decided;  // leaves no earlier than the conclusion it belongs to
  const bool held = held_conclusion(turn.customer, p) != nullptr;
  const bool through = decide_step(turn, asked, released ? &p : nullptr, held ? &decided : nullptr);
  if (held) hold_step(*held_conclusion(turn.customer, p), std::move(decided.decisions));
  if (through && !p.counted)
    guards::went_through(turn, p.trigger, p.key, std::max(p.fired_at, p.opened_at));
}

// A firing silenced as a whole: one decision without channel; its repeats are counted only.
bool silenced(Turn& turn, const Firing& firing, HeldDecisions* held) {
  Answer answer = guards::warming(turn, firing.trigger);
  if (answer.through()) answer = guards::once(turn, firing.trigger, firing.key);
  if (answer.through())
    answer = guards::cooldown(turn, firing.trigger, firing.key, guards::Detail::kNo);
  if (answer.through()) answer = guards::ladder(turn, firing.trigger);
  if (answer.through()) return false;
  if (guards::recorded_before(turn, firing.trigger, firing.key, answer.reason)) {
    ++turn.shard.counters.silenced_repeats;
    return true;
  }
  if (answer.reason == "cooldown")
    answer = guards::cooldown(turn, firing.trigger, firing.key, guards::Detail::kYes);
  Decision decision = new_decision(turn, firing.trigger, firing.key, turn.now);
  decision.received = turn.received;
  decision.verdict = Verdict::kSuppressed;
  decision.reason = std::string(answer.reason);
  decision.detail = std::move(answer.detail);
  if (firing.event != nullptr) {
    decision.cause_event_id = std::string(firing.event->id);
  } else {
    decision.cause_event_id = opened_event_id(firing.opened, turn.catalog().schema, turn.arena());
  }
  record(turn, firing.trigger, std::move(decision), held);
  return true;
}

void decide_firing(Turn& turn, const Firing& firing) {
  const Trigger& trigger = turn.catalog().triggers[firing.trigger];
  if (turn.now < trigger.from || turn.now >= trigger.to) return;
  HeldDecisions conclusion;
  HeldDecisions* held = nullptr;
  if (firing.hold_until != Instant::distant_past()) {
    held = &conclusion;
    conclusion.undo = guards::before_firing(turn, firing.trigger, firing.key);
  }
  const bool too_old = !guards::age(turn, turn.now).through();
  if (too_old || !silenced(turn, firing, held)) {
    bool through = false;
    for (std::uint32_t i = 0; i < trigger.steps.size(); ++i) {
      StepAsked asked{firing.trigger,
                      i,
                      firing.base + trigger.steps[i].after,
                      firing.base,
                      firing.opened_at,
                      firing.count,
                      firing.key,
                      firing.event,
                      firing.opened,
                      firing.item,
                      i < firing.prepared.size() ? &firing.prepared[i] : nullptr,
                      false,
                      firing.previous};
      if (asked.due <= turn.now) {
        through = decide_step(turn, asked, nullptr, held) || through;
        continue;
      }
      if (too_old) continue;  // nothing of it will be sent
      Pending pending = pending_of(turn, asked, Pending::State::kWaiting);
      pending.release = asked.due;
      pending.counted = through;
      add_pending(turn, std::move(pending));
    }
    // A wait that was over when it opened fired then, though its steps count from before.
    if (through)
      guards::went_through(turn, firing.trigger, firing.key,
                           std::max(firing.base, firing.opened_at));
  }
  if (held != nullptr) hold(turn, firing, std::move(conclusion));
}

bool acts_before(const Firing& a, const Firing& b) {
  const std::uint32_t step_a = a.pending != nullptr ? a.pending->step : 0;
  const std::uint32_t step_b = b.pending != nullptr ? b.pending->step : 0;
  return std::tie(a.trigger, a.key, step_a) < std::tie(b.trigger, b.key, step_b);
}

// Stable. Mostly there are two or three, for which the library's would take memory.
void sort_firings(Turn& turn) {
  constexpr std::size_t kFew = 16;
  auto& all = turn.firings;
  if (all.size() > kFew) return std::stable_sort(all.begin(), all.end(), acts_before);
  for (auto it = all.begin() + 1; it != all.end(); ++it) {
    std::rotate(std::upper_bound(all.begin(), it, *it, acts_before), it, it + 1);
  }
}

}  // namespace

std::string step_data(Turn& turn, const Step& step) {
  if (step.data.empty()) return "{}";
  std::string json;
  json.reserve(64);
  json += '{';
  for (const auto& [name, program] : step.data) {
    if (json.size() > 1) json += ',';
    expression::append_json_string(&json, name);
    json += ':';
    expression::append_json(&json, turn.evaluate(program));
  }
  json += '}';
  return json;
}

std::string step_values(Turn& turn, const Step& step) {
  const std::span<MapEntry> entries = turn.arena().array<MapEntry>(step.data.size());
  for (std::size_t i = 0; i < step.data.size(); ++i) {
    entries[i] = {Value::string(step.data[i].first), turn.evaluate(step.data[i].second)};
    if (entries[i].value.is_error()) entries[i].value = Value::null();
  }
  std::string bytes;
  encode_value(Value::map(entries), bytes);
  return bytes;
}

const LastData* last_data(const Customer& customer, std::uint32_t trigger, std::string_view key) {
  for (const TriggerState& state : customer.triggers) {
    if (state.trigger != trigger || state.more == nullptr) continue;
    for (const LastData& last : state.more->last) {
      if (last.key == key) return &last;
    }
  }
  return nullptr;
}

std::vector<GuardSaid> ask_each_guard(Turn& turn, std::uint32_t index, std::string_view key) {
  const catalog::Compiled& catalog = turn.catalog();
  const Trigger& trigger = catalog.triggers[index];
  std::vector<GuardSaid> said;
  const auto add = [&](std::string_view guard, std::string_view channel, Answer answer) {
    said.push_back({std::string(guard), std::string(channel), answer.through(), false,
                    answer.kind == Answer::Kind::kHeldOut, std::move(answer.detail),
                    answer.kind == Answer::Kind::kDeferred ? answer.until : Instant::never()});
  };
  const auto add_unknown = [&](std::string_view guard, std::string_view channel,
                               std::string detail) {
    said.push_back({std::string(guard), std::string(channel), true, true, false, std::move(detail),
                    Instant::never()});
  };
  // A guard that asks a condition: an error for want of what only the firing has is no answer.
  const auto add_condition = [&](std::string_view guard, std::string_view channel,
                                 const auto& ask) {
    const std::uint64_t errors = turn.shard.counters.conditions_in_error;
    turn.slots.take_missed();
    Answer answer = ask();
    if (turn.shard.counters.conditions_in_error > errors && turn.slots.take_missed())
      return add_unknown(guard, channel, "it reads what is only known when it fires");
    add(guard, channel, std::move(answer));
  };
  const InstanceView view = [&]() -> InstanceView {
    for (const Instances::View& open : turn.customer.instances) {
      // What an earlier version opened goes on as one of this one.
      if (catalog.triggers[open.trigger].current == trigger.current && open.key == key)
        return view_of(catalog, turn.customer, open, turn.arena());
    }
    return {};
  }();
  std::optional<InstanceScope> scope;
  if (!view.opened.empty()) scope.emplace(turn.slots, view);
  add("erased", "", turn.customer.is_erased() ? Answer::no("erased") : Answer::yes());
  add("age", "", guards::age(turn, turn.now));
  add("warming", "", guards::warming(turn, index));
  add("once", "", guards::once(turn, index, key));
  add("cooldown", "", guards::cooldown(turn, index, key, guards::Detail::kYes));
  add("ladder", "", guards::ladder(turn, index));
  if (trigger.steps.empty()) return said;
  const bool arbitrated = trigger.trigger_class == catalog::Class::kMarketing &&
                          catalog.policy.arbitration != catalog::Arbitration::kNone;
  for (const std::uint32_t channel : trigger.steps.front().channels) {
    const std::string& name = catalog.channels[channel].name;
    add("consent", name, guards::consent(turn, index, channel));
    add_condition("reachable", name, [&] { return guards::reachable(turn, index, channel); });
    add_condition("while", name, [&] { return guards::still_true(turn, index); });
    add("holdout", name, guards::holdout(turn, trigger.trigger_class));
    add("quiet_hours", name, guards::quiet_hours(turn, channel));
    add("cap", name, guards::caps(turn, trigger.trigger_class, channel));
    if (arbitrated)
      add_unknown("arbitration", name, "it depends on what else fires at that instant");
    if (trigger.shadow) add("shadow", name, guards::shadow(turn, index));
  }
  return said;
}

void decide_all(Turn& turn) {
  if (turn.firings.size() > 1) sort_firings(turn);
  for (const Firing& firing : turn.firings) {
    if (firing.pending != nullptr) {
      decide_pending(turn, firing);
    } else {
      decide_firing(turn, firing);
    }
  }
  turn.firings.clear();
}

}  // namespace spur
