#include "daemon/replay.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "daemon/log/effect_records.h"
#include "daemon/log/journal_codec.h"
#include "daemon/plant.h"
#include "daemon/recovery.h"
#include "operators/catalog/compiled.h"
#include "state/check.h"

namespace spur {
namespace {

// What effects take in memory, about: enough to bound it by.
std::size_t about_bytes(const Effects& effects) {
  std::size_t bytes = sizeof(Effects);
  for (const Decision& decision : effects.decisions)
    bytes += 2 * sizeof(Decision) + decision.data.size();
  for (const DeadLetter& letter : effects.dead_letters)
    bytes += sizeof(DeadLetter) + letter.value.size();
  for (const Forward& forward : effects.forwards) bytes += sizeof(Forward) + forward.value.size();
  return bytes;
}

}  // namespace

Replay::Replay(const RecoverySetup& setup, std::unique_ptr<OwnedShard> owned, Offset from,
               std::uint32_t fold_version, std::uint64_t acked_through)
    : setup_(setup),
      owned_(std::move(owned)),
      reader_(owned_->stand.journal),
      next_(from),
      mine_(setup.shard.fold_version),
      fold_version_(fold_version),
      acked_through_(acked_through) {}

InputReader& Replay::inputs() {
  if (inputs_ == nullptr) {
    std::vector<TopicSource> sources;
    for (const SourceStand& stand : owned_->stand.sources) sources.push_back(stand.source);
    inputs_ = setup_.log->open_reader(setup_.shard.index, sources);
  }
  return *inputs_;
}

absl::Status Replay::keep(std::uint64_t seq, Effects effects) {
  if (effects.empty()) return absl::OkStatus();
  const catalog::Compiled& catalog = *owned_->shard.catalog();
  if (setup_.audit != nullptr) {
    setup_.audit->effects(seq, records_of(effects, catalog));
    return absl::OkStatus();
  }
  if (unsent_ == nullptr || seq <= acked_through_) return absl::OkStatus();
  if (unsent_->full() || folded_bytes_ > Unsent::kBytesMax) {
    const RunEffects records = records_of(effects, catalog);
    unsent_->spill(seq, records);
    return outbox_->write(*setup_.shard.store, seq, records);
  }
  const std::size_t bytes = about_bytes(effects);
  folded_bytes_ += bytes;
  folded_.push_back({seq, bytes, std::move(effects), owned_->shard.catalog()});
  return absl::OkStatus();
}

RunEffects Replay::records_of(const Effects& effects, const catalog::Compiled& catalog) const {
  const auto& hash = catalog.hash;
  return to_records(setup_.shard.index, effects, setup_.log->deployment(),
                    {reinterpret_cast<const char*>(hash.data()), hash.size()});
}

void Replay::keep_rest() {
  if (!planted(Plant::kReplayedNotSent)) {
    for (const Folded& folded : folded_)
      unsent_->add(folded.seq, records_of(folded.effects, *folded.catalog));
  }
  folded_.clear();
}

void Replay::park(ParkReason reason, std::string detail) {
  if (reason == ParkReason::kDiverged) ++setup_.progress->divergences;
  if (reason == ParkReason::kInputChanged) ++setup_.progress->inputs_changed;
  if (!parked_) parked_ = Park{reason, std::move(detail)};
}

void Replay::differs(ParkReason reason, std::string detail) {
  if (setup_.audit == nullptr) return park(reason, std::move(detail));
  setup_.audit->differs(reason, detail);
}

absl::Status Replay::read_to(
    Offset to, const std::function<void(Offset, const spur::v1::JournalEntry&)>& counted) {
  if (to > next_) setup_.progress->to_replay += to - next_;
  absl::Status trouble;
  owned_->intake.phase(Breadcrumb::Phase::kReplay);
  const absl::Status read = setup_.log->read_journal(
      setup_.shard.index, next_, to, [&](Offset at, std::string_view bytes) {
        if (setup_.cancelled && setup_.cancelled()) {
          trouble = absl::CancelledError("recovery was cancelled");
          return false;
        }
        absl::StatusOr<spur::v1::JournalEntry> entry = decode_entry(bytes);
        if (!entry.ok()) {
          trouble = absl::Status(entry.status().code(), absl::StrCat("journal entry ", at, ": ",
                                                                     entry.status().message()));
          return false;
        }
        next_ = at + 1;
        ++setup_.progress->replayed;
        if (!reader_.counts(*entry)) return true;
        trouble = fold(*entry);
        if (!trouble.ok() || parked_) return false;
        owned_->stand.journal = reader_.stand();
        sealed_ = entry->has_seal();
        acked_through_ = std::max(acked_through_, entry->acked_through());
        while (!folded_.empty() && folded_.front().seq <= acked_through_) {
          folded_bytes_ -= folded_.front().bytes;
          folded_.pop_front();
        }
        if (counted) counted(at, *entry);
        return true;
      });
  owned_->intake.phase(Breadcrumb::Phase::kLive);
  if (!trouble.ok()) return trouble;
  if (!read.ok()) return read;
  // Offsets that hold no entry were counted too, before it was known.
  setup_.progress->to_replay.store(setup_.progress->replayed.load());
  return owned_->customers.status();
}

absl::Status Replay::fold(const spur::v1::JournalEntry& entry) {
  using Kind = spur::v1::JournalEntry;
  switch (entry.entry_case()) {
    case Kind::kRun:
      trying_.reset();
      return of_another_fold(entry) ? absl::OkStatus() : fold_run(entry);
    case Kind::kQuarantine:
      trying_.reset();
      return of_another_fold(entry) ? absl::OkStatus() : fold_quarantine(entry);
    case Kind::kOwner: {
      const DeploymentId& mine = setup_.log->deployment();
      if (entry.owner().deployment() != std::string(mine.begin(), mine.end())) {
        park(ParkReason::kForeignDeployment,
             absl::StrCat("the Owner of epoch ", entry.epoch(), " belongs to another deployment"));
      }
      // The first owner's runs are its code's; a later one of other code says so by a Barrier
      // before its first run.
      if (entry.epoch() == 1) fold_version_ = entry.owner().fold_version();
      return absl::OkStatus();
    }
    case Kind::kBarrier:
      fold_version_ = entry.barrier().to_fold_version();
      return absl::OkStatus();
    case Kind::kTrying:
      trying_ = entry.trying();
      return absl::OkStatus();
    case Kind::kSources:
      return fold_sources(entry);
    case Kind::kSeal:
      return absl::OkStatus();
    case Kind::ENTRY_NOT_SET:
      break;
  }
  return absl::FailedPreconditionError(
      absl::StrCat("journal entry ", entry.seq(), " is of a kind that this Spur does not know"));
}

bool Replay::of_another_fold(const spur::v1::JournalEntry& entry) {
  if (fold_version_ == mine_ || planted(Plant::kAnotherFoldReplayed)) return false;
  park(ParkReason::kFoldVersion,
       absl::StrCat("run ", entry.seq(), " was folded by version ", fold_version_,
                    " and this is version ", mine_, "; let that version stop cleanly first"));
  return true;
}

absl::Status Replay::fold_run(const spur::v1::JournalEntry& entry) {
  const spur::v1::Run& run = entry.run();
  Shard& shard = owned_->shard;
  if (Instant{run.clock_ms()} < shard.clock()) {
    park(ParkReason::kDiverged,
         absl::StrCat("run ", entry.seq(), " has an earlier clock than the shard"));
    return absl::OkStatus();
  }
  ScoreTape tape(std::vector<std::int64_t>(run.scores().begin(), run.scores().end()));
  Effects effects;
  shard.begin_run({entry.seq(), Instant{run.clock_ms()}, Instant{run.wall_ms()},
                   run.clock_mode() == 0 ? ClockMode::kWall : ClockMode::kRecords},
                  tape);
  for (const spur::v1::Slice& slice : run.slices()) {
    if (absl::Status folded = fold_slice(slice, effects); !folded.ok()) return folded;
    if (parked_) return absl::OkStatus();
  }
  std::uint32_t fired = 0;
  if (run.timers_fired() > 0) {
    fired = shard.fire_due({run.timers_fired(), std::min(run.told(), kToldPerRun)}, effects).all;
  }
  const std::uint64_t digest = shard.end_run();
  compare(entry, digest, fired == run.timers_fired() && tape.finished() && !tape.exhausted());
  owned_->customers.evict();
  return keep(entry.seq(), std::move(effects));
}

void Replay::compare(const spur::v1::JournalEntry& entry, std::uint64_t digest, bool tape_fits) {
  if (digest == entry.digest() && tape_fits) return;
  differs(ParkReason::kDiverged,
          absl::StrCat("run ", entry.seq(), " of epoch ", entry.epoch(), " gave digest ",
                       absl::Hex(digest), " where the journal has ", absl::Hex(entry.digest()),
                       tape_fits ? "" : "; timers or scores differ"));
}

absl::Status Replay::fold_slice(const spur::v1::Slice& slice, Effects& effects) {
  const absl::Status taken =
      slice.source() == kCatalogSource ? fold_catalogs(slice) : fold_inputs(slice, effects);
  if (absl::IsOutOfRange(taken)) {
    park(ParkReason::kTrimmed, std::string(taken.message()));
    return absl::OkStatus();
  }
  if (!taken.ok() || parked_) return taken;
  const std::vector<spur::v1::Slice> again = owned_->intake.take_slices();
  SPUR_CHECK(again.size() <= 1);
  if (again.empty() || again[0].count() != slice.count() || again[0].hash() != slice.hash() ||
      again[0].last_offset() != slice.last_offset()) {
    differs(ParkReason::kInputChanged,
            absl::StrCat("source ", slice.source(), " [", slice.first_offset(), ", ",
                         slice.last_offset(), "] is not what it was when it was folded"));
  }
  return absl::OkStatus();
}

absl::Status Replay::fold_sources(const spur::v1::JournalEntry& entry) {
  if (!owned_->stand.add(entry.sources())) {
    return absl::FailedPreconditionError(
        absl::StrCat("journal entry ", entry.seq(), " numbers its sources out of order"));
  }
  inputs_.reset();
  return absl::OkStatus();
}

absl::Status Replay::fold_inputs(const spur::v1::Slice& slice, Effects& effects) {
  SourceStand* const stand = owned_->stand.find(slice.source());
  if (stand == nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat("a run takes from source ", slice.source(), ", which no entry has named"));
  }
  return inputs().read(slice.source(), slice.first_offset(), slice.last_offset(),
                       [&](const InputRecord& record) {
                         owned_->intake.input(slice.source(), record, effects);
                         stand->next = record.offset + 1;
                         if (record.offset == slice.last_offset())
                           stand->last_hash = record_hash(record);
                         return true;
                       });
}

absl::Status Replay::fold_catalogs(const spur::v1::Slice& slice) {
  const auto records = setup_.log->poll_catalogs(slice.first_offset(), slice.count());
  if (!records.ok()) return records.status();
  for (const CatalogRecord& record : *records) {
    auto compiled = setup_.catalogs->compiled(record.catalog);
    if (!compiled.ok()) return compiled.status();
    owned_->take(record, *std::move(compiled));
  }
  return absl::OkStatus();
}

absl::Status Replay::fold_quarantine(const spur::v1::JournalEntry& entry) {
  const spur::v1::Quarantine& quarantine = entry.quarantine();
  SourceStand* const stand = owned_->stand.find(quarantine.source());
  if (stand == nullptr) {
    return absl::FailedPreconditionError(absl::StrCat(
        "an input of source ", quarantine.source(), " was quarantined, which no entry has named"));
  }
  Shard& shard = owned_->shard;
  ScoreTape tape{std::vector<std::int64_t>()};
  Effects effects;
  bool found = false;
  shard.begin_run({entry.seq(), shard.clock(), Instant::never(), ClockMode::kWall}, tape);
  const absl::Status read = inputs().read(quarantine.source(), quarantine.offset(),
                                          quarantine.offset(), [&](const InputRecord& record) {
                                            found = true;
                                            owned_->intake.quarantine(quarantine.source(), record,
                                                                      quarantine.reason(), effects);
                                            stand->next = record.offset + 1;
                                            stand->last_hash = record_hash(record);
                                            return true;
                                          });
  if (absl::IsOutOfRange(read)) {
    park(ParkReason::kTrimmed, std::string(read.message()));
    return absl::OkStatus();
  }
  if (!read.ok()) return read;
  if (!found) {
    park(ParkReason::kInputChanged,
         absl::StrCat("input ", quarantine.offset(), " was quarantined and is not there"));
    return absl::OkStatus();
  }
  compare(entry, shard.end_run(), true);
  return keep(entry.seq(), std::move(effects));
}

}  // namespace spur
