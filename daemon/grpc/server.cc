#include "daemon/grpc/server.h"

#include <fmt/format.h>
#include <grpc/support/log.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "daemon/grpc/action_service.h"
#include "daemon/grpc/catalog_service.h"
#include "daemon/grpc/customer_service.h"
#include "daemon/grpc/event_service.h"
#include "daemon/grpc/tls_files.h"
#include "daemon/listen.h"
#include "daemon/logging.h"

namespace spur::services {
namespace {

constexpr std::size_t kTaskLanes = 4;  // threads; more would meet on the cores, not in work
// What a message is larger than what it carries. A little room, so that a Publish just over the limit is refused by us,
// with a reason, and not by the transport.
constexpr int kMessageOverheadBytes = 256 * 1024;
constexpr int kKeepaliveTimeoutMs = 10'000;
constexpr int kClientPingIntervalMinMs = 10'000;
constexpr int kGrpcMinimumWaitMs = 50;

// Reflection comes as a plugin of every server in the process; this takes it out of one.
class WithoutReflection final : public grpc::ServerBuilderOption {
 public:
  void UpdateArguments(grpc::ChannelArguments*) override {}
  void UpdatePlugins(std::vector<std::unique_ptr<grpc::ServerBuilderPlugin>>* plugins) override {
    plugins->erase(std::remove_if(plugins->begin(), plugins->end(),
                                  [](const auto& plugin) { return plugin->name() == "proto_server_reflection"; }),
                   plugins->end());
  }
};

// gRPC's own messages go where ours go. It repeats itself at info, so that is debug here.
void forward_log(gpr_log_func_args* line) {
  switch (line->severity) {
    case GPR_LOG_SEVERITY_ERROR: return logging::warning("grpc", {{"detail", std::string(line->message)}});
    case GPR_LOG_SEVERITY_INFO:
    case GPR_LOG_SEVERITY_DEBUG: return logging::debug("grpc", {{"detail", std::string(line->message)}});
  }
}

std::shared_ptr<grpc::ServerCredentials> credentials_of(const TlsFiles& tls) {
  if (!tls.enabled()) return grpc::InsecureServerCredentials();
  const auto seconds = std::max<std::int64_t>(1, std::chrono::duration_cast<std::chrono::seconds>(tls.reload).count());
  // Reads the files again every so often; a connection keeps what it began with.
  auto provider = std::make_shared<grpc::experimental::FileWatcherCertificateProvider>(
      tls.key, tls.cert, tls.client_ca, static_cast<unsigned int>(seconds));
  grpc::experimental::TlsServerCredentialsOptions options(std::move(provider));
  options.watch_identity_key_cert_pairs();
  if (tls.client_ca.empty()) {
    options.set_cert_request_type(GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE);
  } else {
    options.watch_root_certs();
    options.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  }
  return grpc::experimental::TlsServerCredentials(options);
}

bool wants_reflection(const ServerOptions& options) {
  if (options.reflection == Reflection::kAuto) return options.address.is_loopback();
  return options.reflection == Reflection::kOn;
}

void set_limits(grpc::ServerBuilder& builder, const ServerOptions& options) {
  const int message_bytes = static_cast<int>(options.message_bytes_max) + kMessageOverheadBytes;
  builder.SetMaxReceiveMessageSize(message_bytes);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, static_cast<int>(options.streams_max));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, static_cast<int>(options.keepalive.count()));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, kClientPingIntervalMinMs);
  // Two daemons on one port would each get half of the clients.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
}

ServiceError shutting_down() {
  ServiceError error;
  error.code = absl::StatusCode::kUnavailable;
  error.reason = "SHUTTING_DOWN";
  error.message = "the daemon is shutting down; resume from your cursor elsewhere or later";
  error.retry_after = std::chrono::seconds(1);
  return error;
}

}  // namespace

struct Server::Impl {
  Impl(Engine& engine, const Clock& clock, metrics::EdgeCounters& counters, std::size_t publish_bytes_max)
      : tasks(kTaskLanes, clock),
        questions(clock),
        context{engine, tasks, questions, clock, counters, subscribers, publish_bytes_max} {}

  Subscribers subscribers;
  TaskLanes tasks;
  TaskQueue questions;
  ServiceContext context;
  EventService events{context};
  ActionService actions{context};
  CustomerService customers{context};
  CatalogService catalogs{context};
  std::unique_ptr<grpc::Server> server;
  int port = 0;
  std::atomic<bool> draining{false};
  bool stopped = false;
};

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Server::~Server() { stop(std::chrono::milliseconds(0)); }

absl::StatusOr<std::unique_ptr<Server>> Server::start(const ServerOptions& options, Engine& engine, const Clock& clock,
                                                      metrics::EdgeCounters& counters) {
  if (absl::Status status = check_tls_files(options.tls); !status.ok()) return status;
  gpr_set_log_function(forward_log);
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();

  auto impl = std::make_unique<Impl>(engine, clock, counters, options.message_bytes_max);
  grpc::ServerBuilder builder;
  builder.AddListeningPort(options.address.text(), credentials_of(options.tls), &impl->port);
  set_limits(builder, options);
  if (!wants_reflection(options)) builder.SetOption(std::make_unique<WithoutReflection>());
  builder.RegisterService(&impl->events);
  builder.RegisterService(&impl->actions);
  builder.RegisterService(&impl->customers);
  builder.RegisterService(&impl->catalogs);
  impl->server = builder.BuildAndStart();
  if (impl->server == nullptr || impl->port == 0) {
    return absl::UnavailableError(fmt::format("grpc.address: {} cannot be listened on: {}",
                                              options.address.text(),
                                              why_not_listening(options.address)));
  }
  std::unique_ptr<Server> server(new Server(std::move(impl)));
  server->set_serving(false);
  return server;
}

std::uint16_t Server::port() const { return static_cast<std::uint16_t>(impl_->port); }
std::size_t Server::subscribers() const { return impl_->subscribers.size(); }

void Server::set_serving(bool serving) {
  grpc::HealthCheckServiceInterface* health = impl_->server->GetHealthCheckService();
  const bool answer = serving && !impl_->draining.load();
  health->SetServingStatus(answer);  // the whole: the empty name
  for (const char* service : {"spur.v1.EventService", "spur.v1.ActionService", "spur.v1.CustomerService",
                              "spur.v1.CatalogService"}) {
    health->SetServingStatus(service, answer);
  }
}

void Server::drain() {
  impl_->draining.store(true);
  set_serving(false);
}

void Server::stop(std::chrono::milliseconds grace) {
  if (impl_->server == nullptr || impl_->stopped) return;
  impl_->stopped = true;
  drain();
  impl_->subscribers.end_all(shutting_down());
  const int wait_ms = std::max<int>(kGrpcMinimumWaitMs, static_cast<int>(grace.count()));
  impl_->server->Shutdown(gpr_time_add(gpr_now(GPR_CLOCK_REALTIME), gpr_time_from_millis(wait_ms, GPR_TIMESPAN)));
  impl_->server->Wait();
  impl_->tasks.stop();
  impl_->questions.stop();
}

}  // namespace spur::services
