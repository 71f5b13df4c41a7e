// spur top: who owns which shard, and how fast and how late each daemon is, live.
#include <httplib.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "daemon/cli/command.h"
#include "daemon/clock.h"
#include "daemon/top/board.h"
#include "fmt/format.h"

namespace spur::cli {
namespace {

constexpr const char* kClearScreen = "\x1b[H\x1b[2J";
constexpr int kAnswerSecondsMax = 2;

struct Arguments {
  std::vector<std::string> daemons{"127.0.0.1:7476"};
  double every_seconds = 2;
  bool once = false;
};

top::Reading read(const std::string& address, const Clock& clock) {
  top::Reading reading;
  reading.address = address;
  httplib::Client client("http://" + address);
  client.set_connection_timeout(kAnswerSecondsMax);
  client.set_read_timeout(kAnswerSecondsMax);
  const httplib::Result answer = client.Get("/metrics");
  reading.at = clock.read().steady;
  if (answer && answer->status == 200) reading.samples = top::Samples::parse(answer->body);
  return reading;
}

// All at once, or one that is away would delay the others.
std::vector<top::Reading> read_all(const std::vector<std::string>& daemons, const Clock& clock) {
  std::vector<top::Reading> readings(daemons.size());
  std::vector<std::thread> asking;
  for (std::size_t i = 0; i < daemons.size(); ++i)
    asking.emplace_back([&, i] { readings[i] = read(daemons[i], clock); });
  for (std::thread& thread : asking) thread.join();
  return readings;
}

int run(const Arguments& a) {
  const SystemClock clock;
  const bool terminal = isatty(STDOUT_FILENO) != 0 && !a.once;
  const std::chrono::duration<double> pause(a.every_seconds);
  std::vector<top::Reading> before = read_all(a.daemons, clock);
  while (true) {
    std::this_thread::sleep_for(pause);
    std::vector<top::Reading> now = read_all(a.daemons, clock);
    fmt::print("{}{}\n", terminal ? kClearScreen : "", top::draw(top::make_board(before, now)));
    if (std::fflush(stdout) != 0) return kWorld;
    const bool any = std::any_of(now.begin(), now.end(), [](const top::Reading& reading) {
      return reading.samples.has_value();
    });
    if (a.once) {
      if (any) return kFine;
      fmt::print(stderr,
                 "top: no daemon answers; is this its HTTP address (http.address, by default port "
                 "7476)?\n");
      return kWorld;
    }
    before = std::move(now);
  }
}

}  // namespace

void add_top(CLI::App& app, Chosen& chosen) {
  CLI::App* const command =
      app.add_subcommand("top", "watch daemons: who owns which shard, how fast, how late");
  auto a = std::make_shared<Arguments>();
  command->add_option("daemons", a->daemons, "HTTP addresses of the daemons of one deployment")
      ->capture_default_str();
  command->add_option("--every", a->every_seconds, "seconds between two looks")
      ->check(CLI::Range(0.1, 3600.0))
      ->capture_default_str();
  command->add_flag("--once", a->once, "one look, then end; code 3 if no daemon answers");
  command->footer(
      "Rates and latencies are those between two looks. A shard that recovers counts behind a "
      "plus.\n"
      "Examples:\n  spur top\n  spur top pod-0.spur:7476 pod-1.spur:7476 pod-2.spur:7476\n  spur "
      "top --once --every 10");
  command->callback([&chosen, a] { chosen.run = [a] { return run(*a); }; });
}

}  // namespace spur::cli
