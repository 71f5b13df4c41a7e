#include "daemon/grpc/task_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <set>
#include <string>
#include <vector>

namespace spur::services {
namespace {

TEST(TaskQueueTest, RunsWhatIsPostedAndWhatThatPosts) {
  const SystemClock clock;
  TaskQueue tasks(clock);
  std::promise<void> done;
  tasks.post([&] { tasks.post([&] { done.set_value(); }); });
  EXPECT_EQ(done.get_future().wait_for(std::chrono::seconds(10)), std::future_status::ready);
}

TEST(TaskQueueTest, DelayedTaskDoesNotComeBeforeItsTime) {
  const SystemClock clock;
  TaskQueue tasks(clock);
  std::promise<std::chrono::nanoseconds> done;
  const auto begun = clock.read().steady;
  tasks.post_after(std::chrono::milliseconds(20), [&] { done.set_value(clock.read().steady); });
  EXPECT_GE(done.get_future().get() - begun, std::chrono::milliseconds(20));
}

TEST(TaskQueueTest, StopRunsWhatWasPostedAndDropsWhatWasDelayed) {
  const SystemClock clock;
  std::atomic<int> ran{0};
  TaskQueue tasks(clock);
  for (int i = 0; i < 100; ++i) tasks.post([&] { ++ran; });
  tasks.post_after(std::chrono::hours(1), [&] { ran += 1000; });
  tasks.stop();
  tasks.post([&] { ran += 1000; });
  EXPECT_EQ(ran, 100);
}

TEST(TaskQueueTest, TasksRunInTheOrderOfTheirPosting) {
  const SystemClock clock;
  TaskQueue tasks(clock);
  std::vector<int> order;
  for (int i = 0; i < 1000; ++i) tasks.post([&order, i] { order.push_back(i); });
  tasks.stop();
  ASSERT_EQ(order.size(), 1000U);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST(TaskLanesTest, AConnectionKeepsItsLane) {
  const SystemClock clock;
  TaskLanes lanes(3, clock);
  std::set<TaskQueue*> used;
  for (int port = 0; port < 100; ++port) {
    const std::string peer = "ipv4:10.0.0.1:" + std::to_string(port);
    EXPECT_EQ(&lanes.of(peer), &lanes.of(peer));
    used.insert(&lanes.of(peer));
  }
  EXPECT_EQ(used.size(), 3U);
}

}  // namespace
}  // namespace spur::services
