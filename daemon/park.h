// Park: what cannot be decided safely stops a shard, with a name (docs/protocol.md rule 17).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace spur {

// Why a shard has stopped for good (rule 17). Nothing is ever reset silently.
enum class ParkReason : std::uint8_t {
  kLostRuns =
      1,         // LOST_RUNS: the state is ahead of the journal: acknowledged entries have vanished
  kTrimmed = 2,  // TRIMMED: the journal or the inputs that replay needs are gone
  kRecreated = 3,  // RECREATED: a log is not the one that the state came from
  kFoldVersion =
      4,          // FOLD_VERSION: the journal's tail was written by other code, without a barrier
  kDiverged = 5,  // DIVERGED: replay computed something else
  kInputChanged = 6,       // INPUT_CHANGED: an input is not what it was
  kForeignDeployment = 7,  // FOREIGN_DEPLOYMENT: state of another deployment
};
std::string_view to_text(ParkReason reason);

struct Park {
  ParkReason reason = ParkReason::kLostRuns;
  std::string detail;  // for people: what was found, what was expected, what to do
};

}  // namespace spur
