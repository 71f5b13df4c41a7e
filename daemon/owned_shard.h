// OwnedShard: a shard of which this process is the owner, in memory: the fold, the customers under
// it and where both stand in the log. It is what recovery builds, what a run moves on, and what is
// dropped whole when in doubt.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "daemon/breadcrumb.h"
#include "daemon/intake.h"
#include "daemon/log/journal_reader.h"
#include "daemon/log/log.h"
#include "operators/shard.h"
#include "spur/v1/state.pb.h"
#include "state/customers.h"

namespace spur {

// Where a fold stands in its sources and in its journal: what is next, and how the last one is
// recognised.
struct LogStand {
  JournalStand journal;
  Offset input_next = 0;
  std::uint64_t input_last_hash = 0;
  Offset catalog_next = 0;
  std::uint64_t catalog_last_hash = 0;
};

struct OwnedShardSetup {
  std::uint32_t index = 0;
  std::uint32_t shards = 1;
  Store* store = nullptr;
  std::size_t memory_bytes_max = 0;
  Breadcrumb* crumb = nullptr;
  std::function<void(std::uint32_t, std::uint64_t)> before_input;  // tests
};

class OwnedShard {
 public:
  explicit OwnedShard(const OwnedShardSetup& setup);

  // Takes up the state that the store holds, as its Position says; the wake index is read from the
  // store.
  absl::Status restore(const spur::v1::Position& position,
                       std::shared_ptr<const catalog::Compiled> catalog, std::string catalog_bytes);
  // What to store with the rows as they are now; `journal_offset` of the last entry included.
  spur::v1::Position position(const DeploymentId& deployment, Offset journal_offset) const;

  Customers customers;
  Shard shard;
  Intake intake;
  LogStand stand;
  std::string catalog_bytes;  // spur.v1.Catalog in force; empty: none yet

 private:
  const std::uint32_t shards_;
};

}  // namespace spur
