// SimulatedSnapshots: a bucket that all processes share and that outlives them. A copy is taken in
// two steps, so that a crash leaves one that does not count.
#pragma once

#include <map>
#include <vector>

#include "daemon/snapshot.h"
#include "state/memory_store.h"
#include "tests/simulation/random.h"

namespace spur::simulation {

class Bucket {
 public:
  struct Copy {
    spur::v1::Position position;
    StoreBatch rows;
    bool whole = false;
  };
  std::map<std::uint32_t, std::vector<Copy>> shards;  // the newest first

  // The newest copy of a shard is torn, if the one before it is not: that the log is kept from
  // there on covers one loss at a time.
  bool tear(std::uint32_t shard);
  // All of them are.
  void lose(std::uint32_t shard);
};

// A process's view of it.
class SimulatedSnapshots final : public Snapshots {
 public:
  SimulatedSnapshots(Bucket& bucket, const bool& dead) : bucket_(bucket), dead_(dead) {}
  absl::StatusOr<std::optional<Log::Trim>> take(std::uint32_t shard, Store& store) override;
  absl::StatusOr<bool> restore(std::uint32_t shard, Store& store) override;

 private:
  bool drop_older(std::vector<Bucket::Copy>& copies, std::uint64_t epoch);

  Bucket& bucket_;
  const bool& dead_;
};

}  // namespace spur::simulation
