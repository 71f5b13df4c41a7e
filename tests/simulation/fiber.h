// Fibers: code that blocks, run in one thread. What would be a thread of the daemon (a worker, the
// flusher, a recovery) is a fiber here; it gives way at every call of the log and the store, so
// that the simulator decides what happens between any two of them.
#pragma once

#include <ucontext.h>

#include <functional>
#include <memory>
#include <vector>

namespace spur::simulation {

class Fiber {
 public:
  explicit Fiber(std::function<void()> body);
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  // Runs until it gives way or ends.
  void resume();
  bool ended() const { return ended_; }
  // False while it waits for something.
  bool ready() const { return !waiting_ || waiting_(); }

  // From within a fiber; does nothing outside of one.
  static void give_way();
  // Gives way until `ready` says so.
  static void wait_until(std::function<bool()> ready);

 private:
  static void enter();

  std::function<void()> body_;
  std::function<bool()> waiting_;
  std::unique_ptr<char[]> stack_;
  ucontext_t context_{}, caller_{};
  bool ended_ = false;
};

}  // namespace spur::simulation
