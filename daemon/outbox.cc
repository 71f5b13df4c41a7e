#include "daemon/outbox.h"

#include "spur/v1/state.pb.h"
#include "state/codec/keys.h"

namespace spur {

std::string encode_unsent(const RunEffects& effects) {
  spur::v1::UnsentRow row;
  for (const RunEffects::Action& action : effects.actions) {
    spur::v1::UnsentRow::Action& out = *row.add_actions();
    out.set_topic(action.topic);
    out.set_spurseq(action.spurseq);
    out.set_key(action.key);
    out.set_bytes(action.bytes);
  }
  for (const RunEffects::Decision& decision : effects.decisions) {
    spur::v1::UnsentRow::Decision& out = *row.add_decisions();
    out.set_customer(decision.customer);
    out.set_bytes(decision.bytes);
  }
  for (const std::string& letter : effects.dead_letters) row.add_dead_letters(letter);
  for (const RunEffects::Message& message : effects.messages) {
    spur::v1::UnsentRow::Message& out = *row.add_messages();
    out.set_to(message.to);
    out.set_seq(message.seq);
    out.set_bytes(message.bytes);
  }
  return row.SerializeAsString();
}

bool decode_unsent(std::string_view bytes, RunEffects& effects) {
  spur::v1::UnsentRow row;
  if (!row.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return false;
  for (spur::v1::UnsentRow::Action& in : *row.mutable_actions()) {
    effects.actions.push_back({std::move(*in.mutable_topic()), in.spurseq(),
                               std::move(*in.mutable_key()), std::move(*in.mutable_bytes())});
  }
  for (spur::v1::UnsentRow::Decision& in : *row.mutable_decisions())
    effects.decisions.push_back(
        {std::move(*in.mutable_customer()), std::move(*in.mutable_bytes())});
  for (std::string& in : *row.mutable_dead_letters()) effects.dead_letters.push_back(std::move(in));
  for (spur::v1::UnsentRow::Message& in : *row.mutable_messages())
    effects.messages.push_back({in.to(), in.seq(), std::move(*in.mutable_bytes())});
  return true;
}

absl::Status Outbox::load(const Store& store, std::vector<UnsentRun>& rows) {
  absl::Status damaged;
  const absl::Status scanned =
      store.scan(kind_prefix(KeyKind::kUnsent), [&](std::string_view key, std::string_view value) {
        UnsentRun& run = rows.emplace_back();
        if (!parse_unsent_key(key, run.seq) || !decode_unsent(value, run.effects)) {
          damaged = absl::DataLossError("a stored run that waits to be sent is damaged");
          return false;
        }
        stored_.insert(run.seq);
        return true;
      });
  return damaged.ok() ? scanned : damaged;
}

void Outbox::update(const std::vector<UnsentRun>& unsent, StoreBatch& batch) {
  std::set<std::uint64_t> now;
  for (const UnsentRun& run : unsent) {
    now.insert(run.seq);
    if (!stored_.contains(run.seq))
      batch.puts.emplace_back(unsent_key(run.seq), encode_unsent(run.effects));
  }
  for (const std::uint64_t run : stored_) {
    if (!now.contains(run)) batch.deletes.push_back(unsent_key(run));
  }
  stored_ = std::move(now);
}

}  // namespace spur
