#include "daemon/worker.h"

#include <algorithm>
#include <utility>

namespace spur {
namespace {

using std::chrono::nanoseconds;

constexpr nanoseconds kStatsEvery = std::chrono::milliseconds(100);

}  // namespace

Worker::~Worker() {
  abandon();
  join();
}

void Worker::start() {
  thread_ = std::thread([this] { loop(); });
}

void Worker::wake() {
  {
    const std::lock_guard lock(mutex_);
    if (woken_) return;
    woken_ = true;
  }
  wake_.notify_one();
}

void Worker::post(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    if (ended_) return;
    tasks_.push_back(std::move(task));
  }
  wake_.notify_one();
}

bool Worker::post_question(std::function<void()> question) {
  {
    const std::lock_guard lock(mutex_);
    if (ended_ || abandoned_ || questions_ >= kQuestionsMax) return false;
    ++questions_;
    tasks_.push_back([this, question = std::move(question)] {
      {
        const std::lock_guard inner(mutex_);
        --questions_;
      }
      question();
    });
  }
  wake_.notify_one();
  return true;
}

void Worker::drain() {
  {
    const std::lock_guard lock(mutex_);
    draining_ = woken_ = true;
  }
  wake_.notify_one();
}

void Worker::abandon() {
  {
    const std::lock_guard lock(mutex_);
    abandoned_ = true;
  }
  wake_.notify_one();
}

void Worker::join() {
  if (thread_.joinable() && thread_.get_id() != std::this_thread::get_id()) thread_.join();
}

bool Worker::turn() {
  std::deque<std::function<void()>> tasks;
  bool tell_drain = false;
  {
    const std::lock_guard lock(mutex_);
    tasks.swap(tasks_);
    woken_ = false;
    tell_drain = draining_ && !std::exchange(drain_told_, draining_);
  }
  if (tell_drain) {
    for (const auto& shard : shards_) shard->drain();
  }
  for (const auto& task : tasks) task();

  const ClockReading now = clock_.read();
  bool more = false;
  for (const auto& shard : shards_) more |= shard->step(now);
  if (!more || now.steady >= published_ + kStatsEvery) {
    published_ = now.steady;
    for (const auto& shard : shards_) shard->publish_stats();
  }
  return more;
}

void Worker::loop() {
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      if (abandoned_) break;
    }
    const bool more = turn();
    if (drain_told_ && std::all_of(shards_.begin(), shards_.end(),
                                   [](const auto& shard) { return shard->finished(); })) {
      break;
    }
    if (!more) sleep(clock_.read());
  }
  std::deque<std::function<void()>> tasks;
  // Questions that came too late are still answered, by a refusal; acknowledgements find their
  // shard stopped.
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    tasks.swap(tasks_);
  }
  for (const auto& shard : shards_) shard->stop_abruptly();
  for (const auto& task : tasks) task();
  for (const auto& shard : shards_) shard->refuse_waiting();
}

void Worker::sleep(const ClockReading& now) {
  nanoseconds longest = std::chrono::hours(1);
  for (const auto& shard : shards_) {
    if (const auto deadline = shard->deadline(now))
      longest = std::min(longest, clock_.sleep_for(*deadline));
  }
  std::unique_lock lock(mutex_);
  wake_.wait_for(lock, longest, [&] { return woken_ || abandoned_ || !tasks_.empty(); });
}

}  // namespace spur
