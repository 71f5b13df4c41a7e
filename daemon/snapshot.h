// Snapshots: copies of a shard's durable state where a process that has lost its disk, or never had
// it, can begin (docs/protocol.md rule 16). A cache of the journal too: what is missing or torn is
// passed over, and the next older one is taken.
//
//     DIR/<shard>/<epoch>/<seq>/          a checkpoint of RocksDB, behind run <seq>
//     DIR/<shard>/<epoch>/<seq>.manifest  last, once the copy was opened and its rows were summed
//
// What has no manifest is a copy that a dead process left, and goes with the next that is taken.
//
// A directory per epoch, so that an owner and one who still believes to be it never write to one
// place (H19); only who takes a snapshot deletes, and nothing of a later epoch.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "daemon/log/log.h"
#include "spur/v1/state.pb.h"
#include "state/store.h"

namespace spur {

struct RocksShared;

class Snapshots {
 public:
  static constexpr std::size_t kKept = 2;  // the newest; what others need to begin stays in the log

  virtual ~Snapshots() = default;
  // A copy of what `store` holds durably. Answers what the log may be trimmed below: where the
  // oldest of the kKept newest stands (rule 15); nullopt while there are fewer. Blocks.
  virtual absl::StatusOr<std::optional<Log::Trim>> take(std::uint32_t shard, Store& store) = 0;
  // Puts the newest whole one in the place of everything in `store`, its position last. False:
  // there is none. Blocks.
  virtual absl::StatusOr<bool> restore(std::uint32_t shard, Store& store) = 0;

  // How many were not taken for an error, since the start.
  std::uint64_t failures() const { return failures_.load(std::memory_order_relaxed); }
  void count_failure() { failures_.fetch_add(1, std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> failures_{0};
};

class FolderSnapshots final : public Snapshots {
 public:
  FolderSnapshots(std::string directory, const RocksShared& shared)
      : directory_(std::move(directory)), shared_(shared) {}
  absl::StatusOr<std::optional<Log::Trim>> take(std::uint32_t shard, Store& store) override;
  absl::StatusOr<bool> restore(std::uint32_t shard, Store& store) override;
  // The same of the newest one behind a run up to `seq_max`. False: there is none.
  absl::StatusOr<bool> restore(std::uint32_t shard, Store& store, std::uint64_t seq_max);
  // Where the whole ones stand, the newest first. Each is opened and summed for it.
  absl::StatusOr<std::vector<spur::v1::Position>> positions(std::uint32_t shard) const;

 private:
  const std::string directory_;
  const RocksShared& shared_;
};

// What a manifest says of a copy's rows: the same for the same rows, in any order.
struct RowsSum {
  std::uint64_t rows = 0, sum = 0;
  friend bool operator==(const RowsSum&, const RowsSum&) = default;
};
absl::StatusOr<RowsSum> sum_rows(const Store& store);
// Leaves nothing, the position first.
absl::Status clear_rows(Store& store);
// Replaces everything in `to` by what `from` holds; durable when it returns OK. A crash in between
// leaves a store without a position.
absl::Status copy_rows(const Store& from, Store& to);
Log::Trim trim_below(const spur::v1::Position& position);

}  // namespace spur
