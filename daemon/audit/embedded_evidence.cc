#include "daemon/audit/embedded_evidence.h"

#include <deque>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "spur/v1/action.pb.h"
#include "spur/v1/decision.pb.h"
#include "state/digest.h"

namespace spur::audit {
namespace {

constexpr std::uint32_t kBatchRecords = 1024;
constexpr std::size_t kCacheBytes = 32u << 20;

OutputRecord record_of(const spur::v1::ActionId& id, const DeploymentId& deployment,
                       std::uint32_t shard, std::string_view bytes) {
  OutputRecord record;
  record.ours =
      id.deployment() == std::string(deployment.begin(), deployment.end()) && id.shard() == shard;
  if (!record.ours)
    record.says = absl::StrCat("an id of another deployment, or of shard ", id.shard());
  record.id = {id.shard(), id.run(), id.input(), id.ordinal()};
  record.content = hash64(bytes);
  return record;
}

}  // namespace

EmbeddedEvidence::EmbeddedEvidence() : shared_(kCacheBytes, kCacheBytes) {}

absl::StatusOr<std::unique_ptr<EmbeddedEvidence>> EmbeddedEvidence::open(
    const std::string& folder) {
  std::unique_ptr<EmbeddedEvidence> evidence(new EmbeddedEvidence());
  EmbeddedLog::Options options;
  options.path = folder + "/log";
  std::error_code error;
  if (!std::filesystem::exists(options.path, error))
    return absl::NotFoundError(
        absl::StrCat("there is no deployment in ", folder, ": it has no folder log"));
  auto log = EmbeddedLog::open_to_read(options, evidence->shared_, evidence->clock_);
  if (!log.ok()) return log.status();
  evidence->log_ = *std::move(log);
  auto outputs = action_topics(*evidence->log_, 0, /*by_transactions=*/false);
  if (!outputs.ok()) return outputs.status();
  evidence->outputs_ = *std::move(outputs);
  evidence->outputs_.push_back({OutputKind::kDecisions, "decisions"});
  return evidence;
}

absl::StatusOr<Stretch> EmbeddedEvidence::kept(const Output& output, std::uint32_t shard) {
  if (output.kind == OutputKind::kActions) {
    const absl::StatusOr<ActionRange> range = log_->action_range(output.topic, shard);
    if (!range.ok()) return range.status();
    return Stretch{range->first, range->next, range->first <= 1};
  }
  const auto first = log_->decisions(shard, 0, 1);
  if (!first.ok()) return first.status();
  if (first->empty()) return Stretch{0, ~0ULL, false};
  spur::v1::Decision decision;
  if (!decision.ParseFromString(first->front()))
    return absl::DataLossError(absl::StrCat("the first decision of shard ", shard, " is damaged"));
  // They expire by age; the log does not say whether any has.
  return Stretch{decision.id().run(), ~0ULL, false};
}

absl::StatusOr<OutputCheck::Next> EmbeddedEvidence::read(const Output& output, std::uint32_t shard,
                                                         Offset from, Offset to) {
  struct State {
    std::deque<OutputRecord> batch;
    Offset next = 0;
  };
  auto state = std::make_shared<State>();
  state->next = from;
  const auto actions = [this, state, output, shard, to]() -> absl::Status {
    if (state->next >= to) return absl::OkStatus();
    const auto found = log_->read_actions(output.topic, shard, state->next, kBatchRecords);
    if (!found.ok()) return found.status();
    for (const StoredAction& stored : *found) {
      spur::v1::Action action;
      if (!action.ParseFromString(stored.bytes))
        return absl::DataLossError(absl::StrCat("action ", stored.spurseq, " is damaged"));
      OutputRecord record = record_of(action.id(), log_->deployment(), shard, stored.bytes);
      record.at = record.number = stored.spurseq;
      state->next = stored.spurseq + 1;
      state->batch.push_back(std::move(record));
    }
    return absl::OkStatus();
  };
  const auto decisions = [this, state, shard]() -> absl::Status {
    const auto found = log_->decisions(shard, state->next, kBatchRecords);
    if (!found.ok()) return found.status();
    for (const std::string& bytes : *found) {
      spur::v1::Decision decision;
      if (!decision.ParseFromString(bytes))
        return absl::DataLossError(absl::StrCat("a decision of shard ", shard, " is damaged"));
      OutputRecord record = record_of(decision.id(), log_->deployment(), shard, bytes);
      record.at = record.id.run;
      state->next = record.id.run + 1;
      state->batch.push_back(std::move(record));
    }
    return absl::OkStatus();
  };
  const bool numbered = output.kind == OutputKind::kActions;
  return OutputCheck::Next(
      [state, actions, decisions, numbered]() -> absl::StatusOr<std::optional<OutputRecord>> {
        if (state->batch.empty()) {
          const absl::Status filled = numbered ? actions() : decisions();
          if (!filled.ok()) return filled;
        }
        if (state->batch.empty()) return std::optional<OutputRecord>();
        std::optional<OutputRecord> record(std::move(state->batch.front()));
        state->batch.pop_front();
        return record;
      });
}

absl::StatusOr<std::uint64_t> EmbeddedEvidence::run_of_action(const Output& output,
                                                              std::uint32_t shard,
                                                              std::uint64_t number) const {
  const auto found = log_->read_actions(output.topic, shard, number, 1);
  if (!found.ok()) return found.status();
  spur::v1::Action action;
  if (found->empty() || !action.ParseFromString(found->front().bytes)) return 0;
  return action.id().run();
}

absl::StatusOr<Offset> EmbeddedEvidence::find(const Output& output, std::uint32_t shard,
                                              const Stretch& kept, std::uint64_t run) {
  if (output.kind != OutputKind::kActions) return std::max<Offset>(kept.begin, run);
  Offset low = kept.begin, high = kept.end;
  while (low < high) {
    const Offset middle = low + (high - low) / 2;
    const absl::StatusOr<std::uint64_t> at = run_of_action(output, shard, middle);
    if (!at.ok()) return at.status();
    if (*at < run)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

}  // namespace spur::audit
