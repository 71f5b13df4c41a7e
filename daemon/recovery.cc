#include "daemon/recovery.h"

#include <condition_variable>
#include <mutex>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "daemon/log/journal_codec.h"
#include "daemon/replay.h"
#include "state/check.h"
#include "state/codec/keys.h"
#include "state/rocks_store.h"

namespace spur {
namespace {

// A replay that dies this often at one input has found a bug of ours; fewer may be chance.
constexpr std::uint32_t kReplayCrashesMax = 3;

Park park(ParkReason reason, std::string detail) { return {reason, std::move(detail)}; }

bool same_deployment(const std::string& bytes, const DeploymentId& id) {
  return std::string_view(bytes) ==
         std::string_view(reinterpret_cast<const char*>(id.data()), id.size());
}

// The position of the store, or nullopt for an empty one.
absl::StatusOr<std::optional<spur::v1::Position>> read_position(const Store& store) {
  const auto row = store.get(position_key());
  if (!row.ok()) return row.status();
  if (!row->has_value()) return std::optional<spur::v1::Position>();
  spur::v1::Position position;
  if (!position.ParseFromString(**row))
    return absl::DataLossError("the stored position of a shard is damaged");
  return std::optional<spur::v1::Position>(std::move(position));
}

// Rule 3: does this position belong to this log, and is what follows it still there?
absl::StatusOr<std::optional<Park>> check_position(const spur::v1::Position& position,
                                                   const RecoverySetup& setup) {
  Log& log = *setup.log;
  const std::uint32_t shard = setup.shard.index;
  if (!same_deployment(position.deployment(), log.deployment()) ||
      position.shards() != log.shards()) {
    return park(ParkReason::kForeignDeployment,
                "the stored state belongs to another deployment than the log");
  }
  if (position.fold_version() > kFoldVersion) {
    return park(ParkReason::kFoldVersion,
                absl::StrCat("the stored state is of fold version ", position.fold_version(),
                             ", this one folds ", kFoldVersion));
  }
  const Offset end = log.journal_end(shard), begin = log.journal_begin(shard);
  if (end == 0)
    return park(ParkReason::kRecreated, "there is stored state, and the journal is empty");
  if (position.journal_offset() >= end) {
    return park(ParkReason::kLostRuns,
                absl::StrCat("the stored state stands at journal entry ", position.journal_offset(),
                             ", and the journal ends at ", end, ": acknowledged entries are gone"));
  }
  if (position.journal_offset() + 1 < begin) {
    return park(ParkReason::kTrimmed,
                absl::StrCat("replay must begin at journal entry ", position.journal_offset() + 1,
                             ", and the oldest kept is ", begin));
  }
  for (const spur::v1::SourcePosition& source : position.sources()) {
    if (source.next_offset() == 0) continue;
    const Offset last = source.next_offset() - 1;
    std::uint64_t hash = 0;
    if (source.source() == kInputSource) {
      if (source.next_offset() > log.input_end(shard)) {
        return park(ParkReason::kLostRuns,
                    absl::StrCat("the stored state has taken input ", last,
                                 ", and the input ends at ", log.input_end(shard)));
      }
      if (source.next_offset() < log.input_begin(shard)) {
        return park(ParkReason::kTrimmed,
                    absl::StrCat("replay must begin at input ", source.next_offset(),
                                 ", and the oldest kept is ", log.input_begin(shard)));
      }
      if (last < log.input_begin(shard))
        continue;  // the last one taken is the last one trimmed: nothing to compare
      InputBatch batch;
      if (absl::Status polled = log.poll_inputs(shard, last, {1, 1}, batch); !polled.ok())
        return polled;
      if (!batch.records.empty()) hash = record_hash(batch.records.front());
    } else {
      const auto records = log.poll_catalogs(last, 1);
      if (!records.ok()) return records.status();
      if (!records->empty()) hash = record_hash(records->front());
    }
    if (hash != source.last_hash()) {
      return park(ParkReason::kRecreated,
                  absl::StrCat("record ", last, " of source ", source.source(),
                               " is not the one that the stored state has taken"));
    }
  }
  return std::optional<Park>();
}

absl::Status restore(const spur::v1::Position& position, const RecoverySetup& setup,
                     OwnedShard& owned) {
  std::shared_ptr<const catalog::Compiled> compiled;
  std::string bytes;
  for (const spur::v1::SourcePosition& source : position.sources()) {
    if (source.source() != kCatalogSource || source.next_offset() == 0) continue;
    const auto row = setup.shard.store->get(catalog_key(source.next_offset()));
    if (!row.ok()) return row.status();
    if (!row->has_value())
      return absl::DataLossError("the catalog that the stored state belongs to is not with it");
    bytes = **row;
    auto result = setup.catalogs->compiled(bytes);
    if (!result.ok()) return result.status();
    compiled = *std::move(result);
  }
  return owned.restore(position, std::move(compiled), std::move(bytes));
}

std::string make_nonce() {
  std::random_device random;
  std::string nonce;
  for (int i = 0; i < 4; ++i) {
    const std::uint32_t bits = random();
    nonce.append(reinterpret_cast<const char*>(&bits), sizeof bits);
  }
  return nonce;
}

// Appends and waits; the calling thread has nothing else to do.
absl::StatusOr<Offset> append_and_wait(Log& log, JournalAppend append) {
  std::mutex mutex;
  std::condition_variable answered;
  std::optional<absl::StatusOr<Offset>> answer;
  append.done = [&](absl::StatusOr<Offset> offset) {
    const std::lock_guard lock(mutex);
    answer = std::move(offset);
    answered.notify_one();  // under the lock: the waiter's stack must not go before
  };
  log.append(std::move(append));
  std::unique_lock lock(mutex);
  answered.wait(lock, [&] { return answer.has_value(); });
  return *std::move(answer);
}

// Rule 2. False: another claim came first.
absl::StatusOr<bool> claim(const RecoverySetup& setup, Replay& replay, Offset& own) {
  OwnedShard& owned = replay.owned();
  spur::v1::JournalEntry entry;
  entry.set_epoch(owned.stand.journal.epoch + 1);
  entry.set_seq(owned.stand.journal.seq);
  entry.set_acked_through(owned.stand.journal.seq);
  entry.set_digest(owned.shard.standing().digest);
  spur::v1::Owner& owner = *entry.mutable_owner();
  const DeploymentId& deployment = setup.log->deployment();
  owner.set_deployment(deployment.data(), deployment.size());
  owner.set_nonce(make_nonce());
  owner.set_node(setup.node);
  owner.set_shards(setup.log->shards());
  owner.set_fold_version(kFoldVersion);
  owner.set_libraries(setup.libraries);
  owner.set_first_seq(owned.stand.journal.seq + 1);
  const std::uint64_t epoch = entry.epoch();

  JournalAppend append;
  append.shard = setup.shard.index;
  append.seq = owned.stand.journal.seq;
  append.entry = encode_entry(entry);
  const absl::StatusOr<Offset> offset = append_and_wait(*setup.log, std::move(append));
  if (!offset.ok()) return offset.status();
  setup.log->release(setup.shard.index, owned.stand.journal.seq);
  own = *offset;
  // Read to exactly our own record: what came in between counts or does not, as for everybody.
  bool won = false;
  const absl::Status read =
      replay.read_to(own + 1, [&](Offset at, const spur::v1::JournalEntry& counted) {
        if (at == own)
          won = counted.has_owner() && counted.epoch() == epoch &&
                counted.owner().nonce() == owner.nonce();
      });
  if (!read.ok()) return read;
  return won;
}

}  // namespace

absl::StatusOr<RecoveryResult> recover(const RecoverySetup& setup) {
  if (const auto found = setup.shard.crumb->found(setup.shard.index);
      found && found->phase == Breadcrumb::Phase::kReplay && found->crashes >= kReplayCrashesMax) {
    // It is in a counted run, so it can be neither skipped nor quarantined (protocol.md §3,
    // "Poison").
    return RecoveryResult(park(
        ParkReason::kDiverged,
        absl::StrCat("the process died ", found->crashes, " times in a row while replaying input ",
                     found->offset, ", which was folded before")));
  }
  const absl::StatusOr<std::optional<spur::v1::Position>> position =
      read_position(*setup.shard.store);
  if (!position.ok()) return position.status();

  Recovered recovered;
  auto owned = std::make_unique<OwnedShard>(setup.shard);
  Offset from = 0;
  if (position->has_value()) {
    const spur::v1::Position& found = **position;
    const auto unfit = check_position(found, setup);
    if (!unfit.ok()) return unfit.status();
    if (unfit->has_value()) return RecoveryResult(**unfit);
    if (absl::Status restored = restore(found, setup, *owned); !restored.ok()) return restored;
    from = found.journal_offset() + 1;
    recovered.stored = {true, found.seq(), found.journal_offset(), owned->stand.catalog_next};
  } else if (setup.log->journal_begin(setup.shard.index) > 0) {
    return RecoveryResult(park(ParkReason::kTrimmed,
                               "there is no stored state, and the journal's beginning is gone"));
  } else if (absl::Status loaded = owned->customers.load(); !loaded.ok()) {
    return loaded;
  }

  const std::uint32_t fold_version =
      position->has_value() ? (*position)->fold_version() : kFoldVersion;
  Replay replay(setup, std::move(owned), from, fold_version);
  for (;;) {
    // To the end, then a claim, then on to the claim: the second leg is short, and ends at our own
    // record.
    const absl::Status read = replay.read_to(setup.log->journal_end(setup.shard.index), nullptr);
    if (replay.parked()) return RecoveryResult(*replay.parked());
    if (!read.ok()) return read;
    if (replay.barrier_from() > kFoldVersion) {
      return RecoveryResult(
          park(ParkReason::kFoldVersion,
               absl::StrCat("the journal is of fold version ", replay.barrier_from(),
                            " by now, this one folds ", kFoldVersion)));
    }
    Offset own = 0;
    const absl::StatusOr<bool> won = claim(setup, replay, own);
    if (replay.parked()) return RecoveryResult(*replay.parked());
    if (!won.ok()) return won.status();
    if (!*won) continue;
    recovered.journal_last = own;
    break;
  }
  recovered.trying = replay.trying();
  recovered.barrier_from = replay.barrier_from();
  recovered.owned = replay.take();
  return RecoveryResult(std::move(recovered));
}

}  // namespace spur
