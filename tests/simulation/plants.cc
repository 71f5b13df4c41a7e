#include "tests/simulation/plants.h"

namespace spur {

#ifdef SPUR_PLANTS

namespace {
Plant sown = Plant::kNone;
}  // namespace

bool planted(Plant plant) { return plant == sown; }

namespace simulation {
namespace {

constexpr PlantName kPlants[] = {
    {Plant::kOwnerOfSameEpochCounts, "owner-of-same-epoch-counts"},
    {Plant::kEntryOfAnySeqCounts, "entry-of-any-seq-counts"},
    {Plant::kEpochIgnored, "epoch-ignored"},
    {Plant::kReleaseBeforeAck, "release-before-ack"},
    {Plant::kOffsetNotChecked, "offset-not-checked"},
    {Plant::kNoOffsetIsSuccess, "no-offset-is-success"},
    {Plant::kClaimNotReadUpTo, "claim-not-read-up-to"},
    {Plant::kFlushUnverified, "flush-unverified"},
    {Plant::kPositionApart, "position-apart"},
    {Plant::kNoOutbox, "no-outbox"},
    {Plant::kOutboxForgotten, "outbox-forgotten"},
    {Plant::kReplayedNotSent, "replayed-not-sent"},
    {Plant::kAckedThroughTooFar, "acked-through-too-far"},
    {Plant::kNoWatch, "no-watch"},
    {Plant::kNewerOwnerNotSeen, "newer-owner-not-seen"},
    {Plant::kReleaseWhenDropped, "release-when-dropped"},
    {Plant::kReleaseOutOfTurn, "release-out-of-turn"},
    {Plant::kMessageGapTaken, "message-gap-taken"},
    {Plant::kMessageRepeatTaken, "message-repeat-taken"},
    {Plant::kMessageNumbersNotStored, "message-numbers-not-stored"},
    {Plant::kMessageBeforeCatalog, "message-before-catalog"},
    {Plant::kSpurseqNotStored, "spurseq-not-stored"},
    {Plant::kParkWithoutLook, "park-without-look"},
    {Plant::kLeftRowsTaken, "left-rows-taken"},
    {Plant::kSourcesNotInPosition, "sources-not-in-position"},
    {Plant::kLastHashNotMoved, "last-hash-not-moved"},
    {Plant::kLaterRecordLetIn, "later-record-let-in"},
    {Plant::kOneStartForAll, "one-start-for-all"},
    {Plant::kTransactionalIdOfProcess, "transactional-id-of-process"},
    {Plant::kTailBeforeInit, "tail-before-init"},
    {Plant::kTailBeforeStable, "tail-before-stable"},
    {Plant::kMarkNotInTransaction, "mark-not-in-transaction"},
    {Plant::kTryingNotJournaled, "trying-not-journaled"},
    {Plant::kOwnTryingIsADeath, "own-trying-is-a-death"},
    {Plant::kSuspectByOffset, "suspect-by-offset"},
    {Plant::kQuarantineTakesNoNumber, "quarantine-takes-no-number"},
    {Plant::kTrimBehindOwnDisk, "trim-behind-own-disk"},
    {Plant::kTrimBehindNewest, "trim-behind-newest"},
    {Plant::kNoBarrier, "no-barrier"},
    {Plant::kAnotherFoldReplayed, "another-fold-replayed"},
    {Plant::kBarrierNotSeenBeforeClaim, "barrier-not-seen-before-claim"},
    {Plant::kReferenceOfOneShard, "reference-of-one-shard"},
    {Plant::kChangesNotStored, "changes-not-stored"},
};
static_assert(sizeof kPlants / sizeof kPlants[0] + 1 == static_cast<std::size_t>(Plant::kLast));

}  // namespace

std::span<const PlantName> plants() { return kPlants; }
void sow(Plant plant) { sown = plant; }

}  // namespace simulation

#else

namespace simulation {

std::span<const PlantName> plants() { return {}; }
void sow(Plant) {}

}  // namespace simulation

#endif

namespace simulation {

bool sow(std::string_view name) {
  for (const PlantName& plant : plants()) {
    if (plant.name != name) continue;
    sow(plant.plant);
    return true;
  }
  return false;
}

}  // namespace simulation
}  // namespace spur
