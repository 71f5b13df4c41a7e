#include "daemon/explain/recording.h"

#include <algorithm>

#include "daemon/explain/conditions.h"
#include "daemon/explain/customer_reading.h"
#include "daemon/log/effect_records.h"
#include "fmt/format.h"
#include "operators/triggers/collect.h"

namespace spur::explain {
namespace {

using catalog::SlotKind;

// The slots of a turn that goes on: what the fold has not read, and would take a score from the
// tape for, stays unread.
class TurnSlots final : public expression::Slots {
 public:
  TurnSlots(const catalog::Compiled& catalog, Activation& slots)
      : catalog_(catalog), slots_(slots) {}

  Value load(std::uint32_t slot) override {
    const SlotKind kind = catalog_.slots[slot].kind;
    const bool scored = kind == SlotKind::kModelScore || kind == SlotKind::kModelPAlive ||
                        kind == SlotKind::kModelExpected || kind == SlotKind::kModelVersion ||
                        kind == SlotKind::kModelAt ||
                        (kind == SlotKind::kSegments && !catalog_.models.empty());
    if (scored && !slots_.knows(slot)) return Value::error("not asked at this instant");
    return slots_.load(slot);
  }

 private:
  const catalog::Compiled& catalog_;
  Activation& slots_;
};

// What the catalog calls the condition, and its source.
std::pair<std::string, std::string> named(const catalog::Compiled& catalog,
                                          const spur::v1::Catalog& definitions,
                                          const catalog::Trigger& trigger,
                                          const expression::Program& condition) {
  static const spur::v1::Trigger unknown;
  const spur::v1::Trigger* const found = definition_of(definitions, trigger.name);
  const spur::v1::Trigger& definition = found == nullptr ? unknown : *found;
  const auto is = [&](const std::optional<expression::Program>& program) {
    return program && &*program == &condition;
  };
  if (is(trigger.condition)) return {"if", definition.if_()};
  if (is(trigger.while_)) return {"while", definition.while_()};
  for (std::size_t i = 0; i < trigger.steps.size(); ++i) {
    if (!is(trigger.steps[i].condition)) continue;
    const bool has = static_cast<int>(i) < definition.actions_size();
    return {fmt::format("actions[{}].if", i),
            has ? definition.actions(static_cast<int>(i)).if_() : ""};
  }
  for (const catalog::Channel& channel : catalog.channels) {
    if (!is(channel.reach)) continue;
    for (const spur::v1::Channel& from : definitions.channels()) {
      if (from.name() == channel.name)
        return {fmt::format("reach of {}", channel.name), from.reach()};
    }
  }
  return {"condition", ""};
}

// The `where` of each pattern that opens or fires, as the catalog writes them and in the order in
// which they are compiled.
std::vector<std::string> opening_wheres(const spur::v1::Trigger& definition) {
  std::vector<std::string> out;
  const auto add = [&](const google::protobuf::RepeatedPtrField<spur::v1::Pattern>& patterns) {
    for (const spur::v1::Pattern& pattern : patterns) out.push_back(pattern.where());
  };
  if (definition.has_event()) add(definition.event().patterns());
  if (definition.has_novelty()) add(definition.novelty().patterns());
  if (definition.has_absence()) add(definition.absence().opens());
  if (definition.has_sequence()) add(definition.sequence().steps(0).patterns());
  for (const spur::v1::Interest& interest : definition.business().interest())
    add(interest.patterns());
  return out;
}

}  // namespace

void Recording::use_catalog(const Turn& turn) {
  if (catalog_ == turn.shard.catalog) return;
  catalog_ = turn.shard.catalog;
  definitions_ = options_.definitions ? options_.definitions() : spur::v1::Catalog();
  shown_.assign(catalog_->features.size(), false);
  for (std::size_t f = 0; f < shown_.size(); ++f)
    shown_[f] = options_.trigger.empty() && !catalog_->features[f].hidden;
  for (const catalog::Trigger& trigger : catalog_->triggers) {
    if (options_.trigger != trigger.name) continue;
    for (const std::uint32_t f : trigger.features) shown_[f] = !catalog_->features[f].hidden;
  }
}

Recording::State Recording::state_of(const Turn& turn) {
  State state;
  const Customer& customer = turn.customer;
  arena_.reset();
  state.features.resize(catalog_->features.size());
  for (std::uint32_t f = 0; f < catalog_->features.size(); ++f) {
    if (shown_[f]) state.features[f] = feature_json(*catalog_, customer, f, turn.now, arena_);
  }
  for (const SessionState& s : customer.sessions)
    state.sessions[{catalog_->sessions[s.session].name, std::string(std::string_view(s.key))}] =
        s.open;
  for (const Instances::View& wait : customer.instances)
    state.waits[{catalog_->triggers[wait.trigger].name, std::string(wait.key)}] = wait.due;
  for (const TriggerState& t : customer.triggers) {
    const catalog::Operator kind = catalog_->triggers[t.trigger].kind;
    if (kind == catalog::Operator::kThreshold || kind == catalog::Operator::kPrediction)
      state.levels[catalog_->triggers[t.trigger].name] = t.level;
  }
  if (customer.rare == nullptr) return state;
  for (const Pending& p : customer.rare->pending) {
    const bool deferred = p.state == Pending::State::kDeferred;
    state.steps[{catalog_->triggers[p.trigger].name,
                 fmt::format("step {}{}{}", p.step + 1, p.key.empty() ? "" : " [" + p.key + "]",
                             deferred ? ", deferred" : "")}] = p.release;
  }
  return state;
}

namespace {

spur::v1::Change& add_change(spur::v1::Moment& moment, std::string_view kind, std::string_view name,
                             std::string_view key) {
  spur::v1::Change& added = *moment.add_changes();
  added.set_kind(std::string(kind));
  added.set_name(std::string(name));
  added.set_key(std::string(key));
  return added;
}

}  // namespace

spur::v1::Change& Recording::change(std::string_view kind, std::string_view name,
                                    std::string_view key) {
  return add_change(moment_, kind, name, key);
}

void Recording::compare(const State& before, const State& after) {
  for (std::size_t f = 0; f < after.features.size(); ++f) {
    if (before.features[f] == after.features[f]) continue;
    spur::v1::Change& changed = change("feature", catalog_->features[f].name);
    changed.set_before(before.features[f]);
    changed.set_after(after.features[f]);
  }
  for (const auto& [name, open] : after.sessions) {
    const auto was = before.sessions.find(name);
    if (!options_.trigger.empty() || (was == before.sessions.end() ? false : was->second) == open)
      continue;
    spur::v1::Change& changed = change("session", name.first, name.second);
    changed.set_before(open ? "closed" : "open");
    changed.set_after(open ? "open" : "closed");
  }
  const auto timed = [&](std::string_view kind, const auto& old_ones, const auto& new_ones) {
    for (const auto& [name, due] : old_ones) {
      if (new_ones.contains(name) || !concerns(name.first)) continue;
      spur::v1::Change& changed = change(kind, name.first, name.second);
      changed.set_before("open");
      changed.set_after("closed");
    }
    for (const auto& [name, due] : new_ones) {
      const auto was = old_ones.find(name);
      if ((was != old_ones.end() && was->second == due) || !concerns(name.first)) continue;
      spur::v1::Change& changed = change(kind, name.first, name.second);
      changed.set_before(was == old_ones.end() ? "" : "open");
      changed.set_after("open");
      if (due != Instant::never()) changed.set_due_ms(due.ms);
    }
  };
  timed("wait", before.waits, after.waits);
  timed("step", before.steps, after.steps);
  for (const auto& [name, level] : after.levels) {
    const auto was = before.levels.find(name);
    if ((was == before.levels.end() ? false : was->second) == level || !concerns(name)) continue;
    spur::v1::Change& changed = change("level", name);
    changed.set_before(level ? "false" : "true");
    changed.set_after(level ? "true" : "false");
  }
}

void Recording::begins(Turn& turn) {
  active_ = false;
  if (passed_ || turn.customer.id() != options_.customer) return;
  if (turn.now > options_.until) {
    passed_ = true;
    if (options_.passed) options_.passed(turn.customer);
    return;
  }
  active_ = true;
  use_catalog(turn);
  before_ = state_of(turn);
  moment_.Clear();
  moment_.set_time_ms(turn.now.ms);
  if (turn.event == nullptr) return;
  moment_.set_event(
      std::string(turn.event->name.empty() ? to_text(turn.event->type) : turn.event->name));
  moment_.set_event_id(std::string(turn.event->id));
  moment_.set_event_time_ms(turn.event->time.ms);
  moment_.set_late(turn.late);
}

void Recording::asked(Turn& turn, std::uint32_t trigger, const expression::Program& condition,
                      const Value&) {
  const catalog::Trigger& of = turn.catalog().triggers[trigger];
  if (!active_ || !concerns(of.name)) return;
  const auto [name, source] = named(*catalog_, definitions_, of, condition);
  TurnSlots slots(*catalog_, turn.slots);
  explain_condition(*catalog_, name, source, condition, slots, turn.arena(),
                    *change("asked", of.name).mutable_condition());
}

void Recording::decided(const Decision& decision) {
  if (passed_ || decision.customer != to_text(options_.customer) || !concerns(decision.trigger))
    return;
  if (active_ && decision.time.ms >= moment_.time_ms()) {
    fill(decision, *change("decided", decision.trigger, decision.instance).mutable_decision());
    return;
  }
  if (decision.time > options_.until) return;
  // A conclusion whose grace is over: what it is about lies behind, and so it is told there.
  spur::v1::Change& decided =
      add_change(moment_at(decision.time), "decided", decision.trigger, decision.instance);
  fill(decision, *decided.mutable_decision());
}

// What opens or fires on such an event, and did not: its `where` said no.
void Recording::ask_patterns(Turn& turn) {
  const catalog::Listeners& at = catalog_->listeners(turn.event->name_index);
  for (const auto* uses :
       {&at.opens, &at.events, &at.novelties, &at.sequence_opens, &at.interests}) {
    for (const catalog::Use& use : *uses) ask_pattern(turn, use);
  }
}

void Recording::ask_pattern(Turn& turn, const catalog::Use& use) {
  const catalog::Trigger& trigger = catalog_->triggers[use.owner];
  if (!use.pattern->where || trigger.retired || !concerns(trigger.name)) return;
  const spur::v1::Trigger* const definition = definition_of(definitions_, trigger.name);
  if (definition == nullptr) return;
  const std::vector<std::string> wheres = opening_wheres(*definition);
  const auto place = static_cast<std::size_t>(use.pattern - trigger.opens.data());
  if (place >= wheres.size()) return;
  TurnSlots slots(*catalog_, turn.slots);
  std::vector<Value> items{Value::absent()};
  if (use.pattern->each) {
    const Value list = use.pattern->each->evaluate(slots, turn.arena());
    if (!list.is(Kind::kList)) return;
    items.assign(list.elements().begin(), list.elements().end());
  }
  const auto matches = [&](const Value& item) {
    turn.slots.set_item(item);
    return use.pattern->where->evaluate(slots, turn.arena()).is_true();
  };
  if (!items.empty() && std::none_of(items.begin(), items.end(), matches)) {
    turn.slots.set_item(items.front());
    explain_condition(*catalog_, "where", wheres[place], *use.pattern->where, slots, turn.arena(),
                      *change("asked", trigger.name).mutable_condition());
  }
  turn.slots.set_item(Value::absent());
}

void Recording::ends(Turn& turn) {
  if (!active_) return;
  active_ = false;
  if (turn.event != nullptr && !turn.customer.is_erased()) ask_patterns(turn);
  compare(before_, state_of(turn));
  if (moment_.changes().empty() && (!options_.trigger.empty() || turn.event == nullptr)) return;
  keep(moment_);
}

spur::v1::Moment& Recording::moment_at(Instant time) {
  if (moments_.size() + 1 >= 2 * options_.moments_max) drop_oldest();
  auto place = moments_.end();
  while (place != moments_.begin() && (place - 1)->time_ms() > time.ms) --place;
  if (place != moments_.begin() && (place - 1)->time_ms() == time.ms &&
      (place - 1)->event().empty())
    return *(place - 1);
  spur::v1::Moment made;
  made.set_time_ms(time.ms);
  return *moments_.insert(place, std::move(made));
}

void Recording::keep(spur::v1::Moment moment) {
  moments_.push_back(std::move(moment));
  if (moments_.size() >= 2 * options_.moments_max)
    drop_oldest();  // so that each is moved once at most
}

void Recording::drop_oldest() {
  if (moments_.size() <= options_.moments_max) return;
  const std::size_t over = moments_.size() - options_.moments_max;
  moments_.erase(moments_.begin(), moments_.begin() + static_cast<std::ptrdiff_t>(over));
  dropped_ += over;
}

const std::vector<spur::v1::Moment>& Recording::moments() {
  drop_oldest();
  return moments_;
}

}  // namespace spur::explain
