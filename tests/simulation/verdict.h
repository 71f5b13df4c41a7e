// Verdict: what must hold when a simulation has come to rest. It reads journal, inputs and outputs
// from their beginning, with a reading of the rules of its own, folds all that counts without any
// fault, and compares.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "daemon/catalogs.h"
#include "daemon/live_shard.h"
#include "tests/simulation/broker.h"

namespace spur::simulation {

// How often a process has died in an input: by shard, source and offset.
using Deaths = std::map<std::tuple<std::uint32_t, std::uint32_t, Offset>, std::uint32_t>;

struct Evidence {
  const Broker& broker;
  Catalogs &catalogs, &catalogs_newer;  // as kFoldVersion folds them, and as the next version
  Breadcrumb& crumb;                    // of nobody
  const Deaths& deaths;
};

// What went wrong, for people; nullopt: nothing. `owners`: the live owner of each shard, nullptr
// for a parked one, whose tail of effects and inputs may be missing.
std::optional<std::string> judge(const Evidence& evidence, const std::vector<LiveShard*>& owners);

}  // namespace spur::simulation
