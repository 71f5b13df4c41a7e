#include "daemon/audit/message_check.h"

#include "absl/strings/str_cat.h"

namespace spur::audit {

void MessageCheck::message(Offset at, std::uint32_t sender, std::uint64_t number) {
  ++records_;
  const auto [it, first] = senders_.try_emplace(sender);
  Sender& from = it->second;
  if (first && !whole_) from.taken = number - 1;
  if (number == from.taken + 1)
    from.taken = number;
  else if (number <= from.taken)
    ++repeats_;
  if (number > from.highest) {
    from.highest = number;
    from.highest_at = at;
  }
}

void MessageCheck::finish(Findings& findings) const {
  for (const auto& [sender, from] : senders_) {
    if (from.highest == from.taken) continue;
    findings.add(
        Kind::kNumberHole, place_,
        absl::StrCat("shard ", sender, " sent message ", from.highest, " (offset ", from.highest_at,
                     "), and message ", from.taken + 1, " never came before it"));
  }
}

}  // namespace spur::audit
