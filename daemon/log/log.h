// Log: the seam between the shards and what is true. Embedded (one RocksDB, embedded_log.h), Kafka
// (kafka/kafka_log.h), simulated (tests/simulation).
//
// A shard has several sources of inputs (topic partitions, messages of other shards) and a journal;
// all shards share the catalog versions (a broadcast). The append of a journal entry is the commit
// (docs/architecture.md). How a worker uses it, with the rules of docs/protocol.md that each step
// keeps:
//
//     poll(shard, source, next, …) → fold → append({entry, effects}) … done(offset)
//        → verify (8) → release(seq) (9) … acked(seq) → acked_through of later entries (5), outbox
//        (12)
//
// `effects` travel with their entry and stay unseen until release(). The embedded log writes both
// in one batch, so there is nothing to send; the Kafka log keeps effects back and produces them
// then, each destination in order, and says by Watcher::acked how far all of them have arrived.
//
// Offsets of a journal and of an input begin at 0 and may have holes between delivered records.
//
// Thread-safe, except that one shard's calls come from one thread at a time, and release() from a
// callback beside them. Callbacks run on threads of the log, those about one shard's entries in
// order and one at a time: they must be short and must not call back into append or publish;
// release() they may.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "daemon/clock.h"
#include "operators/shard.h"
#include "state/time.h"

namespace spur {

using Offset = std::uint64_t;

// Shards of a deployment: a RocksDB each, and more do not make one machine faster. On a shared log
// more are taken when they are asked for.
inline constexpr std::uint32_t kShardsMax = 64;

// What is kept for ever has a bound. Versions of the catalog: a replay may need any of them.
inline constexpr std::uint64_t kCatalogVersionsMax = 10'000;
inline constexpr std::size_t kCursorsMax = 10'000;  // of named subscribers, a channel each
absl::Status too_many_catalogs();
absl::Status too_many_cursors();

// The sources of a shard, as slices and positions number them. Stored: a number is never reused.
// Numbers from kFirstTopicSource on are given by the journal's Sources entries, in their order.
inline constexpr std::uint32_t kInputSource = 0;    // the embedded log's own input
inline constexpr std::uint32_t kCatalogSource = 1;  // catalog versions, the same for all shards
inline constexpr std::uint32_t kMessageSource = 2;  // messages from other shards
inline constexpr std::uint32_t kFirstTopicSource = 16;

// A topic partition that feeds a shard: fixed by a journaled Sources entry (H24), so that its start
// is one decision and a re-created topic is found.
struct TopicSource {
  std::uint32_t source = 0;
  std::string topic;
  std::string topic_id;  // what the broker calls this incarnation; empty if it cannot say
  std::int32_t partition = 0;
  Offset start = 0;  // first offset that is an input

  friend bool operator==(const TopicSource&, const TopicSource&) = default;
};

// A topic that a catalog names as what feeds shards.
struct InputTopic {
  std::string name;
  bool for_all = false;  // every shard takes all of it (business data), not partitions of its own

  friend bool operator==(const InputTopic&, const InputTopic&) = default;
};

// --- inputs ---
// Views into the batch that it came in.
struct InputRecord {
  Offset offset = 0;
  Instant received;         // when the log took it (Kafka: the record's timestamp)
  std::string_view source;  // name of a Source of the catalog; may be empty: found by the topic
  std::string_view topic;   // empty: the embedded log's own
  std::string_view key;     // the identity's key(); empty if it could not be read
  std::string_view value;
  // Packs the headers of `message` (daemon/inputs/headers.h) into `to`; nullptr: there can be none.
  // A record's headers cost as much as its decoding, and few formats want them.
  void (*read_headers)(const void* message, std::string& to) = nullptr;
  const void* message = nullptr;
};

struct InputBatch {
  std::vector<InputRecord> records;  // ascending offsets; there may be holes between
  // When the first of them was taken, on Clock's steady scale; 0 if it was read back from disk.
  std::chrono::nanoseconds taken{0};
  std::vector<std::shared_ptr<const void>> keep;  // what the views point into

  void clear() {
    records.clear();
    keep.clear();
    taken = std::chrono::nanoseconds(0);
  }
};

struct PollLimits {
  std::uint32_t records_max = 1024;
  std::size_t bytes_max = 4u << 20;  // at least one record is always given
};

struct InputAppend {
  std::uint32_t shard = 0;
  std::string_view source;
  std::string_view key;
  std::string_view value;
};

// History, read again in order: replay, and the check of a stored position. One thread; remembers
// where it is in each source, so that reading on costs no seek.
class InputReader {
 public:
  virtual ~InputReader() = default;
  // Every record of `source` in [first, last], in order, until `record` answers false. A record
  // that is gone from between is simply not there: count and hash of the slice tell. OUT_OF_RANGE:
  // `first` is below what is kept. The views are good during the call only.
  virtual absl::Status read(std::uint32_t source, Offset first, Offset last,
                            const std::function<bool(const InputRecord&)>& record) = 0;
};

// --- the journal ---
// What a run wants done, as stored bytes.
struct RunEffects {
  struct Action {
    std::string topic;
    std::uint64_t spurseq = 0;
    std::string key;    // the identity's key(): that of a Kafka record
    std::string bytes;  // spur.v1.Action
  };
  struct Decision {
    std::string customer;  // "user_id:123"
    std::string bytes;     // spur.v1.Decision
  };
  struct Message {
    std::uint32_t to = 0;   // shard
    std::uint64_t seq = 0;  // dense per (sender, receiver) (rule 13)
    std::string bytes;      // spur.v1.ShardMessage
  };
  std::vector<Action> actions;            // per topic in order of spurseq
  std::vector<Decision> decisions;        // in the order of their ids
  std::vector<std::string> dead_letters;  // spur.v1.DeadLetter
  std::vector<Message> messages;          // per receiver in order of seq

  bool empty() const {
    return actions.empty() && decisions.empty() && dead_letters.empty() && messages.empty();
  }
};

struct JournalAppend {
  std::uint32_t shard = 0;
  std::uint64_t epoch = 0;
  std::uint64_t seq = 0;  // of the entry; what release() names
  std::string entry;      // encode_entry()
  RunEffects effects;
  // Called in the order of append(), shard by shard: the offset at which it stands durably, or why
  // it does not. UNKNOWN: it may stand there, and the journal has to be read to tell (rule 8).
  // After a failure nothing that was appended before it was reported is acknowledged (rule 10): all
  // of it is UNKNOWN. What is appended afterwards goes out in a new session. Any other error: the
  // log cannot go on, and only a restart helps.
  std::function<void(absl::StatusOr<Offset>)> done;
};

// What they take, in memory or as a row, about.
std::size_t bytes_of(const RunEffects& effects);

// Where effects of a shard go, each kind in an order of its own.
struct Outlet {
  enum class Kind : std::uint8_t { kAction, kDecision, kDeadLetter, kMessage };
  Kind kind = Kind::kAction;
  std::string topic;     // of actions
  std::uint32_t to = 0;  // of messages: the shard

  friend auto operator<=>(const Outlet&, const Outlet&) = default;
};

// Runs first to last.
struct RunRange {
  std::uint64_t first = 0, last = 0;
  friend bool operator==(const RunRange&, const RunRange&) = default;
};

// Effects of an outlet that are rows of the outbox and not in memory: between those in memory that
// came before and those that were released since.
struct Spilled {
  Outlet outlet;
  RunRange runs;
};

// Effects of one run that their channels may not have: what an outbox keeps and a recovery sends.
struct UnsentRun {
  std::uint64_t seq = 0;
  RunEffects effects;
};

struct CatalogRecord {
  Offset offset = 0;
  Instant received;
  std::string catalog;  // spur.v1.Catalog
  std::string comment;
};

// --- effects, read back ---
struct StoredAction {
  std::uint64_t spurseq = 0;
  std::string bytes;
};
struct ActionRange {
  std::uint64_t first = 1;  // the oldest kept
  std::uint64_t next = 1;   // behind the newest that is released
};

class Log {
 public:
  virtual ~Log() = default;

  virtual const DeploymentId& deployment() const = 0;
  virtual std::uint32_t shards() const = 0;

  // --- sources ---
  // The topic partitions that feed `shard` for these topics of a catalog, from where each begins.
  // `source` is left 0: the journal numbers them. None: inputs come by append_inputs alone.
  struct Discovery {
    std::vector<TopicSource> sources;  // of the topics that could be asked
    // Why the first of the others could not: it is missing, say, and what to do.
    absl::Status missed;
  };
  virtual Discovery discover(std::uint32_t shard, std::span<const InputTopic> topics) = 0;
  // Whether those that are there can feed shards: FAILED_PRECONDITION with what to do where a topic
  // that all shards take is compacted, so that it could not be folded again. May block for a round
  // trip.
  virtual absl::Status check_topics(std::span<const InputTopic>) const { return absl::OkStatus(); }
  // The sources of a shard that this process owns, each with the offset to go on at: from now on
  // poll() has what arrives there. Called again when there are more or fewer: what is not among
  // them is not followed any longer. Before it, poll() has nothing.
  struct Following {
    TopicSource source;  // kMessageSource and kInputSource too, with an empty topic
    Offset next = 0;
  };
  virtual void follow(std::uint32_t shard, std::span<const Following> sources) = 0;
  // The shard's memory is dropped: nothing is polled for it until it is followed again, and what
  // waits to be released or sent is dropped. A claim (append_and_wait, resume) comes before the
  // next follow().
  virtual void unfollow(std::uint32_t shard) = 0;

  // --- inputs ---
  // `batch` is cleared, then has records of one source of `shard` from offset `from` on, as many as
  // have arrived within the limits; none: nothing more is here yet. Does not block. A record is
  // given as soon as it was taken, before it is durable. OUT_OF_RANGE if `from` is below what is
  // kept.
  virtual absl::Status poll(std::uint32_t shard, std::uint32_t source, Offset from,
                            const PollLimits& limits, InputBatch& batch) = 0;
  // History. `sources` are those that the reader will be asked for.
  virtual std::unique_ptr<InputReader> open_reader(std::uint32_t shard,
                                                   std::span<const TopicSource> sources) = 0;
  // What is kept of a source: [begin, end), asked of the log itself. May block for a round trip.
  // UNAVAILABLE: it cannot be asked now, which says nothing about what is there. NOT_FOUND: there
  // is no such source any more.
  virtual absl::StatusOr<Offset> input_begin(std::uint32_t shard,
                                             const TopicSource& source) const = 0;
  virtual absl::StatusOr<Offset> input_end(std::uint32_t shard,
                                           const TopicSource& source) const = 0;
  // The end of a source that is followed, as last heard of; what poll() will never give (control
  // records at its end) does not count. Cheap; nullopt: nothing was heard yet.
  virtual std::optional<Offset> input_end_heard(std::uint32_t shard,
                                                const TopicSource& source) const = 0;
  // The shard's fold has taken everything of `source` below `next`: what back-pressure counts, and
  // what need not stay in memory.
  virtual void folded(std::uint32_t shard, std::uint32_t source, Offset next) = 0;

  // How often a record that all shards take is to be appended: once for each of them (`shard`), or
  // once, where they read it themselves.
  virtual std::uint32_t copies_for_all() const { return shards(); }
  // Appends for one publisher, all or none: RESOURCE_EXHAUSTED when the queue of a shard is full,
  // UNAVAILABLE when the log has failed. OK gives the offsets; `done` follows once they are durable
  // (or never will be).
  virtual absl::StatusOr<std::vector<Offset>> append_inputs(
      std::span<const InputAppend> inputs, std::function<void(absl::Status)> done) = 0;

  // --- catalog versions, one order for all shards ---
  virtual absl::StatusOr<std::vector<CatalogRecord>> poll_catalogs(Offset from,
                                                                   std::uint32_t records_max) = 0;
  virtual Offset catalog_end() const = 0;
  virtual void append_catalog(std::string catalog, std::string comment,
                              std::function<void(absl::StatusOr<Offset>)> done) = 0;

  // --- journal ---
  virtual void append(JournalAppend append) = 0;
  // Appends and waits; for a recovery, which has nothing else to do.
  virtual absl::StatusOr<Offset> append_and_wait(JournalAppend append) = 0;
  // The durable entries in [from, to), in order, until `entry` answers false. OUT_OF_RANGE: from is
  // no longer kept.
  virtual absl::Status read_journal(std::uint32_t shard, Offset from, Offset to,
                                    const std::function<bool(Offset, std::string_view)>& entry) = 0;
  // Asked of the log itself, not remembered: what a claim, a watch (rule 11) and a look before
  // parking rest on. May block for a round trip.
  virtual absl::StatusOr<Offset> journal_begin(std::uint32_t shard) const = 0;
  virtual absl::StatusOr<Offset> journal_end(std::uint32_t shard) const = 0;  // of what is durable
  // Why nothing is taken from this owner any more; OK: it is. Asked by a watch, since an owner that
  // is idle appends nothing. FAILED_PRECONDITION: what stands in a topic says that the owner's
  // effects cannot be sent there, and only a restart helps. ABORTED: as resume() says, found out
  // later.
  virtual absl::Status refusal(std::uint32_t) const { return absl::OkStatus(); }
  // What the clock of whoever keeps the journal said last, and our steady one when that was heard:
  // a second witness of the time (ShardClock). nullopt: it is this machine's own.
  virtual std::optional<ClockReading> witness(std::uint32_t) const { return std::nullopt; }
  // The entries of this owner up to `seq` count: their effects may be seen from here on.
  virtual void release(std::uint32_t shard, std::uint64_t seq) = 0;
  // Rules 5 and 6, before the first release of an owner: effects that may not have arrived, in
  // order of seq, everything up to `acked_through` being known to have. The log finds, destination
  // by destination and when it can be reached, how far each has got, and sends the rest before
  // anything that is released later. `spilled` comes behind `unsent`, an outlet at a time. The
  // embedded log has nothing to send. ABORTED: a destination holds an id beyond `seq_last`, the
  // last entry that the caller has read: the journal has to be read again (fenced, or park
  // LOST_RUNS).
  virtual absl::Status resume(std::uint32_t shard, std::uint64_t acked_through,
                              std::uint64_t seq_last, std::vector<UnsentRun> unsent,
                              std::vector<Spilled> spilled = {}) = 0;
  // What has been released up to `seq`, is not acknowledged yet and is in memory, in order of seq:
  // the outbox of a cut at `seq` (rule 12, H10), beside spilled(). What stored() told of: without
  // effects.
  virtual std::vector<UnsentRun> unsent(std::uint32_t shard, std::uint64_t seq) const = 0;

  // --- what waits for destinations that are away; asked by the shard's thread ---
  // How much of a shard's released effects waits in memory: much, and it should be written behind
  // soon; too much, and the shard should wait until it was. A log that has effects on disk has
  // none.
  enum class Waiting : std::uint8_t { kLittle, kMuch, kTooMuch };
  virtual Waiting waiting(std::uint32_t) const { return Waiting::kLittle; }
  // What unsent() said up to `seq` are rows of the outbox now: of it, memory may be let go.
  virtual void stored(std::uint32_t, std::uint64_t) {}
  virtual std::vector<RunRange> spilled(std::uint32_t) const { return {}; }
  // What a destination that takes records again needs next; nullopt: nothing.
  virtual std::optional<Spilled> wanted(std::uint32_t) { return std::nullopt; }
  // The rows of the outbox from the first wanted run up to `through`. They may hold more than that
  // outlet's.
  virtual void refill(std::uint32_t, const Outlet&, std::vector<UnsentRun>, std::uint64_t) {}
  // State that stands behind these offsets is durable, here or as the snapshot that others would
  // begin at: older inputs and entries are for history only (rule 15).
  struct Trim {
    Offset journal_below = 0;
    Offset inputs_below = 0;    // of kInputSource
    Offset messages_below = 0;  // of kMessageSource
  };
  virtual absl::Status trim(std::uint32_t shard, const Trim& below) = 0;

  // --- effects ---
  // Released actions of one shard in order. OUT_OF_RANGE: `from` is no longer kept.
  virtual absl::StatusOr<std::vector<StoredAction>> read_actions(std::string_view topic,
                                                                 std::uint32_t shard,
                                                                 std::uint64_t from,
                                                                 std::uint32_t max) = 0;
  virtual absl::StatusOr<ActionRange> action_range(std::string_view topic,
                                                   std::uint32_t shard) const = 0;
  // spur.v1.Decision of one customer, newest first.
  virtual absl::StatusOr<std::vector<std::string>> decisions_of(std::string_view customer,
                                                                std::uint32_t limit) = 0;
  // spur.v1.Decision of a shard in order from run `from_run`, whole runs, until `max` is reached.
  virtual absl::StatusOr<std::vector<std::string>> decisions(std::uint32_t shard,
                                                             std::uint64_t from_run,
                                                             std::uint32_t max) = 0;
  // spur.v1.DeadLetter of a shard, newest first.
  virtual absl::StatusOr<std::vector<std::string>> dead_letters(std::uint32_t shard,
                                                                std::uint32_t max) = 0;
  // Cursors of named subscribers.
  virtual void store_cursor(std::string_view subscriber, std::string_view channel,
                            std::string_view cursor, std::function<void(absl::Status)> done) = 0;
  virtual absl::StatusOr<std::string> stored_cursor(std::string_view subscriber,
                                                    std::string_view channel) const = 0;

  // --- wake-ups; set before the first append, called from any thread ---
  struct Watcher {
    // Whose turn it is: this process should own the shard, or should not (any longer); one of the
    // two is said of every shard as soon as it is known. The journal decides who does own it (rule
    // 11). The embedded log assigns all shards at once, inside watch().
    std::function<void(std::uint32_t shard)> assigned;
    std::function<void(std::uint32_t shard)> revoked;
    std::function<void(std::uint32_t shard)> inputs;        // an input of the shard was taken
    std::function<void()> catalogs;                         // a catalog version was taken
    std::function<void(const std::string& topic)> actions;  // actions of the topic were released
    // Every effect of the shard's runs up to `seq` has been acknowledged by its destination.
    std::function<void(std::uint32_t shard, std::uint64_t seq)> acked;
    std::function<void(std::uint32_t shard)> wanted;  // wanted() has something
  };
  virtual void watch(Watcher watcher) = 0;
  // No shard is to be this process's turn any longer, if another process can have them: whether
  // one can. Asked again, whether one still can. Blocks for a round trip or two.
  virtual bool leave() { return false; }

  // The first error that the log cannot go on from; sticky.
  virtual absl::Status status() const = 0;
  virtual std::uint64_t disk_bytes() const = 0;
  virtual std::uint64_t commits() const = 0;

  // Stops, as a killed process would: what is not durable is dropped, callbacks get UNAVAILABLE.
  // Does not wait for a write that is under way; the destructor does.
  virtual void abandon() = 0;
  // Makes everything appended durable and stops.
  virtual absl::Status close() = 0;
};

}  // namespace spur
