#include "operators/retract.h"

#include <algorithm>

#include "operators/emit.h"
#include "operators/guards/age.h"

namespace spur {
namespace {

void forget_old(Turn& turn, std::vector<Retractable>& all) {
  const Millis keep = turn.catalog().policy.max_action_age.value_or(kRetractableForMax);
  std::erase_if(all, [&](const Retractable& r) { return turn.shard.run.clock - r.at > keep; });
}

void retract(Turn& turn, const Retractable& sent) {
  Decision decision = new_decision(turn, sent.trigger, sent.key, sent.fired_at);
  about_step(turn, sent.trigger, sent.step, sent.channel, decision);
  decision.verdict = Verdict::kRetracted;
  decision.reason = "late";
  decision.cause_event_id = std::string(turn.event->id);
  decision.received = turn.received;
  decision.retracts = {turn.shard.run.shard, sent.run, sent.input, sent.ordinal};
  ++turn.shard.trigger_counters[sent.trigger].retracted;
  mutate(turn, Tag::kRetract, sent.key,
         sent.run << 32 ^ static_cast<std::uint64_t>(sent.input) << 16 ^ sent.ordinal);
  emit(turn, std::move(decision));
}

}  // namespace

void remember_sent(Turn& turn, const Decision& decision, const SentAbout& about) {
  const catalog::Trigger& trigger = turn.catalog().triggers[about.trigger];
  const bool lasting =
      decision.time > about.opened_at || trigger.kind == catalog::Operator::kNovelty;
  if (decision.verdict != Verdict::kSent || !trigger.retractable || !lasting) return;
  Retractable sent;
  sent.trigger = about.trigger;
  sent.channel = about.channel;
  sent.count = about.count;
  sent.opened_at = about.opened_at;
  sent.key = std::string(about.key);
  if (!trigger.resets.empty()) sent.opened = std::string(about.opened);
  sent.step = decision.step;
  sent.at = decision.time;
  sent.fired_at = decision.fired_at;
  sent.run = decision.id.run;
  sent.input = decision.id.input;
  sent.ordinal = decision.id.ordinal;
  std::vector<Retractable>& all = turn.customer.more().retractable;
  forget_old(turn, all);
  if (all.size() >= kRetractableMax) all.erase(all.begin());
  all.push_back(std::move(sent));
}

void retract_if(Turn& turn, const std::function<bool(const Retractable&)>& chosen) {
  if (turn.customer.rare == nullptr || turn.customer.rare->retractable.empty()) return;
  if (!guards::age(turn, turn.event->time).through()) return;
  std::vector<Retractable>& all = turn.customer.rare->retractable;
  forget_old(turn, all);
  for (std::size_t i = 0; i < all.size();) {
    if (!chosen(all[i])) {
      ++i;
      continue;
    }
    const Retractable gone = std::move(all[i]);
    all.erase(all.begin() + static_cast<std::ptrdiff_t>(i));
    retract(turn, gone);
  }
}

void retract_ended(Turn& turn, std::uint32_t trigger, Instant t, const KeyChosen& chosen,
                   Millis silent_for) {
  // A change of business data comes before the events of its instant: those do not contradict it.
  const bool before_events =
      turn.catalog().triggers[trigger].kind == catalog::Operator::kBusiness;
  retract_if(turn, [&](const Retractable& r) {
    return r.trigger == trigger && r.opened_at <= t && t <= r.at && r.opened_at < r.at &&
           !(before_events && t == r.fired_at) &&
           (silent_for.count < 0 || t >= r.fired_at - silent_for) && chosen(r.key);
  });
}

void retract_contradicted(Turn& turn, std::uint32_t trigger, std::string_view key) {
  retract_if(turn, [&](const Retractable& r) {
    return r.trigger == trigger && r.fired_at > turn.event->time && r.key == key;
  });
}

void reopen_retracted(Turn& turn, std::uint32_t trigger, const KeyChosen& chosen) {
  const catalog::Trigger& definition = turn.catalog().triggers[trigger];
  if (turn.customer.rare == nullptr || !definition.after) return;
  if (!guards::age(turn, turn.event->time).through()) return;
  const Instant t = turn.event->time;
  std::vector<std::pair<std::string, Instant>> reopened;  // by key and when it fired
  for (const Retractable& r : turn.customer.rare->retractable) {
    if (r.trigger != trigger || r.step != 0 || t < r.opened_at || t > r.fired_at || !chosen(r.key))
      continue;
    const InstanceView view{r.key,    r.opened_at,     r.count, nullptr,
                            r.opened, Value::absent(), nullptr};
    turn.slots.set_instance(&view);
    const Value length = turn.evaluate(*definition.after);
    turn.slots.set_instance(nullptr);
    if (!length.is(Kind::kDuration) || t + length.as_millis() <= turn.now) continue;
    Instances& all = turn.customer.instances;
    if (all.contains(trigger, r.key)) continue;
    Instances::Fresh again;
    again.trigger = trigger;
    again.count = r.count + 1;
    again.opened_at = r.opened_at;
    again.due = t + length.as_millis();
    again.key = r.key;
    again.opened = r.opened;
    mutate(turn, Tag::kInstance, again.key, static_cast<std::uint64_t>(again.due.ms));
    all.insert(again);
    reopened.emplace_back(r.key, r.fired_at);
  }
  const auto again = [&](const std::string& key, Instant fired_at) {
    return std::find(reopened.begin(), reopened.end(), std::pair(key, fired_at)) != reopened.end();
  };
  if (reopened.empty()) return;
  drop_steps(turn, "contradicted",
             [&](const Pending& p) { return p.trigger == trigger && again(p.key, p.fired_at); });
  retract_if(
      turn, [&](const Retractable& r) { return r.trigger == trigger && again(r.key, r.fired_at); });
}

}  // namespace spur
