// RocksStore: a shard's rows in a RocksDB of its own (docs/architecture.md: one DB per shard, one column
// family, WAL off).
//
// A cache of the fold. Without a write-ahead log, what was written since the last flush() is gone
// after a crash; since a WriteBatch enters one memtable whole, what is left is always some earlier
// batch in full, never part of one (docs/protocol.md rule 12). Closing does not flush either: a clean
// stop calls flush(), anything else is a crash.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "state/store.h"

namespace rocksdb {
class Cache;
class DB;
class Env;
class Status;
class WriteBufferManager;
}  // namespace rocksdb

namespace spur {

// Of the rows below KeyKind. A store that says a higher one is refused: it was written by a newer
// Spur. 2: what an instance keeps of an event is its brief form (codec/event_codec.h); both are read.
inline constexpr std::uint32_t kRowFormat = 2;

// What all RocksDBs of a process share, so that their memory has one bound. Outlives them.
struct RocksShared {
  RocksShared(std::size_t block_cache_bytes, std::size_t write_buffer_bytes,
              rocksdb::Env* env = nullptr);

  std::shared_ptr<rocksdb::Cache> cache;  // write buffers are charged to it
  std::shared_ptr<rocksdb::WriteBufferManager> write_buffers;
  rocksdb::Env* env;  // never nullptr
};

class RocksStore final : public Store {
 public:
  // Opens or makes the store in `path`. FAILED_PRECONDITION: in use by another daemon, or of a
  // newer format. PERMISSION_DENIED, RESOURCE_EXHAUSTED (disk full), DATA_LOSS (damaged) and
  // UNAVAILABLE (I/O) as they are.
  static absl::StatusOr<std::unique_ptr<RocksStore>> open(const std::string& path,
                                                          const RocksShared& shared);
  ~RocksStore() override;

  absl::StatusOr<std::optional<std::string>> get(std::string_view key) const override;
  absl::Status write(const StoreBatch& batch) override;
  absl::Status scan(
      std::string_view prefix,
      const std::function<bool(std::string_view, std::string_view)>& row) const override;
  absl::Status scan_from(
      std::string_view prefix, std::string_view from,
      const std::function<bool(std::string_view, std::string_view)>& row) const override;
  absl::Status flush() override;

  // The same, for reading only and without a lock: others may read it too.
  static absl::StatusOr<std::unique_ptr<RocksStore>> open_to_read(const std::string& path,
                                                                  const RocksShared& shared);
  // A copy of what was flushed in a new folder `path`, by hard links where it can be.
  absl::Status checkpoint(const std::string& path) const;

  // On disk, estimated.
  std::uint64_t disk_bytes() const;

 private:
  RocksStore(std::string path, std::unique_ptr<rocksdb::DB> db);

  std::string path_;
  std::unique_ptr<rocksdb::DB> db_;
};

// RocksDB's word in ours. `doing` names the act and the folder: "opening the state in …".
absl::Status from_rocks(const rocksdb::Status& status, std::string_view doing);

}  // namespace spur
