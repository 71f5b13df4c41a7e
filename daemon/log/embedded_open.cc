// Opening the embedded log: may this folder be used, whose is it, and where does everything in it
// end.
#include <linux/magic.h>
#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/write_buffer_manager.h>
#include <sys/vfs.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "daemon/log/deployment_id.h"
#include "daemon/log/embedded_log.h"
#include "daemon/log/embedded_rows.h"
#include "spur/v1/log.pb.h"
#include "state/check.h"

namespace spur {
namespace {

constexpr std::uint32_t kShardsDefault = 4;
constexpr std::string_view kDeploymentRow = "deployment";

std::string_view view(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

rocksdb::Options options_for(const RocksShared& shared) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = shared.cache;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.format_version = 5;

  rocksdb::Options options;
  options.env = shared.env;
  options.create_if_missing = true;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  options.write_buffer_manager = shared.write_buffers;
  options.write_buffer_size = 32 << 20;
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  options.compression_per_level = {rocksdb::kNoCompression,  rocksdb::kLZ4Compression,
                                   rocksdb::kLZ4Compression, rocksdb::kLZ4Compression,
                                   rocksdb::kLZ4Compression, rocksdb::kLZ4Compression,
                                   rocksdb::kLZ4Compression};
  options.allow_concurrent_memtable_write = false;
  options.max_background_jobs = 2;
  // The WAL has it all; a stop must not take longer than a crash.
  options.avoid_flush_during_shutdown = true;
  options.max_open_files = 256;
  options.keep_log_file_num = 2;
  options.max_log_file_size = 4 << 20;
  options.info_log_level = rocksdb::WARN_LEVEL;
  return options;
}

// RocksDB's messages about itself, which would stand in the folder.
class NoInfoLog final : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char*, va_list) override {}
};

// RocksDB's LOCK is advisory: a network file system may not pass it on, and two daemons would write
// one log.
absl::Status refuse_network_folder(const std::string& path) {
  struct statfs info {};
  if (statfs(path.c_str(), &info) != 0) return absl::OkStatus();  // opening will say what is wrong
  constexpr long kCifs = 0xFF534D42, kSmb2 = 0xFE534D42;
  if (info.f_type == NFS_SUPER_MAGIC || info.f_type == SMB_SUPER_MAGIC || info.f_type == kCifs ||
      info.f_type == kSmb2) {
    return absl::FailedPreconditionError(
        absl::StrCat(path,
                     " is on a network file system, where a lock does not keep a second daemon "
                     "out; use a local disk"));
  }
  return absl::OkStatus();
}

// Estimated.
std::uint64_t stored_bytes(rocksdb::DB& db, const std::string& from, const std::string& to) {
  const rocksdb::Range range(from, to);
  rocksdb::SizeApproximationOptions sizes;
  sizes.include_memtables = true;
  std::uint64_t bytes = 0;
  db.GetApproximateSizes(sizes, db.DefaultColumnFamily(), &range, 1, &bytes);
  return bytes;
}

absl::Status check_deployment(const spur::v1::Deployment& found, std::uint32_t shards_wanted,
                              const std::string& path) {
  if (found.format() > embedded::kFormat || found.fold_version() > kFoldVersion) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the log in ", path, " was written by a newer Spur (format ", found.format(),
        ", fold version ", found.fold_version(), "; this one knows ", embedded::kFormat, " and ",
        kFoldVersion, "); start that version, or give another folder"));
  }
  if (shards_wanted != 0 && shards_wanted != found.shards()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the deployment in ", path, " has ", found.shards(), " shards and ", shards_wanted,
        " are asked for; the number is fixed for life: leave it out, or give another folder"));
  }
  if (found.id().size() != 16 || found.shards() == 0 || found.shards() > kShardsMax) {
    return absl::DataLossError(absl::StrCat("the deployment record in ", path, " is damaged"));
  }
  return absl::OkStatus();
}

}  // namespace

EmbeddedLog::EmbeddedLog(const Options& options, const RocksShared& shared, const Clock& clock,
                         std::unique_ptr<rocksdb::DB> db)
    : options_(options), shared_(shared), clock_(clock), db_(std::move(db)) {}

EmbeddedLog::~EmbeddedLog() {
  stop(/*drop=*/true);
  if (committer_.joinable()) committer_.join();
}

absl::StatusOr<std::unique_ptr<EmbeddedLog>> EmbeddedLog::open(const Options& options,
                                                               const RocksShared& shared,
                                                               const Clock& clock) {
  if (options.shards > kShardsMax) {
    return absl::InvalidArgumentError(
        absl::StrCat(options.shards, " shards are too many; at most ", kShardsMax));
  }
  if (absl::Status local = refuse_network_folder(options.path); !local.ok()) return local;
  rocksdb::DB* db = nullptr;
  const rocksdb::Status opened = rocksdb::DB::Open(options_for(shared), options.path, &db);
  if (!opened.ok()) return from_rocks(opened, absl::StrCat("opening the log in ", options.path));
  std::unique_ptr<EmbeddedLog> log(
      new EmbeddedLog(options, shared, clock, std::unique_ptr<rocksdb::DB>(db)));
  if (absl::Status status = log->load_deployment(/*to_read=*/false); !status.ok()) return status;
  if (absl::Status status = log->load_ends(); !status.ok()) return status;
  if (absl::Status status = log->load_shown(); !status.ok()) return status;
  log->committer_ = std::thread([raw = log.get()] { raw->commit_loop(); });
  log->pacer_ = std::thread([raw = log.get()] { raw->pace_loop(); });
  return log;
}

absl::StatusOr<std::unique_ptr<EmbeddedLog>> EmbeddedLog::open_to_read(const Options& options,
                                                                       const RocksShared& shared,
                                                                       const Clock& clock) {
  rocksdb::Options reading = options_for(shared);
  reading.create_if_missing = false;
  reading.info_log = std::make_shared<NoInfoLog>();
  // All files stay open, so that a daemon's compaction takes none of them away.
  reading.max_open_files = -1;
  rocksdb::DB* db = nullptr;
  const rocksdb::Status opened = rocksdb::DB::OpenForReadOnly(reading, options.path, &db);
  if (!opened.ok()) return from_rocks(opened, absl::StrCat("reading the log in ", options.path));
  std::unique_ptr<EmbeddedLog> log(
      new EmbeddedLog(options, shared, clock, std::unique_ptr<rocksdb::DB>(db)));
  if (absl::Status status = log->load_deployment(/*to_read=*/true); !status.ok()) return status;
  if (absl::Status status = log->load_ends(); !status.ok()) return status;
  return log;
}

absl::Status EmbeddedLog::load_deployment(bool to_read) {
  const std::string key = embedded::meta_key(kDeploymentRow);
  const std::string doing = absl::StrCat("reading the log in ", options_.path);
  std::string row;
  const rocksdb::Status found = db_->Get(rocksdb::ReadOptions(), key, &row);
  if (!found.ok() && !found.IsNotFound()) return from_rocks(found, doing);
  spur::v1::Deployment deployment;
  if (found.ok()) {
    if (!deployment.ParseFromString(row)) {
      return absl::DataLossError(
          absl::StrCat("the deployment record in ", options_.path, " is damaged"));
    }
    if (absl::Status fits = check_deployment(deployment, options_.shards, options_.path);
        !fits.ok())
      return fits;
  } else if (to_read) {
    return absl::NotFoundError(absl::StrCat("there is no deployment in ", options_.path));
  } else {
    const DeploymentId id = make_deployment_id();
    deployment.set_id(id.data(), id.size());
    deployment.set_shards(options_.shards == 0 ? kShardsDefault : options_.shards);
    deployment.set_created_ms(clock_.read().wall.ms);
  }
  if (!to_read &&
      (deployment.format() != embedded::kFormat || deployment.fold_version() != kFoldVersion)) {
    deployment.set_format(embedded::kFormat);
    deployment.set_fold_version(kFoldVersion);
    rocksdb::WriteOptions synced;
    synced.sync = true;
    const rocksdb::Status written = db_->Put(synced, key, deployment.SerializeAsString());
    if (!written.ok())
      return from_rocks(written, absl::StrCat("writing the log in ", options_.path));
  }
  std::copy(deployment.id().begin(), deployment.id().end(), deployment_.begin());
  shards_.resize(deployment.shards());
  journal_next_.resize(deployment.shards());
  return absl::OkStatus();
}

absl::Status EmbeddedLog::load_ends() {
  for (std::uint32_t shard = 0; shard < shards_.size(); ++shard) {
    if (absl::Status status = load_shard(shard); !status.ok()) return status;
  }
  const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(rocksdb::ReadOptions()));
  // The last one: a version may have 64 MiB.
  it->SeekForPrev(embedded::catalog_key(~0ULL));
  if (it->Valid() && it->key().starts_with(embedded::kind_prefix(embedded::RowKind::kCatalog)))
    catalog_end_ = embedded::last_number(view(it->key())) + 1;
  const std::string cursors = embedded::kind_prefix(embedded::RowKind::kCursor);
  for (it->Seek(cursors); it->Valid() && it->key().starts_with(cursors); it->Next())
    cursors_.emplace(view(it->key()));
  if (!it->status().ok())
    return from_rocks(it->status(), absl::StrCat("reading the log in ", options_.path));
  catalog_durable_ = catalog_end_;
  return load_actions();
}

absl::Status EmbeddedLog::load_shard(std::uint32_t index) {
  using embedded::RowKind;
  ShardLog& shard = shards_[index];
  const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(rocksdb::ReadOptions()));
  const std::string inputs = embedded::shard_prefix(RowKind::kInput, index);
  it->Seek(inputs);
  if (it->Valid() && it->key().starts_with(inputs)) {
    shard.input_begin = embedded::last_number(view(it->key()));
    it->SeekForPrev(embedded::input_key(index, ~0ULL));
    SPUR_CHECK(it->Valid() && it->key().starts_with(inputs));
    std::vector<InputRecord> records;
    const Offset first = embedded::last_number(view(it->key()));
    if (!embedded::parse_input_row(view(it->value()), first, records)) {
      return absl::DataLossError(
          absl::StrCat("the last input of shard ", index, " in ", options_.path, " is damaged"));
    }
    shard.input_end = shard.input_durable = first + records.size();
  }
  shard.folded = shard.input_end;
  const std::string journal = embedded::shard_prefix(RowKind::kJournal, index);
  it->Seek(journal);
  if (it->Valid() && it->key().starts_with(journal)) {
    shard.journal_begin = embedded::last_number(view(it->key()));
    it->SeekForPrev(embedded::journal_key(index, ~0ULL));
    SPUR_CHECK(it->Valid() && it->key().starts_with(journal));
    shard.journal_durable = embedded::last_number(view(it->key())) + 1;
  }
  journal_next_[index] = shard.journal_durable;
  shard.decision_bytes = stored_bytes(*db_, embedded::decision_key(index, 0),
                                      embedded::decision_key(index, ~0ULL));
  shard.dead_letter_bytes = stored_bytes(*db_, embedded::dead_letter_key(index, 0),
                                         embedded::dead_letter_key(index, ~0ULL));
  return from_rocks(it->status(), absl::StrCat("reading the log in ", options_.path));
}

// Seeks from one (topic, shard) to the next. Everything that is durable is released: its entry
// counts, since this process is the only writer.
absl::Status EmbeddedLog::load_actions() {
  const std::string prefix = embedded::kind_prefix(embedded::RowKind::kAction);
  const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(rocksdb::ReadOptions()));
  it->Seek(prefix);
  while (it->Valid() && it->key().starts_with(prefix)) {
    embedded::ActionKey key;
    SPUR_CHECK(embedded::parse_action_key(view(it->key()), key));
    const std::string topic(key.topic);
    const std::uint32_t shard = key.shard;
    TopicShard& entry = topics_[{topic, shard}];
    entry.range.first = key.first;
    const std::string behind = embedded::action_key(topic, shard, ~0ULL);
    it->SeekForPrev(behind);
    embedded::ActionKey last;
    Instant appended;
    std::uint32_t count = 0;
    if (!it->Valid() || !embedded::parse_action_key(view(it->key()), last) ||
        !embedded::peek_stretch(view(it->value()), appended, count)) {
      return absl::DataLossError(
          absl::StrCat("the last actions of topic ", topic, " in ", options_.path, " are damaged"));
    }
    entry.range.next = entry.released = last.first + count;
    entry.bytes = stored_bytes(*db_, embedded::action_prefix(topic, shard), behind);
    it->Seek(behind);
  }
  return from_rocks(it->status(), absl::StrCat("reading the log in ", options_.path));
}

}  // namespace spur
