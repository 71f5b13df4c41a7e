// The demo: publishes a history, then more events live, and prints each action as it comes with how long it took.
#pragma once

#include <string>

#include "daemon/grpc/client.h"

namespace spur::cli {

struct DemoOptions {
  services::ClientOptions client;
  std::string metrics_url;  // http://host:port of the daemon's admin port
  std::string history, live;  // files of Segment calls
  double rate = 150;          // live events a second
  std::string program = "spur";  // what to type for it, in the hints at the end
  bool stays = false;            // whether the daemon goes on when the demo is over
};

// An exit code (command.h).
int run_demo(const DemoOptions& options);

}  // namespace spur::cli
