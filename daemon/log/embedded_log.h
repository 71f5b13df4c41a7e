// EmbeddedLog: the log of a deployment that is one process: a RocksDB of its own, WAL on, one sync
// for all shards.
//
// A committer thread takes whatever was appended, by all publishers and all shards, and writes it
// as one synced batch (fdatasync here: p50 0.17 ms). Inputs are shown to their shard when appended,
// before that sync; when one arrives at a shard that is idle, the committer gives its run a moment
// to arrive too, so that event, run and effects share one sync. Nothing leaves before it: done() of
// publishers and runs is called after, effects are shown after release().
//
//     append_inputs ─▶ tail in memory ─▶ worker folds ─▶ append(run, effects) ─┐
//            └──────────────────────────────▶ committer: one WriteBatch + sync ◀─┘ ─▶ done()
//
// A channel's `rate` holds back what is released: a pacer thread shows it action by action, each
// shard its part of the rate (pace.h, embedded_pace.cc).
//
// One process at a time, by RocksDB's LOCK; a shared network folder would not honour it and is
// refused. A torn end of the WAL is dropped by point-in-time recovery, which is right for what was
// never acknowledged; should more be missing, a shard's stored position lies beyond the end and
// recovery parks it.
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "daemon/clock.h"
#include "daemon/log/embedded_rows.h"
#include "daemon/log/log.h"
#include "daemon/log/pace.h"
#include "state/rocks_store.h"

namespace rocksdb {
class DB;
class WriteBatch;
}  // namespace rocksdb

namespace spur {

class EmbeddedLog final : public Log {
 public:
  struct Options {
    std::string path;
    std::uint32_t shards = 0;  // 0: as recorded, 4 for a new one
    // What a shard may have taken and not yet folded; beyond it publishers are refused.
    std::uint32_t queue_events_max = 65'536;
    std::size_t queue_bytes_max = 64u << 20;
    std::chrono::milliseconds actions_retention{7LL * 24 * 3600 * 1000};
    std::uint64_t actions_bytes_max = 10ULL << 30;
    std::uint64_t history_inputs =
        100'000;  // inputs and entries kept behind the durable state, a shard
    // After each commit, on the committer's thread: of how many appends, and how long it took.
    std::function<void(std::size_t appends, std::chrono::nanoseconds)> on_commit;
  };
  // How long the committer waits for the run of an input that an idle shard has just been shown. A
  // run of one input takes some 30 µs with its wake-up; a shard that is slower commits by itself
  // and costs the input a second sync.
  static constexpr std::chrono::microseconds kGatherMax{150};
  static constexpr std::size_t kGroupBytesMax = 8u << 20;  // of one synced batch

  // FAILED_PRECONDITION: in use, another number of shards, a newer format, a network folder.
  // `clock` and `shared` outlive the log.
  static absl::StatusOr<std::unique_ptr<EmbeddedLog>> open(const Options& options,
                                                           const RocksShared& shared,
                                                           const Clock& clock);
  // The same as it stands on disk at this moment, for reading only: without the lock, so that a
  // daemon may be at work on it, and without a trace. What is appended to it is never answered.
  // NOT_FOUND: there is no log.
  static absl::StatusOr<std::unique_ptr<EmbeddedLog>> open_to_read(const Options& options,
                                                                   const RocksShared& shared,
                                                                   const Clock& clock);
  ~EmbeddedLog() override;

  const DeploymentId& deployment() const override { return deployment_; }
  std::uint32_t shards() const override { return static_cast<std::uint32_t>(shards_.size()); }

  // One input a shard, kInputSource; events are routed when they are published, so there are no
  // messages between shards.
  Discovery discover(std::uint32_t, std::span<const InputTopic>) override { return {}; }
  void follow(std::uint32_t, std::span<const Following>) override {}
  void unfollow(std::uint32_t) override {}
  absl::Status poll(std::uint32_t shard, std::uint32_t source, Offset from,
                    const PollLimits& limits, InputBatch& batch) override;
  std::unique_ptr<InputReader> open_reader(std::uint32_t shard,
                                           std::span<const TopicSource> sources) override;
  absl::StatusOr<Offset> input_begin(std::uint32_t shard, const TopicSource& source) const override;
  absl::StatusOr<Offset> input_end(std::uint32_t shard, const TopicSource& source) const override;
  std::optional<Offset> input_end_heard(std::uint32_t shard,
                                        const TopicSource& source) const override;
  void folded(std::uint32_t shard, std::uint32_t source, Offset next) override;
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
  // Effects stand in the log with their entry: released is arrived, and nothing is ever sent again.
  void release(std::uint32_t shard, std::uint64_t seq) override;
  absl::Status resume(std::uint32_t shard, std::uint64_t acked_through, std::uint64_t seq_last,
                      std::vector<UnsentRun> unsent, std::vector<Spilled> spilled = {}) override;
  std::vector<UnsentRun> unsent(std::uint32_t, std::uint64_t) const override { return {}; }
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

  // Shows what has waited long enough; the pacer does it by itself.
  void show_due();

  void watch(Watcher watcher) override;
  absl::Status status() const override;
  std::uint64_t disk_bytes() const override;
  std::uint64_t commits() const override;
  void abandon() override;
  absl::Status close() override;

 private:
  class Reader;
  // A stretch of inputs as it was appended: the row, and views into it whose offsets count from 0.
  struct Chunk {
    Offset first = 0;
    std::string row;
    std::vector<InputRecord> records;
    std::chrono::nanoseconds taken{0};
    Offset end() const { return first + records.size(); }
  };
  struct Inputs {
    std::vector<std::pair<std::uint32_t, std::shared_ptr<const Chunk>>> chunks;
    std::function<void(absl::Status)> done;
  };
  // The gaps of topics whose channel has a `rate`.
  using Gaps = std::map<std::string, std::chrono::nanoseconds, std::less<>>;
  struct NewCatalog {
    Offset offset = 0;
    std::string row;
    Gaps gaps;
    std::function<void(absl::StatusOr<Offset>)> done;
  };
  struct Cursor {
    std::string key, value;
    std::function<void(absl::Status)> done;
  };
  using Pending = std::variant<Inputs, JournalAppend, NewCatalog, Cursor>;

  // Effects that are durable and not yet released: how far each topic goes with the entry.
  struct Unreleased {
    std::uint64_t seq = 0;
    std::vector<std::pair<std::string, std::uint64_t>> topics;  // topic, next spurseq
  };
  struct ShardLog {
    Offset input_begin = 0, input_end = 0, input_durable = 0;
    Offset folded = 0;
    bool live = false;  // somebody folds it
    std::deque<std::shared_ptr<const Chunk>> tail;
    std::size_t queued_bytes = 0;  // of the tail's chunks that are not wholly folded
    Offset journal_begin = 0, journal_durable = 0;
    std::uint32_t runs_in_flight = 0;
    bool expects_run = false;
    std::deque<Unreleased> unreleased;
    // Stored rows of both kinds, estimated at open and counted since.
    std::uint64_t decision_bytes = 0, dead_letter_bytes = 0;
  };
  struct TopicShard {
    ActionRange range;  // `next` is behind the newest that is shown
    std::uint64_t released =
        1;  // behind the newest whose run counts; later only where a rate holds back
    Pace pace;
    std::uint64_t stored_shown = 0;  // as the row says; 0: there is none
    std::uint64_t bytes = 0;  // stored, estimated at open and counted since
  };

  EmbeddedLog(const Options& options, const RocksShared& shared, const Clock& clock,
              std::unique_ptr<rocksdb::DB> db);
  absl::Status load_deployment(bool to_read);
  absl::Status load_ends();
  absl::Status load_actions();
  absl::Status load_shard(std::uint32_t shard);

  // --- the committer ---
  void commit_loop();
  std::vector<Pending> take_group(std::unique_lock<std::mutex>& lock);
  absl::Status write_group(std::vector<Pending>& group, std::vector<Offset>& offsets);
  void put_entry(const JournalAppend& append, Offset offset, Instant now,
                 rocksdb::WriteBatch& batch);
  void note_durable(const std::vector<Pending>& group, const std::vector<Offset>& offsets);
  void answer(std::vector<Pending>& group, const std::vector<Offset>& offsets,
              const absl::Status& status);
  void enqueue(Pending pending, std::size_t bytes);  // requires the lock
  void expect_run(ShardLog& shard, bool expects);
  void drop_tail(ShardLog& shard);
  void stop(bool drop);

  // --- the pacer ---
  Gaps gaps_of(std::string_view catalog) const;
  absl::Status load_shown();
  void pace_loop();
  // These require the lock. Shows what may be shown of it; answers whether that was anything.
  bool show(const std::string& topic, TopicShard& entry, std::chrono::nanoseconds now);
  // When something that is held back may be shown; nothing: nothing is.
  std::optional<std::chrono::nanoseconds> next_shown() const;
  // Rows that say how far, as they have to be now.
  rocksdb::WriteBatch shown_rows();

  absl::Status poll_stored(std::uint32_t shard, Offset from, const PollLimits& limits,
                           InputBatch& batch) const;
  absl::Status expire_actions(std::uint32_t shard, Instant now);
  absl::Status expire_decisions(std::uint32_t shard, Instant now);
  absl::Status expire_dead_letters(std::uint32_t shard, Instant now);
  // What goes with a row, by its number, into the same batch. False: it is damaged.
  using WithRow = std::function<bool(std::uint64_t, std::string_view, rocksdb::WriteBatch&)>;
  absl::Status expire_rows(embedded::RowKind kind, std::uint32_t shard, Instant now,
                           std::uint64_t ShardLog::*bytes, const WithRow& with);

  const Options options_;
  const RocksShared& shared_;
  const Clock& clock_;
  std::unique_ptr<rocksdb::DB> db_;
  DeploymentId deployment_{};
  Watcher watcher_;

  mutable std::mutex mutex_;
  std::condition_variable wake_;  // the committer
  std::deque<Pending> pending_;
  std::deque<std::size_t> pending_bytes_;
  std::vector<ShardLog> shards_;
  std::uint32_t runs_expected_ = 0;  // shards of which expects_run is set
  Offset catalog_end_ = 0, catalog_durable_ = 0;
  std::deque<std::pair<Offset, std::string>> catalog_tail_;  // appended, perhaps not durable
  std::map<std::pair<std::string, std::uint32_t>, TopicShard> topics_;
  Gaps gaps_;  // of the newest version of the catalog
  std::condition_variable pace_wake_;
  std::chrono::nanoseconds shown_rows_due_{0};
  std::set<std::string> cursors_;  // keys of their rows
  absl::Status status_;
  bool stopping_ = false, dropping_ = false;
  std::uint64_t commits_ = 0;

  // The committer's alone.
  std::vector<Offset> journal_next_;
  std::thread committer_;
  std::thread pacer_;
};

}  // namespace spur
