#include "daemon/log/effect_records.h"

#include "absl/strings/str_cat.h"
#include "daemon/inputs/headers.h"
#include "spur/v1/action.pb.h"
#include "spur/v1/decision.pb.h"
#include "spur/v1/event.pb.h"
#include "spur/v1/message.pb.h"
#include "state/check.h"
#include "state/identity.h"
#include "state/text_prefix.h"

namespace spur {
namespace {

void fill_id(const ActionId& id, spur::v1::ActionId& out) {
  out.set_shard(id.shard);
  out.set_run(id.run);
  out.set_input(id.input);
  out.set_ordinal(id.ordinal);
}

// What an Action and a Decision say alike. The message may be another's that is filled anew.
template <typename Message>
void fill_common(const Decision& decision, Message& out) {
  fill_id(decision.id, *out.mutable_id());
  out.set_time_ms(decision.time.ms);
  out.set_customer(decision.customer);
  out.set_trigger(decision.trigger);
  out.set_instance(decision.instance);
  out.set_channel(decision.channel);
  out.set_template_(decision.template_name);
  out.set_step(decision.step);
  out.set_data_json(decision.data);
  out.set_cause_event_id(decision.cause_event_id);
  out.set_received_ms(decision.received.ms);
  out.clear_retracts();
  if (decision.verdict == Verdict::kRetracted) fill_id(decision.retracts, *out.mutable_retracts());
}

// And what the fold does not know of it.
template <typename Message>
void fill_place(const DeploymentId& deployment, std::string_view catalog_hash, Message& out) {
  out.mutable_id()->set_deployment(deployment.data(), deployment.size());
  if (out.has_retracts())
    out.mutable_retracts()->set_deployment(deployment.data(), deployment.size());
  out.set_catalog_hash(catalog_hash.data(), catalog_hash.size());
}

// The messages are filled anew each time: their memory is used again.
std::string decision_bytes(const Decision& decision, const DeploymentId& deployment,
                           std::string_view catalog_hash, spur::v1::Decision& out) {
  fill(decision, out);
  fill_place(deployment, catalog_hash, out);
  return out.SerializeAsString();
}

std::string action_bytes(const Decision& decision, const DeploymentId& deployment,
                         std::string_view catalog_hash, spur::v1::Action& out) {
  fill_common(decision, out);
  fill_place(deployment, catalog_hash, out);
  out.set_expires_ms(decision.expires == Instant::never() ? 0 : decision.expires.ms);
  out.set_spurseq(decision.spurseq);
  out.set_class_(decision.class_name);
  return out.SerializeAsString();
}

// As many as there is room for, in their order.
void fill_headers(std::string_view packed, spur::v1::DeadLetter& out) {
  std::size_t bytes = 0;
  for_each_header(packed, [&](std::string_view name, std::string_view value) {
    bytes += name.size() + value.size();
    if (bytes > kDeadLetterHeadersMax) return;
    spur::v1::Header& header = *out.add_headers();
    header.set_name(name.data(), name.size());
    header.set_value(value.data(), value.size());
  });
}

std::string dead_letter_bytes(const DeadLetter& letter) {
  spur::v1::DeadLetter out;
  out.mutable_id()->set_run(letter.id.run);
  out.mutable_id()->set_input(letter.id.input);
  out.set_value(letter.value.substr(0, kDeadLetterValueMax));
  out.set_key(letter.key.substr(0, kDeadLetterTextMax));
  out.set_reason(letter.reason);
  std::string detail(text_prefix(letter.detail, kDeadLetterTextMax));
  if (letter.value.size() > kDeadLetterValueMax || letter.key.size() > kDeadLetterTextMax)
    absl::StrAppend(&detail, "; cut: the value had ", letter.value.size(), " bytes, the key ",
                    letter.key.size());
  out.set_detail(detail);
  if (!letter.topic.empty())
    out.set_source(letter.topic);
  else
    out.set_source(letter.source == kInputSource     ? "input"
                   : letter.source == kMessageSource ? "message"
                                                     : "catalog");
  out.set_offset(static_cast<std::int64_t>(letter.offset));
  out.set_shard(letter.id.shard);
  out.set_received_ms(letter.received.ms);
  if (!letter.headers.empty()) fill_headers(letter.headers, out);
  return out.SerializeAsString();
}

std::string message_bytes(std::uint32_t sender, const Forward& forward) {
  spur::v1::ShardMessage out;
  out.set_sender(sender);
  out.set_seq(forward.seq);
  out.set_catalogs(forward.catalogs);
  spur::v1::ForwardedEvent& event = *out.mutable_event();
  event.set_source(forward.source);
  event.set_topic(forward.topic);
  event.set_key(forward.key);
  event.set_value(forward.value);
  event.set_received_ms(forward.received.ms);
  event.set_headers(forward.headers);
  return out.SerializeAsString();
}

}  // namespace

void fill(const Decision& decision, spur::v1::Decision& out) {
  fill_common(decision, out);
  out.set_verdict(static_cast<spur::v1::Verdict>(decision.verdict));
  out.set_reason(decision.reason);
  out.set_fired_at_ms(decision.fired_at.ms);
  out.set_detail(decision.detail);
}

RunEffects to_records(std::uint32_t shard, const Effects& effects, const DeploymentId& deployment,
                      std::string_view catalog_hash) {
  RunEffects records;
  spur::v1::Decision decision_message;
  spur::v1::Action action_message;
  records.decisions.reserve(effects.decisions.size());
  for (const Decision& decision : effects.decisions) {
    records.decisions.push_back(
        {decision.customer, decision_bytes(decision, deployment, catalog_hash, decision_message)});
    if (!decision.leaves()) continue;
    SPUR_CHECK(decision.spurseq != 0 && !decision.topic.empty());
    records.actions.push_back({decision.topic, decision.spurseq,
                               std::string(key_of(decision.customer)),
                               action_bytes(decision, deployment, catalog_hash, action_message)});
  }
  for (const DeadLetter& letter : effects.dead_letters)
    records.dead_letters.push_back(dead_letter_bytes(letter));
  for (const Forward& forward : effects.forwards)
    records.messages.push_back({forward.to, forward.seq, message_bytes(shard, forward)});
  return records;
}

}  // namespace spur
