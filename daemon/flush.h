// Flush: state written behind, by frozen cut (protocol.md rule 12, H4).
//
// The shard's thread freezes its rows between two runs and encodes them in slices of at most
// kSliceMax; once the run of the cut is verified, a helper thread writes rows and position in one
// batch, flushes the memtable and lets the log trim what is behind. The fold goes on meanwhile:
// what it touches is first encoded as it was.
//
//     idle ─begin()─▶ encoding ─▶ encoded ─verified()─▶ writing (helper) ─written()─▶ idle
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
#include "daemon/owned_shard.h"
#include "state/store.h"

namespace spur {

// The helper thread; one serves all shards, since they share the disk.
class Flusher {
 public:
  struct Job {
    std::uint32_t shard = 0;
    Store* store = nullptr;
    StoreBatch batch;
    Offset inputs_below = 0;  // what the log need not keep for recovery any more
    Offset journal_below = 0;
    std::function<void(absl::Status)> done;  // on the helper thread
  };

  explicit Flusher(Log& log);
  ~Flusher();
  void submit(Job job);
  // Finishes what was submitted and ends the thread.
  void finish();
  // Drops what was submitted, as a killed process would. Does not wait; the destructor does.
  void abandon();

 private:
  void loop();
  Log& log_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> jobs_;
  bool stopping_ = false, dropping_ = false;
  std::thread thread_;
};

// One shard's; on its thread.
class WriteBehind {
 public:
  static constexpr std::chrono::microseconds kSliceMax{2000};
  static constexpr std::size_t kCustomersAtOnce = 32;  // between two looks at the clock

  // What the store holds.
  struct Stored {
    bool any = false;
    std::uint64_t seq = 0;
    Offset offset = 0;             // in the journal
    std::uint64_t generation = 0;  // of its catalog
  };

  WriteBehind(std::uint32_t shard, OwnedShard& owned, Store& store, Flusher& flusher,
              const DeploymentId& deployment, const Stored& stored);

  bool idle() const { return step_ == Step::kIdle; }
  // Something was folded that the store does not have.
  bool dirty() const { return !stored_.any || owned_.stand.journal.seq != stored_.seq; }
  const Stored& stored() const { return stored_; }
  std::uint64_t count() const { return count_; }

  // Freezes the state as it is. Call between two runs. `offset`: of its last entry, if that is
  // verified already.
  void begin(std::optional<Offset> offset);
  // Encodes for one slice; true: there is more to encode.
  bool encode(const Clock& clock);
  // The entry `seq` stands at `offset`, verified.
  void verified(std::uint64_t seq, Offset offset);
  // Hands the batch to the helper if it is complete and verified. `done` is called on the helper
  // thread and has to bring the result back to written().
  void submit_if_ready(std::function<void(absl::Status)> done);
  void written();

 private:
  enum class Step : std::uint8_t { kIdle, kEncoding, kEncoded, kWriting };

  const std::uint32_t shard_;
  OwnedShard& owned_;
  Store& store_;
  Flusher& flusher_;
  const DeploymentId deployment_;
  Step step_ = Step::kIdle;
  spur::v1::Position position_;  // of the cut
  std::string catalog_bytes_;    // of the cut
  std::uint64_t generation_ = 0;
  std::optional<Offset> offset_;  // of the cut's entry, once verified
  Stored stored_;
  std::uint64_t count_ = 0;
};

}  // namespace spur
