// Plants: one rule of the protocol taken away, so that the simulator can show that it finds the
// loss, the repeat or the dead end that the rule prevents (docs/simulation.md). Compiled in only
// with SPUR_PLANTS, for a binary of the simulator of its own; everywhere else planted() is a
// constant false and nothing of it is left.
#pragma once

#include <cstdint>

namespace spur {

enum class Plant : std::uint8_t {
  kNone,
  kOwnerOfSameEpochCounts,   // H1
  kEntryOfAnySeqCounts,      // H6
  kEpochIgnored,             // H5
  kReleaseBeforeAck,         // rule 9
  kOffsetNotChecked,         // rule 8
  kNoOffsetIsSuccess,        // rule 8
  kClaimNotReadUpTo,         // rule 2
  kFlushUnverified,          // rule 12
  kPositionApart,            // H4: rows and position in two batches
  kNoOutbox,                 // H10
  kOutboxForgotten,          // rule 6
  kReplayedNotSent,          // rule 6
  kAckedThroughTooFar,       // rule 5
  kNoWatch,                  // H7
  kNewerOwnerNotSeen,        // rule 11
  kReleaseWhenDropped,       // rule 9
  kMessageGapTaken,          // rule 13
  kMessageRepeatTaken,       // rule 13
  kMessageNumbersNotStored,  // rule 13
  kMessageBeforeCatalog,     // H23
  kSpurseqNotStored,         // rule 14
  kParkWithoutLook,          // after H9: a false alarm
  kSourcesNotInPosition,     // H24: sources begin anew at each recovery
  kLastHashNotMoved,         // section 2: the position's hash is not of the last record
  kLaterRecordLetIn,         // H2, in the log
  kOneStartForAll,           // H3, in the log
  kTransactionalIdOfProcess,  // H9, in the log, as the next three
  kTailBeforeInit,
  kTailBeforeStable,          // what is decided and not to be seen yet is not waited for
  kMarkNotInTransaction,      // retention takes the tail, and nothing else says what has arrived
  kLast,
};

#ifdef SPUR_PLANTS
bool planted(Plant plant);
#else
constexpr bool planted(Plant) { return false; }
#endif

}  // namespace spur
