// Cursor: where a reader of a topic stands, as the opaque bytes that it is given: the next spurseq
// of each shard, and of which deployment. A few bytes a shard.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "operators/shard.h"

namespace spur {

std::string encode_cursor(const DeploymentId& deployment, const std::vector<std::uint64_t>& next);
// nullopt: no cursor, or of another deployment or number of shards.
std::optional<std::vector<std::uint64_t>> decode_cursor(const DeploymentId& deployment,
                                                        std::uint32_t shards,
                                                        std::string_view bytes);

}  // namespace spur
