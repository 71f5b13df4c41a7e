#include "operators/held.h"

#include <algorithm>
#include <iterator>

#include "operators/emit.h"
#include "operators/gate.h"
#include "operators/guards/caps.h"
#include "operators/guards/consent.h"
#include "operators/retract.h"
#include "operators/triggers/collect.h"
#include "state/codec/byte_io.h"

namespace spur {
namespace {

void write_decision(const Decision& d, ByteWriter& out) {
  out.zigzag(d.time.ms);
  for (const std::string* text : {&d.instance, &d.channel, &d.topic, &d.template_name, &d.reason, &d.data,
                                  &d.cause_event_id, &d.detail}) {
    out.text(*text);
  }
  out.varint(d.step);
  out.u8(static_cast<std::uint8_t>(d.verdict));
  out.zigzag(d.fired_at.ms);
  out.zigzag(d.expires.ms);
}

Decision read_decision(ByteReader& in) {
  Decision d;
  d.time = {in.zigzag()};
  for (std::string* text :
       {&d.instance, &d.channel, &d.topic, &d.template_name, &d.reason, &d.data, &d.cause_event_id, &d.detail}) {
    *text = std::string(in.text());
  }
  d.step = static_cast<std::uint32_t>(in.varint());
  d.verdict = static_cast<Verdict>(in.varint_max(5));
  d.fired_at = {in.zigzag()};
  d.expires = {in.zigzag()};
  return d;
}

std::string encode(const HeldDecisions& held) {
  std::string bytes;
  ByteWriter out(bytes);
  out.boolean(held.undo.fired);
  out.zigzag(held.undo.last_fired.ms);
  out.boolean(held.undo.key_known);
  out.zigzag(held.undo.key_time.ms);
  out.u8(held.undo.silenced);
  out.u8(held.undo.key_silenced);
  out.varint(held.decisions.size());
  for (const Decision& d : held.decisions) write_decision(d, out);
  // Only of a trigger on a ladder, so that all others are written as ever.
  if (held.undo.last_sent != Instant::distant_past() || held.undo.on_ladder) out.zigzag(held.undo.last_sent.ms);
  return bytes;
}

HeldDecisions decode(std::string_view bytes) {
  ByteReader in(bytes);
  HeldDecisions held;
  held.undo.fired = in.boolean();
  held.undo.last_fired = {in.zigzag()};
  held.undo.key_known = in.boolean();
  held.undo.key_time = {in.zigzag()};
  held.undo.silenced = in.u8();
  held.undo.key_silenced = in.u8();
  for (std::size_t n = in.count(); n > 0; --n) held.decisions.push_back(read_decision(in));
  if (in.ok() && !in.done()) {
    held.undo.on_ladder = true;
    held.undo.last_sent = {in.zigzag()};
  }
  SPUR_CHECK(in.done());  // written by hold() of the same fold version
  return held;
}

// nullopt: its channel has gone meanwhile.
std::optional<std::uint32_t> channel_of(const Turn& turn, const Decision& decision) {
  const std::vector<catalog::Channel>& channels = turn.catalog().channels;
  for (std::uint32_t i = 0; i < channels.size(); ++i) {
    if (channels[i].name == decision.channel) return i;
  }
  return std::nullopt;
}

// A held decision will not leave: what it was counted for goes with it.
void uncount(Turn& turn, std::uint32_t trigger, const Decision& decision) {
  if (decision.verdict != Verdict::kSent) return;
  if (const std::optional<std::uint32_t> channel = channel_of(turn, decision))
    guards::uncount_sent(turn, turn.catalog().triggers[trigger].trigger_class, *channel, decision.time);
}

// Undoes what the conclusion changed. Its decisions are gone with it.
void take_back(Turn& turn, const Held& held) {
  const HeldDecisions decided = decode(held.decisions);
  guards::undo(turn, held.trigger, held.key, held.due, decided.undo);
  for (const Decision& decision : decided.decisions) uncount(turn, held.trigger, decision);
  std::erase_if(turn.customer.more().pending, [&](const Pending& p) {
    return p.trigger == held.trigger && p.key == held.key && p.fired_at == held.due;
  });
  mutate(turn, Tag::kHeld, held.key, 0);
}

// Later steps that were decided while their conclusion is held, and that an event at `t` came
// before.
void cut_held(Turn& turn, Held& held, Instant t) {
  HeldDecisions decided = decode(held.decisions);
  const auto cut = [&](const Decision& decision) {
    const bool goes = decision.step > 0 && decision.time > held.due && decision.time >= t;
    if (goes) uncount(turn, held.trigger, decision);
    return goes;
  };
  if (std::erase_if(decided.decisions, cut) == 0) return;
  held.decisions = encode(decided);
  mutate(turn, Tag::kHeld, held.key, static_cast<std::uint64_t>(t.ms));
}

// The grace of a conclusion is over: its decisions are made.
void leave(Turn& turn, const Held& leaving) {
  const catalog::Trigger& trigger = turn.catalog().triggers[leaving.trigger];
  RunState& run = turn.shard.run;
  for (Decision& decision : decode(leaving.decisions).decisions) {
    decision.id = {run.shard, run.seq, run.input, run.ordinal++};
    decision.customer = to_text(turn.customer.id());
    decision.trigger = trigger.name;
    decision.class_name = std::string(catalog::to_text(trigger.trigger_class));
    const std::optional<std::uint32_t> channel = channel_of(turn, decision);
    // Consent may have been withdrawn since it was decided.
    if (channel && decision.verdict == Verdict::kSent) {
      if (const guards::Answer a = guards::consent(turn, leaving.trigger, *channel); !a.through()) {
        decision.verdict = Verdict::kSuppressed;
        decision.reason = std::string(a.reason);
        decision.detail = a.detail;
      }
    }
    if (channel) {
      remember_sent(turn, decision,
                    {leaving.trigger, *channel, leaving.count, leaving.opened_at, leaving.key, leaving.opened});
    }
    emit(turn, std::move(decision));
  }
  mutate(turn, Tag::kHeld, leaving.key, 1);
}

}  // namespace

void hold(Turn& turn, const Firing& firing, HeldDecisions held) {
  Held kept;
  kept.trigger = firing.trigger;
  kept.count = firing.count;
  kept.release = firing.hold_until;
  kept.due = turn.now;
  kept.opened_at = firing.opened_at;
  kept.key = std::string(firing.key);
  kept.opened = std::string(firing.opened);
  kept.decisions = encode(held);
  mutate(turn, Tag::kHeld, kept.key, static_cast<std::uint64_t>(kept.release.ms));
  std::vector<Held>& all = turn.customer.more().held;
  if (all.size() >= kHeldMax) {
    // The one nearest to its end leaves early rather than being lost: nothing can take it back any more.
    const auto first = std::min_element(all.begin(), all.end(),
                                        [](const Held& a, const Held& b) { return a.release < b.release; });
    const Held leaving = std::move(*first);
    all.erase(first);
    leave(turn, leaving);
    ++turn.shard.counters.dropped_over_limit;
  }
  all.push_back(std::move(kept));
}

Held* held_conclusion(Customer& customer, const Pending& pending) {
  if (customer.rare == nullptr) return nullptr;
  for (Held& h : customer.rare->held) {
    if (h.trigger == pending.trigger && h.due == pending.fired_at && h.key == pending.key)
      return &h;
  }
  return nullptr;
}

void hold_step(Held& conclusion, std::vector<Decision> decisions) {
  HeldDecisions decided = decode(conclusion.decisions);
  std::move(decisions.begin(), decisions.end(), std::back_inserter(decided.decisions));
  conclusion.decisions = encode(decided);
}

void take_back_held(Turn& turn, std::uint32_t trigger, Instant t, std::string_view key) {
  if (turn.customer.rare == nullptr) return;
  std::vector<Held>& held = turn.customer.rare->held;
  for (std::size_t i = 0; i < held.size();) {
    if (held[i].trigger != trigger || held[i].key != key || t < held[i].opened_at || t > held[i].due) {
      ++i;
      continue;
    }
    const Held back = std::move(held[i]);
    held.erase(held.begin() + static_cast<std::ptrdiff_t>(i));
    take_back(turn, back);
  }
}

void release_held(Turn& turn, Instant limit, bool all) {
  if (turn.customer.rare == nullptr) return;
  std::vector<Held>& held = turn.customer.rare->held;
  for (std::size_t i = 0; i < held.size();) {
    if (!(held[i].release < limit || (all && held[i].due < limit))) {
      ++i;
      continue;
    }
    const Held leaving = std::move(held[i]);
    held.erase(held.begin() + static_cast<std::ptrdiff_t>(i));
    leave(turn, leaving);
  }
}

void drop_deferred(Turn& turn, const Pending& pending, std::string_view reason) {
  Decision decision = new_decision(turn, pending.trigger, pending.key, pending.fired_at);
  about_step(turn, pending.trigger, pending.step, pending.channel, decision);
  decision.verdict = Verdict::kSuppressed;
  decision.reason = std::string(reason);
  ++turn.shard.trigger_counters[pending.trigger].suppressed;
  emit(turn, std::move(decision));
}

void drop_pending(Turn& turn, std::uint32_t trigger, Instant t, const KeyChosen& chosen, std::string_view reason,
                  Millis silent_for) {
  if (turn.customer.rare == nullptr) return;
  const auto before = [&](Instant opened_at, Instant fired_at) {
    return t < opened_at || (silent_for.count >= 0 && t < fired_at - silent_for);
  };
  std::vector<Held>& held = turn.customer.rare->held;
  for (std::size_t i = 0; i < held.size();) {
    Held& h = held[i];
    if (h.trigger != trigger || before(h.opened_at, h.due) || !chosen(h.key)) {
      ++i;
      continue;
    }
    if (t > h.due) {  // the conclusion stands
      cut_held(turn, h, t);
      ++i;
      continue;
    }
    take_back(turn, h);
    held.erase(held.begin() + static_cast<std::ptrdiff_t>(i));
  }
  drop_steps(turn, reason, [&](const Pending& p) {
    return p.trigger == trigger && !before(p.opened_at, p.fired_at) && chosen(p.key);
  });
}

void drop_steps(Turn& turn, std::string_view reason, const std::function<bool(const Pending&)>& chosen) {
  if (turn.customer.rare == nullptr) return;
  std::vector<Pending>& pending = turn.customer.rare->pending;
  for (std::size_t i = 0; i < pending.size();) {
    if (!chosen(pending[i])) {
      ++i;
      continue;
    }
    const Pending p = std::move(pending[i]);
    pending.erase(pending.begin() + static_cast<std::ptrdiff_t>(i));
    if (p.state == Pending::State::kDeferred) drop_deferred(turn, p, reason);
    mutate(turn, Tag::kPending, p.key, 0);
  }
}

void drop_contradicted(Turn& turn, std::uint32_t trigger, std::string_view key) {
  drop_steps(turn, "contradicted", [&](const Pending& p) {
    return p.trigger == trigger && p.fired_at > turn.event->time && p.key == key;
  });
}

void reopen_held(Turn& turn, std::uint32_t trigger, const KeyChosen& chosen) {
  if (turn.customer.rare == nullptr) return;
  std::vector<Held>& held = turn.customer.rare->held;
  for (std::size_t i = 0; i < held.size();) {
    const Instant t = turn.event->time;
    if (held[i].trigger != trigger || t > held[i].due || t < held[i].opened_at || !chosen(held[i].key)) {
      ++i;
      continue;
    }
    const Held back = std::move(held[i]);
    held.erase(held.begin() + static_cast<std::ptrdiff_t>(i));
    take_back(turn, back);
    Instances::Fresh again;
    again.trigger = trigger;
    again.count = back.count + 1;
    again.opened_at = back.opened_at;
    again.key = back.key;
    again.opened = back.opened;
    const catalog::Trigger& definition = turn.catalog().triggers[trigger];
    const InstanceView view{again.key, again.opened_at, again.count, nullptr, again.opened, Value::absent(), nullptr};
    turn.slots.set_instance(&view);
    const Value length = definition.after ? turn.evaluate(*definition.after) : Value::absent();
    turn.slots.set_instance(nullptr);
    again.due = length.is(Kind::kDuration) ? t + length.as_millis() : back.due;
    Instances& all = turn.customer.instances;
    if (!all.contains(trigger, again.key)) all.insert(again);
  }
}

}  // namespace spur
