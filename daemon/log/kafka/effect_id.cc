#include "daemon/log/kafka/effect_id.h"

#include <charconv>

namespace spur::kafka {

void append_record_id(std::string_view deployment, std::uint32_t shard, const EffectId& id,
                      std::string& out) {
  constexpr std::size_t kDigitsMax = 16;
  out += deployment;
  char separator = '/';
  for (const std::uint64_t part :
       {std::uint64_t{shard}, id.run, std::uint64_t{id.input}, std::uint64_t{id.ordinal}}) {
    char digits[kDigitsMax];
    const auto [end, error] = std::to_chars(digits, digits + kDigitsMax, part, 16);
    out += separator;
    out.append(digits, end);
    separator = '-';
  }
}

std::optional<RecordId> parse_record_id(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  RecordId found;
  found.deployment = std::string(text.substr(0, slash));
  const char* at = text.data() + slash + 1;
  const char* const end = text.data() + text.size();
  std::uint64_t parts[4] = {};
  for (int i = 0; i < 4; ++i) {
    const auto [next, error] = std::from_chars(at, end, parts[i], 16);
    if (error != std::errc() || (i < 3 && (next == end || *next != '-'))) return std::nullopt;
    at = i < 3 ? next + 1 : next;
  }
  if (at != end || parts[0] > UINT32_MAX || parts[2] > UINT32_MAX || parts[3] > UINT32_MAX)
    return std::nullopt;
  found.shard = static_cast<std::uint32_t>(parts[0]);
  found.id = {parts[1], static_cast<std::uint32_t>(parts[2]), static_cast<std::uint32_t>(parts[3])};
  return found;
}

}  // namespace spur::kafka
