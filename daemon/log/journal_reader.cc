#include "daemon/log/journal_reader.h"

namespace spur {

bool JournalReader::counts(const spur::v1::JournalEntry& entry) {
  // An Owner opens the next epoch and takes no sequence: of two claims to one epoch the first in
  // the log wins (H1).
  if (entry.has_owner() && entry.epoch() == stand_.epoch + 1) {
    stand_.epoch = entry.epoch();
    return true;
  }
  // Any other must be the very next of the present owner: a lost or repeated one must not be
  // followed (H6).
  if (!entry.has_owner() && entry.epoch() == stand_.epoch && entry.seq() == stand_.seq + 1) {
    stand_.seq = entry.seq();
    return true;
  }
  ++skipped_;
  return false;
}

}  // namespace spur
