// Admin: what is asked of the cluster outside the live path: topics, their settings and ends. Every
// call waits for an answer, about kAnswerMax at most. Thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "daemon/clock.h"
#include "daemon/log/kafka/handle.h"

namespace spur::kafka {

struct TopicPartition {
  std::string topic;
  std::int32_t partition = 0;
  friend auto operator<=>(const TopicPartition&, const TopicPartition&) = default;
};

// What is kept of a partition: [begin, end).
struct Kept {
  std::int64_t begin = 0, end = 0;
};

struct TopicSpec {
  std::string name;
  std::int32_t partitions = 1;
  std::int32_t replication = 1;
  std::map<std::string, std::string> config;
};

class Admin {
 public:
  static constexpr std::chrono::milliseconds kAnswerMax{15'000};

  // kCommitted: a partition ends where no transaction is open behind (its last stable offset).
  // kEverything: at its last record.
  enum class Ends : std::uint8_t { kCommitted, kEverything };
  static absl::StatusOr<std::unique_ptr<Admin>> open(const Connection& connection,
                                                     Ends ends = Ends::kCommitted);

  // How many brokers there are; UNAVAILABLE, UNAUTHENTICATED: why none answers.
  absl::StatusOr<std::int32_t> brokers() const;
  // Of one topic; 0: there is none. Never creates one.
  absl::StatusOr<std::int32_t> partitions(const std::string& topic) const;
  // Waits until it is there for everybody. One that exists already is fine: another process was
  // first.
  absl::Status create(const TopicSpec& topic) const;
  // The settings in force, broker defaults included. NOT_FOUND: there is no such topic.
  absl::StatusOr<std::map<std::string, std::string>> config(const std::string& topic) const;

  // Where a partition begins and then, as `Ends` says, where it ends. Until somebody who leads it
  // answers, for `answer_max` at most. NOT_FOUND: the cluster says for half a second that there is
  // no such topic or partition. UNAVAILABLE: nobody leads it, or whoever does is silent.
  absl::StatusOr<Kept> kept(const std::string& topic, std::int32_t partition,
                            std::chrono::milliseconds answer_max = kAnswerMax) const;
  // Where each of the partitions 0 to `partitions` - 1 begins; mostly one round trip for all.
  // Errors as of kept().
  absl::StatusOr<std::vector<std::int64_t>> begins(const std::string& topic,
                                                   std::int32_t partitions) const;
  // Records below `offset` are gone; an offset below the beginning changes nothing.
  absl::Status delete_below(const std::string& topic, std::int32_t partition,
                            std::int64_t offset) const;

  rd_kafka_t* handle() const { return handle_.get(); }

 private:
  // Asks who leads a partition: the client believes what it once heard for a quarter of an hour, of
  // topics that its handle has no rd_kafka_topic_t of (2.0.2). OK: somebody does, and the client
  // knows now. UNAVAILABLE: nobody, or nobody answered. NOT_FOUND: there is no such thing.
  absl::Status find_leader(const std::string& topic, std::int32_t partition, std::string_view what,
                           std::chrono::milliseconds answer_max) const;
  // `which`: RD_KAFKA_OFFSET_BEGINNING or RD_KAFKA_OFFSET_END. NOT_FOUND also where nobody leads
  // it.
  absl::StatusOr<std::int64_t> ask_end(const std::string& topic, std::int32_t partition,
                                       std::int64_t which, std::string_view what,
                                       std::chrono::milliseconds answer_max) const;
  absl::StatusOr<std::map<std::string, std::string>> ask_config(const std::string& topic) const;
  explicit Admin(Handle handle) : handle_(std::move(handle)) {}
  const SystemClock clock_;  // of what others take to answer, whatever clock decides here
  Handle handle_;
};

}  // namespace spur::kafka
