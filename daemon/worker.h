// Worker: a thread that owns shards. One thread owns a shard for its whole life, so a shard needs
// no lock.
//
// It sleeps on one condition: woken by new inputs, acknowledgements and questions, and by the
// earliest deadline of its shards (timers, flushes). Other threads hand work over with post().
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "daemon/clock.h"
#include "daemon/live_shard.h"

namespace spur {

class Worker {
 public:
  static constexpr std::size_t kQuestionsMax = 1024;  // that wait for their turn; more are refused

  explicit Worker(Clock& clock) : clock_(clock) {}
  ~Worker();

  // Before start().
  void add(std::unique_ptr<LiveShard> shard) { shards_.push_back(std::move(shard)); }
  void start();
  // One turn of the thread's loop: runs what was posted, steps every shard. True: there is more to
  // do at once. For who drives the shards without a thread.
  bool turn();

  // Something may have happened to a shard.
  void wake();
  // Runs `task` on the worker's thread. Dropped after abandon().
  void post(std::function<void()> task);
  // As post(), but false when too many wait; then nothing was taken.
  bool post_question(std::function<void()> question);

  // Finishes what was taken; the thread ends when all shards are sealed, parked or failed. Does not
  // wait.
  void drain();
  // Ends the thread at its next step, as if killed. Does not wait.
  void abandon();
  void join();

 private:
  void loop();
  void sleep(const ClockReading& now);

  Clock& clock_;
  std::vector<std::unique_ptr<LiveShard>> shards_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> tasks_;
  std::size_t questions_ = 0;
  bool woken_ = false, draining_ = false, abandoned_ = false, ended_ = false;
  bool drain_told_ = false;  // the shards know
  std::chrono::nanoseconds published_{0};
  std::thread thread_;
};

}  // namespace spur
