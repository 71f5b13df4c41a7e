// Node: one process of a simulation. The real Worker with its LiveShards over a SimulatedLog and
// Disks; its threads are fibers.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "daemon/live_shard.h"
#include "daemon/worker.h"
#include "tests/simulation/crumb_file.h"
#include "tests/simulation/disk.h"
#include "tests/simulation/fiber.h"
#include "tests/simulation/simulated_log.h"
#include "tests/simulation/snapshots.h"

namespace spur::simulation {

// Each task a fiber of its own.
class FiberAside final : public Aside {
 public:
  explicit FiberAside(std::deque<std::unique_ptr<Fiber>>& fibers) : fibers_(fibers) {}
  void run(std::function<void()> task) override {
    fibers_.push_back(std::make_unique<Fiber>(std::move(task)));
  }

 private:
  std::deque<std::unique_ptr<Fiber>>& fibers_;
};

// What a process has that outlives it, and what it shares with others.
struct NodeSetup {
  std::uint32_t index = 0;
  Broker& broker;
  Random& random;
  const bool& faults;
  std::vector<Disk>& disks;  // one a shard
  Catalogs& catalogs;
  const CrumbFile& crumb_file;
  std::unique_ptr<Breadcrumb> crumb;  // as it was found there
  Bucket* bucket = nullptr;           // for snapshots, or none
  Millis skew;                        // of its wall
  std::uint32_t fold_version = kFoldVersion;
};

class Node {
 public:
  explicit Node(NodeSetup setup);
  // Kills it first.
  ~Node();

  // One of its fibers goes on until it gives way.
  void step();
  // Nothing of it happens any more, and all its fibers have ended.
  void kill();

  void assign(std::uint32_t shard, bool mine);
  void advance(Millis by) { clock_.advance(by); }
  void jump_wall(Millis by) { clock_.jump_wall(by); }

  SimulatedLog& log() { return log_; }
  LiveShard& shard(std::uint32_t index) { return *shards_[index]; }
  // Why a shard has failed, which none may.
  const absl::Status& failure() const { return failure_; }
  Clock& clock() { return clock_; }
  const Breadcrumb& crumb() const { return *crumb_; }
  // It stops cleanly, and has.
  void drain() { worker_->drain(); }
  bool drained() const;
  std::uint32_t fold_version() const { return host_->fold_version; }
  // It stands in an input that kills it: kill() is all that is left to do.
  bool dying() const { return dying_; }

  bool paused = false;

 private:
  class Flushes;

  void before_input(std::uint32_t shard, const InputRecord& record);

  bool dead_ = false, dying_ = false;
  Random& random_;
  const bool& faults_;
  const CrumbFile& crumb_file_;
  std::unique_ptr<Breadcrumb> crumb_;
  ManualClock clock_;
  EngineOptions options_;
  SimulatedLog log_;
  std::deque<std::unique_ptr<Fiber>> fibers_;  // the worker's is the first
  FiberAside aside_;
  std::unique_ptr<Flushes> flushes_;
  std::unique_ptr<SimulatedSnapshots> snapshots_;
  std::unique_ptr<ShardHost> host_;
  std::unique_ptr<Worker> worker_;
  std::vector<LiveShard*> shards_;
  absl::Status failure_;
};

}  // namespace spur::simulation
