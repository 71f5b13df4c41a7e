// JournalCheck: a shard's journal, entry by entry: which count (docs/protocol.md rule 1, by the
// reader that everybody uses), why the others do not, and what must never be.
//
//     O1 r1 r2 [r2 repeated] O2 [r3 of epoch 1: late] r3 [O2: a lost claim] r4 …      all fine
//     O1 r1 [r3: r2 is missing] …   O1 [r1 of epoch 3: its Owner is missing] …        wrong
//
// Pure: bytes in, numbers and findings out.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "daemon/audit/findings.h"
#include "daemon/log/journal_reader.h"
#include "daemon/log/log.h"

namespace spur::audit {

struct JournalCounts {
  std::uint64_t entries = 0, bytes = 0;
  std::uint64_t counted = 0, runs = 0, owners = 0;
  std::uint64_t late = 0;         // of a former owner, or behind a hole of one
  std::uint64_t repeated = 0;     // the same entry again
  std::uint64_t claims_lost = 0;  // Owners that came second
};

class JournalCheck {
 public:
  // A repeat is compared with what counted if it is at most this many entries old.
  static constexpr std::size_t kRemembered = 4096;

  // `from`: where the first entry given is read from; nullopt: the beginning is gone and the first
  // readable entry says where it stands.
  JournalCheck(std::string place, const DeploymentId& deployment, std::optional<JournalStand> from,
               Findings& findings);

  void entry(Offset at, std::string_view bytes);

  const JournalCounts& counts() const { return counts_; }
  const JournalStand& stand() const { return reader_.stand(); }
  // Effects of runs up to this one have arrived, by what entries say.
  std::uint64_t acked_through() const { return acked_through_; }
  bool sealed() const { return sealed_; }

 private:
  void counted(const spur::v1::JournalEntry& entry, std::uint64_t hash);
  void skipped(Offset at, const spur::v1::JournalEntry& entry, std::uint64_t hash);

  const std::string place_;
  const std::string deployment_;
  Findings& findings_;
  bool begun_;
  JournalReader reader_;
  JournalCounts counts_;
  std::uint64_t acked_through_ = 0;
  bool sealed_ = false;
  std::deque<std::pair<std::uint64_t, std::uint64_t>> recent_;  // (seq, hash) of this epoch
};

}  // namespace spur::audit
