// ScoreTape: the scores that models gave during a run, in the order asked. Live they are computed (with the platform's
// math library) and written down; a replay reads them back, so that another CPU's last digit can never fork history.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace spur {

class ScoreTape {
 public:
  // A tape to record on.
  ScoreTape() = default;
  // A tape to replay: gives these, in this order.
  explicit ScoreTape(std::vector<std::int64_t> recorded) : values_(std::move(recorded)), replaying_(true) {}

  // The next score in millionths: recorded from `compute()` or read back. A replay that asks for more than was recorded
  // gets 0 and the tape says so (exhausted()): the run has diverged.
  template <typename Compute>
  std::int64_t next(Compute&& compute) {
    if (!replaying_) {
      values_.push_back(compute());
      return values_.back();
    }
    if (position_ < values_.size()) return values_[position_++];
    exhausted_ = true;
    return 0;
  }

  const std::vector<std::int64_t>& values() const { return values_; }
  bool exhausted() const { return exhausted_; }
  // Replay only: every recorded score was asked for.
  bool finished() const { return position_ == values_.size(); }
  void clear() {
    values_.clear();
    position_ = 0;
    exhausted_ = false;
  }

 private:
  std::vector<std::int64_t> values_;
  std::size_t position_ = 0;
  bool replaying_ = false;
  bool exhausted_ = false;
};

}  // namespace spur
