// Plants: one rule of the protocol taken away, so that the simulator can show that it finds the
// loss, the repeat or the dead end that the rule prevents (docs/simulation.md). Compiled in only
// with SPUR_PLANTS, for a binary of the simulator of its own; everywhere else planted() is a
// constant false and nothing of it is left.
#pragma once

#include <cstdint>

namespace spur {

enum class Plant : std::uint8_t {
  kNone,
  kOwnerOfSameEpochCounts,    // H1
  kEntryOfAnySeqCounts,       // H6
  kEpochIgnored,              // H5
  kReleaseBeforeAck,          // rule 9
  kOffsetNotChecked,          // rule 8
  kNoOffsetIsSuccess,         // rule 8
  kClaimNotReadUpTo,          // rule 2
  kFlushUnverified,           // rule 12
  kPositionApart,             // H4: rows and position in two batches
  kNoOutbox,                  // H10
  kOutboxForgotten,           // rule 6
  kReplayedNotSent,           // rule 6
  kAckedThroughTooFar,        // rule 5
  kNoWatch,                   // H7
  kNewerOwnerNotSeen,         // rule 11
  kReleaseWhenDropped,        // rule 9
  kReleaseOutOfTurn,          // rules 8 and 9: an entry behind one that is not there
  kMessageGapTaken,           // rule 13
  kMessageRepeatTaken,        // rule 13
  kMessageNumbersNotStored,   // rule 13
  kMessageBeforeCatalog,      // H23
  kSpurseqNotStored,          // rule 14
  kParkWithoutLook,           // after H9: a false alarm
  kLeftRowsTaken,             // rule 3: rows of a restore that died are folded upon
  kSourcesNotInPosition,      // H24: sources begin anew at each recovery
  kLastHashNotMoved,          // section 2: the position's hash is not of the last record
  kLaterRecordLetIn,          // H2, in the log
  kOneStartForAll,            // H3, in the log
  kTransactionalIdOfProcess,  // H9, in the log, as the next three
  kTailBeforeInit,
  kTailBeforeStable,         // what is decided and not to be seen yet is not waited for
  kMarkNotInTransaction,     // retention takes the tail, and nothing else says what has arrived
  kTryingNotJournaled,       // poison: that it has been tried is known to nobody else
  kOwnTryingIsADeath,        // poison: one's own Trying is taken for a second crash
  kSuspectByOffset,          // poison: the offset alone says which input it was
  kQuarantineTakesNoNumber,  // poison, rule 13: a quarantined message leaves its number out
  kTrimBehindOwnDisk,        // rule 15: a shared journal is trimmed behind one process's own state
  kTrimBehindNewest,         // rule 15: it is trimmed behind the newest snapshot
  kNoBarrier,                // H18
  kAnotherFoldReplayed,      // H18: another version's runs are replayed
  kBarrierNotSeenBeforeClaim,  // H18: a Barrier right before one's own Owner
  kReferenceOfOneShard,        // business data is read like events, by one shard
  kChangesNotStored,           // who is still to be told of a change is not with the state
  kLast,
};

#ifdef SPUR_PLANTS
bool planted(Plant plant);
#else
constexpr bool planted(Plant) { return false; }
#endif

}  // namespace spur
