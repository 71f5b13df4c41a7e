// The topics of a deployment: their names, and how they have to be. They are created where they are
// missing and checked where they are not; every refusal says what to do.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "daemon/log/kafka/admin.h"
#include "daemon/log/kafka/settings.h"

namespace spur::kafka {

struct TopicNames {
  explicit TopicNames(std::string_view prefix);
  std::string journal;       // P partitions: one a shard
  std::string messages;      // P: partition i is read by shard i, written by all
  std::string catalog;       // 1: the deployment's identity, then versions of the definitions
  std::string decisions;     // ≥ P: partition i is written by shard i alone, as of every output
  std::string dead_letters;  // ≥ P
  std::string cursors;       // 1, compacted: of named subscribers
  // P, compacted: where channels take transactions, the last action of each that a shard has sent.
  // It outlives what retention takes from their topics.
  std::string delivered;
};

// The greatest common divisor of the topics' partitions, at most kShardsMax. FAILED_PRECONDITION:
// one is missing, or there is none.
absl::StatusOr<std::uint32_t> shards_for(const Admin& admin, std::span<const std::string> inputs);

// The topics that Spur alone writes and reads.
absl::Status ensure_own_topics(const Admin& admin, const TopicNames& names,
                               const KafkaOptions& options, std::uint32_t shards);
// The catalog's topic, which is there before the number of shards is known.
absl::Status ensure_catalog_topic(const Admin& admin, const TopicNames& names,
                                  const KafkaOptions& options);
// A topic of business data: what a shard took of it has to be there again for a replay, so it is
// not compacted (docs/protocol.md H15).
absl::Status check_kept_whole(const Admin& admin, const std::string& topic);
// A topic that others read: actions of a channel, decisions, dead letters. Created with the
// cluster's own retention; one that exists needs ≥ P partitions.
absl::Status ensure_output_topic(const Admin& admin, const std::string& topic,
                                 const KafkaOptions& options, std::uint32_t shards);

}  // namespace spur::kafka
