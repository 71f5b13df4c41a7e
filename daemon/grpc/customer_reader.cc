#include "daemon/grpc/customer_reader.h"

#include <algorithm>
#include <map>
#include <vector>

#include <fmt/format.h>

#include "operators/activation.h"
#include "operators/expression/text.h"
#include "operators/opened.h"
#include "state/arena.h"
#include "state/codec/value_codec.h"

namespace spur::services {
namespace {

constexpr std::size_t kKeysShownMax = 100;  // of a feature with `by`

// One question about one customer: the catalog, the moment and the memory that answers live in.
class Reading {
 public:
  Reading(const ShardView& view, const Customer& customer)
      : catalog(*view.shard.catalog()),
        customer(customer),
        now(std::max(view.now, customer.newest)),
        activation(arena, &view.shard.references()) {
    activation.use(&catalog);
    activation.begin(customer, this->now, nullptr, &scores);
  }

  const catalog::Compiled& catalog;
  const Customer& customer;
  const Instant now;  // never before what was decided for it: windows do not move back
  Arena arena;
  ScoreTape scores;
  Activation activation;
};

void add_json(google::protobuf::RepeatedPtrField<spur::v1::NamedJson>& list, std::string_view name, std::string json) {
  spur::v1::NamedJson& out = *list.Add();
  out.set_name(std::string(name));
  out.set_json(std::move(json));
}

// An absent value is none: "" in the answer's place, rather than a JSON null that was never there.
std::string json_of(const Value& value) {
  if (value.is_error()) {
    std::string out = "{\"error\":";
    expression::append_json_string(&out, value.as_text());
    return out + "}";
  }
  return expression::to_json(value);
}

// --- the customer ---

void read_traits(Reading& reading, spur::v1::Customer& out) {
  if (reading.customer.rare == nullptr) return;
  for (const Trait& trait : reading.customer.rare->traits) {
    const std::optional<Value> value = decode_value(trait.value, reading.arena);
    if (value) add_json(*out.mutable_traits(), trait.name, json_of(*value));
  }
}

// `read(member)` as JSON: an object of its members for gaps, else its one value.
template <typename Read>
std::string feature_json(const AggregateSpec& spec, Read read) {
  if (spec.kind != AggregateKind::kGaps) return json_of(read(Member::kValue));
  std::string out;
  const std::pair<Member, std::string_view> members[] = {{Member::kCount, "count"}, {Member::kMean, "mean"},
                                                         {Member::kLast, "last"},   {Member::kMedian, "median"},
                                                         {Member::kP90, "p90"}};
  for (const auto& [member, name] : members) {
    const Value value = read(member);
    if (!value.is_absent()) out += fmt::format("{}\"{}\":{}", out.empty() ? "" : ",", name, json_of(value));
  }
  return "{" + out + "}";
}

std::string keyed_json(Reading& reading, const AggregateSpec& spec, const KeyedAggregates& keyed) {
  std::string out;
  std::size_t shown = 0;
  for (const Value& key : keyed.keys(reading.arena)) {
    if (shown++ == kKeysShownMax) break;
    if (!out.empty()) out += ',';
    expression::append_json_string(&out, key.as_text());
    out += ':';
    out += feature_json(spec, [&](Member member) {
      return keyed.read(spec, key.as_text(), member, reading.now, reading.arena);
    });
  }
  return "{" + out + "}";
}

void read_features(Reading& reading, spur::v1::Customer& out) {
  static const KeyedAggregates no_keys;
  for (std::size_t i = 0; i < reading.catalog.features.size(); ++i) {
    const catalog::Feature& feature = reading.catalog.features[i];
    if (feature.hidden) continue;
    const KeyedAggregates* const keyed = reading.customer.keyed(static_cast<std::uint32_t>(i));
    add_json(*out.mutable_features(), feature.name,
             catalog::Compiled::is_keyed(feature)
                 ? keyed_json(reading, feature.spec, keyed != nullptr ? *keyed : no_keys)
                 : feature_json(feature.spec, [&](Member member) {
                     return reading.customer.features.read(i, feature.spec, member, reading.now, reading.arena);
                   }));
  }
}

void read_sessions(Reading& reading, spur::v1::Customer& out) {
  for (const SessionState& session : reading.customer.sessions) {
    std::string key;
    expression::append_json_string(&key, session.key);
    add_json(*out.mutable_sessions(), reading.catalog.sessions[session.session].name,
             fmt::format(R"({{"key":{},"open":{},"count":{},"events":{},"started_ms":{},"last_ms":{}}})", key,
                         session.open, session.count, session.events, session.started.ms, session.last.ms));
  }
}

// A model is read through the slots of the catalog: what no expression names is not computed.
void read_models(Reading& reading, spur::v1::Customer& out) {
  std::map<std::uint32_t, std::string> by_model;
  for (std::uint32_t slot = 0; slot < reading.catalog.slots.size(); ++slot) {
    const catalog::SlotSource& source = reading.catalog.slots[slot];
    const char* name = source.kind == catalog::SlotKind::kModelScore      ? "score"
                       : source.kind == catalog::SlotKind::kModelPAlive   ? "p_alive"
                       : source.kind == catalog::SlotKind::kModelExpected ? "expected"
                                                                          : nullptr;
    if (name == nullptr) continue;
    const Value value = reading.activation.load(slot);
    if (value.is_absent()) continue;
    std::string& members = by_model[source.index];
    members += fmt::format("{}\"{}\":{}", members.empty() ? "" : ",", name, json_of(value));
  }
  for (const auto& [model, members] : by_model) {
    add_json(*out.mutable_models(), reading.catalog.models[model].name, "{" + members + "}");
  }
}

void fill(const Instances::View& instance, Reading& reading, spur::v1::OpenInstance& out) {
  const catalog::Trigger& trigger = reading.catalog.triggers[instance.trigger];
  out.set_trigger(trigger.name);
  out.set_key(std::string(instance.key));
  Instant opened_at = instance.opened_at;
  if (trigger.kind == catalog::Operator::kSequence) {  // which keeps the time of its last step there
    const auto opened =
        decode_opened(Instances::opened(instance, reading.arena), reading.catalog.schema, reading.arena);
    if (opened) opened_at = opened->event->time;
  }
  out.set_opened_at_ms(opened_at.ms);
  if (instance.due != Instant::never()) out.set_due_ms(instance.due.ms);
  out.set_count(instance.count);
}

void read_pending(Reading& reading, spur::v1::Customer& out) {
  if (reading.customer.rare == nullptr) return;
  for (const Pending& pending : reading.customer.rare->pending) {
    const catalog::Trigger& trigger = reading.catalog.triggers[pending.trigger];
    spur::v1::PendingStep& step = *out.add_pending();
    step.set_trigger(trigger.name);
    step.set_key(pending.key);
    step.set_step(pending.step);
    step.set_due_ms(pending.release.ms);
    const bool deferred = pending.state == Pending::State::kDeferred;
    step.set_waits_for(deferred ? "quiet_hours" : "time");
    if (deferred) step.set_channel(reading.catalog.channels[pending.channel].name);
  }
  for (const Held& held : reading.customer.rare->held) {
    spur::v1::PendingStep& step = *out.add_pending();
    step.set_trigger(reading.catalog.triggers[held.trigger].name);
    step.set_key(held.key);
    step.set_due_ms(held.release.ms);
    step.set_waits_for("grace");
  }
}

void read_consents(Reading& reading, spur::v1::Customer& out) {
  if (reading.customer.rare == nullptr) return;
  for (const Consent& consent : reading.customer.rare->consents) {
    spur::v1::ConsentStanding& standing = *out.add_consents();
    standing.set_purpose(consent.purpose);
    standing.set_granted(consent.granted);
    standing.set_time_ms(consent.time.ms);
    standing.set_source(consent.source);
    standing.set_text_version(consent.text_version);
    standing.set_legal_basis(consent.legal_basis);
  }
  const Instant erased = reading.customer.rare->erased;
  if (erased != Instant::never()) out.set_erased_ms(erased.ms);
}

// --- where its triggers stand ---

const spur::v1::Trigger* definition_of(const spur::v1::Catalog& definitions, std::string_view name) {
  for (const spur::v1::Trigger& trigger : definitions.triggers()) {
    if (trigger.name() == name) return &trigger;
  }
  return nullptr;
}

const TriggerState* state_of(const Customer& customer, std::uint32_t trigger) {
  const auto found = std::find_if(customer.triggers.begin(), customer.triggers.end(),
                                  [&](const TriggerState& state) { return state.trigger == trigger; });
  return found == customer.triggers.end() ? nullptr : &*found;
}

void add_condition(Reading& reading, std::string_view name, const std::string& source,
                   const std::optional<expression::Program>& program, spur::v1::TriggerStanding& out) {
  if (!program) return;
  spur::v1::ConditionValue& condition = *out.add_conditions();
  condition.set_name(std::string(name));
  condition.set_expression(source);
  condition.set_value_json(json_of(program->evaluate(reading.activation, reading.arena)));
  for (const std::uint32_t slot : program->slots()) {
    const Value value = reading.activation.load(slot);
    add_json(*condition.mutable_inputs(), reading.catalog.references[slot].to_string(),
             value.is_absent() ? std::string() : json_of(value));
  }
}

std::string time_text(Instant at) { return expression::to_text(Value::timestamp(at)); }

std::string summary_of(const Reading& reading, const catalog::Trigger& trigger, const TriggerState* state,
                       int open_instances) {
  if (!trigger.enabled) return "switched off";
  if (reading.now < trigger.from) return fmt::format("begins at {}", time_text(trigger.from));
  if (reading.now >= trigger.to) return fmt::format("ended at {}", time_text(trigger.to));
  if (state != nullptr && state->fired && trigger.once_customer) {
    return fmt::format("fired at {}, and fires once a customer", time_text(state->last_fired));
  }
  const Instant cooled =
      state != nullptr && state->fired ? state->last_fired + trigger.cooldown : Instant::distant_past();
  if (reading.now < cooled) return fmt::format("in cooldown until {}", time_text(cooled));
  if (open_instances > 0) return fmt::format("{} open, waiting for time to pass", open_instances);
  if (state != nullptr && state->level) return "fired; fires again after it has re-armed";
  if (state != nullptr && state->next != Instant::never()) {
    return fmt::format("waits; asked again at {}", time_text(state->next));
  }
  return state != nullptr && state->fired ? fmt::format("last fired at {}", time_text(state->last_fired)) : "waits";
}

void read_standing(Reading& reading, std::uint32_t index, const spur::v1::Trigger* definition,
                   spur::v1::TriggerStanding& out) {
  const catalog::Trigger& trigger = reading.catalog.triggers[index];
  out.set_trigger(trigger.name);
  for (const Instances::View& instance : reading.customer.instances) {
    // Those that an earlier version opened too.
    if (reading.catalog.triggers[instance.trigger].current == index)
      fill(instance, reading, *out.add_instances());
  }
  out.set_summary(summary_of(reading, trigger, state_of(reading.customer, index), out.instances_size()));
  static const spur::v1::Trigger unknown;
  const spur::v1::Trigger& source = definition != nullptr ? *definition : unknown;
  add_condition(reading, "when", source.has_schedule() ? source.schedule().when() : source.threshold().when(),
                trigger.when, out);
  add_condition(reading, "rearm", source.threshold().rearm(), trigger.rearm, out);
  add_condition(reading, "if", source.if_(), trigger.condition, out);
  add_condition(reading, "while", source.while_(), trigger.while_, out);
}

}  // namespace

std::optional<CustomerName> parse_customer(std::string_view text) {
  if (text.empty()) return std::nullopt;
  for (const IdentityKind kind : {IdentityKind::kUserId, IdentityKind::kAnonymousId}) {
    const std::string prefix = std::string(to_text(kind)) + ":";
    if (text.substr(0, prefix.size()) != prefix) continue;
    if (text.size() == prefix.size()) return std::nullopt;
    return CustomerName{kind, std::string(text.substr(prefix.size()))};
  }
  return CustomerName{IdentityKind::kUserId, std::string(text)};
}

absl::StatusOr<bool> read_customer(const ShardView& view, const CustomerName& name, spur::v1::Customer& out) {
  const absl::StatusOr<const Customer*> found = view.customers.peek(name.identity());
  if (!found.ok()) return found.status();
  const Customer* const customer = *found;
  if (customer == nullptr || view.shard.catalog() == nullptr) return false;
  Reading reading(view, *customer);
  out.set_customer(to_text(customer->id()));
  out.set_first_seen_ms(customer->first_seen.ms);
  out.set_newest_ms(customer->newest.ms);
  out.set_as_of_ms(reading.now.ms);
  out.set_run(view.run);
  read_traits(reading, out);
  read_features(reading, out);
  for (std::uint32_t i = 0; i < reading.catalog.segments.size(); ++i) {
    if (reading.activation.in_segment(i)) out.add_segments(reading.catalog.segments[i].name);
  }
  read_sessions(reading, out);
  read_models(reading, out);
  for (const Instances::View& instance : customer->instances) fill(instance, reading, *out.add_instances());
  read_pending(reading, out);
  read_consents(reading, out);
  return true;
}

absl::StatusOr<bool> read_standings(const ShardView& view, const CustomerName& name,
                                    const spur::v1::Catalog& definitions, std::string_view trigger,
                                    spur::v1::ExplainResponse& out) {
  const absl::StatusOr<const Customer*> customer = view.customers.peek(name.identity());
  if (!customer.ok()) return customer.status();
  if (*customer == nullptr || view.shard.catalog() == nullptr) return false;
  Reading reading(view, **customer);
  out.set_run(view.run);
  for (std::uint32_t i = 0; i < reading.catalog.triggers.size(); ++i) {
    const std::string& own = reading.catalog.triggers[i].name;
    if ((!trigger.empty() && trigger != own) || reading.catalog.triggers[i].retired) continue;
    read_standing(reading, i, definition_of(definitions, own), *out.add_triggers());
  }
  return true;
}

}  // namespace spur::services
