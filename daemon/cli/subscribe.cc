// spur subscribe: the actions of a channel, as they are made.
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "absl/strings/escaping.h"
#include "daemon/cli/command.h"
#include "daemon/cli/remote.h"
#include "daemon/clock.h"
#include "fmt/format.h"
#include "spur/v1/service.grpc.pb.h"

namespace spur::cli {
namespace {

constexpr std::uint64_t kCreditsMax = 256;  // actions on their way at once
constexpr std::chrono::milliseconds kStreamMax(
    3'600'000);  // then the stream is opened anew, behind the last action

struct Arguments {
  std::string channel, name, cursor;
  std::uint64_t count = 0;
  double seconds = 0;
  bool from_now = false;
  bool json = false;
  Remote remote;
};

// False: it could not be written.
bool print(const Arguments& a, const spur::v1::Delivery& delivery) {
  const spur::v1::Action& action = delivery.action();
  if (a.json) {
    fmt::print("{}\n", to_json_line(delivery));
  } else {
    fmt::print("{}  {}  {}{}{}{}{}  {}  {}\n", time_text(action.time_ms()), action.customer(),
               action.has_retracts() ? "retraction of " : "",
               action.trigger(), action.instance().empty() ? "" : " [", action.instance(),
               action.instance().empty() ? "" : "]",
               action.template_().empty() ? "-" : action.template_(), action.data_json());
  }
  return std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
}

// What stays from one stream to the next.
struct Progressed {
  std::uint64_t taken = 0;
  std::string cursor;      // behind the last action printed
  bool unwritten = false;  // the next one could not be printed
};

// One stream, until it ends.
grpc::Status follow(const Arguments& a, const std::shared_ptr<grpc::Channel>& channel,
                    std::chrono::milliseconds at_most, Progressed& progressed) {
  const auto stub = spur::v1::ActionService::NewStub(channel);
  grpc::ClientContext context;
  services::set_deadline(context, at_most);
  const auto stream = stub->Subscribe(&context);
  const auto left = [&](std::uint64_t granted) {
    return a.count == 0 ? kCreditsMax : std::min(kCreditsMax, a.count - progressed.taken - granted);
  };
  spur::v1::SubscribeRequest open;
  open.set_channel(a.channel);
  open.set_subscriber(a.name);
  open.set_cursor(progressed.cursor);
  open.set_from_now(a.from_now && progressed.cursor.empty());
  std::uint64_t granted = left(0);  // credits not used yet
  open.set_credits(static_cast<std::uint32_t>(granted));
  stream->Write(open);

  spur::v1::SubscribeResponse response;
  bool closing = false;
  while (stream->Read(&response)) {
    if (!response.has_delivery()) continue;
    if (!print(a, response.delivery())) {
      fmt::print(stderr,
                 "spur subscribe: the standard output could not be written: {}; what was not "
                 "printed is not acknowledged\n",
                 std::strerror(errno));
      context.TryCancel();
      progressed.unwritten = true;
      break;
    }
    progressed.cursor = response.delivery().cursor();
    ++progressed.taken;
    --granted;
    spur::v1::SubscribeRequest next;
    const std::uint64_t room = left(granted);
    if (granted < kCreditsMax / 2 && room > 0) {
      const std::uint64_t more = std::min(kCreditsMax - granted, room);
      next.set_credits(static_cast<std::uint32_t>(more));
      granted += more;
    }
    if (!a.name.empty()) next.set_ack(progressed.cursor);
    if (next.credits() > 0 || !next.ack().empty()) stream->Write(next);
    if (a.count > 0 && progressed.taken == a.count) {
      // The daemon ends the stream once the last ack is stored.
      stream->WritesDone();
      closing = true;
    }
  }
  const grpc::Status status = stream->Finish();
  return closing && status.error_code() == grpc::StatusCode::CANCELLED ? grpc::Status::OK : status;
}

int run(Arguments& a) {
  Progressed progressed;
  if (!a.cursor.empty() && !absl::Base64Unescape(a.cursor, &progressed.cursor)) {
    fmt::print(stderr,
               "spur subscribe: --cursor: `{}` is no cursor; take one that --json printed\n",
               a.cursor);
    return kBadUse;
  }
  if (a.from_now && !a.cursor.empty()) {
    fmt::print(stderr, "spur subscribe: give either --cursor or --from-now\n");
    return kBadUse;
  }
  const std::shared_ptr<grpc::Channel> channel = a.remote.connect("subscribe");
  if (channel == nullptr) return a.remote.exit_code();
  const SystemClock clock;
  const std::chrono::nanoseconds start = clock.read().steady;
  for (;;) {
    std::chrono::milliseconds at_most = kStreamMax;
    bool last = false;
    if (a.seconds > 0) {
      const auto passed =
          std::chrono::duration_cast<std::chrono::milliseconds>(clock.read().steady - start);
      const std::chrono::milliseconds rest =
          std::chrono::milliseconds(static_cast<std::int64_t>(a.seconds * 1000)) - passed;
      last = rest <= kStreamMax;
      at_most = std::clamp(rest, std::chrono::milliseconds(1), kStreamMax);
    }
    const grpc::Status status = follow(a, channel, at_most, progressed);
    if (progressed.unwritten) return kWorld;
    if (status.ok()) return kFine;
    const bool over = status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED;
    if (over && last) return a.count > 0 ? kNo : kFine;
    if (over) continue;
    const int code = a.remote.failed("subscribe", status);
    if (progressed.taken > 0)
      fmt::print(stderr, "go on with --cursor {}\n", absl::Base64Escape(progressed.cursor));
    return code;
  }
}

}  // namespace

void add_subscribe(CLI::App& app, Chosen& chosen) {
  CLI::App* const command =
      app.add_subcommand("subscribe", "print the actions of a channel as they are made");
  auto a = std::make_shared<Arguments>();
  command->add_option("channel", a->channel, "name of the channel in the catalog")->required();
  command->add_option("--name", a->name,
                      "subscribe by this name: the daemon remembers what was printed");
  command->add_option("--cursor", a->cursor,
                      "begin behind the action with this cursor (from --json)");
  command->add_flag("--from-now", a->from_now,
                    "begin with new actions; by default with the oldest kept");
  command->add_option("--count", a->count, "end after so many actions; 0: never")
      ->capture_default_str();
  command
      ->add_option(
          "--for", a->seconds,
          "end after so many seconds; 0: never. With --count, too few actions are exit code 1")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  command->add_flag("--json", a->json, "one line of JSON an action, with its cursor");
  a->remote.add_options(*command);
  command->footer(
      "Examples:\n  spur subscribe email\n  spur subscribe email --name mailer --json\n  spur "
      "subscribe web --from-now --count 1 --for 60");
  command->callback([&chosen, a] { chosen.run = [a] { return run(*a); }; });
}

}  // namespace spur::cli
