#include "daemon/owned_shard.h"

#include "daemon/plant.h"
#include "operators/catalog/compiled.h"
#include "state/check.h"
#include "state/codec/keys.h"
#include "state/rocks_store.h"

namespace spur {
namespace {

using Since = Shard::Standing::Since;
using SinceRows = google::protobuf::RepeatedPtrField<spur::v1::SinceRow>;

void read_since(const SinceRows& rows, std::vector<Since>& out) {
  for (const spur::v1::SinceRow& row : rows)
    out.push_back({row.hash(), row.generation(), Instant{row.at_ms()},
                   Instant{row.has_live_ms() ? row.live_ms() : row.at_ms()}});
}

void write_since(const std::vector<Since>& since, SinceRows& rows) {
  for (const Since& one : since) {
    spur::v1::SinceRow& row = *rows.Add();
    row.set_hash(one.hash);
    row.set_generation(one.generation);
    row.set_at_ms(one.at.ms);
    if (one.live != one.at) row.set_live_ms(one.live.ms);
  }
}

using Numbers = std::vector<std::pair<std::uint32_t, std::uint64_t>>;
using NumberRows = google::protobuf::RepeatedPtrField<spur::v1::ShardSequence>;

void read_numbers(const NumberRows& rows, Numbers& out) {
  for (const spur::v1::ShardSequence& row : rows) out.emplace_back(row.shard(), row.last());
}

void write_numbers(const Numbers& numbers, NumberRows& rows) {
  for (const auto& [shard, last] : numbers) {
    spur::v1::ShardSequence& row = *rows.Add();
    row.set_shard(shard);
    row.set_last(last);
  }
}

}  // namespace

absl::StatusOr<std::optional<spur::v1::Position>> read_position(const Store& store) {
  const auto row = store.get(position_key());
  if (!row.ok()) return row.status();
  if (!row->has_value()) return std::optional<spur::v1::Position>();
  spur::v1::Position position;
  if (!position.ParseFromString(**row))
    return absl::DataLossError("the stored position of a shard is damaged");
  return std::optional<spur::v1::Position>(std::move(position));
}

LogStand::LogStand() : sources(3) {
  sources[0].source.source = kInputSource;
  sources[1].source.source = kCatalogSource;
  sources[2].source.source = kMessageSource;
}

SourceStand* LogStand::find(std::uint32_t source) {
  for (SourceStand& stand : sources) {
    if (stand.source.source == source) return &stand;
  }
  return nullptr;
}

SourceStand& LogStand::of(std::uint32_t source) {
  SourceStand* found = find(source);
  SPUR_CHECK(found != nullptr);
  return *found;
}

const SourceStand& LogStand::of(std::uint32_t source) const {
  return const_cast<LogStand*>(this)->of(source);
}

bool LogStand::add(const spur::v1::Sources& added) {
  for (const spur::v1::TopicPartition& partition : added.added()) {
    const std::uint32_t last = sources.back().source.source;
    const std::uint32_t next = last < kFirstTopicSource ? kFirstTopicSource : last + 1;
    if (partition.source() != next) return false;
    SourceStand& stand = sources.emplace_back();
    stand.source = {next, partition.topic(), partition.topic_id(), partition.partition(),
                    partition.start()};
    stand.next = partition.start();
  }
  return true;
}

std::vector<TopicSource> LogStand::topics() const {
  std::vector<TopicSource> topics;
  for (const SourceStand& stand : sources) {
    if (stand.source.source >= kFirstTopicSource) topics.push_back(stand.source);
  }
  return topics;
}

absl::Status spill(Customers& customers, Store& store) {
  if (!customers.over_limit()) return absl::OkStatus();
  constexpr std::size_t kCutCustomers = 4096;
  customers.begin_cut();
  while (!customers.encode_cut(kCutCustomers)) {
  }
  if (absl::Status written = store.write(customers.take_cut()); !written.ok()) return written;
  customers.cut_written();
  return absl::OkStatus();
}

OwnedShard::OwnedShard(const OwnedShardSetup& setup)
    : customers(*setup.store, setup.memory_bytes_max),
      shard(setup.index, setup.shards, customers),
      intake(setup.index, shard, *setup.crumb, setup.before_input),
      shards_(setup.shards),
      fold_version_(setup.fold_version) {}

absl::Status OwnedShard::restore(const spur::v1::Position& position,
                                 std::shared_ptr<const catalog::Compiled> catalog,
                                 std::string bytes) {
  if (absl::Status loaded = customers.load(); !loaded.ok()) return loaded;
  stand.journal = {position.epoch(), position.seq()};
  stand.catalogs = position.catalog_generation();
  for (const spur::v1::SourcePosition& source : position.sources()) {
    SourceStand* at = stand.find(source.source());
    if (at == nullptr) {
      at = &stand.sources.emplace_back();
      at->source = {source.source(), source.topic(), source.topic_id(), source.partition(),
                    source.start()};
    }
    at->next = source.next_offset();
    at->last_hash = source.last_hash();
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
  read_numbers(position.sent(), standing.sent);
  read_numbers(position.accepted(), standing.accepted);
  shard.restore(standing, std::move(catalog));
  catalog_bytes = std::move(bytes);
  return absl::OkStatus();
}

void OwnedShard::take(const CatalogRecord& record,
                      std::shared_ptr<const catalog::Compiled> compiled) {
  intake.catalog(record, std::move(compiled));
  SourceStand& at = stand.of(kCatalogSource);
  at.next = record.offset + 1;
  at.last_hash = record_hash(record);
  ++stand.catalogs;
  catalog_bytes = record.catalog;
}

spur::v1::Position OwnedShard::position(const DeploymentId& deployment) const {
  const Shard::Standing standing = shard.standing();
  spur::v1::Position position;
  position.set_deployment(deployment.data(), deployment.size());
  position.set_shards(shards_);
  position.set_fold_version(fold_version_);
  position.set_format(kRowFormat);
  position.set_epoch(stand.journal.epoch);
  position.set_seq(stand.journal.seq);
  position.set_digest(standing.digest);
  position.set_clock_ms(standing.clock.ms);
  for (const SourceStand& at : stand.sources) {
    if (at.source.source == kMessageSource && at.next == 0) continue;
    if (planted(Plant::kSourcesNotInPosition) && at.source.source >= kFirstTopicSource) continue;
    spur::v1::SourcePosition& source = *position.add_sources();
    source.set_source(at.source.source);
    source.set_next_offset(at.next);
    source.set_last_hash(at.last_hash);
    source.set_topic(at.source.topic);
    source.set_topic_id(at.source.topic_id);
    source.set_partition(at.source.partition);
    source.set_start(at.source.start);
  }
  for (const auto& [topic, last] : standing.spurseq) {
    if (planted(Plant::kSpurseqNotStored)) break;
    spur::v1::TopicSequence& sequence = *position.add_spurseq();
    sequence.set_topic(topic);
    sequence.set_last(last);
  }
  position.set_catalog_generation(standing.catalog_generation);
  if (!planted(Plant::kMessageNumbersNotStored))
    write_numbers(standing.sent, *position.mutable_sent());
  write_numbers(standing.accepted, *position.mutable_accepted());
  write_since(standing.since_feature, *position.mutable_since_feature());
  write_since(standing.since_trigger, *position.mutable_since_trigger());
  if (shard.catalog() != nullptr) {
    position.set_catalog_hash(shard.catalog()->hash.data(), shard.catalog()->hash.size());
  }
  return position;
}

}  // namespace spur
