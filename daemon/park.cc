#include "daemon/park.h"

namespace spur {

std::string_view to_text(ParkReason reason) {
  switch (reason) {
    case ParkReason::kLostRuns:
      return "LOST_RUNS";
    case ParkReason::kTrimmed:
      return "TRIMMED";
    case ParkReason::kRecreated:
      return "RECREATED";
    case ParkReason::kFoldVersion:
      return "FOLD_VERSION";
    case ParkReason::kDiverged:
      return "DIVERGED";
    case ParkReason::kInputChanged:
      return "INPUT_CHANGED";
    case ParkReason::kForeignDeployment:
      return "FOREIGN_DEPLOYMENT";
  }
  return "UNKNOWN";
}

}  // namespace spur
