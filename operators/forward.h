// Forward: an event that came to the wrong shard goes on to its own, exactly once (docs/protocol.md rule
// 13).
//
// Each pair of shards counts its messages densely, as part of the fold, so that replay gives them
// the same numbers and the receiver can tell a repeat from a gap. Nothing here waits for the other
// side.
#pragma once

#include "operators/turn.h"

namespace spur {

// The next message from this shard to `to`.
void forward(ShardState& state, std::uint32_t to, std::string_view customer, const Origin& origin,
             Effects& effects);

Arrival arrive(ShardState& state, std::uint32_t sender, std::uint64_t seq);

}  // namespace spur
