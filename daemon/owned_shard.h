// OwnedShard: a shard of which this process is the owner, in memory: the fold, the customers under
// it and where both stand in the log. It is what recovery builds, what a run moves on, and what is
// dropped whole when in doubt.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "daemon/breadcrumb.h"
#include "daemon/intake.h"
#include "daemon/log/journal_reader.h"
#include "daemon/log/log.h"
#include "operators/shard.h"
#include "spur/v1/state.pb.h"
#include "state/customers.h"

namespace spur {

// Where a fold stands in one source: what is next, and how the last one is recognised.
struct SourceStand {
  TopicSource source;
  Offset next = 0;
  std::uint64_t last_hash = 0;
};

// Where a fold stands in its journal and in its sources.
struct LogStand {
  JournalStand journal;
  std::vector<SourceStand> sources;  // by number; those below kFirstTopicSource are always there
  // Versions of the catalog that were taken: a count, the same for all shards at the same version.
  // Where the next one stands is another number: a log may have other records between (H23).
  std::uint64_t catalogs = 0;

  LogStand();
  // nullptr: no Sources entry has named it.
  SourceStand* find(std::uint32_t source);
  SourceStand& of(std::uint32_t source);
  const SourceStand& of(std::uint32_t source) const;
  Offset catalog_next() const { return of(kCatalogSource).next; }
  // A Sources entry: false if it does not go on where the numbers stand.
  bool add(const spur::v1::Sources& added);
  std::vector<TopicSource> topics() const;
};

// The position of a store; nullopt for an empty one, DATA_LOSS for one that cannot be read.
absl::StatusOr<std::optional<spur::v1::Position>> read_position(const Store& store);

struct OwnedShardSetup {
  std::uint32_t index = 0;
  std::uint32_t shards = 1;
  Store* store = nullptr;
  std::size_t memory_bytes_max = 0;
  Breadcrumb* crumb = nullptr;
  std::function<void(std::uint32_t, const InputRecord&)> before_input;  // tests
  std::uint32_t fold_version = kFoldVersion;  // tests: what this code says that it is
};

// Of a fold that nothing writes behind: writes out what has changed once more is in memory than may be, so that it can
// leave. Call between two runs.
absl::Status spill(Customers& customers, Store& store);

class OwnedShard {
 public:
  explicit OwnedShard(const OwnedShardSetup& setup);

  // Takes up the state that the store holds, as its Position says; the wake index is read from the
  // store.
  absl::Status restore(const spur::v1::Position& position,
                       std::shared_ptr<const catalog::Compiled> catalog, std::string catalog_bytes);
  // What to store with the rows as they are now, but for the journal offset of the last entry and
  // how far effects have arrived.
  spur::v1::Position position(const DeploymentId& deployment) const;

  // A catalog version of the broadcast, within a run.
  void take(const CatalogRecord& record, std::shared_ptr<const catalog::Compiled> compiled);

  Customers customers;
  Shard shard;
  Intake intake;
  LogStand stand;
  std::string catalog_bytes;  // spur.v1.Catalog in force; empty: none yet

 private:
  const std::uint32_t shards_, fold_version_;
};

}  // namespace spur
