// spur demo: what `make demo` shows.
#include "daemon/cli/demo.h"

#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <map>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "daemon/cli/command.h"
#include "daemon/cli/progress.h"
#include "daemon/clock.h"
#include "daemon/inputs/event_file.h"
#include "daemon/inputs/segment.h"
#include "daemon/top/samples.h"
#include "fmt/format.h"
#include "httplib.h"
#include "operators/expression/text.h"
#include "spur/v1/service.grpc.pb.h"

namespace spur::cli {
namespace {

constexpr std::chrono::seconds kCallTime(120);
constexpr int kHistoryBatch = 500;
constexpr std::uint32_t kCredits = 10'000;

std::chrono::nanoseconds now() { return SystemClock().read().steady; }

double ms(std::chrono::nanoseconds d) { return std::chrono::duration<double, std::milli>(d).count(); }

// What was sent live and when; what came back and how long that took.
class Board {
 public:
  explicit Board(Instant live_from) : live_from_(live_from) {}

  void sent(const std::string& id, Instant time) {
    const std::lock_guard lock(mutex_);
    sent_[id] = {time, now()};
  }

  void arrived(const spur::v1::Action& action) {
    const std::chrono::nanoseconds at = now();
    const std::lock_guard lock(mutex_);
    last_arrival_ = at;
    if (action.time_ms() < live_from_.ms) {
      ++history_;
      return;
    }
    ++live_;
    by_trigger_[action.trigger()]++;
    last_customer_ = action.customer();
    last_trigger_ = action.trigger();
    // An action whose instant is that of the event that caused it was decided by the event; another by the clock.
    const auto cause = sent_.find(action.cause_event_id());
    std::string how = "by the clock";
    if (cause != sent_.end() && cause->second.time.ms == action.time_ms()) {
      latencies_.push_back(at - cause->second.at);
      how = fmt::format("{:.2f} ms after its event", ms(latencies_.back()));
    }
    print(action, how);
  }

  void print_summary(double history_rate, std::uint64_t live_events) {
    const std::lock_guard lock(mutex_);
    fmt::print("\n{:.0f} events/s while history was read; {} events live; {} actions came out live, {} from history\n",
               history_rate, live_events, live_, history_);
    std::sort(latencies_.begin(), latencies_.end());
    if (!latencies_.empty()) {
      const auto at = [&](double p) {
        return ms(latencies_[std::min(latencies_.size() - 1,
                                      static_cast<std::size_t>(p * static_cast<double>(latencies_.size())))]);
      };
      fmt::print(
          "event → action, publish to delivery over gRPC, durable in between: p50 {:.2f} ms, p99 {:.2f} ms ({} "
          "actions)\n",
          at(0.5), at(0.99), latencies_.size());
    }
  }

  std::chrono::nanoseconds last_arrival() {
    const std::lock_guard lock(mutex_);
    return last_arrival_;
  }
  std::pair<std::string, std::string> an_example() {
    const std::lock_guard lock(mutex_);
    return {last_customer_, last_trigger_};
  }

 private:
  static void print(const spur::v1::Action& action, const std::string& how) {
    const std::string time = expression::timestamp_text(action.time_ms() / 1000, 0);
    const std::string instance = action.instance().empty() ? "" : "[" + action.instance() + "]";
    fmt::print("{}  {:<12} {:<16} → {:<14} because {}{} {} ({})\n", time, action.channel(), action.template_(),
               action.customer(), action.trigger(), instance, action.data_json(), how);
    std::fflush(stdout);
  }

  struct Sent {
    Instant time;
    std::chrono::nanoseconds at;
  };
  const Instant live_from_;
  std::mutex mutex_;
  std::unordered_map<std::string, Sent> sent_;
  std::vector<std::chrono::nanoseconds> latencies_;
  std::map<std::string, std::uint64_t> by_trigger_;
  std::uint64_t history_ = 0, live_ = 0;
  std::chrono::nanoseconds last_arrival_{0};
  std::string last_customer_, last_trigger_;
};

// Reads one channel on a thread of its own until stop().
class Listener {
 public:
  Listener(const std::shared_ptr<grpc::Channel>& channel, const std::string& name, Board& board)
      : stub_(spur::v1::ActionService::NewStub(channel)), stream_(stub_->Subscribe(&context_)) {
    spur::v1::SubscribeRequest open;
    open.set_channel(name);
    open.set_credits(kCredits);
    stream_->Write(open);
    thread_ = std::thread([this, &board] {
      spur::v1::SubscribeResponse response;
      for (std::uint32_t taken = 0; stream_->Read(&response);) {
        if (!response.has_delivery()) continue;
        board.arrived(response.delivery().action());
        if (++taken < kCredits / 2) continue;
        spur::v1::SubscribeRequest more;
        more.set_credits(taken);
        stream_->Write(more);
        taken = 0;
      }
    });
  }
  ~Listener() {
    context_.TryCancel();
    thread_.join();
  }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<spur::v1::ActionService::Stub> stub_;
  std::unique_ptr<grpc::ClientReaderWriter<spur::v1::SubscribeRequest, spur::v1::SubscribeResponse>> stream_;
  std::thread thread_;
};

using PublishStream = grpc::ClientReaderWriter<spur::v1::PublishRequest, spur::v1::PublishResponse>;

// Publishes whole files; answers how many events, or nullopt after saying what is wrong.
std::optional<std::uint64_t> publish_history(spur::v1::EventService::Stub& stub, const DemoOptions& options) {
  absl::StatusOr<EventFile> file = EventFile::open(options.history);
  if (!file.ok()) {
    fmt::print(stderr, "spur demo: {}\n", std::string(file.status().message()));
    return std::nullopt;
  }
  grpc::ClientContext context;
  services::set_deadline(context, kCallTime);
  const auto stream = stub.PublishStream(&context);
  std::atomic<std::uint64_t> acknowledged = 0;
  std::thread answers([&] {
    spur::v1::PublishResponse response;
    while (stream->Read(&response)) acknowledged += static_cast<std::uint64_t>(response.results_size());
  });
  Progress progress(isatty(STDERR_FILENO) != 0);
  spur::v1::PublishRequest batch;
  bool open = true;
  while (const std::optional<EventFile::Line> line = file->next()) {
    batch.add_events()->set_json(std::string(line->bytes));
    if (batch.events_size() < kHistoryBatch) continue;
    open = open && stream->Write(batch);
    batch.clear_events();
    progress.show("history", file->consumed_bytes(), file->total_bytes(), acknowledged);
  }
  if (open && batch.events_size() > 0) stream->Write(batch);
  stream->WritesDone();
  answers.join();
  progress.done();
  const grpc::Status status = stream->Finish();
  if (!status.ok()) {
    fmt::print(stderr, "spur demo: {}\n", services::error_text(status, options.client));
    return std::nullopt;
  }
  return acknowledged.load();
}

struct LiveEvent {
  std::string id;
  Instant time;
  std::string json;
};

std::vector<LiveEvent> read_live(const std::string& path) {
  std::vector<LiveEvent> events;
  absl::StatusOr<EventFile> file = EventFile::open(path);
  if (!file.ok()) {
    fmt::print(stderr, "spur demo: {}\n", std::string(file.status().message()));
    return events;
  }
  SegmentDecoder decoder;
  const EventSchema nothing;
  Arena arena;
  while (const std::optional<EventFile::Line> line = file->next()) {
    arena.reset();
    const Decoded decoded = decoder.decode(line->bytes, nothing, 0, arena);
    if (const Event* const event = std::get_if<Event>(&decoded)) {
      events.push_back({std::string(event->id), event->time, std::string(line->bytes)});
    }
  }
  return events;
}

// Publishes at the wanted pace, each event on its own.
bool publish_live(spur::v1::EventService::Stub& stub, const std::vector<LiveEvent>& events, const DemoOptions& options,
                  Board& board) {
  grpc::ClientContext context;
  services::set_deadline(context, kCallTime);
  const auto stream = stub.PublishStream(&context);
  std::thread answers([&] {
    spur::v1::PublishResponse response;
    while (stream->Read(&response)) {
    }
  });
  const std::chrono::nanoseconds start = now();
  const auto gap = std::chrono::nanoseconds(static_cast<std::int64_t>(1e9 / options.rate));
  bool open = true;
  for (std::size_t i = 0; open && i < events.size(); ++i) {
    const std::chrono::nanoseconds due = start + gap * static_cast<std::int64_t>(i);
    if (const std::chrono::nanoseconds at = now(); at < due) std::this_thread::sleep_for(due - at);
    spur::v1::PublishRequest one;
    one.add_events()->set_json(events[i].json);
    board.sent(events[i].id, events[i].time);
    open = stream->Write(one);
  }
  stream->WritesDone();
  answers.join();
  const grpc::Status status = stream->Finish();
  if (!status.ok()) fmt::print(stderr, "spur demo: {}\n", services::error_text(status, options.client));
  return status.ok();
}

// Decisions by trigger and verdict, as the daemon's own metrics count them.
void print_decisions(const std::string& url) {
  httplib::Client http(url);
  const httplib::Result answer = http.Get("/metrics");
  if (!answer || answer->status != 200) {
    fmt::print(stderr, "(no metrics at {}/metrics)\n", url);
    return;
  }
  constexpr std::pair<const char*, const char*> kVerdicts[] = {{"sent", "sent"},
                                                              {"suppressed", "suppressed"},
                                                              {"deferred", "deferred"},
                                                              {"held_out", "held out"},
                                                              {"retracted", "retracted"}};
  std::map<std::string, std::map<std::string, double, std::less<>>> by_trigger;  // then by verdict
  top::Samples::parse(answer->body).each("spur_decisions_total", [&](const top::Sample& sample) {
    by_trigger[std::string(sample.label("trigger"))][std::string(sample.label("verdict"))] +=
        sample.value;
  });
  fmt::print("\n{:<28}", "decisions, with history");
  for (const auto& [verdict, heading] : kVerdicts) fmt::print("{:>12}", heading);
  for (auto& [trigger, counts] : by_trigger) {
    fmt::print("\n  {:<26}", trigger);
    for (const auto& [verdict, heading] : kVerdicts) fmt::print("{:>12.0f}", counts[verdict]);
  }
  fmt::print("\n");
}

// Commands that can be pasted as they are.
void print_hints(const DemoOptions& options, const std::string& customer,
                 const std::string& trigger) {
  const std::string address = options.client.address == services::ClientOptions().address
                                  ? ""
                                  : " --address " + options.client.address;
  if (options.stays)
    fmt::print("\nthe daemon stays up; how to go on:\n");
  else
    fmt::print(
        "\nthe daemon stops now; with `make demo ARGS=--keep` it stays up, and then there is more "
        "to see:\n");
  const auto hint = [](const std::string& what, const char* why) {
    fmt::print("  {:<72}  {}\n", what, why);
  };
  hint(fmt::format("{} explain {} --trigger {}{}", options.program, customer, trigger, address),
       "why this customer got it");
  hint(fmt::format("{} get {}{}", options.program, customer, address),
       "what is known of this customer");
  hint(options.metrics_url + "/metrics", "for Prometheus");
}

// Until the daemon has folded all that it has taken, by its own metrics, or `most` is over. What is published before
// waits behind history, and would be measured with it.
void wait_folded(const std::string& url, std::chrono::milliseconds most) {
  httplib::Client http(url);
  for (const std::chrono::nanoseconds start = now(); now() - start < most;) {
    const httplib::Result answer = http.Get("/metrics");
    if (!answer || answer->status != 200) return;  // print_decisions() says so
    double behind = 0;
    top::Samples::parse(answer->body).each("spur_consumer_lag_records", [&](const top::Sample& sample) {
      behind += sample.value;
    });
    if (behind == 0) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

// Lets what is on its way arrive: until nothing has come for a while.
void drain(Board& board, std::chrono::milliseconds quiet, std::chrono::milliseconds most) {
  const std::chrono::nanoseconds start = now();
  while (now() - start < most && now() - std::max(start, board.last_arrival()) < quiet) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

}  // namespace

int run_demo(const DemoOptions& options) {
  const absl::StatusOr<std::shared_ptr<grpc::Channel>> channel = services::make_channel(options.client);
  if (!channel.ok()) {
    fmt::print(stderr, "spur demo: {}\n", std::string(channel.status().message()));
    return kBadUse;
  }
  if (const absl::Status up = services::wait_connected(**channel, options.client, std::chrono::seconds(30)); !up.ok()) {
    fmt::print(stderr, "spur demo: {}\n", std::string(up.message()));
    return kWorld;
  }
  const std::vector<LiveEvent> live = read_live(options.live);
  if (live.empty()) return kBadUse;
  const auto events = spur::v1::EventService::NewStub(*channel);
  const auto catalogs = spur::v1::CatalogService::NewStub(*channel);
  grpc::ClientContext context;
  services::set_deadline(context, kCallTime);
  spur::v1::GetCatalogResponse catalog;
  if (const grpc::Status status = catalogs->Get(&context, {}, &catalog); !status.ok()) {
    fmt::print(stderr, "spur demo: {}\n", services::error_text(status, options.client));
    return services::exit_code(status);
  }

  Board board(live.front().time);
  std::vector<std::unique_ptr<Listener>> listeners;
  for (const auto& c : catalog.catalog().channels())
    listeners.push_back(std::make_unique<Listener>(*channel, c.name(), board));

  fmt::print("reading the shop's history, as fast as it goes …\n");
  std::fflush(stdout);
  const std::chrono::nanoseconds start = now();
  const std::optional<std::uint64_t> history = publish_history(*events, options);
  if (!history) return kWorld;
  const double history_rate = static_cast<double>(*history) / std::chrono::duration<double>(now() - start).count();
  wait_folded(options.metrics_url, kCallTime);
  drain(board, std::chrono::milliseconds(500), std::chrono::seconds(15));

  fmt::print(
      "{} events of history are in. Now the shop's last days, {:.0f} events a second, and what is done about them:\n\n",
      *history, options.rate);
  std::fflush(stdout);
  if (!publish_live(*events, live, options, board)) return kWorld;
  drain(board, std::chrono::milliseconds(500), std::chrono::seconds(5));
  listeners.clear();

  board.print_summary(history_rate, live.size());
  print_decisions(options.metrics_url);
  const auto [customer, trigger] = board.an_example();
  print_hints(options, customer, trigger);
  return kFine;
}

void add_demo(CLI::App& app, Chosen& chosen) {
  CLI::App* const command =
      app.add_subcommand("demo", "publish a history, then more events live, and print each action as it comes");
  auto options = std::make_shared<DemoOptions>();
  options->metrics_url = "http://127.0.0.1:7476";
  command->add_option("--address", options->client.address, "gRPC address of the daemon")
      ->capture_default_str()
      ->envname("SPUR_ADDRESS");
  command->add_option("--metrics", options->metrics_url, "the daemon's admin port")->capture_default_str();
  command->add_option("--history", options->history, "Segment calls published first, as fast as possible")->required();
  command->add_option("--live", options->live, "Segment calls published then, at --rate")->required();
  command->add_option("--rate", options->rate, "live events a second")
      ->capture_default_str()
      ->check(CLI::Range(1.0, 100'000.0));
  command->add_option("--program", options->program, "what the hints at the end call this program")
      ->capture_default_str();
  command->add_flag("--stays", options->stays,
                    "say in the hints that the daemon goes on when the demo is over");
  command->footer("Example:\n  make demo");
  command->callback([&chosen, options] { chosen.run = [options] { return run_demo(*options); }; });
}

}  // namespace spur::cli
