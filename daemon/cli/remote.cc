#include "daemon/cli/remote.h"

#include <google/protobuf/util/json_util.h>

#include "daemon/cli/command.h"
#include "fmt/format.h"

namespace spur::cli {

void Remote::add_options(CLI::App& command) {
  command.add_option("--address", options_.address, "host:port of the daemon")
      ->envname("SPUR_ADDRESS")
      ->capture_default_str();
  command.add_option("--timeout", timeout_seconds_, "seconds to wait for an answer")
      ->capture_default_str()
      ->check(CLI::Range(0.001, 86400.0));
  command.add_flag("--tls", options_.tls, "talk TLS; implied by the files");
  command.add_option("--ca", options_.ca, "PEM file of the authorities to trust");
  command.add_option("--cert", options_.cert,
                     "PEM file of the client's certificate, if the daemon asks for one");
  command.add_option("--key", options_.key, "PEM file of its key");
}

std::chrono::milliseconds Remote::timeout() const {
  return std::chrono::milliseconds(static_cast<std::int64_t>(timeout_seconds_ * 1000));
}

std::shared_ptr<grpc::Channel> Remote::connect(const std::string& command) {
  absl::StatusOr<std::shared_ptr<grpc::Channel>> channel = services::make_channel(options_);
  if (!channel.ok()) {
    fmt::print(stderr, "spur {}: {}\n", command, std::string(channel.status().message()));
    exit_code_ = kBadUse;
    return nullptr;
  }
  // A daemon that is there answers at once; the timeout is for its work.
  const auto wait = std::min(timeout(), std::chrono::milliseconds(5000));
  if (!services::wait_connected(**channel, options_, wait).ok()) {
    fmt::print(stderr,
               "spur {}: no daemon at {}: start it with `spurd --embedded DIR`, or say where it is "
               "with --address or SPUR_ADDRESS; {}\n",
               command, options_.address,
               options_.wants_tls() ? "or the certificate is not of that host, or not of --ca"
                                    : "or it wants TLS: --tls or --ca");
    exit_code_ = kWorld;
    return nullptr;
  }
  return *channel;
}

int Remote::failed(const std::string& command, const grpc::Status& status) const {
  fmt::print(stderr, "spur {}: {}\n", command, services::error_text(status, options_));
  return services::exit_code(status);
}

void Remote::set_deadline(grpc::ClientContext& context) const {
  services::set_deadline(context, timeout());
}

std::string to_json_line(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string json;
  if (!google::protobuf::util::MessageToJsonString(message, &json, options).ok()) return "{}";
  return json;
}

}  // namespace spur::cli
