// LiveShard: one shard between its log and its fold: polls, makes runs, appends, verifies,
// releases, writes behind, answers.
//
//                assign()               recovered          fenced, in doubt
//     unassigned ────────▶ recovering ─────────────▶ live ──────────────────▶ recovering
//          ▲                   │ outrun: later again   │ revoke(): goes on until a newer Owner
//          └───────────────────┴── revoked ────────────┘ is seen
//
// All of it on the thread of its worker; other threads hand over through the worker. What blocks
// (recovering, reading the journal back) runs aside and posts its result. One run is in flight; up
// to kRunsAheadMax more only when the last was cut by its size limit, so an idle shard commits at
// once and a busy one batches by itself.
//
// Doubt about who owns the shard is settled by the journal alone (rules 8 and 11), and what cannot
// be settled drops the memory and recovers: there is no repair in place. The sources are split by
// what they decide: live_shard.cc runs and appends, live_shard_owner.cc says whose the shard is.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "daemon/aside.h"
#include "daemon/catalogs.h"
#include "daemon/clock.h"
#include "daemon/engine.h"
#include "daemon/feeds.h"
#include "daemon/flush.h"
#include "daemon/log/log.h"
#include "daemon/read_back.h"
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
  FlushQueue& flushes;
  Breadcrumb& crumb;
  Aside& recoveries;  // long
  Aside& looks;       // a round trip each
  // Topics are asked for as long as the cluster takes: no look at a journal waits behind it.
  Aside& discoveries;
  // Nobody else can write these journals, so there is nothing to watch for (rule 11), and what is
  // durable here is what a recovery begins with (rule 15).
  bool exclusive = true;
  // Where recoveries of other processes begin; nullptr: nowhere but at the journal's beginning.
  Snapshots* snapshots = nullptr;
  std::chrono::nanoseconds snapshot_interval = std::chrono::minutes(10);
  std::function<std::string()> make_nonce;
  EventClock event_clock;
  std::string node;
  std::string libraries;
  std::uint32_t fold_version = kFoldVersion;  // tests: what this code says that it is
  std::function<void()> event_clock_moved;    // wakes all workers
  std::function<void()> health_changed;
  std::function<void(absl::Status)> failed;  // nothing but a restart helps
  std::function<void()> crash;               // tests: abandon everything, as if killed
  std::atomic<bool> stopping{false};
  std::atomic<std::uint64_t> actions_released{0};
};

class LiveShard {
 public:
  static constexpr std::uint32_t kRunsAheadMax = 3;
  // Rule 11: how long an owner that appends nothing may rest on what it last saw of its journal.
  static constexpr std::chrono::milliseconds kWatchEvery{1000};
  // How far beyond its limit the memory of customers may grow while they are written: twice.
  static constexpr std::size_t kCrowdedTimesMax = 2;
  // Of rows that a destination wants back from the outbox, at once.
  static constexpr std::size_t kRefillBytesMax = 4u << 20;
  // Before a claim that was outrun, or a log that could not be read, is tried again.
  static constexpr std::chrono::milliseconds kRetryAfter{200};
  static constexpr std::chrono::seconds kFlushIntervalMax{60};  // rule 12
  // While more customers are in memory than the limit allows: written behind this often, so that
  // they can leave.
  static constexpr std::chrono::seconds kCrowdedFlushEvery{1};

  // `post` runs a function on the worker's thread, later.
  LiveShard(std::uint32_t index, ShardHost& host, std::unique_ptr<Store> store,
            std::function<void(std::function<void()>)> post);
  ~LiveShard();

  // Whose turn it is, as the log says (Log::Watcher). Nothing happens before the first assign().
  void assign();
  void revoke();
  // Effects of runs up to `seq` have all arrived. From any thread.
  void effects_acked(std::uint64_t seq);
  // A destination that was away takes records again: gives the log what the outbox has for it.
  void refill();
  // Does what there is to do; true: there is more, come back without waiting.
  bool step(const ClockReading& now);
  // When step() has something to do by itself, on the steady scale; nullopt: only when something
  // arrives.
  std::optional<std::chrono::nanoseconds> deadline(const ClockReading& now) const;

  void ask(const std::function<void(const ShardView&)>& ask,
           std::function<void(absl::Status)> answered);
  // Goes on until another process has claimed it. To be followed by drain(), for nobody may.
  void hand_over();
  // Finish what was taken, write all state, seal.
  void drain();
  bool finished() const {
    return phase_ == ShardPhase::kStopped || phase_ == ShardPhase::kParked ||
           phase_ == ShardPhase::kFailed;
  }
  // The worker's thread has ended: nothing more happens here.
  void stop_abruptly() {
    if (!finished()) phase_ = ShardPhase::kStopped;
  }
  // Answers everybody who waits that there will be no answer.
  void refuse_waiting();

  // --- from any thread ---
  ShardStats stats() const;
  std::optional<Park> parked() const;
  // It takes nothing more, for what waits for its destinations fills the outbox.
  bool outbox_full() const { return outbox_full_.load(std::memory_order_acquire); }
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
  struct Ack {
    std::uint64_t seq = 0;
    absl::StatusOr<Offset> offset;
  };
  // An input in which the process died: tried on its own, quarantined when it kills again.
  struct Suspect {
    std::uint32_t source = 0;
    Offset offset = 0;
    bool tried_before = false, tried_now = false;
  };
  // What the log said of the topics of a catalog.
  struct Discovered {
    std::vector<InputTopic> topics;
    Log::Discovery found;
  };
  // What a run is to be made of.
  struct Plan {
    bool catalogs = false;
    bool inputs = false;
    bool timers = false;
    std::uint32_t told = 0;  // customers that may be told of changes of business data
    bool tells_only() const { return told > 0 && !catalogs && !inputs && !timers; }
    bool any() const { return catalogs || inputs || timers || told > 0; }
  };

  // --- runs: live_shard.cc ---
  bool may_run() const;
  // After a run of its own that told: when the next may be, and how much it is.
  void pace_telling(std::chrono::nanoseconds begun);
  // What was computed has to be written before there is room for more.
  bool held_up() const;
  bool crowded_out() const;
  void look_at_outbox();
  // Everything that there is to append now, one run at a time; true: there is more.
  bool make_run(const ClockReading& now);
  std::optional<Plan> plan(Instant tick, const ClockReading& now);
  Instant tick(const ClockReading& now);
  bool catching_up(const Plan& plan, const ClockReading& now) const;
  // False: nothing came of it (the log failed, or there was nothing after all).
  bool run(const Plan& plan, const ClockReading& now, Instant tick);
  bool take_catalogs();
  // Folds inputs in their order, until the run is full or the next has to wait. How many.
  std::uint32_t take_inputs(const ClockReading& now, std::chrono::nanoseconds& arrived);
  // The records of this run are behind us.
  void taken(const Feeds::Record& record);
  void add_sources();
  void discover(const std::vector<InputTopic>& topics);
  void take_sources(const std::vector<InputTopic>& topics, const std::vector<TopicSource>& found);
  bool suspect_is_next(const ClockReading& now);
  void try_suspect();
  void quarantine_suspect(const ClockReading& now);
  void append(spur::v1::JournalEntry entry, const Effects& effects, std::chrono::nanoseconds taken,
              bool seal);
  void append_plain(spur::v1::JournalEntry entry);
  // Rules 8 and 9 on the log's thread: an entry that stands right behind everything judged, and is
  // the next of ours, counts, whoever looks at it. Anything else is left to the worker.
  void release_early(std::uint64_t incarnation, const InFlight& run, Offset offset);
  void release(const InFlight& run);
  bool flush(const ClockReading& now);
  // There is more in the journal than in the last copy for others.
  bool copy_wanted() const;
  bool trying() const { return suspect_ && suspect_->tried_now; }
  // The state as it is stored is in a snapshot, or none are kept.
  bool archived() const;
  std::chrono::nanoseconds flush_due(const ClockReading& now) const;
  void leave();
  void finish_draining();
  void fail(absl::Status why);
  void set_phase(ShardPhase phase);

  // --- whose the shard is: live_shard_owner.cc ---
  void acknowledged(std::uint64_t seq, absl::StatusOr<Offset> offset);
  // Handles acknowledgements in the order sent, as far as they can be handled (rule 8).
  void settle_acks();
  void verified(std::uint64_t seq, Offset offset);
  // Tells the log's thread what has been judged; false: that thread has released it already.
  bool judge();
  void begin_incarnation();
  void look();
  void looked(const absl::Status& refused, const absl::StatusOr<ReadBack>& found);
  void start_recovery();
  void recovered(absl::StatusOr<RecoveryResult> result);
  void go_live(Recovered recovered);
  // Forgets the owned state, once nothing works on it any more, and recovers if it is still this
  // process's turn.
  void drop();
  void settle_drop();
  void park(Park why);
  // Rule 11 and what is to be tried again.
  void watch(const ClockReading& now);

  const std::uint32_t index_;
  ShardHost& host_;
  std::unique_ptr<Store> store_;
  const std::function<void(std::function<void()>)> post_;

  std::atomic<ShardPhase> phase_{ShardPhase::kRecovering};  // until it is known whose turn it is
  RecoveryProgress progress_;
  bool assigned_ = false;
  bool leaving_ = false;  // told to stop: it is not to be this process's again
  std::atomic<bool> cancel_recovery_{false};
  // Counts ownerships of this process: an acknowledgement of an earlier one means nothing.
  std::uint64_t incarnation_ = 0;
  bool recovering_ = false, looking_ = false;  // a task is aside
  bool dropping_ = false;
  std::optional<Park> park_after_drop_;
  bool doubt_ = false;  // no runs until the journal has been looked at
  std::chrono::nanoseconds retry_at_{0};

  std::unique_ptr<OwnedShard> owned_;
  std::unique_ptr<WriteBehind> behind_;
  std::unique_ptr<Feeds> feeds_;
  std::optional<ShardClock> shard_clock_;
  // Everything in the journal up to this offset has been judged: the last of our verified entries,
  // or others behind it that do not count (rule 8).
  Offset journal_last_ = 0;
  std::uint64_t verified_seq_ = 0;
  std::chrono::nanoseconds verified_at_{
      0};  // of the last look at the journal, by ack or by reading
  std::atomic<bool> outbox_full_{false};
  std::atomic<std::uint64_t> acked_{0};  // effects of runs up to here have arrived
  // The same, as the log's thread knows it: a little ahead. After any mismatch it stays until the
  // worker has judged, so that nothing is released before it was looked at.
  struct Judged {
    std::uint64_t incarnation = 0;
    std::uint64_t seq = 0;  // released up to here
    Offset last = 0;
  };
  std::mutex judged_mutex_;  // held while the log's thread releases: a drop waits for it
  Judged judged_;
  std::deque<InFlight> in_flight_;
  std::deque<Ack> acks_;  // not handled yet
  std::deque<Waiting> waiting_;
  bool last_run_full_ = false;
  std::chrono::nanoseconds tell_at_{0};     // no run of its own that tells begins before
  bool told_last_ = false;                  // the last run was one
  std::uint32_t tell_slice_ = kToldPerRun;  // how many the next one tells
  bool draining_ = false, sealed_ = false;
  bool flush_now_ = false;
  std::chrono::nanoseconds flush_due_{0}, flush_begun_{0}, snapshot_due_{0};
  std::uint64_t snapshot_seq_ = 0;  // of the last copy for others, or where this owner began
  std::uint64_t archived_seq_ = 0;  // behind which run the last snapshot stands
  bool sources_due_ = false;        // the catalog may name topics that are not sources yet
  std::chrono::nanoseconds sources_at_{0};
  // Asked for aside: not answered yet; failed once for this catalog, so that runs go on meanwhile.
  bool discovering_ = false, sources_late_ = false;
  std::optional<Discovered> discovered_;
  std::optional<Suspect> suspect_;
  bool trying_is_ours_ = false;  // this process has appended a Trying of it, in whatever ownership
  std::uint64_t quarantined_ = 0;
  ScoreTape tape_;
  Effects effects_;
  std::vector<Feeds::Record> last_taken_;  // of each source in this run

  mutable std::mutex stats_mutex_;
  ShardStats stats_;
  std::optional<Park> parked_;
};

}  // namespace spur
