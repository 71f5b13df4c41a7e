// Poison: inputs that bring down the process that folds them, as what they say of themselves.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace spur::simulation {

// A property of an event that kills whoever folds it at this shard. An event under a wrong key
// passes two of them.
std::string poison_at(std::uint32_t shard);
// The same for one that kills only who replays it: what a build does that was mended before anybody
// folded the input again.
std::string brittle_at(std::uint32_t shard);

// Whether these bytes kill who folds them at this shard, `replays` that of a process that is not
// mended.
bool kills(std::string_view bytes, std::uint32_t shard, bool replays);

}  // namespace spur::simulation
