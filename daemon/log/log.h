// Log: the seam between the shards and what is true. Embedded (one RocksDB, embedded_log.h), Kafka,
// simulated.
//
// Per shard there is an input (customer events) and a journal; all shards share the catalog
// versions (a broadcast). The append of a journal entry is the commit (design.md §1). How a worker
// uses it:
//
//     poll_inputs(shard, next, …)  → fold → append({entry, effects}) … done(offset)  → verify (rule
//     8) → release(seq)
//
// `effects` travel with their entry and stay unseen until release(): the embedded log writes both
// in one batch, the Kafka log keeps them back and sends them then. Offsets of a journal and of an
// input begin at 0.
//
// Thread-safe. Callbacks run on one thread of the log, in order: they must be short and must not call
// back into append or publish; release() they may.
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
#include "operators/shard.h"
#include "state/time.h"

namespace spur {

using Offset = std::uint64_t;

// The sources of a shard, as slices number them. Stored: a number is never reused.
inline constexpr std::uint32_t kInputSource = 0;
inline constexpr std::uint32_t kCatalogSource = 1;

// --- inputs ---
// Views into the batch that it came in.
struct InputRecord {
  Offset offset = 0;
  Instant received;         // when the log took it
  std::string_view source;  // name of a Source of the catalog; may be empty
  std::string_view key;     // the identity's value; empty if it could not be read
  std::string_view value;
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

// --- the journal ---
// What a run wants done, as stored bytes.
struct RunEffects {
  struct Action {
    std::string topic;
    std::uint64_t spurseq = 0;
    std::string bytes;  // spur.v1.Action
  };
  struct Decision {
    std::string customer;  // "user_id:123"
    std::string bytes;     // spur.v1.Decision
  };
  std::vector<Action> actions;            // per topic in order of spurseq
  std::vector<Decision> decisions;        // in the order of their ids
  std::vector<std::string> dead_letters;  // spur.v1.DeadLetter

  bool empty() const { return actions.empty() && decisions.empty() && dead_letters.empty(); }
};

struct JournalAppend {
  std::uint32_t shard = 0;
  std::uint64_t seq = 0;  // of the entry; what release() names
  std::string entry;      // encode_entry()
  RunEffects effects;
  // Called in the order of append(), shard by shard: the offset at which it stands durably, or why
  // it does not. After a failure nothing later of the log is acknowledged.
  std::function<void(absl::StatusOr<Offset>)> done;
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

  // --- inputs ---
  // Records of `shard` from offset `from` on, as many as there are within the limits; none: from is
  // the end. A record is given as soon as it was taken, before it is durable. OUT_OF_RANGE if
  // `from` is below what is kept.
  virtual absl::Status poll_inputs(std::uint32_t shard, Offset from, const PollLimits& limits,
                                   InputBatch& batch) = 0;
  virtual Offset input_begin(std::uint32_t shard) const = 0;
  virtual Offset input_end(std::uint32_t shard) const = 0;
  // The shard's fold has taken everything below `next`: what back-pressure counts, and what need
  // not stay in memory.
  virtual void folded(std::uint32_t shard, Offset next) = 0;

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
  // The durable entries in [from, to), in order, until `entry` answers false. OUT_OF_RANGE: from is
  // no longer kept.
  virtual absl::Status read_journal(std::uint32_t shard, Offset from, Offset to,
                                    const std::function<bool(Offset, std::string_view)>& entry) = 0;
  virtual Offset journal_begin(std::uint32_t shard) const = 0;
  virtual Offset journal_end(std::uint32_t shard) const = 0;  // of what is durable
  // The entries of this owner up to `seq` count: their effects may be seen from here on.
  virtual void release(std::uint32_t shard, std::uint64_t seq) = 0;
  // State that stands behind these offsets is durable: older inputs and entries are for history
  // only (rule 15).
  virtual absl::Status trim(std::uint32_t shard, Offset inputs_below, Offset journal_below) = 0;

  // --- effects ---
  // Released actions of one shard in order. OUT_OF_RANGE: `from` is no longer kept.
  virtual absl::StatusOr<std::vector<StoredAction>> read_actions(std::string_view topic,
                                                                 std::uint32_t shard,
                                                                 std::uint64_t from,
                                                                 std::uint32_t max) = 0;
  virtual ActionRange action_range(std::string_view topic, std::uint32_t shard) const = 0;
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
    std::function<void(std::uint32_t shard)> inputs;        // an input of the shard was taken
    std::function<void()> catalogs;                         // a catalog version was taken
    std::function<void(const std::string& topic)> actions;  // actions of the topic were released
  };
  virtual void watch(Watcher watcher) = 0;

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
