#include "daemon/http/admin_server.h"

#include <fmt/format.h>
#include <httplib.h>
#include <sys/socket.h>

#include <thread>
#include <utility>

#include "daemon/listen.h"
#include "daemon/version.h"

namespace spur::http {
namespace {

// A connection holds a thread until it is answered or given up. One that says nothing, or stays
// open for a next request, must not keep the probes waiting: an orchestrator takes a /livez that is
// late for one that failed.
constexpr int kThreads = 8;
// Until the first byte of a connection; the library's own 5 seconds outlast a probe.
constexpr int kFirstByteTimeoutSeconds = 1;
constexpr int kReadTimeoutSeconds = 1;  // between the bytes of a request
constexpr std::size_t kRequestsPerConnection = 1;
constexpr std::size_t kRequestBodyBytesMax = 1024;  // nothing here takes a body
constexpr int kWriteTimeoutSeconds = 5;
constexpr int kOk = 200, kServiceUnavailable = 503;

// The library's own options share the port with whoever asks (SO_REUSEPORT): two daemons would both start, each with
// half of the scrapes.
void set_socket_options(int socket) {
  const int yes = 1;
  setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
}

std::string front_page() {
  return fmt::format(
      "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>spurd</title></head><body>"
      "<h1>spurd {}</h1><ul>"
      "<li><a href=\"/metrics\">/metrics</a> for Prometheus</li>"
      "<li><a href=\"/livez\">/livez</a> would a restart help?</li>"
      "<li><a href=\"/readyz\">/readyz</a> may clients come, and if not, why</li>"
      "<li><a href=\"/startupz\">/startupz</a> is recovery over?</li>"
      "</ul></body></html>\n",
      kVersion);
}

void answer(const ProbeAnswer& probe, httplib::Response& response) {
  response.status = probe.ok ? kOk : kServiceUnavailable;
  response.set_content(probe.json + "\n", "application/json");
}

}  // namespace

struct AdminServer::Impl {
  httplib::Server server;
  std::thread listener;
  int port = 0;
};

AdminServer::AdminServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

AdminServer::~AdminServer() {
  impl_->server.stop();
  if (impl_->listener.joinable()) impl_->listener.join();
}

std::uint16_t AdminServer::port() const { return static_cast<std::uint16_t>(impl_->port); }

absl::StatusOr<std::unique_ptr<AdminServer>> AdminServer::start(const Address& address, const Probes& probes,
                                                                std::function<std::string()> metrics) {
  auto impl = std::make_unique<Impl>();
  httplib::Server& server = impl->server;
  server.new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
  server.set_socket_options(set_socket_options);
  server.set_payload_max_length(kRequestBodyBytesMax);
  server.set_keep_alive_max_count(kRequestsPerConnection);
  server.set_keep_alive_timeout(kFirstByteTimeoutSeconds);
  server.set_read_timeout(kReadTimeoutSeconds, 0);
  server.set_write_timeout(kWriteTimeoutSeconds, 0);
  server.set_default_headers({{"Cache-Control", "no-store"}, {"X-Content-Type-Options", "nosniff"}});

  server.Get("/", [](const httplib::Request&, httplib::Response& response) {
    response.set_content(front_page(), "text/html; charset=utf-8");
  });
  server.Get("/metrics", [metrics = std::move(metrics)](const httplib::Request&, httplib::Response& response) {
    response.set_content(metrics(), "text/plain; version=0.0.4; charset=utf-8");
  });
  server.Get("/livez",
             [&probes](const httplib::Request&, httplib::Response& response) { answer(probes.live(), response); });
  server.Get("/readyz",
             [&probes](const httplib::Request&, httplib::Response& response) { answer(probes.ready(), response); });
  server.Get("/startupz",
             [&probes](const httplib::Request&, httplib::Response& response) { answer(probes.started(), response); });

  if (address.port == 0) {
    impl->port = server.bind_to_any_port(address.host);
  } else if (server.bind_to_port(address.host, address.port)) {
    impl->port = address.port;
  } else {
    impl->port = -1;
  }
  if (impl->port <= 0) {
    return absl::UnavailableError(fmt::format("http.address: {} cannot be listened on: {}",
                                              address.text(), why_not_listening(address)));
  }
  impl->listener = std::thread([raw = impl.get()] { raw->server.listen_after_bind(); });
  // stop() before the listener runs would be lost and the destructor would wait for ever.
  while (!server.is_running()) std::this_thread::yield();
  return std::unique_ptr<AdminServer>(new AdminServer(std::move(impl)));
}

}  // namespace spur::http
