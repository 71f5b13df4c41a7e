// TaskQueue: the thread on which services do what an engine's callback must not: read the disk,
// serialise, write to a socket. Woken at once, no polling. TaskLanes: some of them, of which a
// connection has one for its whole life.
//
// Why by connection: gRPC takes what is written to one connection through one lock-free queue (its
// combiner). In a trace of 1,000 events/s on two busy cores two of our threads wrote to one
// connection, one of them lost its core, and a helper thread of gRPC ran for 4 ms, to the
// scheduler's tick, before the first could go on: it probably spun on an element announced and not
// yet linked. What it brought, together with an earlier release of runs: bench/README.md.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string_view>
#include <thread>

#include "daemon/clock.h"

namespace spur::services {

class TaskQueue {
 public:
  using Task = std::function<void()>;

  // `clock` outlives it; it times the delays.
  explicit TaskQueue(const Clock& clock);
  ~TaskQueue();
  TaskQueue(const TaskQueue&) = delete;
  TaskQueue& operator=(const TaskQueue&) = delete;

  // Runs `task` soon, after those posted before it. From any thread.
  void post(Task task);
  // The same, not before `delay` has passed.
  void post_after(std::chrono::nanoseconds delay, Task task);
  // Runs what was posted, drops what was delayed, joins. What is posted from now on is dropped.
  // Idempotent.
  void stop();

 private:
  void run();
  // Moves delayed tasks that are due to the ready ones; answers how long until the next, or a long
  // time.
  std::chrono::nanoseconds promote_due();

  const Clock& clock_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Task> ready_;
  std::multimap<std::chrono::nanoseconds, Task> delayed_;  // by steady time
  bool stopping_ = false;
  std::thread thread_;
};

class TaskLanes {
 public:
  TaskLanes(std::size_t lanes, const Clock& clock);

  // The same for the same `connection`, as gRPC names its peer.
  TaskQueue& of(std::string_view connection);
  void stop();

 private:
  std::deque<TaskQueue> lanes_;
};

}  // namespace spur::services
