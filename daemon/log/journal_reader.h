// Which entries of a journal are history (docs/protocol.md rule 1). Everybody who reads a journal reads
// it through this, so that all agree: owners, zombies, standbys, replays.
//
//   O1 r1 r2 [r2 again: skipped] O2 [r3 of epoch 1: skipped] r3 [O2 again: skipped] O3 …
//
// Pure: it decides by epoch and sequence alone. Digests alarm, they never decide.
#pragma once

#include <cstdint>

#include "spur/v1/journal.pb.h"

namespace spur {

// Where a reader stands: the present owner's epoch and the sequence of the last entry that counted.
struct JournalStand {
  std::uint64_t epoch = 0;
  std::uint64_t seq = 0;

  friend bool operator==(const JournalStand&, const JournalStand&) = default;
};

class JournalReader {
 public:
  // From the start of a journal, or from where a Position says.
  explicit JournalReader(JournalStand stand = {}) : stand_(stand) {}

  // True: the entry counts, and the stand has moved. False: skipped, by everybody, for ever.
  bool counts(const spur::v1::JournalEntry& entry);

  const JournalStand& stand() const { return stand_; }
  std::uint64_t skipped() const { return skipped_; }

 private:
  JournalStand stand_;
  std::uint64_t skipped_ = 0;
};

}  // namespace spur
