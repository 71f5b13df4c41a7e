// Readback: effects, read again from their topics by whoever asks: Subscribe, Explain, the console.
// Any process serves any shard. What is read forward keeps its handle for the next call, a few at a
// time; what is sought is found by halving, since ids only grow along a partition but for repeats.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "daemon/log/kafka/admin.h"
#include "daemon/log/kafka/partition_reader.h"
#include "daemon/log/kafka/topics.h"
#include "daemon/log/log.h"

namespace spur::kafka {

// Thread-safe.
class Readback {
 public:
  static constexpr std::size_t kReadersMax = 32;              // kept for reading on
  static constexpr std::int64_t kDecisionsScanned = 100'000;  // back from the end, for one customer

  // `admin` outlives it.
  Readback(const Connection& connection, const TopicNames& names, const Admin& admin)
      : connection_(connection), names_(names), admin_(admin) {}

  absl::StatusOr<std::vector<StoredAction>> actions(const std::string& topic, std::uint32_t shard,
                                                    std::uint64_t from, std::uint32_t max);
  absl::StatusOr<ActionRange> range(const std::string& topic, std::uint32_t shard);
  absl::StatusOr<std::vector<std::string>> decisions_of(std::uint32_t shard,
                                                        std::string_view customer,
                                                        std::uint32_t limit);
  absl::StatusOr<std::vector<std::string>> decisions(std::uint32_t shard, std::uint64_t from_run,
                                                     std::uint32_t max);
  absl::StatusOr<std::vector<std::string>> dead_letters(std::uint32_t shard, std::uint32_t max);
  // The newest cursor of this key; empty: none.
  absl::StatusOr<std::string> cursor(const std::string& key);
  // False: it is not among the cursors, and there are kCursorsMax. Reads them the first time that a
  // key is asked for.
  absl::StatusOr<bool> has_room_for_cursor(const std::string& key);

 private:
  using Id = std::function<std::uint64_t(const rd_kafka_message_t&)>;
  struct Place {
    std::unique_ptr<PartitionReader> reader;
    std::uint64_t next = 0;  // spurseq
  };
  struct Known {
    Kept kept;
    ActionRange range;
  };

  // Every record of [from, to).
  absl::Status scan(const std::string& topic, std::int32_t partition, std::int64_t from,
                    std::int64_t to, const PartitionReader::Record& record);
  // The first offset whose record's id is at least `wanted`; `kept.end` if there is none.
  absl::StatusOr<std::int64_t> find(const std::string& topic, std::int32_t partition,
                                    const Kept& kept, std::uint64_t wanted, const Id& id);
  // Of the first record there; nullopt: there is none, only markers or what was aborted.
  absl::StatusOr<std::optional<std::uint64_t>> id_at(const std::string& topic,
                                                     std::int32_t partition, std::int64_t from,
                                                     std::int64_t to, const Id& id);

  const Connection connection_;
  const TopicNames names_;
  const Admin& admin_;
  std::mutex mutex_;
  std::list<std::pair<TopicPartition, Place>> places_;  // the last used first
  std::map<TopicPartition, Known> ranges_;

  std::mutex cursors_mutex_;
  std::unique_ptr<PartitionReader> cursors_reader_;
  std::map<std::string, std::string> cursors_;
};

}  // namespace spur::kafka
