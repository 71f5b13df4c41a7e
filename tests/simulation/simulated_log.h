// SimulatedLog: one process's Log over the shared Broker. Every call gives way to the scheduler;
// appends and sends wait in sessions until the scheduler lets them arrive, acknowledges them or
// breaks the session.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "daemon/clock.h"
#include "daemon/log/log.h"
#include "daemon/plant.h"
#include "tests/simulation/broker.h"
#include "tests/simulation/random.h"

namespace spur::simulation {

class SimulatedLog final : public Log {
 public:
  SimulatedLog(Broker& broker, Random& random, const Clock& clock, const bool& faults);

  // --- the scheduler's ---
  // One thing happens at the broker for this process: a request arrives, an acknowledgement does, a
  // session breaks. Empty: nothing is under way. Otherwise what it was, for the trace.
  std::string step();
  bool idle() const;
  // The process is dead: calls do nothing and say UNAVAILABLE, what was sent may still arrive.
  void kill();

  // --- Log ---
  const DeploymentId& deployment() const override { return deployment_; }
  std::uint32_t shards() const override {
    return static_cast<std::uint32_t>(broker_.journals.size());
  }
  Discovery discover(std::uint32_t shard, std::span<const InputTopic> topics) override;
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
  void folded(std::uint32_t, std::uint32_t, Offset) override {}
  absl::StatusOr<std::vector<CatalogRecord>> poll_catalogs(Offset from,
                                                           std::uint32_t records_max) override;
  Offset catalog_end() const override;
  void append(JournalAppend append) override;
  absl::StatusOr<Offset> append_and_wait(JournalAppend append) override;
  absl::Status read_journal(std::uint32_t shard, Offset from, Offset to,
                            const std::function<bool(Offset, std::string_view)>& entry) override;
  absl::StatusOr<Offset> journal_begin(std::uint32_t shard) const override;
  absl::StatusOr<Offset> journal_end(std::uint32_t shard) const override;
  absl::Status refusal(std::uint32_t shard) const override { return shards_[shard].refusal; }
  void release(std::uint32_t shard, std::uint64_t seq) override;
  absl::Status resume(std::uint32_t shard, std::uint64_t acked_through, std::uint64_t seq_last,
                      std::vector<UnsentRun> unsent, std::vector<Spilled> spilled = {}) override;
  std::vector<UnsentRun> unsent(std::uint32_t shard, std::uint64_t seq) const override;
  void stored(std::uint32_t shard, std::uint64_t seq) override;
  std::vector<RunRange> spilled(std::uint32_t shard) const override;
  std::optional<Spilled> wanted(std::uint32_t shard) override;
  void refill(std::uint32_t shard, const Outlet& outlet, std::vector<UnsentRun> rows,
              std::uint64_t through) override;
  absl::Status trim(std::uint32_t shard, const Trim& below) override;
  void watch(Watcher watcher) override { watcher_ = std::move(watcher); }
  absl::Status status() const override;

  // --- not asked by shards ---
  absl::StatusOr<std::vector<Offset>> append_inputs(std::span<const InputAppend>,
                                                    std::function<void(absl::Status)>) override {
    return absl::UnimplementedError("inputs come from the broker");
  }
  void append_catalog(std::string, std::string,
                      std::function<void(absl::StatusOr<Offset>)>) override {}
  absl::StatusOr<std::vector<StoredAction>> read_actions(std::string_view, std::uint32_t,
                                                         std::uint64_t, std::uint32_t) override {
    return std::vector<StoredAction>();
  }
  absl::StatusOr<ActionRange> action_range(std::string_view, std::uint32_t) const override {
    return ActionRange();
  }
  absl::StatusOr<std::vector<std::string>> decisions_of(std::string_view, std::uint32_t) override {
    return std::vector<std::string>();
  }
  absl::StatusOr<std::vector<std::string>> decisions(std::uint32_t, std::uint64_t,
                                                     std::uint32_t) override {
    return std::vector<std::string>();
  }
  absl::StatusOr<std::vector<std::string>> dead_letters(std::uint32_t, std::uint32_t) override {
    return std::vector<std::string>();
  }
  void store_cursor(std::string_view, std::string_view, std::string_view,
                    std::function<void(absl::Status)>) override {}
  absl::StatusOr<std::string> stored_cursor(std::string_view, std::string_view) const override {
    return std::string();
  }
  std::uint64_t disk_bytes() const override { return 0; }
  std::uint64_t commits() const override { return 0; }
  void abandon() override { kill(); }
  absl::Status close() override { return absl::OkStatus(); }

 private:
  class Reader;
  using Done = std::function<void(absl::StatusOr<Offset>)>;
  struct Request {
    std::uint64_t seq = 0;
    std::string entry;
    Done done;
  };
  struct Accepted {
    Offset offset = 0;
    std::string entry;
    Done done;
  };
  struct Queue {
    std::int32_t to = -1;  // of messages
    std::deque<Effect> effects;
    std::size_t arrived = 0;  // of them, from the front, not acknowledged
    // Of a destination that takes transactions: how far its producer has come, and in which epoch.
    enum class Stage : std::uint8_t { kNew, kInitialised, kBegun } stage = Stage::kNew;
    std::uint64_t epoch = 0;
    std::size_t sent = 0;  // of `effects`, as one transaction that has not arrived
    bool tail_read = false;
    // Runs between `effects` and `later` that only the outbox has.
    std::optional<RunRange> spilled;
    std::deque<Effect> later;
    bool wanted = false;
    EffectId begins;  // what comes back and is not behind this has arrived
  };
  struct Unreleased {
    std::uint64_t seq = 0;
    RunEffects effects;
  };
  struct ShardLog {
    std::deque<Request> sent;
    std::deque<Accepted> accepted;
    std::deque<Unreleased> unreleased;
    std::map<Destination, Queue> queues;
    std::map<std::uint64_t, RunEffects> runs;  // released, not all acknowledged
    std::uint64_t released = 0;
    absl::Status refusal;
    std::deque<Done> refused;
    std::map<std::uint32_t, Following> following;
    std::map<std::uint32_t, Offset> fetched;  // by source
  };

  void enqueue(std::uint32_t shard, std::uint64_t seq, const RunEffects& effects,
               const std::map<Destination, EffectId>& start);
  void settle_acked(std::uint32_t shard);
  void spill(ShardLog& shard, Queue& queue, std::uint64_t seq);
  void break_journal(std::uint32_t shard);
  void break_queue(const Destination& destination, Queue& queue);
  std::string step_transactions(ShardLog& shard, const Destination& destination, Queue& queue);
  // What has arrived there already is not sent again; the contradiction, if there is one.
  absl::Status apply_start(const ShardLog& shard, const Destination& destination, Queue& queue);
  std::uint64_t transactional_id() const {
    return planted(Plant::kTransactionalIdOfProcess) ? process_ : 0;
  }
  void drop(std::uint32_t shard);
  const Broker::Partition* partition(std::uint32_t shard, const TopicSource& source) const;
  // The log cannot be reached just now.
  absl::Status reach() const;

  Broker& broker_;
  Random& random_;
  const Clock& clock_;
  const bool& faults_;
  bool dead_ = false;
  const std::uint64_t process_;
  const DeploymentId deployment_{1, 2, 3, 4};
  Watcher watcher_;
  std::vector<ShardLog> shards_;
  mutable std::size_t catalogs_heard_ = 0;
};

}  // namespace spur::simulation
