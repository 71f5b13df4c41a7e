#include "state/rocks_store.h"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/checkpoint.h>
#include <rocksdb/write_buffer_manager.h>

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "spur/v1/state.pb.h"
#include "state/codec/keys.h"

namespace spur {
namespace {

rocksdb::Slice slice(std::string_view text) { return {text.data(), text.size()}; }
std::string_view view(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }
absl::string_view absl_view(std::string_view text) { return {text.data(), text.size()}; }

rocksdb::Options options_for(const RocksShared& shared) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = shared.cache;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.cache_index_and_filter_blocks = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  table.format_version = 5;
  table.data_block_index_type = rocksdb::BlockBasedTableOptions::kDataBlockBinaryAndHash;

  rocksdb::Options options;
  options.env = shared.env;
  options.create_if_missing = true;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  options.write_buffer_manager = shared.write_buffers;
  options.write_buffer_size = 64 << 20;
  options.compression_per_level = {rocksdb::kNoCompression,  rocksdb::kNoCompression,
                                   rocksdb::kLZ4Compression, rocksdb::kLZ4Compression,
                                   rocksdb::kLZ4Compression, rocksdb::kLZ4Compression,
                                   rocksdb::kLZ4Compression};
  options.allow_concurrent_memtable_write = false;  // one writer: the flusher
  options.max_background_jobs = 2;
  // Misses are common (new customers), so the bloom filter of the last level earns its memory.
  options.optimize_filters_for_hits = false;
  // A process that dies does not flush; one that leaves without flush() must not look better than
  // that.
  options.avoid_flush_during_shutdown = true;
  options.max_open_files = 256;
  options.keep_log_file_num = 2;
  options.max_log_file_size = 4 << 20;
  options.info_log_level = rocksdb::WARN_LEVEL;
  return options;
}

rocksdb::WriteOptions without_wal() {
  rocksdb::WriteOptions options;
  options.disableWAL = true;
  return options;
}

absl::Status check_format(const RocksStore& store, const std::string& path) {
  const auto row = store.get(position_key());
  if (!row.ok()) return row.status();
  if (!row->has_value()) return absl::OkStatus();
  spur::v1::Position position;
  if (!position.ParseFromString(**row)) {
    return absl::DataLossError(absl::StrCat("the position stored in ", path, " cannot be read"));
  }
  if (position.format() > kRowFormat) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the state in ", path, " was written by a newer Spur (row format ", position.format(),
        ", this one knows ", kRowFormat, "); start that version, or give another folder"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status from_rocks(const rocksdb::Status& status, std::string_view doing) {
  if (status.ok()) return absl::OkStatus();
  const std::string what = absl::StrCat(absl_view(doing), ": ", status.ToString());
  if (status.IsNoSpace() || absl::StrContains(what, "No space left")) {
    return absl::ResourceExhaustedError(
        absl::StrCat(what, "; the disk is full: make room and start again"));
  }
  if (absl::StrContains(what, "lock hold by current process") || absl::StrContains(what, "/LOCK")) {
    if (absl::StrContains(what, "Permission denied") ||
        absl::StrContains(what, "Read-only file system")) {
      return absl::PermissionDeniedError(
          absl::StrCat(what, "; the folder must be writable by this user"));
    }
    return absl::FailedPreconditionError(
        absl::StrCat(absl_view(doing),
                     ": the folder is in use by another daemon; stop it, or give another folder"));
  }
  if (absl::StrContains(what, "Permission denied") ||
      absl::StrContains(what, "Read-only file system")) {
    return absl::PermissionDeniedError(
        absl::StrCat(what, "; the folder must be writable by this user"));
  }
  if (status.IsCorruption()) return absl::DataLossError(what);
  if (status.IsNotFound()) return absl::NotFoundError(what);
  if (status.IsInvalidArgument()) return absl::InvalidArgumentError(what);
  return absl::UnavailableError(what);
}

RocksShared::RocksShared(std::size_t block_cache_bytes, std::size_t write_buffer_bytes,
                         rocksdb::Env* env_or_null)
    : cache(rocksdb::NewLRUCache(block_cache_bytes)),
      write_buffers(std::make_shared<rocksdb::WriteBufferManager>(write_buffer_bytes, cache,
                                                                  /*allow_stall=*/false)),
      env(env_or_null == nullptr ? rocksdb::Env::Default() : env_or_null) {
  // Compactions may not keep an event waiting for a core. Flushes keep their priority: the log waits for them
  // when both of its memtables are full. An Env that cannot do it says so, and nothing but speed is lost.
  env->LowerThreadPoolCPUPriority(rocksdb::Env::Priority::LOW, rocksdb::CpuPriority::kLow)
      .PermitUncheckedError();
}

RocksStore::RocksStore(std::string path, std::unique_ptr<rocksdb::DB> db)
    : path_(std::move(path)), db_(std::move(db)) {}
RocksStore::~RocksStore() = default;

absl::StatusOr<std::unique_ptr<RocksStore>> RocksStore::open(const std::string& path,
                                                             const RocksShared& shared) {
  rocksdb::DB* db = nullptr;
  const rocksdb::Status opened = rocksdb::DB::Open(options_for(shared), path, &db);
  if (!opened.ok()) return from_rocks(opened, absl::StrCat("opening the state in ", path));
  std::unique_ptr<RocksStore> store(new RocksStore(path, std::unique_ptr<rocksdb::DB>(db)));
  if (absl::Status format = check_format(*store, path); !format.ok()) return format;
  return store;
}

absl::StatusOr<std::unique_ptr<RocksStore>> RocksStore::open_to_read(const std::string& path,
                                                                     const RocksShared& shared) {
  rocksdb::DB* db = nullptr;
  const rocksdb::Status opened = rocksdb::DB::OpenForReadOnly(options_for(shared), path, &db);
  if (!opened.ok()) return from_rocks(opened, absl::StrCat("reading the state in ", path));
  std::unique_ptr<RocksStore> store(new RocksStore(path, std::unique_ptr<rocksdb::DB>(db)));
  if (absl::Status format = check_format(*store, path); !format.ok()) return format;
  return store;
}

absl::Status RocksStore::checkpoint(const std::string& path) const {
  rocksdb::Checkpoint* made = nullptr;
  rocksdb::Status status = rocksdb::Checkpoint::Create(db_.get(), &made);
  const std::unique_ptr<rocksdb::Checkpoint> checkpoint(made);
  if (status.ok()) status = checkpoint->CreateCheckpoint(path);
  return from_rocks(status, absl::StrCat("copying the state in ", path_));
}

absl::StatusOr<std::optional<std::string>> RocksStore::get(std::string_view key) const {
  std::string value;
  const rocksdb::Status status = db_->Get(rocksdb::ReadOptions(), slice(key), &value);
  if (status.IsNotFound()) return std::optional<std::string>();
  if (!status.ok()) return from_rocks(status, absl::StrCat("reading the state in ", path_));
  return std::optional<std::string>(std::move(value));
}

absl::Status RocksStore::write(const StoreBatch& batch) {
  rocksdb::WriteBatch rows;
  for (const std::string& key : batch.deletes) rows.Delete(key);
  for (const auto& [key, value] : batch.puts) rows.Put(key, value);
  return from_rocks(db_->Write(without_wal(), &rows), absl::StrCat("writing the state in ", path_));
}

absl::Status RocksStore::scan(
    std::string_view prefix,
    const std::function<bool(std::string_view, std::string_view)>& row) const {
  return scan_from(prefix, prefix, row);
}

absl::Status RocksStore::scan_from(
    std::string_view prefix, std::string_view from,
    const std::function<bool(std::string_view, std::string_view)>& row) const {
  rocksdb::ReadOptions options;
  options.total_order_seek = true;
  const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(options));
  for (it->Seek(slice(from)); it->Valid() && it->key().starts_with(slice(prefix)); it->Next()) {
    if (!row(view(it->key()), view(it->value()))) break;
  }
  return from_rocks(it->status(), absl::StrCat("scanning the state in ", path_));
}

absl::Status RocksStore::flush() {
  rocksdb::FlushOptions options;
  options.wait = true;
  options.allow_write_stall = true;
  return from_rocks(db_->Flush(options), absl::StrCat("flushing the state in ", path_));
}

std::uint64_t RocksStore::disk_bytes() const {
  std::uint64_t bytes = 0;
  db_->GetIntProperty(rocksdb::DB::Properties::kTotalSstFilesSize, &bytes);
  return bytes;
}

}  // namespace spur
