// Replay: a stretch of a shard's journal, folded again and compared (docs/protocol.md rule 4). Nothing
// is sent by it; what may not have arrived is kept for rule 6.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "daemon/outbox.h"
#include "daemon/owned_shard.h"
#include "daemon/park.h"
#include "spur/v1/journal.pb.h"

namespace spur {

struct RecoverySetup;

class Replay {
 public:
  // From journal offset `from`, with state of `fold_version` behind which all effects up to run
  // `acked_through` have arrived.
  Replay(const RecoverySetup& setup, std::unique_ptr<OwnedShard> owned, Offset from,
         std::uint32_t fold_version, std::uint64_t acked_through);

  // Folds the counted entries below `to`; `counted` (may be empty) sees each of them. Stops early
  // when parked() or when cancelled (CANCELLED).
  absl::Status read_to(Offset to,
                       const std::function<void(Offset, const spur::v1::JournalEntry&)>& counted);

  const std::optional<Park>& parked() const { return parked_; }
  OwnedShard& owned() { return *owned_; }
  std::unique_ptr<OwnedShard> take() { return std::move(owned_); }
  // The last Trying entry, unless something was folded since.
  const std::optional<spur::v1::Trying>& trying() const { return trying_; }
  // The fold version that the state comes from if it is not ours and no barrier has followed; else
  // 0.
  std::uint32_t barrier_from() const { return fold_version_ == mine_ ? 0 : fold_version_; }
  // Up to which run all effects are known to have arrived, by what entries say.
  std::uint64_t acked_through() const { return acked_through_; }
  // Where the effects of replayed runs behind that go: the first with keep_rest(), those that there is
  // no room for as rows at once. Both outlive it. Call before read_to(); an audit does without.
  void keep_in(Unsent& unsent, Outbox& outbox) {
    unsent_ = &unsent;
    outbox_ = &outbox;
  }
  void keep_rest();
  // The journal offset behind what was folded.
  Offset next() const { return next_; }
  // The last entry was a Seal.
  bool sealed() const { return sealed_; }

 private:
  struct Folded {
    std::uint64_t seq = 0;
    std::size_t bytes = 0;  // about
    Effects effects;
    std::shared_ptr<const catalog::Compiled> catalog;
  };

  absl::Status fold(const spur::v1::JournalEntry& entry);
  // Parks then.
  bool of_another_fold(const spur::v1::JournalEntry& entry);
  absl::Status fold_run(const spur::v1::JournalEntry& entry);
  absl::Status fold_quarantine(const spur::v1::JournalEntry& entry);
  absl::Status fold_slice(const spur::v1::Slice& slice, Effects& effects);
  absl::Status fold_inputs(const spur::v1::Slice& slice, Effects& effects);
  absl::Status fold_catalogs(const spur::v1::Slice& slice);
  absl::Status fold_sources(const spur::v1::JournalEntry& entry);
  InputReader& inputs();
  RunEffects records_of(const Effects& effects, const catalog::Compiled& catalog) const;
  absl::Status keep(std::uint64_t seq, Effects effects);
  void compare(const spur::v1::JournalEntry& entry, std::uint64_t digest, bool tape_fits);
  void park(ParkReason reason, std::string detail);
  // What replay can go on behind: parks, unless this is an audit.
  void differs(ParkReason reason, std::string detail);

  const RecoverySetup& setup_;
  std::unique_ptr<OwnedShard> owned_;
  JournalReader reader_;
  Offset next_;
  const std::uint32_t mine_;    // the fold version of this code
  std::uint32_t fold_version_;  // of the code that wrote what comes next
  std::optional<spur::v1::Trying> trying_;
  std::unique_ptr<InputReader> inputs_;  // of the sources known so far
  std::uint64_t acked_through_;
  std::deque<Folded> folded_;  // not known to have arrived; made records of when that is asked for
  std::size_t folded_bytes_ = 0;
  Unsent* unsent_ = nullptr;
  Outbox* outbox_ = nullptr;
  bool sealed_ = false;
  std::optional<Park> parked_;
};

}  // namespace spur
