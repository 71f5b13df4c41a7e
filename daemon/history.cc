#include "daemon/history.h"

#include <filesystem>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "daemon/recovery.h"
#include "daemon/replay.h"

namespace spur {
namespace {

// A folder of one question's own.
class WorkFolder {
 public:
  explicit WorkFolder(std::string path) : path_(std::move(path)) { clear(); }
  ~WorkFolder() { clear(); }
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;

  absl::Status make() {
    std::error_code error;
    std::filesystem::create_directories(path_, error);
    if (error)
      return absl::UnavailableError(absl::StrCat("cannot make ", path_, ": ", error.message()));
    return absl::OkStatus();
  }

 private:
  void clear() {
    std::error_code error;  // what stays is cleared before the next question
    std::filesystem::remove_all(path_, error);
  }
  const std::string path_;
};

class HistoryFold {
 public:
  HistoryFold(const HistorySetup& setup, const HistoryQuestion& question)
      : setup_(setup), question_(question), folder_(setup.folder) {}

  absl::Status run();

 private:
  absl::Status open();
  // The newest snapshot that is no later than the time asked about.
  absl::StatusOr<std::optional<spur::v1::Position>> snapshot();
  absl::StatusOr<Offset> begin(OwnedShard& owned);
  absl::Status end(const absl::Status& read, Replay& replay);
  HistoryView view(OwnedShard& owned, bool at_end) const {
    return {owned.shard, owned.customers, owned.catalog_bytes, at_end};
  }

  const HistorySetup& setup_;
  const HistoryQuestion& question_;
  WorkFolder folder_;
  std::unique_ptr<RocksStore> store_;
  std::unique_ptr<Breadcrumb> crumb_;
  RecoveryProgress progress_;
  ReplayAudit audit_;
  RecoverySetup recovery_;
  std::uint64_t acked_through_ = 0;
  std::uint32_t fold_version_ = kFoldVersion;
  std::string differs_;
  bool enough_ = false;
};

absl::Status HistoryFold::open() {
  if (absl::Status made = folder_.make(); !made.ok()) return made;
  auto store = RocksStore::open(setup_.folder + "/state", *setup_.rocks);
  if (!store.ok()) return store.status();
  store_ = *std::move(store);
  // Of its own: a crash in here says nothing about the input that the shard is at.
  auto crumb = Breadcrumb::open(setup_.folder + "/breadcrumb", setup_.log->shards());
  if (!crumb.ok()) return crumb.status();
  crumb_ = *std::move(crumb);
  audit_.effects = [](std::uint64_t, const RunEffects&) {};
  audit_.differs = [this](ParkReason, const std::string& detail) {
    if (differs_.empty()) differs_ = detail;
  };
  recovery_.shard.index = question_.shard;
  recovery_.shard.shards = setup_.log->shards();
  recovery_.shard.store = store_.get();
  recovery_.shard.memory_bytes_max = setup_.memory_bytes_max;
  recovery_.shard.crumb = crumb_.get();
  recovery_.log = setup_.log;
  recovery_.catalogs = setup_.catalogs;
  recovery_.cancelled = [this] {
    return enough_ || !differs_.empty() || (setup_.cancelled && setup_.cancelled());
  };
  recovery_.progress = &progress_;
  recovery_.audit = &audit_;
  return absl::OkStatus();
}

absl::StatusOr<std::optional<spur::v1::Position>> HistoryFold::snapshot() {
  if (setup_.snapshots == nullptr) return std::optional<spur::v1::Position>();
  auto all = setup_.snapshots->positions(question_.shard);
  if (!all.ok()) return all.status();
  for (spur::v1::Position& position : *all) {
    if (Instant{position.clock_ms()} <= question_.until)
      return std::optional<spur::v1::Position>(std::move(position));
  }
  return std::optional<spur::v1::Position>();
}

absl::StatusOr<Offset> HistoryFold::begin(OwnedShard& owned) {
  auto found = snapshot();
  if (!found.ok()) return found.status();
  if (!found->has_value()) {
    const auto first = setup_.log->journal_begin(question_.shard);
    if (!first.ok()) return first.status();
    if (*first > 0)
      return absl::OutOfRangeError(
          "the journal no longer has its beginning (history.inputs_max), and there is no snapshot "
          "from before that "
          "time");
    if (absl::Status loaded = owned.customers.load(); !loaded.ok()) return loaded;
    return Offset{0};
  }
  const spur::v1::Position& chosen = **found;
  const auto restored = setup_.snapshots->restore(question_.shard, *store_, chosen.seq());
  if (!restored.ok()) return restored.status();
  const auto position = read_position(*store_);
  if (!position.ok()) return position.status();
  if (!*restored || !position->has_value() || (*position)->seq() != chosen.seq())
    return absl::UnavailableError("the snapshot was taken away while it was copied; ask again");
  if (absl::Status taken = restore(**position, recovery_, owned); !taken.ok()) return taken;
  acked_through_ = chosen.acked_through();
  fold_version_ = chosen.fold_version();
  return chosen.journal_offset() + 1;
}

absl::Status HistoryFold::run() {
  if (absl::Status opened = open(); !opened.ok()) return opened;
  auto owned = std::make_unique<OwnedShard>(recovery_.shard);
  const auto from = begin(*owned);
  if (!from.ok()) return from.status();
  const auto to = setup_.log->journal_end(question_.shard);
  if (!to.ok()) return to.status();
  owned->shard.watch(question_.watcher);
  if (!question_.go_on(view(*owned, false))) return absl::OkStatus();
  Replay replay(recovery_, std::move(owned), *from, fold_version_, acked_through_);
  absl::Status spilled;
  const absl::Status read = replay.read_to(*to, [&](Offset, const spur::v1::JournalEntry&) {
    if (spilled.ok()) spilled = spill(replay.owned().customers, *store_);
    if (!spilled.ok() || !question_.go_on(view(replay.owned(), false))) enough_ = true;
  });
  if (!spilled.ok()) return spilled;
  return end(read, replay);
}

absl::Status HistoryFold::end(const absl::Status& read, Replay& replay) {
  if (!differs_.empty())
    return absl::DataLossError(absl::StrCat("the journal, folded again: ", differs_));
  if (replay.parked()) {
    if (replay.parked()->reason == ParkReason::kTrimmed)
      return absl::OutOfRangeError(replay.parked()->detail);
    if (replay.parked()->reason == ParkReason::kFoldVersion)
      return absl::FailedPreconditionError(
          absl::StrCat("the journal of that time was written by fold version ",
                       replay.barrier_from(), ", and this is version ", kFoldVersion));
    return absl::DataLossError(
        absl::StrCat("the journal, folded again: ", replay.parked()->detail));
  }
  if (!read.ok() && !enough_) return read;
  if (!enough_) question_.go_on(view(replay.owned(), true));
  return absl::OkStatus();
}

}  // namespace

absl::Status fold_history(const HistorySetup& setup, const HistoryQuestion& question) {
  const absl::Status folded = HistoryFold(setup, question).run();
  // What another version wrote is for this one as good as gone.
  if (absl::IsFailedPrecondition(folded)) return absl::OutOfRangeError(folded.message());
  return folded;
}

}  // namespace spur
