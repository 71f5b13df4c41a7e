// Recovery: from what is stored to a shard that is live (docs/protocol.md rules 2 to 6). The only way a
// shard ever starts, after a clean stop, a crash, a move, or a doubt that dropped its memory.
//
//     position of the store ─replay, comparing─▶ end of the journal ─claim─▶ our Owner
//        ─▶ effects that may not have arrived are handed to the log again ─▶ live
//
// Replay makes the calls that were made live, with the journaled clock, order and scores, and
// compares digest and input hashes entry by entry. What cannot be decided safely parks (rule 17).
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "daemon/catalogs.h"
#include "daemon/flush.h"
#include "daemon/outbox.h"
#include "daemon/owned_shard.h"
#include "daemon/park.h"

namespace spur {

// Shared with whoever watches.
struct RecoveryProgress {
  std::atomic<std::uint64_t> replayed{0};  // journal entries, of the present or last recovery
  std::atomic<std::uint64_t> to_replay{0};
  std::atomic<std::uint64_t> divergences{0};
  std::atomic<std::uint64_t> inputs_changed{0};
};

// How a replay is listened to that is not to end in a live shard (audit/): it goes on where a
// digest or an input differs, and hands out what each run wants done in the place of keeping it.
struct ReplayAudit {
  std::function<void(std::uint64_t seq, RunEffects effects)> effects;
  std::function<void(ParkReason reason, const std::string& detail)> differs;
};

struct RecoverySetup {
  OwnedShardSetup shard;
  Log* log = nullptr;
  Catalogs* catalogs = nullptr;
  Snapshots* snapshots = nullptr;   // nullptr: none are kept
  std::string node;                 // who claims, for people
  std::string libraries;            // versions that are part of the fold
  std::string nonce;                // of this claim: never used before
  std::function<bool()> cancelled;  // asked between entries
  RecoveryProgress* progress = nullptr;
  const ReplayAudit* audit = nullptr;  // nullptr: a recovery
};

struct Recovered {
  std::unique_ptr<OwnedShard> owned;
  Offset journal_last = 0;          // of our Owner entry: the next of ours is expected right behind
  std::uint64_t acked_through = 0;  // effects of runs up to this one are known to have arrived
  Outbox outbox;                    // what the store holds
  WriteBehind::Stored stored;       // what the store holds
  std::optional<spur::v1::Trying> trying;  // the last one, if nothing was folded since
  std::uint32_t barrier_from =
      0;  // not 0: the state comes from that fold version; a Barrier and a flush come first
};

// Another claim came first: back off, and claim again if it is still this process's turn (rule 2).
struct Outrun {};

using RecoveryResult = std::variant<Recovered, Park, Outrun>;

// Takes up what the store holds behind this position of its, with the catalog that stands beside
// it.
absl::Status restore(const spur::v1::Position& position, const RecoverySetup& setup,
                     OwnedShard& owned);

// Blocks until done; on any thread, while nobody else touches the store. An error is the world's
// (I/O, the log failed): the shard fails and the next start tries again.
absl::StatusOr<RecoveryResult> recover(const RecoverySetup& setup);

}  // namespace spur
