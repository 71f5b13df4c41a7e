// Engine: a whole deployment of Spur in one process. What gRPC, HTTP and the command line call;
// they hold no state.
//
//     publish ─▶ log (input of a shard) ─▶ worker ─▶ Shard ─▶ run + effects ─▶ log ─sync─▶ readers
//                                                      └─ rows, written behind ─▶ RocksDB
//
// Threads. Every method may be called from any thread. Callbacks run on a thread of the engine (the
// log's committer or a shard's worker): they must not block, and must not call back into
// shutdown(). Hand real work to a thread of your own. Each callback is called exactly once, also
// when the engine shuts down (then with UNAVAILABLE).
//
// Nothing that a caller is told can be taken back: publish is acknowledged, actions are readable
// and questions are answered only once everything they rest on is durable (docs/protocol.md rule 9,
// H21).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "daemon/clock.h"
#include "daemon/park.h"
#include "operators/catalog/compile.h"
#include "operators/shard.h"
#include "spur/v1/action.pb.h"
#include "spur/v1/catalog.pb.h"
#include "spur/v1/decision.pb.h"
#include "spur/v1/event.pb.h"

namespace rocksdb {
class Env;
}

namespace spur {

class Log;
struct InputRecord;

// Where the shards' clocks come from.
enum class EngineClock : std::uint8_t {
  kWall,    // the wall clock, clamped
  kEvents,  // the largest event time so far, one for all shards (demo, load tests); no action is
            // ever too old
};

// Test only: places to die at. Each answers whether to; then the engine abandons everything as a
// killed process would.
struct EngineFaults {
  std::function<bool(std::uint32_t shard, std::uint64_t seq)>
      crash_before_append;  // the run is computed, not written
  std::function<bool(std::uint32_t shard, std::uint64_t seq)>
      crash_after_commit;  // durable, nothing released yet
  std::function<void(std::uint32_t shard, const InputRecord& record)>
      before_input;  // may abort the process (poison)
  rocksdb::Env* env =
      nullptr;  // a file system with faults under every RocksDB; nullptr: the machine's
};

struct EngineOptions {
  std::string directory;  // everything durable of this process lives below it; made if missing
  // Opens the log that several processes share. Empty: the engine has its own, below `directory`,
  // and every shard of it.
  std::function<absl::StatusOr<std::unique_ptr<Log>>(const Clock&)> open_log;
  // Of such a log: a folder that all processes see, for copies of the shards' state (snapshot.h).
  // Empty: none are taken, and nothing is trimmed.
  std::string snapshots;
  std::chrono::milliseconds snapshot_interval{600'000};
  std::uint32_t shards =
      0;  // P. 0: what the deployment has, 4 for a new one. Another number than recorded: refused
  std::uint32_t workers = 0;  // threads that own shards; 0: min(shards, cores)
  EngineClock clock_source = EngineClock::kWall;

  std::size_t state_memory_bytes_max = 512u << 20;  // customers in memory, all shards together
  // Effects on disk that wait for destinations which do not take them, all shards together: beyond
  // it a shard takes no more inputs.
  std::uint64_t outbox_bytes_max = 4ull << 30;
  std::size_t block_cache_bytes = 128u
                                  << 20;  // one for all RocksDBs; write buffers are charged to it
  std::size_t write_buffer_bytes = 96u << 20;
  // Of a log that several processes share: how long shutdown() goes on with its shards for whoever
  // takes them over, who may have their state to restore first. Then they stand still until that is
  // done.
  std::chrono::milliseconds hand_over_max{15'000};
  std::chrono::milliseconds flush_interval{
      30'000};  // state is written behind this often; at most 60 s (rule 12)

  // Back-pressure: what a shard may have taken into its log and not yet folded.
  std::uint32_t queue_events_max = 65'536;
  std::size_t queue_bytes_max = 64u << 20;

  std::uint32_t run_inputs_max = 1'024;  // inputs in one run
  // Of customers woken or told of a change in one run: kTimersPerRun, and fewer in tests.
  std::uint32_t run_timers_max = kTimersPerRun;

  std::chrono::milliseconds actions_retention{7LL * 24 * 3600 * 1000};
  std::uint64_t actions_bytes_max = 10ULL << 30;
  // Inputs and journal entries kept behind the durable state, a shard, for explain and backtest.
  // Never less than what a recovery needs.
  std::uint64_t history_inputs = 100'000;

  // Called for each durable run that made actions, with the time from taking its oldest event to
  // their release. From a worker's thread or one of the log's; must be cheap (a histogram).
  std::function<void(std::uint32_t shard, std::chrono::nanoseconds, std::uint32_t actions)>
      on_action_latency;

  // Called for each run, and for each of its decisions that was not sent, once it is appended. From
  // a worker's thread; must be cheap.
  std::function<void(std::uint32_t shard, std::size_t inputs)> on_run;
  std::function<void(const Decision&)> on_withheld;
  // Called for each group commit: how many appends it was for, and how long the write with its sync
  // took. From the log's thread; must be cheap.
  std::function<void(std::size_t appends, std::chrono::nanoseconds)> on_commit;

  Clock* clock = nullptr;  // nullptr: the machine's. Outlives the engine
  EngineFaults faults;
};

// --- publish ---
// Of one publish(), once each batch in it has become its calls with what it says for all of them.
inline constexpr std::size_t kPublishSplitBytesMax = 64u << 20;

struct EventToPublish {
  std::string_view source;  // of the catalog; empty: the first
  std::string_view bytes;   // one record of the Source, in its format
};
struct Published {
  std::uint32_t shard = 0;
  std::uint64_t offset = 0;  // in the shard's input log
  // Empty: taken. Otherwise it is kept as a dead letter, for this reason.
  std::string dead_letter_reason;
  // Of a batch, shard and offset are those of its last call, the reason that of the first refused.
  // Of a record of business data, which goes to every shard, those of its last copy.
};
using PublishDone = std::function<void(absl::StatusOr<std::vector<Published>>)>;

// --- actions ---
struct ActionDelivery {
  spur::v1::Action action;
  std::string cursor;  // resume after this action; opaque
};

// Calls back while it lives; see Engine::watch_actions.
class ActionWatch {
 public:
  virtual ~ActionWatch() = default;
};

// --- reads ---
// A shard as seen between two runs. Good inside the callback only.
struct ShardView {
  Shard& shard;
  Customers& customers;
  std::uint64_t run = 0;  // sequence of the last run it has seen
  Instant now;            // the shard's clock
  // spur.v1.Catalog in force at it; one applied just now may not be yet.
  const std::string& catalog;
};

// A shard as a fold of its history has it. Good inside the callback only.
struct HistoryView {
  Shard& shard;
  Customers& customers;
  const std::string& catalog;  // spur.v1.Catalog in force
  bool at_end = false;         // of the journal
};

// What is asked about a shard's past.
struct HistoryQuestion {
  std::uint32_t shard = 0;
  Instant until;               // the time it is about: chooses what the fold begins with
  Watcher* watcher = nullptr;  // is told what the fold does
  // Called before the first entry, after each, and at the end; answers whether to go on.
  std::function<bool(const HistoryView&)> go_on;
};

// --- catalog ---
struct CatalogInForce {
  spur::v1::Catalog catalog;  // with what it retired
  std::shared_ptr<const catalog::Compiled> compiled;
  std::string hash;  // 16 bytes
  // Grows with each; behind its place in the log of catalogs, which may have others between.
  std::uint64_t version = 0;
};
struct CatalogApplied {
  std::string hash;
  bool changed = false;                // false: that version was in force
  std::vector<catalog::Error> errors;  // not empty: refused, the running one stays
  std::vector<catalog::Error> warnings;
};

// --- health ---
struct ParkedShard {
  std::uint32_t shard = 0;
  ParkReason reason = ParkReason::kLostRuns;
  std::string detail;
};

struct Health {
  bool live = true;      // false: only a restart helps; `why` says what happened
  bool started = false;  // every shard has finished its recovery (or is parked)
  bool ready = false;    // live, started, nothing parked, a catalog in force, not shutting down
  std::string why;       // why not ready, for people; empty when ready
  std::vector<ParkedShard> parked;
};

enum class ShardPhase : std::uint8_t {
  kRecovering,
  kLive,
  kParked,
  kFailed,
  kStopped,
  kUnassigned,  // another process should have it
};
std::string_view to_text(ShardPhase phase);

struct ShardStats {
  std::uint32_t shard = 0;
  ShardPhase phase = ShardPhase::kRecovering;
  std::uint64_t epoch = 0;
  std::uint64_t run_seq = 0;      // last computed
  std::uint64_t durable_seq = 0;  // last verified
  // Sums over the shard's sources, of the next record and of the first not folded: the lag is their
  // difference.
  std::uint64_t input_end = 0;
  std::uint64_t input_next = 0;
  std::uint32_t ends_unheard = 0;  // sources whose end is not known yet: taken to be at it
  std::uint64_t catalogs = 0;      // versions folded
  std::uint64_t journal_end = 0;
  std::uint64_t state_offset = 0;  // journal offset that the durable state stands at
  std::uint64_t state_seq = 0;
  std::uint64_t replayed = 0, to_replay = 0;  // journal entries, of the present or last recovery
  std::uint64_t divergences = 0, inputs_changed = 0;
  std::uint64_t quarantined = 0;
  std::uint64_t flushes = 0;
  Instant clock;
  Instant next_due = Instant::never();
  bool clock_held = false;  // the wall runs ahead of its witness
  std::uint64_t customers_in_memory = 0, customer_bytes = 0, customers_dirty = 0, timers = 0;
  std::uint64_t store_bytes = 0;  // on disk, estimated
  std::uint64_t outbox_bytes = 0;
  bool held_up = false;  // it takes no inputs until more of what it has is written, or has left
  Shard::Counters counters;
  std::vector<Shard::TriggerCounters> triggers;  // by index in the catalog in force at that shard
  std::shared_ptr<const catalog::Compiled> catalog;
};

struct EngineStats {
  std::vector<ShardStats> shards;
  std::uint64_t log_bytes = 0;    // on disk, estimated
  std::uint64_t log_commits = 0;  // group commits, each one sync
  std::uint64_t events_published = 0;
  std::uint64_t events_refused = 0;  // for back-pressure
  std::uint64_t actions_released = 0;
  std::uint64_t snapshots_failed = 0;
  std::string deployment;  // UUID as text
};

class Engine {
 public:
  // Opens the folder and checks that it may be used: FAILED_PRECONDITION with what to do for a
  // folder in use by another daemon, another number of shards, state or log of a newer version;
  // INVALID_ARGUMENT for an unusable path; DATA_LOSS for damage. Recovery then runs in the
  // background: see health() and wait_started().
  static absl::StatusOr<std::unique_ptr<Engine>> open(const EngineOptions& options);
  // Without a shutdown() before it: as if the process were killed.
  virtual ~Engine() = default;

  // Returns once every shard is live or parked. False: `timeout` passed or the engine failed.
  virtual bool wait_started(std::chrono::milliseconds timeout) = 0;

  // Takes events into the log. All or none: RESOURCE_EXHAUSTED when the queue of a shard is full,
  // FAILED_PRECONDITION without a catalog, UNAVAILABLE while shutting down or failed. `done` is
  // called once the events are durable, or at once, on the caller's thread, for a refusal. `events`
  // need not outlive the call.
  virtual void publish(std::span<const EventToPublish> events, PublishDone done) = 0;

  // --- actions: readable once durable, kept for actions_retention, by any number of readers ---
  // The topic of a channel of the catalog in force; NOT_FOUND if it has none of that name.
  virtual absl::StatusOr<std::string> topic_of(std::string_view channel) const = 0;
  // Up to `max` actions after `cursor` (empty: from the oldest kept), in order per shard. Empty:
  // nothing new. OUT_OF_RANGE when what follows the cursor is no longer kept, INVALID_ARGUMENT for
  // bytes that are no cursor of this deployment.
  virtual absl::StatusOr<std::vector<ActionDelivery>> read_actions(std::string_view topic,
                                                                   std::string_view cursor,
                                                                   std::uint32_t max) = 0;
  // A cursor behind everything released so far.
  virtual absl::StatusOr<std::string> end_cursor(std::string_view topic) const = 0;
  // Calls `changed` after new actions of `topic` became readable, until the watch is destroyed
  // (which waits for a call that is under way). Read first, then watch, then read again: nothing is
  // missed. Must be cheap.
  virtual std::unique_ptr<ActionWatch> watch_actions(std::string_view topic,
                                                     std::function<void()> changed) = 0;
  // The stored cursor of a named subscriber. `done` once durable.
  virtual void store_cursor(std::string_view subscriber, std::string_view channel,
                            std::string_view cursor, std::function<void(absl::Status)> done) = 0;
  // Empty if none was stored.
  virtual absl::StatusOr<std::string> stored_cursor(std::string_view subscriber,
                                                    std::string_view channel) const = 0;

  // --- questions ---
  virtual std::uint32_t shards() const = 0;
  // Runs `ask` on the shard's thread between two runs, then calls `answered` once every run that
  // `ask` saw is durable, or with UNAVAILABLE if the shard is recovering, parked or failed (`ask`
  // may then not have run: answer nothing of it). An event that was acknowledged just now may not
  // be folded yet: compare the offset with ShardStats::input_next.
  virtual void with_shard(std::uint32_t shard, std::function<void(const ShardView&)> ask,
                          std::function<void(absl::Status)> answered) = 0;
  // Folds the shard's journal again, beside the shard and on a thread of its own, as the question
  // says; then calls `answered`. One at a time in the process: RESOURCE_EXHAUSTED while as many
  // wait as may. OUT_OF_RANGE: what it takes is no longer kept. The question and what it names live
  // until the answer.
  virtual void ask_history(HistoryQuestion question,
                           std::function<void(absl::Status)> answered) = 0;
  // Durable decisions about a customer ("user_id:123"), newest first.
  virtual absl::StatusOr<std::vector<spur::v1::Decision>> decisions_of(std::string_view customer,
                                                                       std::uint32_t limit) = 0;
  // Durable decisions of a shard in order, from the run `from_run` on, at least one run if there is
  // one, then up to `max`.
  virtual absl::StatusOr<std::vector<spur::v1::Decision>> decisions(std::uint32_t shard,
                                                                    std::uint64_t from_run,
                                                                    std::uint32_t max) = 0;
  // Durable dead letters of a shard, newest first.
  virtual absl::StatusOr<std::vector<spur::v1::DeadLetter>> dead_letters(std::uint32_t shard,
                                                                         std::uint32_t max) = 0;

  // --- catalog ---
  // All or nothing. `done` with the errors of a refused one, or once the new version is durable;
  // each shard switches at its own journaled place, before any event published after `done`.
  virtual void apply_catalog(const spur::v1::Catalog& catalog, std::string_view comment,
                             std::function<void(absl::StatusOr<CatalogApplied>)> done) = 0;
  // nullptr: none was applied yet.
  virtual std::shared_ptr<const CatalogInForce> current_catalog() const = 0;

  // --- operation ---
  virtual Health health() const = 0;
  virtual EngineStats stats() const = 0;
  // Called whenever health() may have changed. One hook; must be cheap.
  virtual void on_health_change(std::function<void()> changed) = 0;

  // Stops intake, finishes what was taken, writes all state, seals the journals. Idempotent. Not
  // from a callback.
  virtual absl::Status shutdown() = 0;
};

}  // namespace spur
