// The admin port: what the probes answer, over real HTTP.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vector>

#include "daemon/http/admin_server.h"
#include "daemon/http/probes.h"
#include "tests/services/fake_engine.h"

namespace spur::http {
namespace {

using ::testing::HasSubstr;

class HttpTest : public ::testing::Test {
 protected:
  HttpTest() {
    auto server = AdminServer::start({"127.0.0.1", 0}, probes_, [] { return std::string("spur_ready 1\n"); });
    EXPECT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }
  // Everything is well.
  void healthy() {
    Health health;
    health.started = health.ready = true;
    engine_.set_health(health);
    EngineStats stats;
    stats.shards.resize(1);
    stats.shards[0].phase = ShardPhase::kLive;
    engine_.set_stats(stats);
  }
  void lag(std::uint64_t records) {
    EngineStats stats = engine_.stats();
    stats.shards[0].input_end = records;
    engine_.set_stats(stats);
  }
  int status(const std::string& path) {
    httplib::Client client("127.0.0.1", server_->port());
    const auto answer = client.Get(path);
    body_ = answer ? answer->body : "";
    type_ = answer ? answer->get_header_value("Content-Type") : "";
    return answer ? answer->status : -1;
  }

  FakeEngine engine_;
  ManualClock clock_{Instant{1'800'000'000'000}};
  Probes probes_{engine_, clock_};
  std::unique_ptr<AdminServer> server_;
  std::string body_, type_;
};

TEST_F(HttpTest, PagesAreServedAndNothingElse) {
  healthy();
  EXPECT_EQ(status("/"), 200);
  EXPECT_THAT(body_, HasSubstr("/readyz"));
  EXPECT_EQ(status("/metrics"), 200);
  EXPECT_EQ(body_, "spur_ready 1\n");
  EXPECT_EQ(type_, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(status("/nothing"), 404);
  httplib::Client client("127.0.0.1", server_->port());
  EXPECT_NE(client.Post("/metrics", "x", "text/plain")->status, 200);
}

TEST_F(HttpTest, LivenessLooksAtTheLoopAndTheEnginesVerdictOnly) {
  Health health;  // not started, not ready
  engine_.set_health(health);
  EXPECT_EQ(status("/livez"), 200);
  clock_.advance(Millis{20'000});
  EXPECT_EQ(status("/livez"), 503);
  EXPECT_THAT(body_, HasSubstr("stands still for 20 s"));
  probes_.beat();
  EXPECT_EQ(status("/livez"), 200);
  health.live = false;
  health.why = "the log cannot be written";
  engine_.set_health(health);
  EXPECT_EQ(status("/livez"), 503);
  EXPECT_THAT(body_, HasSubstr("the log cannot be written"));
}

TEST_F(HttpTest, ReadinessNamesEveryReason) {
  Health health;
  health.started = true;
  health.parked = {{2, ParkReason::kLostRuns, "state at 9, journal ends at 7"}};
  engine_.set_health(health);
  EXPECT_EQ(status("/readyz"), 503);
  EXPECT_THAT(body_, HasSubstr("shard 2 is parked: LOST_RUNS: state at 9, journal ends at 7"));
  healthy();
  EXPECT_EQ(status("/readyz"), 200);
  probes_.start_draining();
  EXPECT_EQ(status("/readyz"), 503);
  EXPECT_THAT(body_, HasSubstr("shutting down"));
}

TEST_F(HttpTest, ReadinessWaitsForCatchingUpOnceAndNotAgain) {
  healthy();
  lag(5'000);
  EXPECT_EQ(status("/readyz"), 503);
  EXPECT_THAT(body_, HasSubstr("catching up"));
  EXPECT_THAT(body_, HasSubstr("\"lag_records\":5000"));
  lag(10);
  EXPECT_EQ(status("/readyz"), 200);
  lag(5'000);
  EXPECT_EQ(status("/readyz"), 200);
}

TEST_F(HttpTest, StartupWaitsForRecovery) {
  EXPECT_EQ(status("/startupz"), 503);
  healthy();
  EXPECT_EQ(status("/startupz"), 200);
}

TEST_F(HttpTest, ClientsThatSayNothingDoNotKeepTheProbesWaiting) {
  healthy();
  std::vector<int> silent;
  for (int i = 0; i < 8; ++i) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(server_->port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    silent.push_back(socket(AF_INET, SOCK_STREAM, 0));
    ASSERT_EQ(connect(silent.back(), reinterpret_cast<const sockaddr*>(&address), sizeof address),
              0);
  }
  httplib::Client client("127.0.0.1", server_->port());
  client.set_read_timeout(3, 0);  // the library by itself gives silent connections up after five
  const auto answer = client.Get("/livez");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  for (const int fd : silent) close(fd);
}

TEST_F(HttpTest, ConnectionIsClosedBehindItsAnswer) {
  httplib::Client client("127.0.0.1", server_->port());
  client.set_keep_alive(true);
  EXPECT_EQ(client.Get("/")->get_header_value("Connection"), "close");
}

TEST_F(HttpTest, PortInUseIsToldAndNotShared) {
  const auto second = AdminServer::start({"127.0.0.1", server_->port()}, probes_, [] { return std::string(); });
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(second.status().message(), HasSubstr("http.address"));
  EXPECT_THAT(second.status().message(), HasSubstr("another process has the port"));
}

}  // namespace
}  // namespace spur::http
