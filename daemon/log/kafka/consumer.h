// Consumer: whose turn each shard is, by one handle, and everything that this process reads live,
// by another, but for business data.
//
// Kafka's group protocol balances the shards: the group's members subscribe to spur.messages alone,
// whose partition i stands for shard i, and read nothing by it. What shards read is assigned by
// hand with explicit offsets, on a handle that is in no group, as one list with the catalog (an
// addition is a whole new list). Each partition has its queue taken out, so that the worker of its
// shard drains it without waiting for any other, and wakes when something arrives.
//
// A rebalance takes everything away and gives back what stays. None of that stops what is read: a
// shard reads from follow() to unfollow(), whosever turn it is, so that one which stays hears
// nothing of it, and one which leaves goes on until its successor has claimed it. `revoked` is said
// when the next assignment comes without the shard (of every other shard: with the first), or at
// once when the membership was lost; a shard that comes back is `assigned` again and goes on from
// memory (rule 11). Positions are ours: whatever librdkafka drops or delivers again when a list
// changes is below or at the next record wanted, and skipped.
//
// Of business data each shard reads all partitions, from where it stands itself, and a handle reads
// a partition once. So the partitions that belong to other shards are read on a handle of the
// shard's own, which is there while a catalog names such a topic (five threads or so).
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "daemon/clock.h"
#include "daemon/log/kafka/admin.h"
#include "daemon/log/kafka/handle.h"
#include "daemon/log/kafka/pump.h"
#include "daemon/log/kafka/settings.h"
#include "daemon/log/kafka/topics.h"
#include "daemon/log/log.h"

namespace spur::kafka {

// Thread-safe; one shard's calls come from one thread at a time.
class Consumer {
 public:
  struct Events {
    std::function<void(std::uint32_t shard)> assigned, revoked, inputs;
    // One record of the catalog's topic, in order; on the consumer's own thread.
    std::function<void(const rd_kafka_message_t&)> catalog;
  };

  // `clock` outlives the consumer. Nothing is joined or read before start().
  static absl::StatusOr<std::unique_ptr<Consumer>> open(const KafkaOptions& options,
                                                        const TopicNames& names,
                                                        std::uint32_t shards, const Clock& clock);
  ~Consumer();

  // Joins the group; the catalog is followed from `catalog_next` on.
  absl::Status start(Events events, Offset catalog_next);
  // Leaves the group if others are in it, and goes on reading: whether there are others. One with a
  // name of its own stays, for its restart is to move nothing.
  bool leave();
  // Leaves the group and stops. What was polled stays good.
  void close();

  void follow(std::uint32_t shard, std::span<const Log::Following> sources);
  void unfollow(std::uint32_t shard);
  absl::Status poll(std::uint32_t shard, std::uint32_t source, Offset from,
                    const PollLimits& limits, InputBatch& batch);
  // For whoever watches the group's lag from outside; never read back.
  void folded(std::uint32_t shard, std::uint32_t source, Offset next);
  // The end of a followed source as last heard of, without what is never given (control records at
  // its end); nullopt: not followed, or nothing heard yet. Cheap.
  std::optional<Offset> end(std::uint32_t shard, std::uint32_t source) const;

  absl::Status status() const;

 private:
  // A partition that is followed. Kept alive by the batches taken from it, and keeps the handle.
  struct Source;
  struct Taken;
  // A handle and what it has been told.
  struct Reader {
    SharedHandle handle;
    std::set<std::string> known_topics;
    // Which sources are in force; none: nothing is. Only compared: a source that went and came back
    // at the same place is not `ready`.
    std::vector<const Source*> assigned;
  };
  struct ShardSources {
    std::map<std::uint32_t, std::shared_ptr<Source>> sources;  // by number
  };

  Consumer(const KafkaOptions& options, const TopicNames& names, std::uint32_t shards,
           const Clock& clock);
  absl::Status open_group();
  absl::Status join();
  void rejoin(absl::Status fenced);
  std::chrono::nanoseconds serve();
  void serve_group();
  void drain_catalog();
  void on_rebalance(rd_kafka_resp_err_t code, const rd_kafka_topic_partition_list_t* partitions);
  void take_assignment(const rd_kafka_topic_partition_list_t* partitions);
  // Reads what is followed now.
  void assign();
  void assign(Reader& reader, const std::vector<std::shared_ptr<Source>>& sources);
  absl::Status open_reader(Reader& reader, const std::string& kbytes) const;
  void drop_alone(Reader& reader);
  void know(Reader& reader, const std::string& topic);
  void serve_errors(Reader& reader, std::string_view what);
  void commit();
  void note(absl::Status status);
  std::shared_ptr<Source> find(std::uint32_t shard, std::uint32_t source) const;
  void listen(Source& source, const SharedHandle& handle);

  const KafkaOptions options_;
  const TopicNames names_;
  const Clock& clock_;
  Handle group_;
  Reader common_;
  Events events_;

  mutable std::mutex mutex_;
  std::vector<ShardSources> shards_;
  bool changed_ = false;  // the list of partitions is not what is assigned
  absl::Status status_;

  // The control thread's alone, after start().
  std::shared_ptr<Source> catalog_;
  std::set<std::uint32_t> assigned_;
  std::set<std::uint32_t> told_revoked_;
  std::map<std::uint32_t, Reader> alone_;  // by shard
  std::vector<SharedHandle> leaving_;  // until no batch keeps them: destroyed here and nowhere else
  bool rebalancing_ = true;            // the group has given nothing yet, or is about to again
  std::chrono::nanoseconds commit_due_{0};
  std::optional<std::chrono::nanoseconds> fenced_at_;
  std::atomic<bool> closed_{false}, left_{false};
  Pump control_;
};

}  // namespace spur::kafka
