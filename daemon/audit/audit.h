// Audit: what a deployment has left, checked against the rules that it was made by. For each shard:
//
//     the journal, entry by entry      → which count, which do not and why        (journal_check.h)
//     replayed, by recovery's own code → digests and input hashes compared
//     what each run decided            → compared with what its topics hold       (output_check.h)
//
// Ends are asked for in an order that makes a running deployment auditable: first those of the
// outputs, then the journal's, then the outputs' again. Whatever stood in an output before the
// journal's end was asked belongs to a run that the journal has; what the journal says has arrived
// is there afterwards.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "daemon/audit/evidence.h"
#include "daemon/audit/findings.h"
#include "daemon/audit/journal_check.h"

namespace spur::audit {

struct Options {
  std::uint64_t run_first = 1;                // compare effects of runs from this one on
  std::uint64_t runs_last = 0;                // not 0: of the last so many runs, if that is fewer
  std::string snapshots;                      // folder of state.snapshots; empty: none
  bool settled = false;                       // nothing is on its way: what is not there is missing
  bool whole = false;                         // what could not be replayed is a finding
  std::string work_folder;                    // for state that does not fit in memory; must exist
  std::size_t memory_bytes_max = 256u << 20;  // of customers, one shard at a time
  // May be empty. Of `total` journal entries of the shard.
  std::function<void(std::uint32_t shard, std::uint64_t entries, std::uint64_t total)> progress;
};

struct ShardReport {
  std::uint32_t shard = 0;
  Stretch journal;
  JournalCounts counts;
  JournalStand stand;
  std::uint64_t acked_through = 0;
  bool sealed = false;
  // Effects of runs [run_first, run_last] were compared; run_last 0: none.
  std::uint64_t run_first = 0, run_last = 0;
  std::string base;          // "the beginning", "the snapshot behind run 120"; empty: no replay
  std::string not_verified;  // why not, or not to the end; empty: to the end
  std::uint64_t inputs = 0;  // read for it
  std::uint64_t inputs_left = 0;  // offsets of its sources that no run has taken yet
  std::uint64_t messages = 0, messages_repeated = 0;
  std::vector<OutputCounts> outputs;
  Findings findings;
};

// Blocks. An error is of the world: what could not be read.
absl::StatusOr<ShardReport> audit_shard(Evidence& evidence, std::uint32_t shard,
                                        const Options& options);

}  // namespace spur::audit
