// Store: the seam between a shard and where its rows are kept. MemoryStore in tests and backtests, RocksStore in the
// daemon. A cache of the fold: the journal is the truth.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace spur {

// Changes that take effect together or not at all.
struct StoreBatch {
  std::vector<std::pair<std::string, std::string>> puts;
  std::vector<std::string> deletes;  // applied before the puts

  bool empty() const { return puts.empty() && deletes.empty(); }
};

class Store {
 public:
  virtual ~Store() = default;

  // The value under `key`, or nullopt. An error is the world's (I/O, corruption), never "not found". May be called
  // while another thread is in write().
  virtual absl::StatusOr<std::optional<std::string>> get(std::string_view key) const = 0;

  // Atomic. Survives a crash of the process only after flush() (there is no write-ahead log; the journal replays).
  virtual absl::Status write(const StoreBatch& batch) = 0;

  // Calls `row` for each key that begins with `prefix`, in key order, until it answers false. Sees the rows as of the
  // call.
  virtual absl::Status scan(
      std::string_view prefix,
      const std::function<bool(std::string_view key, std::string_view value)>& row) const = 0;

  // The same from key `from` on, which begins with `prefix` too.
  virtual absl::Status scan_from(
      std::string_view prefix, std::string_view from,
      const std::function<bool(std::string_view key, std::string_view value)>& row) const = 0;

  // Everything written so far is durable when this returns OK.
  virtual absl::Status flush() = 0;
};

}  // namespace spur
