// Outbox: effects of verified runs that had not all arrived when state was written behind them.
// Kept as rows of the same batch, so that a dead destination holds up neither the position nor the
// other destinations (docs/protocol.md rule 12, H10). One row a run; it may hold more than is still
// missing, since what is sent again is dropped by its number.
//
// What a destination that stays away gathers is in no memory: once its rows are durable the log
// lets go of the effects (Log::stored) and wants them back when it goes on (Log::wanted).
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "daemon/log/log.h"
#include "state/store.h"

namespace spur {

// spur.v1.UnsentRow.
std::string encode_unsent(const RunEffects& effects);
bool decode_unsent(std::string_view row, RunEffects& effects);

// What a recovery hands to the log, in order of runs: the first in memory, and once those are
// kBytesMax where the others are rows of the outbox.
struct Unsent {
  static constexpr std::size_t kBytesMax = 8u << 20;  // of one shard

  std::vector<UnsentRun> runs;
  std::vector<Spilled> spilled;  // an outlet each
  std::size_t bytes = 0;

  bool full() const { return bytes > kBytesMax || !spilled.empty(); }
  void add(std::uint64_t seq, RunEffects effects);
  // They are a row.
  void spill(std::uint64_t seq, const RunEffects& effects);
};

// Which rows a store holds.
class Outbox {
 public:
  // Reads what is there up to run `seq_last`, in order of runs. Later ones were written ahead of
  // the position, by a replay that comes to them again.
  absl::Status load(const Store& store, std::uint64_t seq_last, Unsent& unsent);
  // Adds to `batch` what makes the rows those of `unsent` and, of those that are there, of the runs
  // of `spilled`; counted as written from here on.
  void update(const std::vector<UnsentRun>& unsent, const std::vector<RunRange>& spilled,
              StoreBatch& batch);
  // One row at once, for a replay that has no room for it.
  absl::Status write(Store& store, std::uint64_t seq, const RunEffects& effects);
  // The rows of `runs`, at least one if there is any, up to `bytes_max`; `through` is how far that
  // is. DATA_LOSS: one is damaged or gone.
  absl::StatusOr<std::vector<UnsentRun>> read(const Store& store, const RunRange& runs,
                                              std::size_t bytes_max, std::uint64_t& through) const;

  std::size_t size() const { return rows_.size(); }
  std::uint64_t bytes() const { return bytes_; }

 private:
  struct Row {
    std::uint64_t seq = 0;
    std::uint32_t bytes = 0;
  };
  bool holds(std::uint64_t seq) const;
  void insert(std::uint64_t seq, std::size_t bytes);

  std::deque<Row> rows_;  // ascending
  std::uint64_t bytes_ = 0;
};

}  // namespace spur
