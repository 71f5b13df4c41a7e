// Reports of an audit, for people and for programs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "daemon/audit/audit.h"

namespace spur::audit {

// Whether anything is wrong.
bool clean(const std::vector<ShardReport>& shards);

// What was read, what was found, shard by shard; the last line is the verdict.
std::string to_text(const std::vector<ShardReport>& shards);

// One JSON object: {"clean":true,"shards":[…]}; docs/audit.md has the fields.
std::string to_json(const std::vector<ShardReport>& shards);

}  // namespace spur::audit
