// Breadcrumb: which input each shard is folding right now, in a small file that outlives the
// process (docs/protocol.md §3, "Poison").
//
// A shared mapping: writing is a store to memory, and the kernel keeps the page when the process
// dies. It is synced at the start alone: after a power cut it may be stale or gone, which costs a
// poisoned input one more crash, or a harmless one a run of its own, and nothing else.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"

namespace spur {

class Breadcrumb {
 public:
  enum class Phase : std::uint8_t { kLive = 1, kReplay = 2 };

  // Where the process died before this one, if it died inside an input.
  struct Found {
    Phase phase = Phase::kLive;
    std::uint32_t source = 0;
    std::uint64_t offset = 0;
    std::uint32_t crashes = 1;  // in a row, at this very input, live or in replay
  };

  // Opens or makes the file, reads what was left and disarms it.
  static absl::StatusOr<std::unique_ptr<Breadcrumb>> open(const std::string& path,
                                                          std::uint32_t shards);
  ~Breadcrumb();
  Breadcrumb(const Breadcrumb&) = delete;
  Breadcrumb& operator=(const Breadcrumb&) = delete;

  std::optional<Found> found(std::uint32_t shard) const { return slots_[shard].found; }

  // By the thread that owns the shard.
  void arm(std::uint32_t shard, Phase phase, std::uint32_t source, std::uint64_t offset) {
    Slot* slot = slots_[shard].mapped;
    slot->source = source;
    slot->offset = offset;
    // The compiler must not move this store: the process may die right behind it.
    std::atomic_ref(slot->phase)
        .store(static_cast<std::uint32_t>(phase), std::memory_order_release);
  }
  void disarm(std::uint32_t shard) {
    std::atomic_ref(slots_[shard].mapped->phase).store(0, std::memory_order_release);
  }

 private:
  struct Slot {
    alignas(8) std::uint32_t phase;
    std::uint32_t source;
    std::uint64_t offset;
    // The last crash: kept over a start in which the shard gets past it, to count crashes in a row.
    std::uint64_t crashed_offset;
    std::uint32_t crashes;
    std::uint32_t crashed_phase;
    std::uint32_t crashed_source;
    std::uint32_t reserved[7];
  };
  static_assert(sizeof(Slot) == 64);
  struct Shard {
    Slot* mapped = nullptr;
    std::optional<Found> found;
  };

  Breadcrumb(void* mapping, std::size_t size) : mapping_(mapping), size_(size) {}

  void* mapping_;
  std::size_t size_;
  std::unique_ptr<Shard[]> slots_;
};

}  // namespace spur
