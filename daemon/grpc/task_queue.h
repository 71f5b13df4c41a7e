// TaskQueue: the threads on which services do what an engine's callback must not: read the disk, serialise, write to a
// socket. Woken at once, no polling.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "daemon/clock.h"

namespace spur::services {

class TaskQueue {
 public:
  using Task = std::function<void()>;

  // `clock` outlives it; it times the delays.
  TaskQueue(std::size_t threads, const Clock& clock);
  ~TaskQueue();
  TaskQueue(const TaskQueue&) = delete;
  TaskQueue& operator=(const TaskQueue&) = delete;

  // Runs `task` soon. Tasks of one poster may run at the same time and in any order. From any thread.
  void post(Task task);
  // The same, not before `delay` has passed.
  void post_after(std::chrono::nanoseconds delay, Task task);
  // Runs what was posted, drops what was delayed, joins. What is posted from now on is dropped. Idempotent.
  void stop();

 private:
  void run();
  // Moves delayed tasks that are due to the ready ones; answers how long until the next, or a long time.
  std::chrono::nanoseconds promote_due();

  const Clock& clock_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Task> ready_;
  std::multimap<std::chrono::nanoseconds, Task> delayed_;  // by steady time
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace spur::services
