// kill -9 of the real program under load, seen from outside: `spurd --embedded` as a child, a
// publisher and two subscribers as real gRPC clients. It is killed at any moment, started on the
// same folder, and the clients come back as clients do:
//
//   * the publisher never repeats an event that was not acknowledged, so each number is in the log
//     once or not at all;
//   * `mailer` is a named subscriber: the daemon keeps its cursor, as of its last acknowledgement,
//     so it gets again what it had not acknowledged, and drops that by remembering one number per
//     shard (docs/architecture.md, "Exactly once");
//   * `ledger` keeps its cursor itself, and must never be given anything twice.
//
// In the end both have seen an action for every acknowledged order, none twice and none missing
// (spurseq is dense per shard), and each customer's actions count its orders 1, 2, 3, …
//
// SPUR_KILLS says how often; the default keeps the suite short.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <thread>

#include "absl/strings/str_cat.h"
#include "daemon/clock.h"
#include "spur/v1/service.grpc.pb.h"
#include "tests/daemon/engine_fixture.h"

extern char** environ;

namespace spur::testing {
namespace {

constexpr int kUsers = 40;
constexpr std::size_t kInFlight = 64;
constexpr std::uint32_t kCredits = 1000;
constexpr int kDeliveriesPerAck = 20;

constexpr const char* kCatalog = R"(
apiVersion: spur/v1
kind: Source
metadata: {name: shop}
spec: {topic: events.shop, format: segment}
---
apiVersion: spur/v1
kind: Channel
metadata: {name: email}
spec: {topic: actions.email}
---
apiVersion: spur/v1
kind: Feature
metadata: {name: orders}
spec: {on: Order Completed, aggregate: count}
---
apiVersion: spur/v1
kind: Trigger
metadata: {name: greet}
spec:
  event: {on: Order Completed}
  actions: [{channel: email, template: thanks, data: {orders: features.orders}}]
)";

// What the clients' threads write and the test waits on.
struct Monitor {
  std::mutex mutex;
  std::condition_variable changed;

  bool wait(const std::function<bool()>& until) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, kPatience, until);
  }
};

// Publishes numbered orders as fast as they are acknowledged, over as many connections as it takes.
class Publisher {
 public:
  explicit Publisher(Monitor& monitor) : monitor_(monitor) {}

  // Until the stream ends, by itself or by context.TryCancel().
  void run(const std::shared_ptr<grpc::Channel>& channel, grpc::ClientContext& context) {
    const auto stub = spur::v1::EventService::NewStub(channel);
    context.set_wait_for_ready(true);
    const auto stream = stub->PublishStream(&context);
    std::deque<int> sent;
    bool ended = false;
    std::thread answers([&] {
      spur::v1::PublishResponse response;
      while (stream->Read(&response)) {
        const std::lock_guard lock(monitor_.mutex);
        EXPECT_EQ(response.results(0).dead_letter_reason(), "");
        acknowledged.push_back(sent.front());
        sent.pop_front();
        monitor_.changed.notify_all();
      }
      const std::lock_guard lock(monitor_.mutex);
      ended = true;
      monitor_.changed.notify_all();
    });
    for (spur::v1::PublishRequest request;;) {
      {
        std::unique_lock lock(monitor_.mutex);
        monitor_.changed.wait(lock, [&] { return ended || sent.size() < kInFlight; });
        if (ended) break;
        const int number = next_++;
        sent.push_back(number);
        request.Clear();
        request.add_events()->set_json(track(absl::StrCat("user", number % kUsers),
                                             "Order Completed", number, SystemClock().read().wall));
      }
      if (!stream->Write(request)) break;
    }
    answers.join();
    stream->Finish();  // cut off, and that is the point
  }

  std::vector<int> acknowledged;  // under the monitor's mutex

 private:
  Monitor& monitor_;
  int next_ = 0;  // never used twice: an unacknowledged number may be in the log
};

class Subscriber {
 public:
  // Named: the daemon keeps its cursor. Without a name it keeps it itself.
  Subscriber(Monitor& monitor, std::string name) : monitor_(monitor), name_(std::move(name)) {}

  void run(const std::shared_ptr<grpc::Channel>& channel, grpc::ClientContext& context) {
    const auto stub = spur::v1::ActionService::NewStub(channel);
    context.set_wait_for_ready(true);
    const auto stream = stub->Subscribe(&context);
    spur::v1::SubscribeRequest request;
    request.set_channel("email");
    request.set_credits(kCredits);
    if (name_.empty())
      request.set_cursor(cursor_);
    else
      request.set_subscriber(name_);
    stream->Write(request);
    spur::v1::SubscribeResponse response;
    for (std::uint32_t taken = 0; stream->Read(&response);) {
      if (!response.has_delivery()) continue;
      take(response.delivery());
      request.Clear();
      if (++taken % (kCredits / 2) == 0) request.set_credits(kCredits / 2);
      if (!name_.empty() && taken % kDeliveriesPerAck == 0) request.set_ack(cursor_);
      if (request.credits() != 0 || !request.ack().empty()) stream->Write(request);
    }
    stream->Finish();
  }

  std::set<std::string> causes;  // under the monitor's mutex, like all below
  std::size_t deliveries = 0, repeats = 0;

 private:
  void take(const spur::v1::Delivery& delivery) {
    const std::lock_guard lock(monitor_.mutex);
    cursor_ = delivery.cursor();
    ++deliveries;
    const spur::v1::Action& action = delivery.action();
    std::uint64_t& last = last_[action.id().shard()];
    if (action.spurseq() <= last) {
      ++repeats;
      return;
    }
    EXPECT_EQ(action.spurseq(), last + 1) << name_ << ": an action is missing";
    last = action.spurseq();
    EXPECT_TRUE(causes.insert(action.cause_event_id()).second)
        << name_ << ": two actions for " << action.cause_event_id();
    EXPECT_EQ(action.data_json(), absl::StrCat(R"({"orders":)", ++orders_[action.customer()], "}"));
    monitor_.changed.notify_all();
  }

  Monitor& monitor_;
  const std::string name_;
  std::string cursor_;
  std::map<std::uint32_t, std::uint64_t> last_;  // spurseq, by shard: all that a channel remembers
  std::map<std::string, int> orders_;
};

class SpurdKillTest : public ::testing::Test {
 protected:
  SpurdKillTest() {
    std::filesystem::create_directory(folder_.path() + "/catalog");
    std::ofstream(folder_.path() + "/catalog/shop.yaml") << kCatalog;
    // A loopback address that nobody else uses, so that a fixed port is free at every start.
    const int pid = getpid();
    address_ = absl::StrCat("127.", 1 + pid / 65'536 % 254, ".", pid / 256 % 256, ".", pid % 256);
  }

  void start() {
    std::string arguments[] = {SPUR_SPURD, "--embedded", folder_.path() + "/data", "--catalog",
                               folder_.path() + "/catalog", "--grpc-address", address_ + ":7475",
                               "--http-address", address_ + ":7476",
                               // So that deaths meet flushes too.
                               "--state-flush-interval", "100ms"};
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t output;
    posix_spawn_file_actions_init(&output);
    posix_spawn_file_actions_addopen(&output, STDOUT_FILENO, log_path().c_str(),
                                     O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_adddup2(&output, STDOUT_FILENO, STDERR_FILENO);
    ASSERT_EQ(posix_spawn(&daemon_, SPUR_SPURD, &output, nullptr, argv.data(), environ), 0);
    posix_spawn_file_actions_destroy(&output);
    ended_ = false;
    client([this](auto& channel, auto& context) { publisher_.run(channel, context); });
    client([this](auto& channel, auto& context) { mailer_.run(channel, context); });
    client([this](auto& channel, auto& context) { ledger_.run(channel, context); });
  }
  // A thread with a connection of its own, as another program has.
  template <typename Run>
  void client(Run run) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 10);
    arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 10);
    arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 50);
    auto channel = grpc::CreateCustomChannel(address_ + ":7475", grpc::InsecureChannelCredentials(),
                                             arguments);
    grpc::ClientContext& context = contexts_.emplace_back();
    threads_.emplace_back([run, channel, &context] { run(channel, context); });
  }
  // Ends the daemon by `signal` and the clients with it; answers how it ended.
  int end(int signal) {
    kill(daemon_, signal);
    int status = 0;
    waitpid(daemon_, &status, 0);
    ended_ = true;
    for (grpc::ClientContext& context : contexts_) context.TryCancel();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
    contexts_.clear();
    return status;
  }
  ~SpurdKillTest() override {
    if (!ended_) end(SIGKILL);
  }

  std::string log_path() const { return folder_.path() + "/spurd.log"; }
  std::string log() const {
    std::ifstream in(log_path());
    return {std::istreambuf_iterator<char>(in), {}};
  }

  TemporaryFolder folder_;
  std::string address_;
  pid_t daemon_ = -1;
  bool ended_ = true;
  std::deque<grpc::ClientContext> contexts_;
  std::vector<std::thread> threads_;
  Monitor monitor_;
  Publisher publisher_{monitor_};
  Subscriber mailer_{monitor_, "mailer"};
  Subscriber ledger_{monitor_, ""};
};

TEST_F(SpurdKillTest, NothingAcknowledgedIsLostAndEachActionIsSeenOnce) {
  const char* wanted = getenv("SPUR_KILLS");
  const int kills = wanted == nullptr ? 6 : atoi(wanted);
  std::mt19937 random(11);
  for (int i = 0; i < kills; ++i) {
    ASSERT_NO_FATAL_FAILURE(start());
    if (i % 4 == 3) {
      // Deaths during recovery count too: at any moment, whether or not anybody was served.
      std::this_thread::sleep_for(std::chrono::milliseconds(random() % 150));
    } else {
      const std::size_t more = 1 + random() % 2000;
      std::size_t before = 0, seen = 0;
      {
        const std::lock_guard lock(monitor_.mutex);
        before = publisher_.acknowledged.size();
        seen = mailer_.deliveries;
      }
      ASSERT_TRUE(monitor_.wait([&] {
        return publisher_.acknowledged.size() >= before + more && mailer_.deliveries > seen;
      })) << "before kill "
          << i << "\n"
          << log();
    }
    ASSERT_TRUE(WIFSIGNALED(end(SIGKILL))) << "it ended by itself, before kill " << i << "\n"
                                           << log();
  }

  std::vector<int> due;
  {
    const std::lock_guard lock(monitor_.mutex);
    due = publisher_.acknowledged;
  }
  ASSERT_NO_FATAL_FAILURE(start());
  const auto all_seen = [&](const Subscriber& subscriber) {
    return std::all_of(due.begin(), due.end(), [&](int number) {
      return subscriber.causes.count(absl::StrCat("m-", number)) != 0;
    });
  };
  // Both may have seen all of it before the kill; that it acknowledges again says that it is up, so
  // that SIGTERM meets a daemon and not a process that is still being started.
  EXPECT_TRUE(monitor_.wait([&] {
    return publisher_.acknowledged.size() > due.size() && all_seen(mailer_) && all_seen(ledger_);
  })) << "nothing is acknowledged, or an order acknowledged before the last kill has no action\n"
      << log();
  const int status = end(SIGTERM);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << log();
  EXPECT_EQ(ledger_.repeats, 0u);
  std::printf(
      "%d kills, %zu orders acknowledged; mailer saw %zu actions in %zu deliveries (%zu again), "
      "ledger %zu in %zu (%zu again)\n",
      kills, due.size(), mailer_.causes.size(), mailer_.deliveries, mailer_.repeats,
      ledger_.causes.size(), ledger_.deliveries, ledger_.repeats);
}

}  // namespace
}  // namespace spur::testing
