// Flush: state written behind, by frozen cut (docs/protocol.md rule 12, H4).
//
// The shard's thread freezes its rows between two runs and encodes them in slices of at most
// kSliceMax; once the run of the cut is verified, a helper thread writes rows and position in one
// batch, flushes the memtable and lets the log trim what is behind. The fold goes on meanwhile:
// what it touches is first encoded as it was.
//
//     idle ─begin()─▶ encoding ─▶ encoded ─verified()─▶ writing (helper) ─written()─▶ settling ─▶
//     idle
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "daemon/clock.h"
#include "daemon/log/log.h"
#include "daemon/outbox.h"
#include "daemon/owned_shard.h"
#include "daemon/snapshot.h"
#include "state/store.h"

namespace spur {

// What the shard's thread hands over.
struct FlushJob {
  std::uint32_t shard = 0;
  Store* store = nullptr;
  StoreBatch batch;                // the position is its last put
  std::optional<Log::Trim> below;  // what the log may let go of once the batch is durable
  Snapshots* snapshots =
      nullptr;  // not nullptr: take one then, and trim behind those that are kept
  std::function<void(absl::Status)> done;

  // Blocks: writes, makes durable, trims, and calls done(). A snapshot that fails costs a longer
  // replay and a log that is not trimmed, not the shard.
  void run(Log& log);
};

// Where jobs are run, in order.
class FlushQueue {
 public:
  virtual ~FlushQueue() = default;
  virtual void submit(FlushJob job) = 0;
};

// The helper thread; one serves all shards, since they share the disk.
class Flusher final : public FlushQueue {
 public:
  explicit Flusher(Log& log);
  ~Flusher() override;
  void submit(FlushJob job) override;
  // Finishes what was submitted and ends the thread.
  void finish();
  // Drops what was submitted, as a killed process would. Does not wait; the destructor does.
  void abandon();

 private:
  void loop();
  Log& log_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<FlushJob> jobs_;
  bool stopping_ = false, dropping_ = false;
  std::thread thread_;
};

// One shard's; on its thread.
class WriteBehind {
 public:
  // An event that comes meanwhile waits for one slice of each shard of its worker, of which as much
  // time again lies between two; so no hurry costs it half of the thread.
  static constexpr std::chrono::microseconds kSliceMax{250};
  static constexpr std::size_t kRowsAtOnce = 16;  // between two looks at the clock

  // What the store holds.
  struct Stored {
    bool any = false;
    std::uint64_t seq = 0;
    Offset offset = 0;   // in the journal
    Offset catalog = 0;  // behind its catalog: what the catalog's row is called by
  };

  // `outbox`: what the store holds of it. `trims`: the durable state here is what a recovery would
  // begin with, so the log may be trimmed behind it.
  WriteBehind(std::uint32_t shard, OwnedShard& owned, Store& store, FlushQueue& flushes,
              const DeploymentId& deployment, const Stored& stored, Outbox outbox, bool trims);

  bool idle() const { return step_ == Step::kIdle; }
  bool writing() const { return step_ == Step::kWriting; }
  bool settling() const { return step_ == Step::kSettling; }
  // Something was folded that the store does not have.
  bool dirty() const { return !stored_.any || owned_.stand.journal.seq != stored_.seq; }
  const Stored& stored() const { return stored_; }
  std::uint64_t cut_seq() const { return position_.seq(); }  // of the last cut
  std::uint64_t count() const { return count_; }
  const Outbox& outbox() const { return outbox_; }

  // Freezes the state as it is. Call between two runs. `offset`: of its last entry, if that is
  // verified already.
  void begin(std::optional<Offset> offset);
  // Encodes for one slice, or settles what was written, if one is due; true: another is due at
  // once. `hurried`: no time is left between slices, since nothing else can be done before all is
  // written.
  bool work(const Clock& clock, bool hurried);
  // When the next slice is due, by the steady clock; nullopt: none is.
  std::optional<std::chrono::nanoseconds> next_slice() const;
  // The entry `seq` stands at `offset`, verified.
  void verified(std::uint64_t seq, Offset offset);
  // The batch is complete and its entry verified.
  bool ready() const { return step_ == Step::kEncoded && offset_.has_value(); }
  // Hands it over, with the runs up to the cut that have not all arrived. `done` is called on the
  // helper thread and has to bring the result back to written(). Requires ready().
  void submit(std::uint64_t acked_through, Log& log, Snapshots* snapshots,
              std::function<void(absl::Status)> done);
  void written();

 private:
  enum class Step : std::uint8_t { kIdle, kEncoding, kEncoded, kWriting, kSettling };

  const std::uint32_t shard_;
  OwnedShard& owned_;
  Store& store_;
  FlushQueue& flushes_;
  const bool trims_;
  Outbox outbox_;
  const DeploymentId deployment_;
  Step step_ = Step::kIdle;
  std::chrono::nanoseconds slice_at_{0};  // the next one, by the steady clock
  spur::v1::Position position_;           // of the cut
  std::string catalog_bytes_;             // of the cut
  Offset catalog_ = 0;                    // of the cut, as in Stored
  std::optional<Offset> offset_;          // of the cut's entry, once verified
  Stored stored_;
  std::uint64_t count_ = 0;
};

}  // namespace spur
