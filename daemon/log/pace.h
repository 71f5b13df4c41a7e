// Pace: how fast the records of a lane may leave for a channel with a `rate`: evenly, kBurst's
// worth at once, so that a wake-up that is late loses nothing. Each shard has an equal part of the
// rate. It is no state of the fold: after a restart it begins anew, and nothing but the release
// waits.
//
// The schedule is the generic cell rate algorithm (ITU-T I.371, annex A), with the gap between two
// records as its increment.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace spur {

// At most `max` records within `per`, of a whole topic. 0: as fast as it goes.
struct Rate {
  std::int64_t max = 0;
  std::chrono::nanoseconds per{0};

  // Between two records of one shard; rounded up, so that it is never too fast.
  std::chrono::nanoseconds gap(std::size_t shards) const {
    if (max <= 0) return std::chrono::nanoseconds(0);
    const auto whole = per * static_cast<std::int64_t>(shards);
    return (whole + std::chrono::nanoseconds(max - 1)) / max;
  }
};

// Not thread-safe; no clock of its own.
class Pace {
 public:
  static constexpr std::chrono::nanoseconds kBurst = std::chrono::milliseconds(5);

  // How many may leave at `now`. Requires a gap above 0.
  std::size_t allowed(std::chrono::nanoseconds now, std::chrono::nanoseconds gap) const {
    const std::chrono::nanoseconds slack = now + kBurst - std::max(next_, now);
    return slack.count() < 0 ? 0 : static_cast<std::size_t>(slack / gap) + 1;
  }
  void leave(std::chrono::nanoseconds now, std::chrono::nanoseconds gap) {
    next_ = std::max(next_, now) + gap;
  }
  // When the next may.
  std::chrono::nanoseconds due() const { return next_ - kBurst; }

 private:
  std::chrono::nanoseconds next_{0};  // by the even schedule
};

}  // namespace spur
