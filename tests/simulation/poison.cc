#include "tests/simulation/poison.h"

#include "absl/strings/str_cat.h"

namespace spur::simulation {

std::string poison_at(std::uint32_t shard) {
  return absl::StrCat("\"poison\":\"shard-", shard, "\"");
}
std::string brittle_at(std::uint32_t shard) {
  return absl::StrCat("\"brittle\":\"shard-", shard, "\"");
}

bool kills(std::string_view bytes, std::uint32_t shard, bool replays) {
  return bytes.find(poison_at(shard)) != std::string_view::npos ||
         (replays && bytes.find(brittle_at(shard)) != std::string_view::npos);
}

}  // namespace spur::simulation
