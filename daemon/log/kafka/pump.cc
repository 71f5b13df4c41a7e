#include "daemon/log/kafka/pump.h"

#include <algorithm>
#include <utility>

namespace spur::kafka {

void Pump::start(std::vector<Serve> serves) {
  serves_ = std::move(serves);
  thread_ = std::thread([this] { loop(); });
}

void Pump::wake() {
  if (woken_.exchange(true, std::memory_order_acq_rel)) return;
  const std::lock_guard lock(mutex_);
  changed_.notify_one();
}

bool Pump::await(const std::function<bool()>& settled, std::chrono::nanoseconds longest) {
  const std::chrono::nanoseconds until = clock_.read().steady + longest;
  for (;;) {
    std::uint64_t before = 0;
    {
      const std::lock_guard lock(mutex_);
      before = servings_;
    }
    if (settled()) return true;  // asked without our lock: it takes others
    wake();
    std::unique_lock lock(mutex_);
    if (!served_.wait_for(lock, clock_.sleep_for(until), [&] { return servings_ != before; }))
      return false;
    if (clock_.read().steady >= until) return false;
  }
}

void Pump::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void Pump::listen(rd_kafka_queue_t* queue) {
  rd_kafka_queue_cb_event_enable(
      queue, [](rd_kafka_t*, void* pump) { static_cast<Pump*>(pump)->wake(); }, this);
}

void Pump::loop() {
  std::chrono::nanoseconds due = kNothingDue;
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      const auto ready = [this] { return stopping_ || woken_.load(std::memory_order_acquire); };
      if (due == kNothingDue) {
        changed_.wait(lock, ready);
      } else {
        changed_.wait_for(lock, clock_.sleep_for(due), ready);
      }
      if (stopping_) return;
    }
    // Before serving: what comes meanwhile wakes again.
    woken_.store(false, std::memory_order_release);
    due = kNothingDue;
    for (const Serve& serve : serves_) due = std::min(due, serve());
    const std::lock_guard lock(mutex_);
    ++servings_;
    served_.notify_all();
  }
}

void Errands::run(std::function<void()> errand) {
  const std::lock_guard lock(mutex_);
  waiting_.push_back(std::move(errand));
  if (!thread_.joinable()) thread_ = std::thread([this] { loop(); });
  changed_.notify_one();
}

void Errands::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void Errands::loop() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    std::vector<std::function<void()>> errands = std::exchange(waiting_, {});
    lock.unlock();
    for (std::function<void()>& errand : errands) errand();
    errands.clear();
    lock.lock();
  }
}

}  // namespace spur::kafka
