// The effects of a run as the messages that leave: spur.v1.Action, Decision and DeadLetter, as
// bytes.
#pragma once

#include <string_view>

#include "daemon/log/log.h"
#include "operators/effects.h"

namespace spur {

// `catalog_hash` of the catalog in force during the run.
RunEffects to_records(const Effects& effects, const DeploymentId& deployment,
                      std::string_view catalog_hash);

}  // namespace spur
