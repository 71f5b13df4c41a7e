// Disk: what a node's stores leave behind. A batch is written whole; what was not flushed may be
// gone after a crash, last batches first (a WriteBatch enters one memtable).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "state/store.h"
#include "tests/simulation/random.h"

namespace spur::simulation {

// The rows of one shard on one node.
class Disk {
 public:
  using Rows = std::map<std::string, std::string, std::less<>>;

  void write(const StoreBatch& batch);
  void flush();
  // The process is gone: some of the unflushed batches are too.
  void crash(Random& random);
  // Everything is gone.
  void lose();
  // The newest flushes are undone: a disk that lied, or a folder restored from yesterday.
  bool tear(Random& random);

  const Rows& rows() const { return rows_; }

 private:
  Rows rows_;
  std::vector<Rows> older_;    // before each unflushed batch
  std::vector<Rows> flushed_;  // the states of some past flushes
};

// A process's view of it. Once the process is dead nothing gets through.
class SimulatedStore final : public Store {
 public:
  SimulatedStore(Disk& disk, const bool& dead) : disk_(disk), dead_(dead) {}
  absl::StatusOr<std::optional<std::string>> get(std::string_view key) const override;
  absl::Status write(const StoreBatch& batch) override;
  absl::Status scan(
      std::string_view prefix,
      const std::function<bool(std::string_view, std::string_view)>& row) const override;
  absl::Status scan_from(
      std::string_view prefix, std::string_view from,
      const std::function<bool(std::string_view, std::string_view)>& row) const override;
  absl::Status flush() override;

 private:
  Disk& disk_;
  const bool& dead_;
};

}  // namespace spur::simulation
