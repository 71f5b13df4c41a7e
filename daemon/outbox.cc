#include "daemon/outbox.h"

#include <algorithm>
#include <functional>
#include <set>
#include <utility>

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

namespace {

// Every outlet of these effects.
void for_each_outlet(const RunEffects& effects, const std::function<void(const Outlet&)>& visit) {
  for (const RunEffects::Action& action : effects.actions)
    visit({Outlet::Kind::kAction, action.topic, 0});
  if (!effects.decisions.empty()) visit({Outlet::Kind::kDecision, "", 0});
  if (!effects.dead_letters.empty()) visit({Outlet::Kind::kDeadLetter, "", 0});
  for (const RunEffects::Message& message : effects.messages)
    visit({Outlet::Kind::kMessage, "", message.to});
}

}  // namespace

void Unsent::add(std::uint64_t seq, RunEffects effects) {
  bytes += bytes_of(effects);
  runs.push_back({seq, std::move(effects)});
}

void Unsent::spill(std::uint64_t seq, const RunEffects& effects) {
  for_each_outlet(effects, [&](const Outlet& outlet) {
    const auto known = std::find_if(spilled.begin(), spilled.end(),
                                    [&](const Spilled& s) { return s.outlet == outlet; });
    if (known == spilled.end())
      spilled.push_back({outlet, {seq, seq}});
    else
      known->runs.last = seq;
  });
}

bool Outbox::holds(std::uint64_t seq) const {
  const auto at = std::lower_bound(rows_.begin(), rows_.end(), seq,
                                   [](const Row& row, std::uint64_t s) { return row.seq < s; });
  return at != rows_.end() && at->seq == seq;
}

void Outbox::insert(std::uint64_t seq, std::size_t bytes) {
  const auto at = std::lower_bound(rows_.begin(), rows_.end(), seq,
                                   [](const Row& row, std::uint64_t s) { return row.seq < s; });
  if (at != rows_.end() && at->seq == seq) return;
  rows_.insert(at, {seq, static_cast<std::uint32_t>(bytes)});
  bytes_ += bytes;
}

absl::Status Outbox::load(const Store& store, std::uint64_t seq_last, Unsent& unsent) {
  absl::Status damaged;
  const absl::Status scanned =
      store.scan(kind_prefix(KeyKind::kUnsent), [&](std::string_view key, std::string_view value) {
        UnsentRun run;
        if (!parse_unsent_key(key, run.seq) || !decode_unsent(value, run.effects)) {
          damaged = absl::DataLossError("a stored run that waits to be sent is damaged");
          return false;
        }
        insert(run.seq, value.size());
        if (run.seq > seq_last) return true;
        if (unsent.full())
          unsent.spill(run.seq, run.effects);
        else
          unsent.add(run.seq, std::move(run.effects));
        return true;
      });
  return damaged.ok() ? scanned : damaged;
}

void Outbox::update(const std::vector<UnsentRun>& unsent, const std::vector<RunRange>& spilled,
                    StoreBatch& batch) {
  std::set<std::uint64_t> now;
  for (const UnsentRun& run : unsent) now.insert(run.seq);
  std::erase_if(rows_, [&](const Row& row) {
    const bool kept = now.contains(row.seq) ||
                      std::any_of(spilled.begin(), spilled.end(), [&](const RunRange& r) {
                        return r.first <= row.seq && row.seq <= r.last;
                      });
    if (kept) return false;
    batch.deletes.push_back(unsent_key(row.seq));
    bytes_ -= row.bytes;
    return true;
  });
  for (const UnsentRun& run : unsent) {
    if (holds(run.seq)) continue;
    std::string row = encode_unsent(run.effects);
    insert(run.seq, row.size());
    batch.puts.emplace_back(unsent_key(run.seq), std::move(row));
  }
}

absl::Status Outbox::write(Store& store, std::uint64_t seq, const RunEffects& effects) {
  StoreBatch batch;
  batch.puts.emplace_back(unsent_key(seq), encode_unsent(effects));
  insert(seq, batch.puts.front().second.size());
  return store.write(batch);
}

absl::StatusOr<std::vector<UnsentRun>> Outbox::read(const Store& store, const RunRange& runs,
                                                    std::size_t bytes_max,
                                                    std::uint64_t& through) const {
  std::vector<UnsentRun> found;
  std::size_t bytes = 0;
  through = runs.last;
  for (auto at = std::lower_bound(rows_.begin(), rows_.end(), runs.first,
                                  [](const Row&row, std::uint64_t s) { return row.seq < s; });
       at != rows_.end() && at->seq <= runs.last; ++at) {
    if (!found.empty() && bytes + at->bytes > bytes_max) {
      through = at->seq - 1;
      break;
    }
    const auto row = store.get(unsent_key(at->seq));
    if (!row.ok()) return row.status();
    UnsentRun& run = found.emplace_back();
    run.seq = at->seq;
    if (!row->has_value() || !decode_unsent(**row, run.effects))
      return absl::DataLossError("a stored run that waits to be sent is gone or damaged");
    bytes += at->bytes;
  }
  return found;
}

}  // namespace spur
