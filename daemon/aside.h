// Aside: where a shard does what blocks (recovering, reading a journal back), so that the other
// shards of its worker go on. The result comes back through the worker. One task a shard at a time.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace spur {

class Aside {
 public:
  virtual ~Aside() = default;
  // Runs `task` soon, on another thread. Dropped when it is being stopped.
  virtual void run(std::function<void()> task) = 0;
};

// A few threads, first come, first served.
class AsideThreads final : public Aside {
 public:
  explicit AsideThreads(std::size_t threads);
  ~AsideThreads() override;
  void run(std::function<void()> task) override;
  // Waits for what is running, drops what waits. Idempotent.
  void stop();

 private:
  void loop();
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> tasks_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace spur
