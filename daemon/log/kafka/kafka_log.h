// KafkaLog: the log of a deployment that is any number of processes on Kafka or Redpanda.
//
//     input topics ─┐                        ┌─▶ spur.journal[i]      Journal: the commit
//     spur.messages ┼─▶ Consumer ─▶ shard i ─┤
//     spur.catalog ─┘   (one handle)         └─▶ Outputs: actions.*, spur.decisions, spur.messages,
//     …
//
// The parts each keep their rules of docs/protocol.md and are told apart by what they do: Consumer
// reads live and hears whose turn it is; Journal appends; Outputs sends what is released; Publisher
// appends for users; History, PartitionReader and Readback read what stands. Admin asks the
// cluster. Two threads of its own: the pump (what is due, and sessions that end) and the
// consumer's; and one for errands. Acknowledgements are handled where the client hears of them, on
// its threads: every wake-up on the way from an event to its action costs more than the work it
// does.
//
// docs/kafka.md has the topics, the settings and the features of the protocol that are used.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "daemon/clock.h"
#include "daemon/log/kafka/consumer.h"
#include "daemon/log/kafka/identity.h"
#include "daemon/log/kafka/journal.h"
#include "daemon/log/kafka/outputs.h"
#include "daemon/log/kafka/publisher.h"
#include "daemon/log/kafka/readback.h"
#include "daemon/log/kafka/settings.h"
#include "daemon/log/log.h"

namespace spur {

class KafkaLog final : public Log {
 public:
  // Finds or founds the deployment, creates and checks its topics, reads the catalog's versions.
  // Joins the group when watched. FAILED_PRECONDITION with what to do: docs/kafka.md lists the
  // refusals; UNAVAILABLE, UNAUTHENTICATED, PERMISSION_DENIED: the cluster. `clock` outlives it.
  static absl::StatusOr<std::unique_ptr<KafkaLog>> open(const KafkaOptions& options,
                                                        const Clock& clock);
  ~KafkaLog() override;

  const DeploymentId& deployment() const override { return identity_.deployment; }
  std::uint32_t shards() const override { return identity_.shards; }

  Discovery discover(std::uint32_t shard, std::span<const InputTopic> topics) override;
  absl::Status check_topics(std::span<const InputTopic> topics) const override;
  void follow(std::uint32_t shard, std::span<const Following> sources) override;
  void unfollow(std::uint32_t shard) override;

  absl::Status poll(std::uint32_t shard, std::uint32_t source, Offset from,
                    const PollLimits& limits, InputBatch& batch) override;
  std::unique_ptr<InputReader> open_reader(std::uint32_t shard,
                                           std::span<const TopicSource> sources) override;
  absl::StatusOr<Offset> input_begin(std::uint32_t shard, const TopicSource& source) const override;
  absl::StatusOr<Offset> input_end(std::uint32_t shard, const TopicSource& source) const override;
  std::optional<Offset> input_end_heard(std::uint32_t shard,
                                        const TopicSource& source) const override;
  void folded(std::uint32_t shard, std::uint32_t source, Offset next) override;
  // Produced to the topic of the Source. Where they will stand is not known before they do: 0 each.
  std::uint32_t copies_for_all() const override { return 1; }
  absl::StatusOr<std::vector<Offset>> append_inputs(
      std::span<const InputAppend> inputs, std::function<void(absl::Status)> done) override;

  absl::StatusOr<std::vector<CatalogRecord>> poll_catalogs(Offset from,
                                                           std::uint32_t records_max) override;
  Offset catalog_end() const override;
  void append_catalog(std::string catalog, std::string comment,
                      std::function<void(absl::StatusOr<Offset>)> done) override;

  void append(JournalAppend append) override;
  absl::StatusOr<Offset> append_and_wait(JournalAppend append) override;
  absl::Status read_journal(std::uint32_t shard, Offset from, Offset to,
                            const std::function<bool(Offset, std::string_view)>& entry) override;
  absl::StatusOr<Offset> journal_begin(std::uint32_t shard) const override;
  absl::StatusOr<Offset> journal_end(std::uint32_t shard) const override;
  absl::Status refusal(std::uint32_t shard) const override;
  std::optional<ClockReading> witness(std::uint32_t shard) const override;
  void release(std::uint32_t shard, std::uint64_t seq) override;
  absl::Status resume(std::uint32_t shard, std::uint64_t acked_through, std::uint64_t seq_last,
                      std::vector<UnsentRun> unsent, std::vector<Spilled> spilled = {}) override;
  std::vector<UnsentRun> unsent(std::uint32_t shard, std::uint64_t seq) const override;
  Waiting waiting(std::uint32_t shard) const override;
  void stored(std::uint32_t shard, std::uint64_t seq) override;
  std::vector<RunRange> spilled(std::uint32_t shard) const override;
  std::optional<Spilled> wanted(std::uint32_t shard) override;
  void refill(std::uint32_t shard, const Outlet& outlet, std::vector<UnsentRun> rows,
              std::uint64_t through) override;
  absl::Status trim(std::uint32_t shard, const Trim& below) override;

  absl::StatusOr<std::vector<StoredAction>> read_actions(std::string_view topic,
                                                         std::uint32_t shard, std::uint64_t from,
                                                         std::uint32_t max) override;
  absl::StatusOr<ActionRange> action_range(std::string_view topic,
                                           std::uint32_t shard) const override;
  absl::StatusOr<std::vector<std::string>> decisions_of(std::string_view customer,
                                                        std::uint32_t limit) override;
  absl::StatusOr<std::vector<std::string>> decisions(std::uint32_t shard, std::uint64_t from_run,
                                                     std::uint32_t max) override;
  absl::StatusOr<std::vector<std::string>> dead_letters(std::uint32_t shard,
                                                        std::uint32_t max) override;
  void store_cursor(std::string_view subscriber, std::string_view channel, std::string_view cursor,
                    std::function<void(absl::Status)> done) override;
  absl::StatusOr<std::string> stored_cursor(std::string_view subscriber,
                                            std::string_view channel) const override;

  void watch(Watcher watcher) override;
  bool leave() override { return consumer_->leave(); }
  absl::Status status() const override;
  std::uint64_t disk_bytes() const override { return 0; }  // of ours: the brokers have it all
  std::uint64_t commits() const override;
  void abandon() override;
  absl::Status close() override;

 private:
  absl::StatusOr<std::vector<TopicSource>> sources_of(std::uint32_t shard, const InputTopic& topic);
  // Catalog versions that stay in memory; older ones are read from the topic.
  static constexpr std::size_t kCatalogsInMemory = 32;
  // How long close() waits for what is under way.
  static constexpr std::chrono::milliseconds kCloseMax{10'000};

  KafkaLog(const KafkaOptions& options, const Clock& clock, kafka::Identity identity,
           std::unique_ptr<kafka::Admin> admin);
  absl::Status load_catalogs();
  void take_catalog(const rd_kafka_message_t& message);
  void stop();
  absl::StatusOr<std::string> topic_of(std::string_view source) const;
  absl::StatusOr<std::int32_t> partitions_of(const std::string& topic) const;

  const KafkaOptions options_;
  const kafka::TopicNames names_;
  const Clock& clock_;
  const kafka::Identity identity_;
  std::unique_ptr<kafka::Admin> admin_;
  kafka::Pump pump_;
  kafka::Errands errands_;
  kafka::Journal journal_;
  kafka::Outputs outputs_;
  kafka::Publisher publisher_;
  mutable kafka::Readback readback_;
  std::unique_ptr<kafka::Consumer> consumer_;
  Watcher watcher_;

  mutable std::mutex mutex_;
  std::deque<CatalogRecord> catalogs_;  // the newest
  Offset catalog_end_ = 0;              // behind the newest version
  std::uint64_t catalog_count_ = 0;
  Offset catalog_read_ = 0;  // behind all that has been read
  // Of the newest catalog: topics of Sources and References by name, and whose an event is that
  // names none.
  std::map<std::string, std::string> source_topics_;
  std::string first_source_;
  // Every topic that some version of the catalog has named, and whether as business data. Of events
  // a shard takes its own, of business data all: one that turned from one into the other would be
  // taken by some shards and not by others, or by all.
  std::map<std::string, bool> for_all_;
  mutable std::map<std::string, std::int32_t> partitions_;
  absl::Status status_;
  bool stopped_ = false;
};

}  // namespace spur
