// History: a shard's journal folded again beside the shard, up to a time, with somebody listening:
// what explain asks about the past. From the newest snapshot before the time, else from the
// journal's beginning. Nothing of it leaves; the shard that lives knows nothing of it.
#pragma once

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "daemon/catalogs.h"
#include "daemon/engine.h"
#include "daemon/log/log.h"
#include "daemon/snapshot.h"
#include "state/rocks_store.h"

namespace spur {

struct HistorySetup {
  Log* log = nullptr;
  Catalogs* catalogs = nullptr;
  FolderSnapshots* snapshots = nullptr;  // nullptr: none are kept
  const RocksShared* rocks = nullptr;
  std::string folder;  // for state that does not fit in memory; made, and gone afterwards
  std::size_t memory_bytes_max = 0;  // of customers
  std::function<bool()> cancelled;
};

// Blocks. OUT_OF_RANGE: the log no longer has what it takes, or another version of Spur wrote it,
// in words for people. DATA_LOSS: what was folded again is not what was folded. CANCELLED. Else
// what Log says.
absl::Status fold_history(const HistorySetup& setup, const HistoryQuestion& question);

}  // namespace spur
