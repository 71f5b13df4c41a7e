// A running daemon, for the commands that talk to one: where it is, how long to wait, and what to
// say when it is away.
#pragma once

#include <google/protobuf/message.h>

#include <chrono>
#include <memory>
#include <string>

#include "CLI/CLI.hpp"
#include "daemon/explain/text.h"
#include "daemon/grpc/client.h"

namespace spur::cli {

// One command's use of a daemon.
class Remote {
 public:
  // --address (SPUR_ADDRESS), --timeout, and the TLS files.
  void add_options(CLI::App& command);

  // Connects; nullptr, having said what to do, if nothing answers. `command` names the speaker.
  std::shared_ptr<grpc::Channel> connect(const std::string& command);

  // Says what went wrong and answers the exit code for it. Requires !status.ok().
  int failed(const std::string& command, const grpc::Status& status) const;

  // The deadline of one question and its answer.
  void set_deadline(grpc::ClientContext& context) const;
  std::chrono::milliseconds timeout() const;

  // Why connect() gave nothing: kBadUse or kWorld.
  int exit_code() const { return exit_code_; }

 private:
  services::ClientOptions options_;
  double timeout_seconds_ = 10;
  int exit_code_ = 0;
};

// A protobuf message as one line of JSON with the names of its fields, for --json.
std::string to_json_line(const google::protobuf::Message& message);

using explain::time_text;

}  // namespace spur::cli
