// Event to action over gRPC: publishes Ping events at a fixed rate to a running spurd and measures, in this process and
// on its steady clock, the time from handing an event to the stream until its action is delivered by the subscription.
// The daemon has made both durable in between. Open loop: events leave on time whatever the answers do.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <grpcpp/grpcpp.h>

#include "CLI/CLI.hpp"
#include "fmt/format.h"
#include "spur/v1/service.grpc.pb.h"

namespace {

using Steady = std::chrono::steady_clock;

constexpr std::uint32_t kCredits = 20'000;

struct Options {
  std::string address = "127.0.0.1:7475";
  double rate = 1000;
  double seconds = 10;
  double warm_seconds = 2;
  int customers = 10'000;
  bool one_connection = false;
};

// RFC 3339 of the wall clock: the daemon runs on it.
std::string wall_text() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
  const std::time_t seconds = ms / 1000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char text[40];
  std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", utc.tm_year + 1900, utc.tm_mon + 1,
                utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, static_cast<int>(ms % 1000));
  return text;
}

// A connection of its own for each: who publishes and who subscribes are two programs.
std::shared_ptr<grpc::Channel> connect(const Options& o) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, o.one_connection ? 0 : 1);
  return grpc::CreateCustomChannel(o.address, grpc::InsecureChannelCredentials(), arguments);
}

int run(const Options& o) {
  const auto events = spur::v1::EventService::NewStub(connect(o));
  const auto actions = spur::v1::ActionService::NewStub(connect(o));
  const auto count = static_cast<std::size_t>(o.rate * (o.seconds + o.warm_seconds));
  const auto warm = static_cast<std::size_t>(o.rate * o.warm_seconds);
  std::vector<std::atomic<std::int64_t>> sent(count), arrived(count);
  const auto ns = [] { return Steady::now().time_since_epoch().count(); };
  // Ids say which run they belong to, so that a daemon that was not emptied does not confuse them.
  const std::string run_id = std::to_string(std::chrono::system_clock::now().time_since_epoch().count());

  grpc::ClientContext listen;
  const auto subscription = actions->Subscribe(&listen);
  spur::v1::SubscribeRequest open;
  open.set_channel("app");
  open.set_credits(kCredits);
  open.set_from_now(true);
  subscription->Write(open);
  std::atomic<std::size_t> got = 0;
  std::thread reader([&] {
    spur::v1::SubscribeResponse response;
    for (std::uint32_t taken = 0; subscription->Read(&response);) {
      if (++taken == kCredits / 2) {
        spur::v1::SubscribeRequest more;
        more.set_credits(taken);
        subscription->Write(more);
        taken = 0;
      }
      const std::string& id = response.delivery().action().cause_event_id();
      const std::size_t dash = id.find('-');
      if (response.delivery().action().trigger() != "ping" || id.compare(0, dash, run_id) != 0) continue;
      arrived[std::strtoull(id.c_str() + dash + 1, nullptr, 10)] = ns();
      ++got;
    }
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(300));

  grpc::ClientContext publish;
  const auto stream = events->PublishStream(&publish);
  std::thread answers([&] {
    spur::v1::PublishResponse response;
    while (stream->Read(&response)) {
    }
  });
  const auto start = Steady::now();
  std::uint64_t random = 1;
  for (std::size_t i = 0; i < count; ++i) {
    const auto due = start + std::chrono::nanoseconds(static_cast<std::int64_t>(1e9 / o.rate * static_cast<double>(i)));
    if (Steady::now() < due) std::this_thread::sleep_until(due);
    random = random * 6364136223846793005ULL + 1442695040888963407ULL;
    spur::v1::PublishRequest one;
    one.add_events()->set_json(fmt::format(
        R"({{"type":"track","messageId":"{}-{}","userId":"user-{}","event":"Ping","timestamp":"{}","properties":{{"value":{}}}}})",
        run_id, i, (random >> 33) % static_cast<std::uint64_t>(o.customers), wall_text(), i % 100));
    sent[i] = ns();
    if (!stream->Write(one)) break;
  }
  stream->WritesDone();
  answers.join();
  const grpc::Status status = stream->Finish();
  for (int i = 0; i < 200 && got < count; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  listen.TryCancel();
  reader.join();
  if (const grpc::Status ended = subscription->Finish(); ended.error_code() != grpc::StatusCode::CANCELLED) {
    fmt::print(stderr, "the subscription ended: {}\n", ended.error_message());
  }
  if (!status.ok()) {
    fmt::print(stderr, "publishing failed: {}\n", status.error_message());
    return 3;
  }
  std::vector<double> ms;
  for (std::size_t i = warm; i < count; ++i) {
    if (arrived[i] != 0) ms.push_back(static_cast<double>(arrived[i] - sent[i]) / 1e6);
  }
  std::sort(ms.begin(), ms.end());
  if (ms.size() != count - warm) fmt::print(stderr, "{} of {} actions came\n", ms.size(), count - warm);
  if (ms.empty()) return 1;
  const auto at = [&](double p) {
    return ms[std::min(ms.size() - 1, static_cast<std::size_t>(p * static_cast<double>(ms.size())))];
  };
  fmt::print("rate {:.0f}/s, {} actions: p50 {:.3f} ms, p90 {:.3f} ms, p99 {:.3f} ms, p99.9 {:.3f} ms, max {:.3f} ms\n",
             o.rate, ms.size(), at(0.5), at(0.9), at(0.99), at(0.999), ms.back());
  return ms.size() == count - warm ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Event-to-action latency of a running spurd over gRPC.");
  Options o;
  app.add_option("--address", o.address, "gRPC address of the daemon")->capture_default_str();
  app.add_option("--rate", o.rate, "events a second")->capture_default_str();
  app.add_option("--seconds", o.seconds, "measured time")->capture_default_str();
  app.add_option("--warm", o.warm_seconds, "seconds before that, not measured")->capture_default_str();
  app.add_option("--customers", o.customers, "different customers")->capture_default_str();
  app.add_flag("--one-connection", o.one_connection, "publish and subscribe over the same connection");
  CLI11_PARSE(app, argc, argv);
  return run(o);
}
