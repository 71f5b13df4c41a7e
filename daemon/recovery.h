// Recovery: from what is stored to a shard that is live (protocol.md rules 2 to 4). The only way a
// shard ever starts, after a clean stop, a crash, or an error that dropped its memory.
//
//     position of the store ─replay, comparing─▶ end of the journal ─claim─▶ our Owner ─▶ live
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
#include "daemon/owned_shard.h"
#include "daemon/park.h"

namespace spur {

// Shared with whoever watches.
struct RecoveryProgress {
  std::atomic<std::uint64_t> replayed{0};  // journal entries
  std::atomic<std::uint64_t> to_replay{0};
  std::atomic<std::uint64_t> divergences{0};
  std::atomic<std::uint64_t> inputs_changed{0};
};

struct RecoverySetup {
  OwnedShardSetup shard;
  Log* log = nullptr;
  Catalogs* catalogs = nullptr;
  std::string node;                 // who claims, for people
  std::string libraries;            // versions that are part of the fold
  std::function<bool()> cancelled;  // asked between entries
  RecoveryProgress* progress = nullptr;
};

struct Recovered {
  std::unique_ptr<OwnedShard> owned;
  Offset journal_last = 0;     // of our Owner entry: the next of ours is expected right behind
  WriteBehind::Stored stored;  // what the store holds
  std::optional<spur::v1::Trying> trying;  // the last one, if nothing was folded since
  std::uint32_t barrier_from =
      0;  // not 0: the state comes from that fold version; a Barrier and a flush come first
};

using RecoveryResult = std::variant<Recovered, Park>;

// Blocks until done; on the thread that will own the shard. An error is the world's (I/O, the log
// failed): the shard fails and the next start tries again.
absl::StatusOr<RecoveryResult> recover(const RecoverySetup& setup);

}  // namespace spur
