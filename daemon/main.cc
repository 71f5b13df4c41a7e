// spurd's command line. What it runs is daemon.h.
#include <cstdio>
#include <string>
#include <vector>

#include "daemon/config.h"
#include "daemon/daemon.h"
#include "daemon/version.h"

namespace {

int print(const std::string& text) {
  return std::fputs(text.c_str(), stdout) < 0 || std::fflush(stdout) != 0 ? spur::kExitWorld : spur::kExitFine;
}

}  // namespace

int main(int argc, char** argv) {
  spur::block_signals();
  const absl::StatusOr<spur::Invocation> invocation =
      spur::read_invocation(std::vector<std::string>(argv + 1, argv + argc), spur::process_environment());
  if (!invocation.ok()) {
    std::fprintf(stderr, "%s\nspurd: nothing was started; see spurd --help\n",
                 std::string(invocation.status().message()).c_str());
    return spur::kExitBadInput;
  }
  switch (invocation->ask) {
    case spur::Invocation::Ask::kHelp: return print(spur::help_text());
    case spur::Invocation::Ask::kHelpMarkdown: return print(spur::help_markdown());
    case spur::Invocation::Ask::kPrintConfig: return print(spur::config_yaml(*invocation));
    case spur::Invocation::Ask::kVersion: return print("spurd " + std::string(spur::kVersion) + "\n");
    case spur::Invocation::Ask::kRun: break;
  }
  return spur::run_daemon(invocation->config, invocation->warnings);
}
