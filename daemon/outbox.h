// Outbox: effects of verified runs that had not all arrived when state was written behind them.
// Kept as rows of the same batch, so that a dead destination holds up neither the position nor the
// other destinations (docs/protocol.md rule 12, H10). One row a run; it may hold more than is still
// missing, since what is sent again is dropped by its number.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "daemon/log/log.h"
#include "state/store.h"

namespace spur {

// spur.v1.UnsentRow.
std::string encode_unsent(const RunEffects& effects);
bool decode_unsent(std::string_view row, RunEffects& effects);

// Which rows a store holds.
class Outbox {
 public:
  // Reads what is there, in order of runs.
  absl::Status load(const Store& store, std::vector<UnsentRun>& rows);
  // Adds to `batch` what makes the rows those of `unsent`; counted as written from here on.
  void update(const std::vector<UnsentRun>& unsent, StoreBatch& batch);

  std::size_t size() const { return stored_.size(); }

 private:
  std::set<std::uint64_t> stored_;
};

}  // namespace spur
