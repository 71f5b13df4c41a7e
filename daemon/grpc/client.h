// What a program needs to talk to spurd: a channel, TLS if wanted, and how to tell a person what went wrong. The CLI is
// built on it.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/status.h>

#include "absl/status/statusor.h"
#include "daemon/grpc/service_error.h"

namespace spur::services {

struct ClientOptions {
  std::string address = "127.0.0.1:7475";
  bool tls = false;        // implied by any of the files
  std::string ca;          // PEM of the server's authorities; empty with tls: the system's
  std::string cert, key;   // PEM of the client's own, where the server asks for it
  std::string server_name; // if the certificate names another host than `address`
  std::uint64_t message_bytes_max = 64u << 20;  // a catalog or an answer may be large

  bool wants_tls() const { return tls || !ca.empty() || !cert.empty() || !key.empty(); }
};

// A channel; it connects when first used. INVALID_ARGUMENT for an address or TLS files that cannot be used.
absl::StatusOr<std::shared_ptr<grpc::Channel>> make_channel(const ClientOptions& options);

// Waits until the daemon answers at all. UNAVAILABLE, saying what to look at, if it does not within `timeout`.
absl::Status wait_connected(grpc::Channel& channel, const ClientOptions& options, std::chrono::milliseconds timeout);

// Every call has a deadline.
void set_deadline(grpc::ClientContext& context, std::chrono::milliseconds timeout);

// One line for a person: "no channel `fax` in the catalog in force (CHANNEL_UNKNOWN)"; of a daemon that is away, what
// to look at. Requires !status.ok().
std::string error_text(const grpc::Status& status, const ClientOptions& options);

// As the command line counts: 0 for OK, 2 for a request that is wrong in itself, 3 for the world.
int exit_code(const grpc::Status& status);

}  // namespace spur::services
