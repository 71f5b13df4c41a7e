// AdminServer: the HTTP port for machines that look after machines. It answers GET and changes nothing, so it needs no
// more protection than not being public.
//
//   /          a page that lists the others      /livez /readyz /startupz   200 or 503, JSON
//   /metrics   Prometheus' text format
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "daemon/config.h"
#include "daemon/http/probes.h"

namespace spur::http {

class AdminServer {
 public:
  // Listens at once, on threads of its own. `probes` and what `metrics` uses outlive it. UNAVAILABLE if the address
  // cannot be had.
  static absl::StatusOr<std::unique_ptr<AdminServer>> start(const Address& address, const Probes& probes,
                                                            std::function<std::string()> metrics);
  // Stops listening and waits for answers under way.
  ~AdminServer();
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;

  // The port in use; of interest when the address asked for any.
  std::uint16_t port() const;

 private:
  struct Impl;
  explicit AdminServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace spur::http
