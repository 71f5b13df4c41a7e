#include "daemon/audit/findings.h"

#include <numeric>
#include <utility>

namespace spur::audit {

std::string_view to_text(Kind kind) {
  constexpr std::array<std::string_view, kKinds> kNames = {
      "JOURNAL_DAMAGED", "JOURNAL_HOLE",       "JOURNAL_FORK", "FOREIGN_OWNER",   "DIVERGED",
      "INPUT_CHANGED",   "REPLAY_STOPPED",     "MISSING",      "CONTENT_DIFFERS", "NUMBER_DIFFERS",
      "UNDECIDED",       "RUN_DOES_NOT_COUNT", "FOREIGN",      "NUMBER_HOLE",     "OUT_OF_ORDER",
      "TOPIC_MISSING",   "NOT_VERIFIED",       "INPUT_TWICE",  "INPUT_SKIPPED",   "REPEATED"};
  return kNames[static_cast<std::size_t>(kind)];
}

void Findings::add(Kind kind, std::string place, std::string detail) {
  const auto index = static_cast<std::size_t>(kind);
  if (++counts_[index] > kSamplesMax) return;
  samples_.push_back({kind, std::move(place), std::move(detail)});
}

std::uint64_t Findings::total() const {
  return std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0});
}

}  // namespace spur::audit
