#include "daemon/recovery.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "daemon/log/journal_codec.h"
#include "daemon/plant.h"
#include "daemon/read_back.h"
#include "daemon/replay.h"
#include "daemon/snapshot.h"
#include "daemon/sources.h"
#include "state/check.h"
#include "state/codec/keys.h"
#include "state/rocks_store.h"

namespace spur {
namespace {

// A replay that dies this often at one input has found a bug of ours; fewer may be chance.
constexpr std::uint32_t kReplayCrashesMax = 3;

// A claim is made once no more entries than these are to be folded behind it, or after so many
// attempts to come that close to an owner who goes on.
constexpr Offset kBehindMax = 64;
constexpr int kChasesMax = 8;

Park park(ParkReason reason, std::string detail) { return {reason, std::move(detail)}; }

bool same_deployment(const std::string& bytes, const DeploymentId& id) {
  return std::string_view(bytes) ==
         std::string_view(reinterpret_cast<const char*>(id.data()), id.size());
}

// The hash of one record of a source; nullopt: it is not there.
absl::StatusOr<std::optional<std::uint64_t>> hash_at(const RecoverySetup& setup,
                                                     const TopicSource& source, Offset offset) {
  std::optional<std::uint64_t> hash;
  if (source.source == kCatalogSource) {
    const auto records = setup.log->poll_catalogs(offset, 1);
    if (!records.ok()) return records.status();
    if (!records->empty()) hash = record_hash(records->front());
    return hash;
  }
  const auto reader = setup.log->open_reader(setup.shard.index, {&source, 1});
  const absl::Status read =
      reader->read(source.source, offset, offset, [&](const InputRecord& record) {
        hash = record_hash(record);
        return true;
      });
  if (!read.ok() && !absl::IsOutOfRange(read)) return read;
  return hash;
}

absl::StatusOr<std::optional<Park>> check_source(const RecoverySetup& setup,
                                                 const SourceStand& stand) {
  if (stand.next == stand.source.start) return std::optional<Park>();
  const Offset last = stand.next - 1;
  const std::string what = stand.source.topic.empty()
                               ? absl::StrCat("source ", stand.source.source)
                               : absl::StrCat(stand.source.topic, "/", stand.source.partition);
  if (stand.source.source != kCatalogSource) {
    const absl::StatusOr<Offset> begin = setup.log->input_begin(setup.shard.index, stand.source);
    const absl::StatusOr<Offset> end = setup.log->input_end(setup.shard.index, stand.source);
    for (const absl::StatusOr<Offset>& asked : {begin, end}) {
      if (asked.ok()) continue;
      // A log that cannot be asked says nothing about what it holds.
      if (!absl::IsNotFound(asked.status())) return asked.status();
      return park(ParkReason::kLostRuns,
                  absl::StrCat("the stored state has taken record ", last, " of ", what,
                               ", which is gone: ", asked.status().message()));
    }
    if (stand.next > *end) {
      return park(ParkReason::kLostRuns, absl::StrCat("the stored state has taken record ", last,
                                                      " of ", what, ", which ends at ", *end));
    }
    if (stand.next < *begin) {
      return park(ParkReason::kTrimmed,
                  absl::StrCat("replay must begin at record ", stand.next, " of ", what,
                               ", and the oldest kept is ", *begin));
    }
    if (last < *begin) return std::optional<Park>();  // the last one taken is the last one trimmed
  }
  const auto hash = hash_at(setup, stand.source, last);
  if (!hash.ok()) return hash.status();
  if (*hash == stand.last_hash) return std::optional<Park>();
  if (stand.source.source != kCatalogSource) {
    // Whoever owned the shard before may have trimmed it since we asked (rule 15): then there is
    // nothing to compare with, and nothing wrong.
    const absl::StatusOr<Offset> begin = setup.log->input_begin(setup.shard.index, stand.source);
    if (!begin.ok()) return begin.status();
    if (last < *begin) return std::optional<Park>();
  }
  return park(ParkReason::kRecreated,
              absl::StrCat("record ", last, " of ", what,
                           " is not the one that the stored state has taken"));
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
  if (position.fold_version() > setup.shard.fold_version) {
    return park(ParkReason::kFoldVersion,
                absl::StrCat("the stored state is of fold version ", position.fold_version(),
                             ", this one folds ", setup.shard.fold_version));
  }
  const absl::StatusOr<Offset> end = log.journal_end(shard), begin = log.journal_begin(shard);
  if (!end.ok()) return end.status();
  if (!begin.ok()) return begin.status();
  if (*end == 0)
    return park(ParkReason::kRecreated, "there is stored state, and the journal is empty");
  if (position.journal_offset() >= *end) {
    return park(
        ParkReason::kLostRuns,
        absl::StrCat("the stored state stands at journal entry ", position.journal_offset(),
                     ", and the journal ends at ", *end, ": acknowledged entries are gone"));
  }
  if (position.journal_offset() + 1 < *begin) {
    return park(ParkReason::kTrimmed,
                absl::StrCat("replay must begin at journal entry ", position.journal_offset() + 1,
                             ", and the oldest kept is ", *begin));
  }
  return std::optional<Park>();
}

// The sources that are read from here on are the ones that were folded: all but those that rest,
// or of those that rested in the stored state (`rested`) the ones that are named again.
absl::StatusOr<std::optional<Park>> check_sources(const RecoverySetup& setup,
                                                  const OwnedShard& owned,
                                                  const std::set<std::uint32_t>* rested) {
  const std::vector<InputTopic> topics = topics_of(owned.shard.catalog().get());
  for (const SourceStand& stand : owned.stand.sources) {
    if (rests(stand.source, topics)) continue;
    if (rested != nullptr && !rested->contains(stand.source.source)) continue;
    auto changed = check_source(setup, stand);
    if (!changed.ok() || changed->has_value()) return changed;
  }
  return std::optional<Park>();
}

// The topics that were folded are the ones that are there.
absl::StatusOr<std::optional<Park>> check_topics(const RecoverySetup& setup,
                                                 const OwnedShard& owned) {
  const std::vector<InputTopic> named = topics_of(owned.shard.catalog().get());
  std::vector<InputTopic> folded;
  for (const InputTopic& topic : named) {
    const auto sources = owned.stand.topics();
    if (std::any_of(sources.begin(), sources.end(),
                    [&](const TopicSource& source) { return source.topic == topic.name; }))
      folded.push_back(topic);
  }
  if (folded.empty()) return std::optional<Park>();
  const Log::Discovery found = setup.log->discover(setup.shard.index, folded);
  if (!found.missed.ok()) return found.missed;
  std::variant<spur::v1::Sources, Park> fresh = new_sources(owned.stand, found.sources);
  if (auto* recreated = std::get_if<Park>(&fresh))
    return std::optional<Park>(std::move(*recreated));
  return std::optional<Park>();
}

// Rule 2. False: another claim came first.
absl::StatusOr<bool> claim(const RecoverySetup& setup, Replay& replay, Offset& own) {
  OwnedShard& owned = replay.owned();
  spur::v1::JournalEntry entry;
  entry.set_epoch(owned.stand.journal.epoch + 1);
  entry.set_seq(owned.stand.journal.seq);
  entry.set_acked_through(replay.acked_through());
  entry.set_digest(owned.shard.standing().digest);
  spur::v1::Owner& owner = *entry.mutable_owner();
  const DeploymentId& deployment = setup.log->deployment();
  owner.set_deployment(deployment.data(), deployment.size());
  owner.set_nonce(setup.nonce);
  owner.set_node(setup.node);
  owner.set_shards(setup.log->shards());
  owner.set_fold_version(setup.shard.fold_version);
  owner.set_libraries(setup.libraries);
  owner.set_first_seq(owned.stand.journal.seq + 1);
  const std::uint64_t epoch = entry.epoch();

  JournalAppend append;
  append.shard = setup.shard.index;
  append.epoch = epoch;
  append.seq = owned.stand.journal.seq;
  append.entry = encode_entry(entry);
  const absl::StatusOr<Offset> offset = setup.log->append_and_wait(std::move(append));
  Offset to = 0;
  if (offset.ok()) {
    // Read to exactly our own record: what came in between counts or does not, as for everybody.
    to = *offset + 1;
  } else if (offset.status().code() == absl::StatusCode::kUnknown) {
    const absl::StatusOr<Offset> end = setup.log->journal_end(setup.shard.index);
    if (!end.ok()) return end.status();
    to = *end;
  } else {
    return offset.status();
  }
  bool found = false;
  if (planted(Plant::kClaimNotReadUpTo) && offset.ok()) {
    own = *offset;
    owned.stand.journal.epoch = epoch;
    return true;
  }
  const absl::Status read =
      replay.read_to(to, [&](Offset at, const spur::v1::JournalEntry& counted) {
        if (!counted.has_owner() || counted.owner().nonce() != owner.nonce()) return;
        found = true;
        own = at;
      });
  if (!read.ok()) return read;
  // Read beyond our own record, somebody may have taken over already.
  return found && owned.stand.journal.epoch == epoch;
}

// Rules 5 and 6, and what a destination that is ahead of the journal means: nullopt, go on.
absl::StatusOr<std::optional<RecoveryResult>> send_again(const RecoverySetup& setup,
                                                         const Replay& replay, Offset own,
                                                         JournalStand stand, Unsent unsent) {
  const absl::Status resumed =
      setup.log->resume(setup.shard.index, replay.acked_through(), stand.seq,
                        std::move(unsent.runs), std::move(unsent.spilled));
  if (resumed.ok()) return std::optional<RecoveryResult>();
  if (!absl::IsAborted(resumed)) return resumed;
  // A successor may have sent it: then we are only late. Parking without a look would be a false
  // alarm.
  const absl::StatusOr<ReadBack> found = read_back(*setup.log, setup.shard.index, stand, own + 1);
  if (absl::IsOutOfRange(found.status())) return std::optional<RecoveryResult>(Outrun());
  if (!found.ok()) return found.status();
  if (found->fenced && !planted(Plant::kParkWithoutLook))
    return std::optional<RecoveryResult>(Outrun());
  return std::optional<RecoveryResult>(
      park(ParkReason::kLostRuns,
           absl::StrCat("a destination has effects of runs behind ", stand.seq,
                        ", where the journal ends: ", std::string(resumed.message()))));
}

// The state that recovery begins with, restored into `owned`; or why there is none to begin with.
struct Base {
  Offset from = 0;  // of the first entry to replay
  std::uint32_t fold_version = 0;
  std::uint64_t acked_through = 0;
  WriteBehind::Stored stored;
  std::set<std::uint32_t> rested;  // sources that were not looked at
};
absl::StatusOr<std::variant<Base, Park>> base(const RecoverySetup& setup, OwnedShard& owned) {
  const absl::StatusOr<std::optional<spur::v1::Position>> position =
      read_position(*setup.shard.store);
  if (!position.ok()) return position.status();
  if (!position->has_value()) {
    const absl::StatusOr<Offset> begin = setup.log->journal_begin(setup.shard.index);
    if (!begin.ok()) return begin.status();
    if (*begin > 0) {
      return park(ParkReason::kTrimmed,
                  "there is no stored state, and the journal's beginning is gone");
    }
    // A restore that died may have left rows, to which replay would add what they have already.
    if (!planted(Plant::kLeftRowsTaken)) {
      if (absl::Status cleared = clear_rows(*setup.shard.store); !cleared.ok()) return cleared;
    }
    if (absl::Status loaded = owned.customers.load(); !loaded.ok()) return loaded;
    Base from_the_beginning;
    from_the_beginning.fold_version = setup.shard.fold_version;  // its first Owner says
    return from_the_beginning;
  }
  const spur::v1::Position& found = **position;
  const auto unfit = check_position(found, setup);
  if (!unfit.ok()) return unfit.status();
  if (unfit->has_value()) return **unfit;
  if (absl::Status restored = restore(found, setup, owned); !restored.ok()) return restored;
  Base base{found.journal_offset() + 1,
            found.fold_version(),
            found.acked_through(),
            {true, found.seq(), found.journal_offset(), owned.stand.catalog_next()},
            {}};
  const std::vector<InputTopic> topics = topics_of(owned.shard.catalog().get());
  for (const SourceStand& stand : owned.stand.sources) {
    if (rests(stand.source, topics)) base.rested.insert(stand.source.source);
  }
  const auto changed = check_sources(setup, owned, nullptr);
  if (!changed.ok()) return changed.status();
  if (changed->has_value()) return **changed;
  return base;
}

std::optional<Park> of_newer_version(const RecoverySetup& setup, const Replay& replay) {
  if (replay.barrier_from() <= setup.shard.fold_version) return std::nullopt;
  return park(ParkReason::kFoldVersion,
              absl::StrCat("the journal is of fold version ", replay.barrier_from(),
                           " by now, this one folds ", setup.shard.fold_version));
}

// Before a Barrier: no version could replay what lies on both sides of it. So a process that has
// no state of behind it must find some that stands before it, with nothing to replay in between.
absl::Status archive(const RecoverySetup& setup, const Replay& replay) {
  if (replay.barrier_from() == 0 || setup.snapshots == nullptr) return absl::OkStatus();
  return setup.snapshots->take(setup.shard.index, *setup.shard.store).status();
}

absl::StatusOr<RecoveryResult> recover_from_here(const RecoverySetup& setup) {
  setup.progress->replayed = 0;
  setup.progress->to_replay = 0;
  if (const auto found = setup.shard.crumb->found(setup.shard.index);
      found && found->phase == Breadcrumb::Phase::kReplay && found->crashes >= kReplayCrashesMax) {
    // It is in a counted run, so it can be neither skipped nor quarantined (docs/protocol.md §3,
    // "Poison").
    return RecoveryResult(park(
        ParkReason::kDiverged,
        absl::StrCat("the process died ", found->crashes, " times in a row while replaying input ",
                     found->offset, ", which was folded before")));
  }
  Recovered recovered;
  auto owned = std::make_unique<OwnedShard>(setup.shard);
  auto begun = base(setup, *owned);
  if (!begun.ok()) return begun.status();
  if (auto* parked = std::get_if<Park>(&*begun)) return RecoveryResult(std::move(*parked));
  const Base& base = std::get<Base>(*begun);
  recovered.stored = base.stored;
  Unsent unsent;
  if (absl::Status loaded = recovered.outbox.load(*setup.shard.store, base.stored.seq, unsent);
      !loaded.ok())
    return loaded;
  if (planted(Plant::kOutboxForgotten)) unsent = Unsent();

  Replay replay(setup, std::move(owned), base.from, base.fold_version, base.acked_through);
  replay.keep_in(unsent, recovered.outbox);
  // To the end, then a claim, then on to the claim: the second leg is short, and ends at our own
  // record.
  const absl::StatusOr<Offset> end = setup.log->journal_end(setup.shard.index);
  if (!end.ok()) return end.status();
  const absl::Status read = replay.read_to(*end, nullptr);
  if (replay.parked()) return RecoveryResult(*replay.parked());
  if (absl::IsOutOfRange(read))
    return RecoveryResult(park(ParkReason::kTrimmed, std::string(read.message())));
  if (!read.ok()) return read;
  if (auto newer = of_newer_version(setup, replay)) return RecoveryResult(*std::move(newer));
  const auto recreated = check_topics(setup, replay.owned());
  if (!recreated.ok()) return recreated.status();
  if (recreated->has_value()) return RecoveryResult(**recreated);
  const auto changed = check_sources(setup, replay.owned(), &base.rested);
  if (!changed.ok()) return changed.status();
  if (changed->has_value()) return RecoveryResult(**changed);

  // Who had the shard goes on meanwhile, and all that it does until it is outdone by our claim is
  // to be folded between the two, while nobody runs the shard.
  for (int chase = 0; chase < kChasesMax; ++chase) {
    const absl::StatusOr<Offset> by_now = setup.log->journal_end(setup.shard.index);
    if (!by_now.ok()) return by_now.status();
    if (*by_now <= replay.next() + kBehindMax) break;
    const absl::Status chased = replay.read_to(*by_now, nullptr);
    if (replay.parked()) return RecoveryResult(*replay.parked());
    if (absl::IsOutOfRange(chased)) return RecoveryResult(Outrun());
    if (!chased.ok()) return chased;
  }
  if (absl::Status archived = archive(setup, replay); !archived.ok()) return archived;

  const absl::StatusOr<bool> won = claim(setup, replay, recovered.journal_last);
  if (replay.parked()) return RecoveryResult(*replay.parked());
  // Trimmed while it was read: a newer owner did.
  if (absl::IsOutOfRange(won.status())) return RecoveryResult(Outrun());
  if (!won.ok()) return won.status();
  if (!*won) return RecoveryResult(Outrun());
  // A Barrier may have come before our Owner: there is no way back behind it.
  if (auto newer = of_newer_version(setup, replay);
      newer && !planted(Plant::kBarrierNotSeenBeforeClaim))
    return RecoveryResult(*std::move(newer));
  const JournalStand stand = replay.owned().stand.journal;
  replay.keep_rest();
  auto ended = send_again(setup, replay, recovered.journal_last, stand, std::move(unsent));
  if (!ended.ok()) return ended.status();
  if (ended->has_value()) return std::move(**ended);
  setup.log->release(setup.shard.index, stand.seq);  // the Owner entry itself
  recovered.acked_through = replay.acked_through();
  recovered.trying = replay.trying();
  recovered.barrier_from = replay.barrier_from();
  recovered.owned = replay.take();
  return RecoveryResult(std::move(recovered));
}

}  // namespace

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

absl::StatusOr<RecoveryResult> recover(const RecoverySetup& setup) {
  if (setup.snapshots == nullptr) return recover_from_here(setup);
  const auto here = read_position(*setup.shard.store);
  if (!here.ok()) return here.status();
  if (!here->has_value()) {
    const absl::StatusOr<bool> any =
        setup.snapshots->restore(setup.shard.index, *setup.shard.store);
    if (!any.ok()) return any.status();
  }
  std::optional<Offset> restored_at;
  for (;;) {
    absl::StatusOr<RecoveryResult> result = recover_from_here(setup);
    const Park* parked = result.ok() ? std::get_if<Park>(&*result) : nullptr;
    if (parked == nullptr ||
        (parked->reason != ParkReason::kTrimmed && parked->reason != ParkReason::kFoldVersion)) {
      return result;
    }
    // Rule 3: what is here is too old, or became so while it was replayed, since an owner trims
    // behind its snapshots; or it stands before runs of another fold version. As long as there is a
    // newer one, it helps.
    const absl::StatusOr<bool> any =
        setup.snapshots->restore(setup.shard.index, *setup.shard.store);
    if (!any.ok()) return any.status();
    if (!*any) return result;
    const auto position = read_position(*setup.shard.store);
    if (!position.ok()) return position.status();
    if (!position->has_value() || restored_at == (*position)->journal_offset()) return result;
    restored_at = (*position)->journal_offset();
  }
}

}  // namespace spur
