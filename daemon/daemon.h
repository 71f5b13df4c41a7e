// Daemon: spurd from its start to its end. Puts the parts together in their order and takes them down in the reverse:
//
//     catalog folder read ─▶ engine opened ─▶ ports opened ─▶ recovery ─▶ catalog applied ─▶ serving
//     readiness off, NOT_SERVING ─▶ engine finishes what was taken and writes ─▶ streams and calls end ─▶ exit 0
//
// Ports open before recovery, so that a port in use is told at once and the probes answer while it lasts.
#pragma once

#include <string>
#include <vector>

#include "daemon/config.h"

namespace spur {

// Exit codes of the command line (docs/configuration.md).
inline constexpr int kExitFine = 0;
inline constexpr int kExitBadInput = 2;
inline constexpr int kExitWorld = 3;

// Signals are taken by the daemon's loop alone. Call in main before any thread is made.
void block_signals();

// Runs until SIGTERM or SIGINT; a second one ends the process at once. Answers the exit code.
int run_daemon(const Config& config, const std::vector<std::string>& warnings);

}  // namespace spur
