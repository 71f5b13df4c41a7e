#include "daemon/grpc/customer_reader.h"

#include <algorithm>
#include <map>
#include <vector>

#include <fmt/format.h>

#include "daemon/explain/conditions.h"
#include "daemon/explain/customer_reading.h"
#include "operators/expression/text.h"
#include "state/codec/value_codec.h"

namespace spur::services {
namespace {

using explain::CustomerReading;
using explain::json_of;

void add_json(google::protobuf::RepeatedPtrField<spur::v1::NamedJson>& list, std::string_view name, std::string json) {
  spur::v1::NamedJson& out = *list.Add();
  out.set_name(std::string(name));
  out.set_json(std::move(json));
}

// --- the customer ---

void read_traits(CustomerReading& reading, spur::v1::Customer& out) {
  if (reading.customer.rare == nullptr) return;
  for (const Trait& trait : reading.customer.rare->traits) {
    const std::optional<Value> value = decode_value(trait.value, reading.arena);
    if (value) add_json(*out.mutable_traits(), trait.name, json_of(*value));
  }
}

void read_features(CustomerReading& reading, spur::v1::Customer& out) {
  for (std::uint32_t i = 0; i < reading.catalog.features.size(); ++i) {
    const catalog::Feature& feature = reading.catalog.features[i];
    if (feature.hidden) continue;
    add_json(*out.mutable_features(), feature.name,
             explain::feature_json(reading.catalog, reading.customer, i, reading.now, reading.arena));
  }
}

void read_sessions(CustomerReading& reading, spur::v1::Customer& out) {
  for (const SessionState& session : reading.customer.sessions) {
    std::string key;
    expression::append_json_string(&key, session.key);
    add_json(*out.mutable_sessions(), reading.catalog.sessions[session.session].name,
             fmt::format(R"({{"key":{},"open":{},"count":{},"events":{},"started_ms":{},"last_ms":{}}})", key,
                         session.open, session.count, session.events, session.started.ms, session.last.ms));
  }
}

// A model is read through the slots of the catalog: what no expression names is not computed.
void read_models(CustomerReading& reading, spur::v1::Customer& out) {
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

void read_pending(CustomerReading& reading, spur::v1::Customer& out) {
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

void read_consents(CustomerReading& reading, spur::v1::Customer& out) {
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

}  // namespace

absl::StatusOr<bool> read_customer(const ShardView& view, const CustomerName& name, spur::v1::Customer& out) {
  const absl::StatusOr<const Customer*> found = view.customers.peek(name.identity());
  if (!found.ok()) return found.status();
  const Customer* const customer = *found;
  if (customer == nullptr || view.shard.catalog() == nullptr) return false;
  CustomerReading reading(*view.shard.catalog(), *customer, view.now, &view.shard.references());
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
  for (const Instances::View& instance : customer->instances)
    explain::fill(instance, reading.catalog, reading.arena, *out.add_instances());
  read_pending(reading, out);
  read_consents(reading, out);
  return true;
}

absl::StatusOr<std::unique_ptr<CustomerSnapshot>> copy_customer(const ShardView& view, const CustomerName& name) {
  const absl::StatusOr<const Customer*> customer = view.customers.peek(name.identity());
  if (!customer.ok()) return customer.status();
  if (*customer == nullptr || view.shard.catalog() == nullptr) return std::unique_ptr<CustomerSnapshot>();
  return view.shard.snapshot(**customer);
}

}  // namespace spur::services
