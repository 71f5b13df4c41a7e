// Where in the journal an effect was decided, and how records name it: `ce_id` is
// <deployment>/<shard>-<run>-<input>-<ordinal>, the numbers in lower-case hex.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace spur::kafka {

// Monotone within a destination, on every replay the same. `run` is the sequence of the journal's
// entry.
struct EffectId {
  std::uint64_t run = 0;
  std::uint32_t input = 0, ordinal = 0;
  friend auto operator<=>(const EffectId&, const EffectId&) = default;
};

// What a record in an output topic says about itself.
struct RecordId {
  std::string deployment;  // as a UUID is written
  std::uint32_t shard = 0;
  EffectId id;
};

void append_record_id(std::string_view deployment, std::uint32_t shard, const EffectId& id,
                      std::string& out);
// nullopt: nothing that Spur has written.
std::optional<RecordId> parse_record_id(std::string_view text);

}  // namespace spur::kafka
