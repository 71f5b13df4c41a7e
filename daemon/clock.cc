#include "daemon/clock.h"

#include <time.h>

#include <algorithm>
#include <utility>

namespace spur {
namespace {

using std::chrono::nanoseconds;

nanoseconds since_boot() {
  // CLOCK_BOOTTIME and not steady_clock: a suspended machine comes back with a wall far ahead,
  // which is right.
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return nanoseconds(now.tv_sec * 1'000'000'000LL + now.tv_nsec);
}

constexpr std::int64_t kNanosPerMilli = 1'000'000;

}  // namespace

ClockReading SystemClock::read() const {
  const auto wall = std::chrono::system_clock::now().time_since_epoch();
  return {Instant{std::chrono::duration_cast<std::chrono::milliseconds>(wall).count()},
          since_boot()};
}

nanoseconds SystemClock::sleep_for(nanoseconds steady_until) const {
  return std::max(nanoseconds(0), steady_until - since_boot());
}

ClockReading ManualClock::read() const {
  const std::lock_guard lock(mutex_);
  return now_;
}

nanoseconds ManualClock::sleep_for(nanoseconds steady_until) const {
  const std::lock_guard lock(mutex_);
  return steady_until <= now_.steady ? nanoseconds(0) : std::chrono::hours(1);
}

void ManualClock::watch(std::function<void()> moved) {
  const std::lock_guard lock(mutex_);
  moved_ = std::move(moved);
}

void ManualClock::advance(Millis by) { move(by, by); }
void ManualClock::jump_wall(Millis by) { move(by, Millis{0}); }

void ManualClock::move(Millis wall, Millis steady) {
  std::function<void()> moved;
  {
    const std::lock_guard lock(mutex_);
    now_.wall = now_.wall + wall;
    now_.steady += nanoseconds(steady.count * kNanosPerMilli);
    moved = moved_;
  }
  if (moved) moved();
}

Instant ShardClock::tick(const ClockReading& reading) {
  if (!anchor_) {
    anchor_ = reading;
    last_steady_ = reading.steady;
  }
  const nanoseconds passed = std::max(nanoseconds(0), reading.steady - last_steady_);
  last_steady_ = std::max(last_steady_, reading.steady);
  if (reading.wall < last_) {
    held_ = false;
    behind_remainder_ns_ += passed.count() / 2;
    const Instant slow = last_ + Millis{behind_remainder_ns_ / kNanosPerMilli};
    behind_remainder_ns_ %= kNanosPerMilli;
    last_ = slow;
    return last_;
  }
  behind_remainder_ns_ = 0;
  const Instant cap = anchor_->wall +
                      Millis{(reading.steady - anchor_->steady).count() / kNanosPerMilli} +
                      kAheadMax;
  held_ = reading.wall > cap;
  // A wall that was set back and forth again must not be held for good: only jumps ahead of the
  // witness are.
  last_ = std::max(last_, std::min(reading.wall, std::max(cap, last_)));
  return last_;
}

void ShardClock::witness(const ClockReading& heard) {
  if (!anchor_) return;
  const Millis since{(heard.steady - anchor_->steady).count() / kNanosPerMilli};
  if (heard.wall > anchor_->wall + since) anchor_ = heard;
}

void ShardClock::raise(Instant at_least) { last_ = std::max(last_, at_least); }

}  // namespace spur
