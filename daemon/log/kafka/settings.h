// What a deployment on Kafka is told: where the cluster is, how its topics are called, and how they
// have to be.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "daemon/log/kafka/handle.h"

namespace spur {

struct KafkaOptions {
  kafka::Connection connection;
  std::string topic_prefix = "spur";  // spur.journal, spur.messages, …
  // The topics that events come in by: they must exist; the number of shards is by default the
  // greatest common divisor of their partitions. More may follow with later catalogs.
  std::vector<std::string> input_topics;
  std::uint32_t shards = 0;  // 0: as recorded; for a new deployment from the input topics
  // One broker is enough, nothing has to be replicated. Said in the log at each start.
  bool dev = false;
  // The consumer group that spreads the shards over processes; empty: `<prefix>`.
  std::string group;
  const std::string& group_name() const { return group.empty() ? topic_prefix : group; }
  // Who this process is in the group; with a name that survives a restart (a pod's), a restart
  // within the session moves nothing. Empty: a new member each time.
  std::string instance;
  std::chrono::milliseconds session_timeout{10'000};
  // How soon a member hears that another left or came.
  std::chrono::milliseconds heartbeat{250};
  // Prefetched and not yet folded, a partition.
  std::uint32_t queued_kbytes_max = 16'384;
  // Effects in memory that wait for their destinations, of all shards; beyond it they are in the
  // outbox alone (docs/limits.md).
  std::size_t waiting_bytes_max = 256u << 20;
  // Of channels with `delivery: transactional`: a transaction was committed, with the time from its
  // first record on; one was aborted or given up. From their threads; must be cheap.
  std::function<void(std::chrono::nanoseconds)> on_transaction;
  std::function<void()> on_transaction_aborted;
};

}  // namespace spur
