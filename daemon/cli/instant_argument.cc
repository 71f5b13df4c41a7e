#include "daemon/cli/instant_argument.h"

#include "daemon/inputs/timestamp.h"

namespace spur::cli {

std::optional<Instant> parse_instant(std::string_view text) {
  if (text.size() == 10) return parse_timestamp(std::string(text) + "T00:00:00Z");
  return parse_timestamp(text);
}

std::string instant_hint(std::string_view text) {
  return "`" + std::string(text) + "` is no instant; write 2026-03-01T08:00:00Z, or 2026-03-01 for its midnight in UTC";
}

}  // namespace spur::cli
