// What a shard took, read again in order: on handles of its own, one a source, so that reading on
// costs no seek.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "daemon/log/kafka/partition_reader.h"
#include "daemon/log/kafka/topics.h"
#include "daemon/log/log.h"

namespace spur::kafka {

class History final : public InputReader {
 public:
  History(const Connection& connection, const TopicNames& names, std::uint32_t shard,
          std::span<const TopicSource> sources);

  absl::Status read(std::uint32_t source, Offset first, Offset last,
                    const std::function<bool(const InputRecord&)>& record) override;

 private:
  // How far a reader is read forward rather than opened anew: some milliseconds' worth.
  static constexpr Offset kSkipMax = 10'000;
  struct Partition {
    std::string topic;
    std::int32_t partition = 0;
    std::unique_ptr<PartitionReader> reader;
  };
  const Connection connection_;
  std::map<std::uint32_t, Partition> partitions_;  // by source
};

// A record as an input; views into the message and `topic`.
InputRecord input_of(const rd_kafka_message_t& message, std::string_view topic);

}  // namespace spur::kafka
