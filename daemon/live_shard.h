// LiveShard: one shard between its log and its fold: polls, makes runs, appends, releases, writes
// behind, answers.
//
// All of it on the thread of its worker; other threads hand over through the worker. One run is in
// flight; up to kRunsAheadMax more only when the last was cut by its size limit, so an idle shard
// commits at once and a busy one batches by itself.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "daemon/catalogs.h"
#include "daemon/clock.h"
#include "daemon/engine.h"
#include "daemon/flush.h"
#include "daemon/log/log.h"
#include "daemon/recovery.h"

namespace spur {

// The clock of `clock: events`: the largest event time so far, one for all shards. Thread-safe.
class EventClock {
 public:
  Instant now() const { return Instant{now_.load(std::memory_order_acquire)}; }
  // True if it moved.
  bool raise(Instant to);

 private:
  std::atomic<std::int64_t> now_{Instant::distant_past().ms};
};

// What the shards of an engine share. Outlives them.
struct ShardHost {
  const EngineOptions& options;
  Log& log;
  Clock& clock;
  Catalogs& catalogs;
  Flusher& flusher;
  Breadcrumb& crumb;
  EventClock event_clock;
  std::string node;
  std::string libraries;
  std::function<void()> event_clock_moved;  // wakes all workers
  std::function<void()> health_changed;
  std::function<void(absl::Status)> failed;  // nothing but a restart helps
  std::function<void()> crash;               // tests: abandon everything, as if killed
  std::atomic<bool> stopping{false};
  std::atomic<std::uint64_t> actions_released{0};
};

class LiveShard {
 public:
  static constexpr std::uint32_t kRunsAheadMax = 3;
  // An input older than this is history: its run follows the records' times instead of the wall.
  static constexpr Millis kCatchUpAge{2000};

  // `post` runs a function on the worker's thread, later.
  LiveShard(std::uint32_t index, ShardHost& host, std::unique_ptr<Store> store,
            std::function<void(std::function<void()>)> post);
  ~LiveShard();

  // Blocks until the shard is live, parked or failed.
  void recover();
  // Does what there is to do; true: there is more, come back without waiting.
  bool step(const ClockReading& now);
  // When step() has something to do by itself, on the steady scale; nullopt: only when something
  // arrives.
  std::optional<std::chrono::nanoseconds> deadline(const ClockReading& now) const;

  void ask(const std::function<void(const ShardView&)>& ask,
           std::function<void(absl::Status)> answered);
  // Finish what was taken, write all state, seal.
  void drain() { draining_ = true; }
  bool finished() const { return phase_ != ShardPhase::kLive && phase_ != ShardPhase::kRecovering; }
  // The worker's thread has ended: nothing more happens here.
  void stop_abruptly() {
    if (!finished()) phase_ = ShardPhase::kStopped;
  }
  // Answers everybody who waits that there will be no answer.
  void refuse_waiting();

  // --- from any thread ---
  ShardStats stats() const;
  std::optional<Park> parked() const;
  ShardPhase phase() const { return phase_.load(std::memory_order_acquire); }
  // Makes stats() fresh; on the worker's thread.
  void publish_stats();

 private:
  struct InFlight {
    std::uint64_t seq = 0;
    std::chrono::nanoseconds taken{0};  // of its oldest input; 0: unknown
    std::uint32_t actions = 0;
    bool seal = false;
  };
  struct Waiting {
    std::uint64_t seq = 0;
    std::function<void(absl::Status)> answered;
  };
  // What a run is to be made of.
  struct Plan {
    bool catalogs = false;
    bool inputs = false;
    bool timers = false;
    Offset inputs_end =
        0;  // as seen before the catalogs were looked at: none of them waits for a later version
    bool any() const { return catalogs || inputs || timers; }
  };

  bool may_run() const;
  Plan plan(Instant tick) const;
  Instant tick(const ClockReading& now);
  // False: nothing came of it (the log failed, or there was nothing after all).
  bool run(const Plan& plan, const ClockReading& now, Instant tick);
  bool take_catalogs();
  // Inputs of the next run, below `end`, held back before a suspect one.
  bool poll(Offset end, InputBatch& batch);
  void try_suspect();
  void quarantine_suspect();
  void append(spur::v1::JournalEntry entry, const Effects& effects, std::chrono::nanoseconds taken,
              bool seal);
  void append_plain(spur::v1::JournalEntry entry);
  void acknowledged(std::uint64_t seq, absl::StatusOr<Offset> offset);
  bool flush(const ClockReading& now);
  void finish_draining();
  void fail(absl::Status why);
  void set_phase(ShardPhase phase);

  const std::uint32_t index_;
  ShardHost& host_;
  std::unique_ptr<Store> store_;
  const std::function<void(std::function<void()>)> post_;

  std::atomic<ShardPhase> phase_{ShardPhase::kRecovering};
  RecoveryProgress progress_;
  std::unique_ptr<OwnedShard> owned_;
  std::unique_ptr<WriteBehind> behind_;
  std::optional<ShardClock> shard_clock_;
  Offset journal_last_ = 0;  // offset of our last verified entry (rule 8)
  // The same, as the log's thread knows it: a little ahead. After a mismatch it stays for good, so
  // that nothing is released any more.
  Offset released_last_ = 0;
  std::deque<InFlight> in_flight_;
  std::deque<Waiting> waiting_;
  bool last_run_full_ = false;
  bool draining_ = false, sealed_ = false;
  bool flush_now_ = false;
  std::chrono::nanoseconds flush_due_{0};
  // An input in which the process died: tried on its own, quarantined when it kills again.
  std::optional<Offset> suspect_;
  bool suspect_tried_before_ = false, suspect_tried_now_ = false;
  std::uint64_t quarantined_ = 0;
  ScoreTape tape_;
  Effects effects_;
  InputBatch batch_;

  mutable std::mutex stats_mutex_;
  ShardStats stats_;
  std::optional<Park> parked_;
};

}  // namespace spur
