// Read-back: what of a journal's end is ours (docs/protocol.md rules 8 and 11). Asked when an
// acknowledgement is not the one expected, or none comes, and when an owner has been silent for a
// while.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "daemon/log/journal_reader.h"
#include "daemon/log/log.h"

namespace spur {

struct ReadBack {
  std::vector<std::pair<std::uint64_t, Offset>> ours;  // sequences that count, with their offsets
  bool fenced = false;                                 // a newer Owner counts
  bool shorter = false;                                // the journal ends before `from`
  Offset next = 0;                                     // everything below has been judged
};

// Reads [from, end of the journal) by rule 1, standing at `stand`, whose epoch is the caller's own.
// Blocks for a round trip.
absl::StatusOr<ReadBack> read_back(Log& log, std::uint32_t shard, JournalStand stand, Offset from);

}  // namespace spur
