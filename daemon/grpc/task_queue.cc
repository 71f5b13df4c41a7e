#include "daemon/grpc/task_queue.h"

#include <algorithm>
#include <utility>

namespace spur::services {
namespace {
constexpr std::chrono::seconds kForNow{60};
}

TaskQueue::TaskQueue(const Clock& clock) : clock_(clock), thread_([this] { run(); }) {}

TaskQueue::~TaskQueue() { stop(); }

void TaskQueue::post(Task task) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    ready_.push_back(std::move(task));
  }
  changed_.notify_one();
}

void TaskQueue::post_after(std::chrono::nanoseconds delay, Task task) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    delayed_.emplace(clock_.read().steady + delay, std::move(task));
  }
  changed_.notify_one();
}

void TaskQueue::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    delayed_.clear();
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

std::chrono::nanoseconds TaskQueue::promote_due() {
  if (delayed_.empty()) return kForNow;
  const std::chrono::nanoseconds now = clock_.read().steady;
  while (!delayed_.empty() && delayed_.begin()->first <= now) {
    ready_.push_back(std::move(delayed_.begin()->second));
    delayed_.erase(delayed_.begin());
  }
  return delayed_.empty() ? kForNow : delayed_.begin()->first - now;
}

void TaskQueue::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    const std::chrono::nanoseconds next = promote_due();
    if (ready_.empty()) {
      if (stopping_) return;
      changed_.wait_for(lock, next);
      continue;
    }
    Task task = std::move(ready_.front());
    ready_.pop_front();
    lock.unlock();
    task();
    task = nullptr;  // what it holds may need the lock to go
    lock.lock();
  }
}

TaskLanes::TaskLanes(std::size_t lanes, const Clock& clock) {
  for (std::size_t i = 0; i < lanes; ++i) lanes_.emplace_back(clock);
}

TaskQueue& TaskLanes::of(std::string_view connection) {
  return lanes_[std::hash<std::string_view>()(connection) % lanes_.size()];
}

void TaskLanes::stop() {
  for (TaskQueue& lane : lanes_) lane.stop();
}

}  // namespace spur::services
