// The effects of a run as the messages that leave: spur.v1.Action, Decision, DeadLetter and
// ShardMessage, as bytes.
#pragma once

#include <cstddef>
#include <string_view>

#include "daemon/log/log.h"
#include "operators/effects.h"
#include "spur/v1/decision.pb.h"

namespace spur {

// What a dead letter keeps of its input, so that its record fits what every broker takes without
// being told otherwise; `detail` says how much there was. Counted in bytes.
inline constexpr std::size_t kDeadLetterValueMax = 900'000;
inline constexpr std::size_t kDeadLetterTextMax = 4096;  // of its key, and of what is said about it
inline constexpr std::size_t kDeadLetterHeadersMax = 16 * 1024;  // of its headers together

// Of a run of `shard`; `catalog_hash` of the catalog in force during it.
RunEffects to_records(std::uint32_t shard, const Effects& effects, const DeploymentId& deployment,
                      std::string_view catalog_hash);

// What the fold knows of it: all but the deployment and the hash of the catalog. The message may be
// another's that is filled anew.
void fill(const Decision& decision, spur::v1::Decision& out);

}  // namespace spur
