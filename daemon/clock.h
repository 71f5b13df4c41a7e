// Clocks: the only place of Spur that reads one (a test over the tree keeps it so).
//
// `Clock` is the seam: SystemClock in the daemon, ManualClock in tests. ShardClock turns what the
// wall says into ticks that a shard can journal: never backwards, and never far ahead of what a
// second witness saw (docs/protocol.md §3, "Clock").
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>

#include "state/time.h"

namespace spur {

// What the clocks said at one moment. `steady` counts from an arbitrary origin, never jumps, and
// goes on during suspend.
struct ClockReading {
  Instant wall;
  std::chrono::nanoseconds steady{0};
};

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual ClockReading read() const = 0;

  // How long to sleep, at most, until `steady` has passed `until`; a hint, asked again after each
  // wake-up. A clock that is moved by hand answers very long and calls the watcher when it moves.
  virtual std::chrono::nanoseconds sleep_for(std::chrono::nanoseconds steady_until) const = 0;
  // Called, from any thread, after a clock that is moved by hand has moved. One watcher; nullptr
  // takes it away.
  virtual void watch(std::function<void()> moved) = 0;
};

// The machine's.
class SystemClock final : public Clock {
 public:
  ClockReading read() const override;
  std::chrono::nanoseconds sleep_for(std::chrono::nanoseconds steady_until) const override;
  void watch(std::function<void()>) override {}
};

// Moves when told. Wall and steady move together, but for jump_wall().
class ManualClock final : public Clock {
 public:
  explicit ManualClock(Instant wall) : now_{wall, std::chrono::nanoseconds(0)} {}
  ClockReading read() const override;
  std::chrono::nanoseconds sleep_for(std::chrono::nanoseconds steady_until) const override;
  void watch(std::function<void()> moved) override;

  void advance(Millis by);
  // An NTP step: the wall alone.
  void jump_wall(Millis by);

 private:
  void move(Millis wall, Millis steady);
  mutable std::mutex mutex_;
  ClockReading now_;
  std::function<void()> moved_;
};

// The ticks of one shard, from readings. Not thread-safe; no reading of its own.
//
// The witness is the steady clock, extrapolated from the first reading, or another machine's clock
// that is ahead of that (witness()): the wall may run ahead of it by kAheadMax. Beyond that the
// tick is held there and held() says so (an alarm): one bad NTP step of a year would fire every
// timer, and cannot be undone. A wall behind the last tick moves the tick at half speed until it
// has caught up, so that timers do not freeze.
class ShardClock {
 public:
  static constexpr Millis kAheadMax{2000};

  // No tick is earlier than `floor`: where the shard's clock stood.
  explicit ShardClock(Instant floor) : last_(floor) {}

  Instant tick(const ClockReading& reading);
  // What a clock elsewhere said, and what ours, the steady one, did when that was heard. It can
  // only let the wall pass: that clock may be slow, and ticks behind the events' times would make
  // dead letters of them. Asked for where held() says so.
  void witness(const ClockReading& heard);
  // A tick that came from elsewhere (a record's time).
  void raise(Instant at_least);
  bool held() const { return held_; }

 private:
  Instant last_;
  std::optional<ClockReading> anchor_;
  std::chrono::nanoseconds last_steady_{0};
  std::int64_t behind_remainder_ns_ = 0;  // of half speed, so that frequent ticks do not lose time
  bool held_ = false;
};

}  // namespace spur
