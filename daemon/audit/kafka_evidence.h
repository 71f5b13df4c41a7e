// What a deployment has left on Kafka. Every handle is assigned by hand and lives as long as its
// reading; nothing is created, no offset committed.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "daemon/audit/evidence.h"
#include "daemon/audit/read_only_log.h"
#include "daemon/log/kafka/admin.h"
#include "daemon/log/kafka/identity.h"
#include "daemon/log/kafka/topics.h"

namespace spur::audit {

class KafkaEvidence final : public Evidence {
 public:
  // NOT_FOUND: no deployment of this prefix. FAILED_PRECONDITION: a newer Spur made it. DATA_LOSS:
  // the record that should name it is damaged. UNAVAILABLE, UNAUTHENTICATED, PERMISSION_DENIED: the
  // cluster.
  static absl::StatusOr<std::unique_ptr<KafkaEvidence>> open(const kafka::Connection& connection,
                                                             const std::string& topic_prefix);
  ~KafkaEvidence() override;

  Log& log() override;
  const std::vector<Output>& outputs() const override { return outputs_; }
  absl::StatusOr<Stretch> kept(const Output& output, std::uint32_t shard) override;
  absl::StatusOr<OutputCheck::Next> read(const Output& output, std::uint32_t shard, Offset from,
                                         Offset to) override;
  absl::StatusOr<Offset> find(const Output& output, std::uint32_t shard, const Stretch& kept,
                              std::uint64_t run) override;
  absl::StatusOr<Stretch> kept_messages(std::uint32_t shard) override;
  absl::Status read_messages(std::uint32_t shard, const Stretch& kept,
                             const Message& message) override;

 private:
  class ReadLog;

  KafkaEvidence(const kafka::Connection& connection, const std::string& topic_prefix,
                std::unique_ptr<kafka::Admin> admin);
  absl::Status load(const std::string& topic_prefix);

  const kafka::Connection connection_;
  const kafka::TopicNames names_;
  std::unique_ptr<kafka::Admin> admin_;
  kafka::Identity identity_;
  std::vector<Output> outputs_;
  Offset catalog_end_ = 0;
  std::unique_ptr<ReadLog> log_;
};

}  // namespace spur::audit
