// Verdict: what must hold when a simulation has come to rest. It reads journal, inputs and outputs
// from their beginning, with a reading of the rules of its own, folds all that counts without any
// fault, and compares.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "daemon/catalogs.h"
#include "daemon/live_shard.h"
#include "tests/simulation/broker.h"

namespace spur::simulation {

// What went wrong, for people; nullopt: nothing. `owners`: the live owner of each shard, nullptr
// for a parked one, whose tail of effects and inputs may be missing.
std::optional<std::string> judge(const Broker& broker, Catalogs& catalogs, Breadcrumb& crumb,
                                 const std::vector<LiveShard*>& owners);

}  // namespace spur::simulation
