// Server: the gRPC port with all services on it.
//
// Shutting down goes in steps, so that nothing acknowledged is lost and clients move on before the port closes:
// drain() tells health checks and load balancers; the engine finishes what was taken (subscribers still get it);
// stop() ends streams and calls.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "daemon/config.h"
#include "daemon/grpc/calls.h"

namespace spur::services {

struct ServerOptions {
  Address address;
  TlsFiles tls;
  Reflection reflection = Reflection::kAuto;
  std::uint64_t message_bytes_max = 4u << 20;
  std::uint32_t streams_max = 256;
  std::chrono::milliseconds keepalive{30'000};
};

class Server {
 public:
  // Listens at once; health says NOT_SERVING until set_serving(true). `engine`, `clock` and `counters` outlive it.
  // UNAVAILABLE if the address cannot be had, INVALID_ARGUMENT for TLS files that cannot be used.
  static absl::StatusOr<std::unique_ptr<Server>> start(const ServerOptions& options, Engine& engine, const Clock& clock,
                                                       metrics::EdgeCounters& counters);
  // stop() with no grace.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::uint16_t port() const;
  std::size_t subscribers() const;

  // What the health service answers, for every service and for the whole.
  void set_serving(bool serving);
  // From now on health says NOT_SERVING, whatever set_serving() says later.
  void drain();
  // Ends subscriptions with UNAVAILABLE, lets calls under way go on for `grace`, then cuts them. Idempotent.
  void stop(std::chrono::milliseconds grace);

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace spur::services
