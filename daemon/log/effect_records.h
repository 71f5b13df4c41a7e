// The effects of a run as the messages that leave: spur.v1.Action, Decision, DeadLetter and
// ShardMessage, as bytes.
#pragma once

#include <string_view>

#include "daemon/log/log.h"
#include "operators/effects.h"

namespace spur {

// Of a run of `shard`; `catalog_hash` of the catalog in force during it.
RunEffects to_records(std::uint32_t shard, const Effects& effects, const DeploymentId& deployment,
                      std::string_view catalog_hash);

}  // namespace spur
