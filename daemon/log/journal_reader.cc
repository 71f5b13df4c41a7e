#include "daemon/log/journal_reader.h"

#include "daemon/plant.h"

namespace spur {

bool JournalReader::counts(const spur::v1::JournalEntry& entry) {
  // An Owner opens the next epoch and takes no sequence: of two claims to one epoch the first in
  // the log wins (H1).
  if (entry.has_owner() &&
      (entry.epoch() == stand_.epoch + 1 || (planted(Plant::kOwnerOfSameEpochCounts) &&
                                             stand_.epoch > 0 && entry.epoch() == stand_.epoch))) {
    stand_.epoch = entry.epoch();
    return true;
  }
  // Any other must be the very next of the present owner: a lost or repeated one must not be
  // followed (H6).
  const bool same_epoch = entry.epoch() == stand_.epoch || planted(Plant::kEpochIgnored);
  const bool next = entry.seq() == stand_.seq + 1 || planted(Plant::kEntryOfAnySeqCounts);
  if (!entry.has_owner() && same_epoch && next) {
    stand_.seq = entry.seq();
    return true;
  }
  ++skipped_;
  return false;
}

}  // namespace spur
