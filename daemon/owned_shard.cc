#include "daemon/owned_shard.h"

#include "operators/catalog/compiled.h"
#include "state/check.h"
#include "state/rocks_store.h"

namespace spur {
namespace {

using Since = Shard::Standing::Since;
using SinceRows = google::protobuf::RepeatedPtrField<spur::v1::SinceRow>;

void read_since(const SinceRows& rows, std::vector<Since>& out) {
  for (const spur::v1::SinceRow& row : rows)
    out.push_back({row.hash(), row.generation(), Instant{row.at_ms()}});
}

void write_since(const std::vector<Since>& since, SinceRows& rows) {
  for (const Since& one : since) {
    spur::v1::SinceRow& row = *rows.Add();
    row.set_hash(one.hash);
    row.set_generation(one.generation);
    row.set_at_ms(one.at.ms);
  }
}

}  // namespace

OwnedShard::OwnedShard(const OwnedShardSetup& setup)
    : customers(*setup.store, setup.memory_bytes_max),
      shard(setup.index, setup.shards, customers),
      intake(setup.index, shard, *setup.crumb, setup.before_input),
      shards_(setup.shards) {}

absl::Status OwnedShard::restore(const spur::v1::Position& position,
                                 std::shared_ptr<const catalog::Compiled> catalog,
                                 std::string bytes) {
  if (absl::Status loaded = customers.load(); !loaded.ok()) return loaded;
  stand.journal = {position.epoch(), position.seq()};
  for (const spur::v1::SourcePosition& source : position.sources()) {
    if (source.source() == kInputSource) {
      stand.input_next = source.next_offset();
      stand.input_last_hash = source.last_hash();
    } else if (source.source() == kCatalogSource) {
      stand.catalog_next = source.next_offset();
      stand.catalog_last_hash = source.last_hash();
    }
  }
  Shard::Standing standing;
  standing.clock = Instant{position.clock_ms()};
  standing.digest = position.digest();
  standing.catalog_generation = position.catalog_generation();
  for (const spur::v1::TopicSequence& topic : position.spurseq()) {
    standing.spurseq.emplace_back(topic.topic(), topic.last());
  }
  read_since(position.since_feature(), standing.since_feature);
  read_since(position.since_trigger(), standing.since_trigger);
  shard.restore(standing, std::move(catalog));
  catalog_bytes = std::move(bytes);
  return absl::OkStatus();
}

spur::v1::Position OwnedShard::position(const DeploymentId& deployment,
                                        Offset journal_offset) const {
  const Shard::Standing standing = shard.standing();
  // The log of catalogs has no holes and begins at 0: as many were seen as the next one's number
  // says. The row of the catalog in force is found by it.
  SPUR_CHECK(standing.catalog_generation == stand.catalog_next);
  spur::v1::Position position;
  position.set_deployment(deployment.data(), deployment.size());
  position.set_shards(shards_);
  position.set_fold_version(kFoldVersion);
  position.set_format(kRowFormat);
  position.set_journal_offset(journal_offset);
  position.set_epoch(stand.journal.epoch);
  position.set_seq(stand.journal.seq);
  position.set_digest(standing.digest);
  position.set_clock_ms(standing.clock.ms);
  // Effects stand in the log with their entries: whatever is verified is acknowledged.
  position.set_acked_through(stand.journal.seq);
  spur::v1::SourcePosition& input = *position.add_sources();
  input.set_source(kInputSource);
  input.set_next_offset(stand.input_next);
  input.set_last_hash(stand.input_last_hash);
  spur::v1::SourcePosition& catalogs = *position.add_sources();
  catalogs.set_source(kCatalogSource);
  catalogs.set_next_offset(stand.catalog_next);
  catalogs.set_last_hash(stand.catalog_last_hash);
  for (const auto& [topic, last] : standing.spurseq) {
    spur::v1::TopicSequence& sequence = *position.add_spurseq();
    sequence.set_topic(topic);
    sequence.set_last(last);
  }
  position.set_catalog_generation(standing.catalog_generation);
  write_since(standing.since_feature, *position.mutable_since_feature());
  write_since(standing.since_trigger, *position.mutable_since_trigger());
  if (shard.catalog() != nullptr) {
    position.set_catalog_hash(shard.catalog()->hash.data(), shard.catalog()->hash.size());
  }
  return position;
}

}  // namespace spur
