#include "daemon/log/kafka/reads.h"

#include <utility>

#include "daemon/log/kafka/identity.h"
#include "daemon/log/kafka/partition_reader.h"
#include "spur/v1/log.pb.h"

namespace spur::kafka {

absl::StatusOr<Kept> input_kept(const Admin& admin, const TopicNames& names, std::uint32_t shard,
                                const TopicSource& source) {
  if (source.source == kInputSource) return Kept();  // nothing ever comes by it here
  if (source.source == kMessageSource)
    return admin.kept(names.messages, static_cast<std::int32_t>(shard));
  return admin.kept(source.topic, source.partition);
}

std::optional<CatalogRecord> catalog_version(const rd_kafka_message_t& message) {
  const std::string_view value = value_of(message);
  spur::v1::CatalogVersion version;
  if (header_of(message, "ce_type") != kCatalogType ||
      !version.ParseFromArray(value.data(), static_cast<int>(value.size())))
    return std::nullopt;
  return CatalogRecord{
      static_cast<Offset>(message.offset), Instant{rd_kafka_message_timestamp(&message, nullptr)},
      std::move(*version.mutable_catalog()), std::move(*version.mutable_comment())};
}

absl::Status read_catalogs(const Connection& connection, const TopicNames& names, Offset from,
                           Offset to, const std::function<bool(CatalogRecord)>& version) {
  if (from >= to) return absl::OkStatus();
  auto reader =
      PartitionReader::open(connection, names.catalog, 0, static_cast<std::int64_t>(from));
  if (!reader.ok()) return reader.status();
  return (*reader)->read(static_cast<std::int64_t>(to), [&](const rd_kafka_message_t& message) {
    std::optional<CatalogRecord> found = catalog_version(message);
    return !found || version(*std::move(found));
  });
}

absl::Status read_journal(const Connection& connection, const TopicNames& names,
                          std::uint32_t shard, Offset from, Offset to,
                          const std::function<bool(Offset, std::string_view)>& entry) {
  if (from >= to) return absl::OkStatus();
  auto reader = PartitionReader::open(connection, names.journal, static_cast<std::int32_t>(shard),
                                      static_cast<std::int64_t>(from));
  if (!reader.ok()) return reader.status();
  return (*reader)->read(static_cast<std::int64_t>(to), [&](const rd_kafka_message_t& message) {
    return entry(static_cast<Offset>(message.offset), value_of(message));
  });
}

}  // namespace spur::kafka
