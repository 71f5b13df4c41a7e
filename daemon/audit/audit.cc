#include "daemon/audit/audit.h"

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "daemon/audit/message_check.h"
#include "daemon/audit/shard_outputs.h"
#include "daemon/audit/slice_check.h"
#include "daemon/catalogs.h"
#include "daemon/recovery.h"
#include "daemon/replay.h"
#include "daemon/snapshot.h"
#include "state/rocks_store.h"

namespace spur::audit {
namespace {

constexpr std::size_t kStoreCacheBytes = 64u << 20;
constexpr std::uint64_t kProgressEntries = 512;

class ShardAudit {
 public:
  ShardAudit(Evidence& evidence, std::uint32_t shard, const Options& options)
      : evidence_(evidence),
        options_(options),
        place_(absl::StrCat("shard ", shard)),
        shared_(kStoreCacheBytes, kStoreCacheBytes),
        snapshots_(options.snapshots, shared_),
        outputs_(evidence, shard, report_.findings) {
    report_.shard = shard;
  }

  absl::StatusOr<ShardReport> run();

 private:
  // Where replay begins.
  struct Base {
    Offset from = 0;
    std::uint64_t seq = 0;
    std::uint32_t fold_version = kFoldVersion;
    std::uint64_t acked_through = 0;
    std::map<std::string, std::uint64_t> numbers;  // spurseq given, by topic
  };

  absl::Status read_journal();
  absl::StatusOr<std::vector<spur::v1::Position>> fitting_snapshots();
  absl::Status open_work();
  absl::StatusOr<std::optional<Base>> find_base(const RecoverySetup& setup, OwnedShard& owned);
  absl::Status open_outputs(const Base* base);
  absl::Status replay();
  absl::Status end_replay(const absl::Status& read, Replay& replay);
  absl::StatusOr<std::uint64_t> records_between(const LogStand& stand, std::uint32_t source,
                                                Offset first, Offset last);
  absl::Status count_left(const LogStand& stand);
  absl::Status read_messages();
  void not_verified(const std::string& why);

  Evidence& evidence_;
  const Options& options_;
  const std::string place_;
  RocksShared shared_;
  FolderSnapshots snapshots_;
  std::unique_ptr<RocksStore> store_;
  std::unique_ptr<Breadcrumb> crumb_;
  Catalogs catalogs_;
  RecoveryProgress progress_;
  ShardReport report_;
  std::vector<spur::v1::Position> positions_;  // of snapshots that the journal goes on from
  ShardOutputs outputs_;
  std::unique_ptr<InputReader> reader_;  // of records_between, for as many sources
  std::size_t reader_sources_ = 0;
  absl::Status trouble_;  // of reading outputs, while the journal is being replayed
};

// Snapshots that this journal goes on from, the newest first.
absl::StatusOr<std::vector<spur::v1::Position>> ShardAudit::fitting_snapshots() {
  std::vector<spur::v1::Position> fitting;
  if (options_.snapshots.empty()) return fitting;
  const DeploymentId& mine = evidence_.log().deployment();
  auto all = snapshots_.positions(report_.shard);
  if (!all.ok()) return all.status();
  for (spur::v1::Position& position : *all) {
    if (position.deployment() == std::string(mine.begin(), mine.end()) &&
        position.journal_offset() + 1 >= report_.journal.begin &&
        position.journal_offset() < report_.journal.end)
      fitting.push_back(std::move(position));
  }
  return fitting;
}

absl::Status ShardAudit::read_journal() {
  Log& log = evidence_.log();
  const auto begin = log.journal_begin(report_.shard), end = log.journal_end(report_.shard);
  if (!begin.ok()) return begin.status();
  if (!end.ok()) return end.status();
  report_.journal = {*begin, *end, *begin == 0};
  auto fitting = fitting_snapshots();
  if (!fitting.ok()) return fitting.status();
  positions_ = *std::move(fitting);
  std::optional<JournalStand> from;
  if (report_.journal.whole) from.emplace();
  for (const spur::v1::Position& position : positions_) {
    if (position.journal_offset() + 1 == *begin)
      from = JournalStand{position.epoch(), position.seq()};
  }
  JournalCheck check(place_, log.deployment(), from, report_.findings);
  const absl::Status read =
      log.read_journal(report_.shard, *begin, *end, [&](Offset at, std::string_view bytes) {
        check.entry(at, bytes);
        return true;
      });
  if (!read.ok()) return read;
  report_.counts = check.counts();
  report_.stand = check.stand();
  report_.acked_through = check.acked_through();
  report_.sealed = check.sealed();
  return absl::OkStatus();
}

absl::Status ShardAudit::open_work() {
  const std::string folder = absl::StrCat(options_.work_folder, "/", report_.shard);
  auto store = RocksStore::open(folder, shared_);
  if (!store.ok()) return store.status();
  store_ = *std::move(store);
  auto crumb = Breadcrumb::open(folder + "-breadcrumb", evidence_.log().shards());
  if (!crumb.ok()) return crumb.status();
  crumb_ = *std::move(crumb);
  return absl::OkStatus();
}

// From the beginning; if that is gone from the oldest snapshot, or for a sample from the newest one
// before it.
absl::StatusOr<std::optional<ShardAudit::Base>> ShardAudit::find_base(const RecoverySetup& setup,
                                                                      OwnedShard& owned) {
  const spur::v1::Position* chosen = nullptr;
  for (const spur::v1::Position& position : positions_) {
    const bool before_sample = position.seq() < report_.run_first;
    if (report_.run_first > 1 && before_sample) {
      chosen = &position;
      break;
    }
    if (!report_.journal.whole) chosen = &position;
  }
  Base base;
  if (chosen == nullptr) {
    if (!report_.journal.whole) return std::optional<Base>();
    report_.base = "the beginning";
    if (absl::Status loaded = owned.customers.load(); !loaded.ok()) return loaded;
    return std::optional<Base>(std::move(base));
  }
  const auto restored = snapshots_.restore(report_.shard, *store_, chosen->seq());
  if (!restored.ok()) return restored.status();
  const auto position = read_position(*store_);
  if (!position.ok()) return position.status();
  if (!*restored || !position->has_value() || (*position)->seq() != chosen->seq())
    return absl::UnavailableError("the snapshot was taken away while it was copied; run it again");
  if (absl::Status taken = restore(**position, setup, owned); !taken.ok()) return taken;
  report_.base = absl::StrCat("the snapshot behind run ", chosen->seq());
  base.from = chosen->journal_offset() + 1;
  base.seq = chosen->seq();
  base.fold_version = chosen->fold_version();
  base.acked_through = chosen->acked_through();
  for (const spur::v1::TopicSequence& topic : chosen->spurseq())
    base.numbers[topic.topic()] = topic.last();
  return std::optional<Base>(std::move(base));
}

// `base` nullptr: nothing is replayed.
absl::Status ShardAudit::open_outputs(const Base* base) {
  ShardOutputs::Compared compared;
  compared.run_first = report_.run_first;
  compared.run_last = report_.stand.seq;
  compared.acked_through = report_.acked_through;
  compared.settled = options_.settled;
  if (base != nullptr && base->seq + 1 == report_.run_first) compared.numbers = base->numbers;
  return outputs_.open(compared);
}

void ShardAudit::not_verified(const std::string& why) {
  report_.not_verified = why;
  if (options_.whole) report_.findings.add(Kind::kNotVerified, place_, why);
}

absl::Status ShardAudit::replay() {
  ReplayAudit audit;
  audit.effects = [&](std::uint64_t seq, const RunEffects& effects) {
    if (seq >= report_.run_first && trouble_.ok()) trouble_ = outputs_.expect(effects);
  };
  audit.differs = [&](ParkReason reason, const std::string& detail) {
    report_.findings.add(
        reason == ParkReason::kInputChanged ? Kind::kInputChanged : Kind::kDiverged, place_,
        detail);
  };
  RecoverySetup setup;
  setup.shard.index = report_.shard;
  setup.shard.shards = evidence_.log().shards();
  setup.shard.store = store_.get();
  setup.shard.memory_bytes_max = options_.memory_bytes_max;
  setup.shard.crumb = crumb_.get();
  setup.shard.before_input = [&](std::uint32_t, const InputRecord&) { ++report_.inputs; };
  setup.log = &evidence_.log();
  setup.catalogs = &catalogs_;
  setup.cancelled = [&] { return !trouble_.ok(); };
  setup.progress = &progress_;
  setup.audit = &audit;

  auto owned = std::make_unique<OwnedShard>(setup.shard);
  const auto base = find_base(setup, *owned);
  if (!base.ok()) return base.status();
  if (!base->has_value()) {
    not_verified(absl::StrCat("the journal begins at offset ", report_.journal.begin, " and ",
                              options_.snapshots.empty()
                                  ? "no snapshots are given (--snapshots DIR)"
                                  : "no whole snapshot that it goes on from is there",
                              ": nothing was replayed, the topics were looked at by themselves"));
    if (absl::Status opened = open_outputs(nullptr); !opened.ok()) return opened;
    return outputs_.drain();
  }
  report_.run_first = std::max(report_.run_first, (*base)->seq + 1);
  if (absl::Status opened = open_outputs(&**base); !opened.ok()) return opened;
  Replay replay(setup, std::move(owned), (*base)->from, (*base)->fold_version,
                (*base)->acked_through);
  SliceCheck slices(
      place_,
      [&](std::uint32_t source, Offset first, Offset last) {
        return records_between(replay.owned().stand, source, first, last);
      },
      report_.findings);
  for (const SourceStand& at : replay.owned().stand.sources)
    slices.begin(at.source.source, at.next);
  std::uint64_t entries = 0;
  const absl::Status read =
      replay.read_to(report_.journal.end, [&](Offset at, const spur::v1::JournalEntry& entry) {
        if (trouble_.ok()) trouble_ = slices.entry(entry);
        if (trouble_.ok()) trouble_ = spill(replay.owned().customers, *store_);
        if (++entries % kProgressEntries == 0 && options_.progress)
          options_.progress(report_.shard, at - report_.journal.begin,
                            report_.journal.end - report_.journal.begin);
      });
  if (!trouble_.ok()) return trouble_;
  if (absl::Status counted = count_left(replay.owned().stand); !counted.ok()) return counted;
  return end_replay(read, replay);
}

absl::Status ShardAudit::end_replay(const absl::Status& read, Replay& replay) {
  const JournalStand reached = replay.owned().stand.journal;
  report_.run_last = reached.seq;
  std::string stopped;
  if (replay.parked()) {
    stopped =
        absl::StrCat(std::string(to_text(replay.parked()->reason)), ": ", replay.parked()->detail);
  } else if (!read.ok() && !absl::IsUnavailable(read) && !absl::IsCancelled(read)) {
    stopped = std::string(read.message());
  } else if (!read.ok()) {
    return read;
  }
  if (stopped.empty() && reached != report_.stand)
    stopped = absl::StrCat("it stands in epoch ", reached.epoch, " where the journal ends in ",
                           report_.stand.epoch);
  if (stopped.empty()) return outputs_.finish();
  const bool gone =
      replay.parked() ? replay.parked()->reason == ParkReason::kTrimmed : absl::IsOutOfRange(read);
  const std::string why = absl::StrCat("replay ends behind entry ", reached.seq, " of ",
                                       report_.stand.seq, ": ", stopped);
  if (gone)
    not_verified(why);
  else
    report_.findings.add(Kind::kReplayStopped, place_, why);
  report_.not_verified = why;
  return outputs_.drain();
}

// Catalog versions have the offsets of other records between them.
absl::StatusOr<std::uint64_t> ShardAudit::records_between(const LogStand& stand,
                                                          std::uint32_t source, Offset first,
                                                          Offset last) {
  Log& log = evidence_.log();
  if (source == kCatalogSource) {
    const auto records = log.poll_catalogs(first, 1);
    if (!records.ok()) return records.status();
    return !records->empty() && records->front().offset <= last ? 1 : 0;
  }
  std::uint64_t found = 0;
  if (reader_ == nullptr || reader_sources_ != stand.sources.size()) {
    reader_ = log.open_reader(report_.shard, stand.topics());
    reader_sources_ = stand.sources.size();
  }
  const absl::Status read = reader_->read(source, first, last, [&](const InputRecord&) {
    ++found;
    return true;
  });
  if (absl::IsOutOfRange(read)) return absl::NotFoundError("no longer kept");
  if (!read.ok()) return read;
  return found;
}

absl::Status ShardAudit::count_left(const LogStand& stand) {
  for (const SourceStand& at : stand.sources) {
    if (at.source.source == kCatalogSource) continue;
    const absl::StatusOr<Offset> end = evidence_.log().input_end(report_.shard, at.source);
    if (absl::IsNotFound(end.status())) continue;  // the topic is gone, and nothing waits in it
    if (!end.ok()) return end.status();
    if (*end > at.next) report_.inputs_left += *end - at.next;
  }
  return absl::OkStatus();
}

absl::Status ShardAudit::read_messages() {
  const auto kept = evidence_.kept_messages(report_.shard);
  if (!kept.ok()) return kept.status();
  MessageCheck check(absl::StrCat("messages[", report_.shard, "]"), kept->whole);
  const absl::Status read = evidence_.read_messages(
      report_.shard, *kept, [&](Offset at, std::uint32_t sender, std::uint64_t number) {
        check.message(at, sender, number);
      });
  if (!read.ok()) return read;
  report_.messages = check.records();
  report_.messages_repeated = check.repeats();
  check.finish(report_.findings);
  return absl::OkStatus();
}

absl::StatusOr<ShardReport> ShardAudit::run() {
  if (absl::Status asked = outputs_.ask_ends(/*before=*/true); !asked.ok()) return asked;
  if (absl::Status read = read_journal(); !read.ok()) return read;
  if (absl::Status asked = outputs_.ask_ends(/*before=*/false); !asked.ok()) return asked;
  report_.run_first = std::max<std::uint64_t>(options_.run_first, 1);
  if (options_.runs_last != 0 && report_.stand.seq > options_.runs_last)
    report_.run_first = std::max(report_.run_first, report_.stand.seq - options_.runs_last + 1);
  if (absl::Status opened = open_work(); !opened.ok()) return opened;
  if (absl::Status replayed = replay(); !replayed.ok()) return replayed;
  if (absl::Status read = read_messages(); !read.ok()) return read;
  report_.outputs = outputs_.counts();
  return std::move(report_);
}

}  // namespace

absl::StatusOr<ShardReport> audit_shard(Evidence& evidence, std::uint32_t shard,
                                        const Options& options) {
  return ShardAudit(evidence, shard, options).run();
}

}  // namespace spur::audit
