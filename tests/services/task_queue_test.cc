#include "daemon/grpc/task_queue.h"

#include <atomic>
#include <future>

#include <gtest/gtest.h>

namespace spur::services {
namespace {

TEST(TaskQueueTest, RunsWhatIsPostedAndWhatThatPosts) {
  const SystemClock clock;
  TaskQueue tasks(2, clock);
  std::promise<void> done;
  tasks.post([&] { tasks.post([&] { done.set_value(); }); });
  EXPECT_EQ(done.get_future().wait_for(std::chrono::seconds(10)), std::future_status::ready);
}

TEST(TaskQueueTest, DelayedTaskDoesNotComeBeforeItsTime) {
  const SystemClock clock;
  TaskQueue tasks(1, clock);
  std::promise<std::chrono::nanoseconds> done;
  const auto begun = clock.read().steady;
  tasks.post_after(std::chrono::milliseconds(20), [&] { done.set_value(clock.read().steady); });
  EXPECT_GE(done.get_future().get() - begun, std::chrono::milliseconds(20));
}

TEST(TaskQueueTest, StopRunsWhatWasPostedAndDropsWhatWasDelayed) {
  const SystemClock clock;
  std::atomic<int> ran{0};
  TaskQueue tasks(1, clock);
  for (int i = 0; i < 100; ++i) tasks.post([&] { ++ran; });
  tasks.post_after(std::chrono::hours(1), [&] { ran += 1000; });
  tasks.stop();
  tasks.post([&] { ran += 1000; });
  EXPECT_EQ(ran, 100);
}

}  // namespace
}  // namespace spur::services
