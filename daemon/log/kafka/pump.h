// Pump: the one thread that serves all producers: deliveries that failed, sessions that have ended,
// sends that are due later. It sleeps until librdkafka or somebody of ours wakes it; there is no
// polling.
#pragma once

#include <librdkafka/rdkafka.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "daemon/clock.h"

namespace spur::kafka {

class Pump {
 public:
  static constexpr std::chrono::nanoseconds kNothingDue = std::chrono::nanoseconds::max();
  // Does what is to do and answers when, on the steady clock, there is more to do unasked.
  using Serve = std::function<std::chrono::nanoseconds()>;

  // `clock` outlives the pump. Whoever is served must too: stop() first.
  explicit Pump(const Clock& clock) : clock_(clock) {}
  ~Pump() { stop(); }
  Pump(const Pump&) = delete;
  Pump& operator=(const Pump&) = delete;

  void start(std::vector<Serve> serves);
  // Waits until `settled`, asked after each serving, answers true; false after `longest`.
  bool await(const std::function<bool()>& settled, std::chrono::nanoseconds longest);
  void wake();  // from any thread; cheap if it is awake already
  void stop();  // waits for what it is doing

  // Wakes the pump whenever a queue of the handle has something.
  void listen(rd_kafka_queue_t* queue);

 private:
  void loop();

  const Clock& clock_;
  std::vector<Serve> serves_;
  std::atomic<bool> woken_{false};
  std::mutex mutex_;
  std::condition_variable changed_, served_;
  bool stopping_ = false;
  std::uint64_t servings_ = 0;
  std::thread thread_;
};

// Errands: what may take long and must keep nobody else waiting, one after the other on a thread of
// its own: handles that are taken down, tails that are read.
class Errands {
 public:
  Errands() = default;
  ~Errands() { stop(); }
  Errands(const Errands&) = delete;
  Errands& operator=(const Errands&) = delete;

  void run(std::function<void()> errand);
  void stop();  // does what is left first

 private:
  void loop();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::function<void()>> waiting_;
  bool stopping_ = false;
  std::thread thread_;  // started by the first errand
};

}  // namespace spur::kafka
