#include "daemon/audit/shard_outputs.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "spur/v1/action.pb.h"
#include "spur/v1/decision.pb.h"
#include "spur/v1/event.pb.h"
#include "state/check.h"
#include "state/digest.h"

namespace spur::audit {
namespace {

ActionId id_of(const spur::v1::ActionId& id) {
  return {id.shard(), id.run(), id.input(), id.ordinal()};
}

}  // namespace

absl::Status ShardOutputs::ask_ends(bool before) {
  for (const Output& output : evidence_.outputs()) {
    Ends& ends = ends_[output];
    if (ends.missing) continue;
    const absl::StatusOr<Stretch> kept = evidence_.kept(output, shard_);
    if (absl::IsNotFound(kept.status())) {
      ends.missing = true;
      findings_.add(Kind::kTopicMissing, absl::StrCat("shard ", shard_),
                    std::string(kept.status().message()));
      continue;
    }
    if (!kept.ok()) return kept.status();
    (before ? ends.before : ends.after) = *kept;
  }
  return absl::OkStatus();
}

absl::StatusOr<OutputCheck::Scope> ShardOutputs::scope_of(const Output& output, const Ends& ends,
                                                          const Compared& compared) {
  OutputCheck::Scope scope;
  scope.numbered = output.kind == OutputKind::kActions;
  scope.repeats_wrong = output.transactional;
  scope.run_first = compared.run_first;
  scope.run_last = compared.run_last;
  scope.acked_through = compared.acked_through;
  scope.settled = compared.settled;
  scope.counted_below = ends.before.end;
  if (compared.numbers) {
    const auto given = compared.numbers->find(output.topic);
    scope.number_before = given == compared.numbers->end() ? 0 : given->second;
  }
  if (ends.after.whole) return scope;
  auto next = evidence_.read(output, shard_, ends.after.begin, ends.after.end);
  if (!next.ok()) return next.status();
  std::vector<OutputRecord> first;
  while (first.size() < Evidence::kFloorRecords) {
    const auto record = (*next)();
    if (!record.ok()) return record.status();
    if (!record->has_value()) break;
    first.push_back(**record);
  }
  // Of an empty one everything may be gone.
  scope.floor = floor_of(first).value_or(ActionId{shard_, compared.run_last + 1, 0, 0});
  if (scope.floor->run >= scope.run_first) scope.number_before.reset();
  return scope;
}

absl::Status ShardOutputs::open(const Compared& compared) {
  for (const auto& [output, ends] : ends_) {
    if (ends.missing) continue;
    const auto scope = scope_of(output, ends, compared);
    if (!scope.ok()) return scope.status();
    Offset from = ends.after.begin;
    if (compared.run_first > 1) {
      const auto found = evidence_.find(output, shard_, ends.after, compared.run_first);
      if (!found.ok()) return found.status();
      from = *found;
    }
    auto next = evidence_.read(output, shard_, from, ends.after.end);
    if (!next.ok()) return next.status();
    checks_[output] = std::make_unique<OutputCheck>(absl::StrCat(output.topic, "[", shard_, "]"),
                                                    *scope, *std::move(next), findings_);
  }
  return absl::OkStatus();
}

// Of decisions and dead letters there is one topic.
const Output* ShardOutputs::only(OutputKind kind) const {
  for (const auto& [output, check] : checks_) {
    if (output.kind == kind) return &output;
  }
  return nullptr;
}

absl::Status ShardOutputs::expect(const Output& output, const Expected& expected) {
  const auto check = checks_.find(output);
  return check == checks_.end() ? absl::OkStatus() : check->second->expect(expected);
}

absl::Status ShardOutputs::expect(const RunEffects& effects) {
  for (const RunEffects::Action& action : effects.actions) {
    spur::v1::Action parsed;
    SPUR_CHECK(parsed.ParseFromString(action.bytes));
    const absl::Status said = expect({OutputKind::kActions, action.topic},
                                     {id_of(parsed.id()), action.spurseq, hash64(action.bytes)});
    if (!said.ok()) return said;
  }
  if (const Output* decisions = only(OutputKind::kDecisions)) {
    for (const RunEffects::Decision& decision : effects.decisions) {
      spur::v1::Decision parsed;
      SPUR_CHECK(parsed.ParseFromString(decision.bytes));
      const absl::Status said = expect(*decisions, {id_of(parsed.id()), 0, hash64(decision.bytes)});
      if (!said.ok()) return said;
    }
  }
  if (const Output* letters = only(OutputKind::kDeadLetters)) {
    for (const std::string& bytes : effects.dead_letters) {
      spur::v1::DeadLetter parsed;
      SPUR_CHECK(parsed.ParseFromString(bytes));
      const ActionId id{shard_, parsed.id().run(), parsed.id().input(), 0};
      const absl::Status said = expect(*letters, {id, 0, hash64(bytes)});
      if (!said.ok()) return said;
    }
  }
  return absl::OkStatus();
}

absl::Status ShardOutputs::finish() {
  for (const auto& [output, check] : checks_) {
    if (absl::Status finished = check->finish(); !finished.ok()) return finished;
  }
  return absl::OkStatus();
}

absl::Status ShardOutputs::drain() {
  for (const auto& [output, check] : checks_) {
    if (absl::Status drained = check->drain(); !drained.ok()) return drained;
  }
  return absl::OkStatus();
}

std::vector<OutputCounts> ShardOutputs::counts() const {
  std::vector<OutputCounts> all;
  for (const auto& [output, check] : checks_) all.push_back(check->counts());
  return all;
}

}  // namespace spur::audit
