// kill -9 under load, again and again. The daemon is a child: this very binary, asked for the
// disabled test below, which publishes numbered orders as fast as they are acknowledged and writes
// down each acknowledged number. The parent kills it at any moment and starts it anew. In the end
// every acknowledged order was decided exactly once:
//
//   * each acknowledged number is the cause of exactly one action, and no number of two;
//   * spurseq is dense per shard;
//   * each customer's actions say orders 1, 2, 3, …: nothing was folded twice, nothing was skipped.
//
// SPUR_KILLS says how often; the default keeps the suite short.
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <random>
#include <semaphore>
#include <thread>

#include "tests/daemon/engine_fixture.h"

extern char** environ;

namespace spur::testing {
namespace {

constexpr int kUsers = 40;
constexpr int kInFlight = 64;

class KillTest : public EngineTest {
 protected:
  KillTest() {
    options_.shards = 4;
    options_.clock = nullptr;
    options_.flush_interval = std::chrono::milliseconds(100);  // so that deaths meet flushes too
  }
  std::string acknowledged_file() const { return options_.directory + ".acknowledged"; }

  std::vector<std::uint32_t> acknowledged() const {
    std::vector<std::uint32_t> numbers;
    const int file = ::open(acknowledged_file().c_str(), O_RDONLY);
    std::uint32_t number = 0;
    while (file >= 0 && read(file, &number, sizeof number) == sizeof number)
      numbers.push_back(number);
    if (file >= 0) close(file);
    return numbers;
  }
  pid_t start_daemon() {
    setenv("SPUR_TEST_FOLDER", options_.directory.c_str(), 1);
    const std::string self = std::filesystem::read_symlink("/proc/self/exe").string();
    std::string arguments[] = {self, "--gtest_also_run_disabled_tests",
                               "--gtest_filter=KillTest.DISABLED_Daemon"};
    char* argv[] = {arguments[0].data(), arguments[1].data(), arguments[2].data(), nullptr};
    posix_spawn_file_actions_t quiet;
    posix_spawn_file_actions_init(&quiet);
    posix_spawn_file_actions_addopen(&quiet, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    pid_t pid = -1;
    EXPECT_EQ(posix_spawn(&pid, self.c_str(), &quiet, nullptr, argv, environ), 0);
    posix_spawn_file_actions_destroy(&quiet);
    return pid;
  }
};

TEST_F(KillTest, DISABLED_Daemon) {
  const char* folder = getenv("SPUR_TEST_FOLDER");
  ASSERT_NE(folder, nullptr);
  options_.directory = folder;
  open();
  if (engine_->current_catalog() == nullptr) apply(shop_catalog());
  const int file = ::open(acknowledged_file().c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  ASSERT_GE(file, 0);
  // Numbers that nobody used: an unacknowledged one may be in the log, and is never sent again.
  auto next = static_cast<std::uint32_t>(getpid()) << 12;
  std::counting_semaphore<kInFlight> room(kInFlight);
  for (;;) {
    room.acquire();
    const std::uint32_t number = next++;
    const std::string event = track(absl::StrCat("user", number % kUsers), "Order Completed",
                                    static_cast<int>(number), SystemClock().read().wall);
    const EventToPublish one{"shop", event};
    engine_->publish(
        {&one, 1}, [&room, file, number](const absl::StatusOr<std::vector<Published>>& published) {
          // Written down after it was told and in one call: what stands there was acknowledged.
          if (published.ok() && write(file, &number, sizeof number) != sizeof number) abort();
          room.release();
        });
  }
}

TEST_F(KillTest, EveryAcknowledgedOrderIsDecidedExactlyOnce) {
  const char* wanted = getenv("SPUR_KILLS");
  const int kills = wanted == nullptr ? 12 : atoi(wanted);
  std::mt19937 random(7);
  for (int i = 0; i < kills; ++i) {
    const std::size_t before = acknowledged().size();
    const pid_t daemon = start_daemon();
    // Let it acknowledge something, every fourth time nothing at all: deaths during recovery count
    // too.
    const std::size_t wait_for = i % 4 == 3 ? 0 : before + 1 + random() % 400;
    const auto give_up = std::chrono::seconds(60);
    for (auto waited = std::chrono::milliseconds(0);
         acknowledged().size() < wait_for && waited < give_up;) {
      std::this_thread::sleep_for(
          std::chrono::milliseconds(2));  // another process: there is nothing to wait on
      waited += std::chrono::milliseconds(2);
    }
    if (wait_for == 0) std::this_thread::sleep_for(std::chrono::milliseconds(random() % 120));
    kill(daemon, SIGKILL);
    int status = 0;
    waitpid(daemon, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the daemon ended by itself, before kill " << i;
  }

  open();
  ASSERT_THAT(engine_->health().parked, ::testing::IsEmpty()) << engine_->health().why;
  ASSERT_TRUE(engine_->shutdown().ok());
  const auto deliveries = engine_->read_actions(kTopic, "", 10'000'000);
  ASSERT_TRUE(deliveries.ok()) << deliveries.status();
  std::map<std::string, int> by_cause;
  std::map<std::uint32_t, std::uint64_t> spurseq;
  std::map<std::string, int> orders;
  for (const ActionDelivery& delivery : *deliveries) {
    const spur::v1::Action& action = delivery.action;
    EXPECT_EQ(++by_cause[action.cause_event_id()], 1) << action.cause_event_id();
    EXPECT_EQ(action.spurseq(), ++spurseq[action.id().shard()]);
    EXPECT_EQ(action.data_json(), absl::StrCat(R"({"orders":)", ++orders[action.customer()], "}"));
  }
  const std::vector<std::uint32_t> told = acknowledged();
  for (const std::uint32_t number : told) {
    EXPECT_EQ(by_cause.count(absl::StrCat("m-", static_cast<int>(number))), 1u) << number;
  }
  std::printf("%d kills, %zu orders acknowledged, %zu actions\n", kills, told.size(),
              deliveries->size());
  EXPECT_GE(deliveries->size(), told.size());
  std::filesystem::remove(acknowledged_file());
}

}  // namespace
}  // namespace spur::testing
