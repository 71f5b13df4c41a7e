// What stands in Kafka of a deployment, read as it is, on a handle that lives as long as the
// reading: for a log and for an audit alike. Blocks.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "daemon/log/kafka/admin.h"
#include "daemon/log/kafka/topics.h"
#include "daemon/log/log.h"

namespace spur::kafka {

// What is kept of a source of `shard`: [begin, end). NOT_FOUND: there is no such topic any more.
absl::StatusOr<Kept> input_kept(const Admin& admin, const TopicNames& names, std::uint32_t shard,
                                const TopicSource& source);

// The version of the catalog that a record of its topic is; nullopt: it is none, or damaged.
std::optional<CatalogRecord> catalog_version(const rd_kafka_message_t& message);
// The versions in [from, to), in order, until `version` answers false.
absl::Status read_catalogs(const Connection& connection, const TopicNames& names, Offset from,
                           Offset to, const std::function<bool(CatalogRecord)>& version);

// The entries in [from, to), in order, until `entry` answers false. OUT_OF_RANGE: from is no longer
// kept.
absl::Status read_journal(const Connection& connection, const TopicNames& names,
                          std::uint32_t shard, Offset from, Offset to,
                          const std::function<bool(Offset, std::string_view)>& entry);

}  // namespace spur::kafka
