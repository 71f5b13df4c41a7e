#include "daemon/daemon.h"

#include <pthread.h>
#include <unistd.h>

#include <csignal>
#include <future>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "daemon/catalog_folder.h"
#include "daemon/clock.h"
#include "daemon/engine.h"
#include "daemon/grpc/catalog_service.h"
#include "daemon/grpc/server.h"
#include "daemon/http/admin_server.h"
#include "daemon/http/probes.h"
#include "daemon/log/kafka/kafka_log.h"
#include "daemon/logging.h"
#include "daemon/metrics/metrics.h"
#include "daemon/version.h"

namespace spur {
namespace {

constexpr std::chrono::seconds kFolderRetryAfter{10};
constexpr std::chrono::milliseconds kLoopInterval{1'000};  // a heartbeat, and a look at a watched folder
constexpr std::chrono::seconds kProgressInterval{5};
constexpr std::chrono::seconds kSecondSignalAfter{1};
constexpr std::size_t kErrorsLogged = 100;

sigset_t loop_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGUSR1);  // the engine's health may have changed
  return set;
}

bool is_stop(int signal) { return signal == SIGTERM || signal == SIGINT; }

// Waits for a signal, at most `timeout`; 0 if none came.
int wait_signal(std::chrono::milliseconds timeout) {
  const sigset_t set = loop_signals();
  const timespec wait{timeout.count() / 1000, timeout.count() % 1000 * 1'000'000};
  const int signal = sigtimedwait(&set, nullptr, &wait);
  return signal < 0 ? 0 : signal;
}

// From now on a signal to stop ends the process, whatever it is doing. Not one that comes right
// behind the first: some that stop a process tell both it and its group (timeout, supervisors), and
// mean it once.
void exit_on_next_signal() {
  std::thread([] {
    const SystemClock clock;
    const std::chrono::nanoseconds first = clock.read().steady;
    const sigset_t set = loop_signals();
    int signal = 0;
    while (sigwait(&set, &signal) == 0 &&
           (!is_stop(signal) || clock.read().steady - first < kSecondSignalAfter)) {
    }
    logging::warning("second signal: stopping at once; what was acknowledged is in the log");
    logging::flush();
    _exit(kExitWorld);
  }).detach();
}

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) out += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return out;
}

void log_catalog_errors(std::string_view what, const std::vector<catalog::Error>& errors) {
  for (std::size_t i = 0; i < errors.size() && i < kErrorsLogged; ++i) {
    logging::error(what, {{"error", errors[i].to_text()}});
  }
  if (errors.size() > kErrorsLogged) logging::error(what, {{"more_errors", errors.size() - kErrorsLogged}});
}

int exit_code_of(const absl::Status& status) {
  return status.code() == absl::StatusCode::kInvalidArgument ? kExitBadInput : kExitWorld;
}

class Daemon {
 public:
  explicit Daemon(const Config& config) : config_(config) {}

  // Each step answers an exit code if the daemon is not to go on.
  std::optional<int> read_catalog();
  std::optional<int> open_engine();
  std::optional<int> open_ports();
  std::optional<int> recover();
  std::optional<int> apply_catalog();
  // Until told to stop.
  int serve();
  int shut_down(int exit_code);

 private:
  KafkaOptions kafka_options();
  EngineOptions engine_options();
  services::ServerOptions server_options() const;
  void beat();
  void look_at_health();
  void look_at_folder();
  absl::StatusOr<CatalogApplied> apply(const FolderCatalog& folder);
  void log_progress() const;

  const Config config_;
  SystemClock clock_;
  metrics::EdgeCounters counters_;
  std::optional<FolderCatalog> folder_;
  std::string folder_stamp_;  // of what was applied or refused last
  std::chrono::nanoseconds folder_retry_at_{0};
  int stop_signal_ = 0;  // came while something was waited for
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<metrics::DaemonMetrics> metrics_;
  std::unique_ptr<http::Probes> probes_;
  std::unique_ptr<http::AdminServer> admin_;
  std::unique_ptr<services::Server> server_;
  std::string last_why_ = "starting";
};

std::optional<int> Daemon::read_catalog() {
  if (config_.catalog_dir.empty()) return std::nullopt;
  folder_stamp_ = catalog_folder_stamp(config_.catalog_dir);
  folder_ = read_catalog_folder(config_.catalog_dir);
  for (const catalog::Error& warning : folder_->warnings) {
    logging::warning("catalog", {{"warning", warning.to_text()}});
  }
  if (folder_->errors.empty()) return std::nullopt;
  log_catalog_errors("catalog refused", folder_->errors);
  return kExitBadInput;
}

KafkaOptions Daemon::kafka_options() {
  KafkaOptions options;
  options.connection.brokers = config_.kafka.brokers;
  options.connection.properties = config_.kafka.properties;
  options.topic_prefix = config_.kafka.topic_prefix;
  options.group = config_.kafka.group;
  options.instance = config_.kafka.instance;
  options.session_timeout = config_.kafka.session_timeout;
  options.waiting_bytes_max = config_.kafka.waiting_bytes_max;
  options.dev = config_.kafka.dev;
  options.on_transaction = [this](std::chrono::nanoseconds took) { counters_.transaction.record(took); };
  options.on_transaction_aborted = [this] { counters_.transactions_aborted.add(); };
  options.shards = config_.shards;
  if (folder_) {
    for (const spur::v1::Source& source : folder_->catalog.sources())
      options.input_topics.push_back(source.topic());
  }
  return options;
}

EngineOptions Daemon::engine_options() {
  EngineOptions options;
  options.directory = config_.embedded_dir;
  if (config_.kafka.enabled()) {
    options.directory = config_.state_dir;
    options.snapshots = config_.state_snapshots;
    options.snapshot_interval = config_.state_snapshot_interval;
    options.open_log = [kafka = kafka_options()](const Clock& clock) -> absl::StatusOr<std::unique_ptr<Log>> {
      auto log = KafkaLog::open(kafka, clock);
      if (!log.ok()) return log.status();
      return std::unique_ptr<Log>(*std::move(log));
    };
  }
  options.shards = config_.shards;
  options.workers = config_.workers;
  options.clock_source = config_.clock == ClockSource::kEvents ? EngineClock::kEvents : EngineClock::kWall;
  options.state_memory_bytes_max = config_.state_memory_bytes_max;
  options.outbox_bytes_max = config_.state_outbox_bytes_max;
  options.block_cache_bytes = config_.state_cache_bytes_max;
  options.write_buffer_bytes = config_.state_cache_bytes_max / 4 * 3;  // charged to the cache
  options.flush_interval = config_.state_flush_interval;
  options.queue_events_max = config_.queue_events_max;
  options.queue_bytes_max = config_.queue_bytes_max;
  options.actions_retention = config_.actions_retention;
  options.actions_bytes_max = config_.actions_bytes_max;
  options.history_inputs = config_.history_inputs_max;
  options.on_action_latency = [this](std::uint32_t, std::chrono::nanoseconds latency, std::uint32_t actions) {
    counters_.event_to_action.record(latency, actions);
  };
  options.on_run = [this](std::uint32_t, std::size_t inputs) { counters_.run_inputs.record(inputs); };
  options.on_withheld = [this](const Decision& decision) {
    counters_.decisions_withheld.at(decision.reason + " " + decision.channel).add();
  };
  options.on_commit = [this](std::size_t appends, std::chrono::nanoseconds took) {
    counters_.log_commit.record(took);
    counters_.log_commit_appends.record(appends);
  };
  options.clock = &clock_;
  return options;
}

std::optional<int> Daemon::open_engine() {
  absl::StatusOr<std::unique_ptr<Engine>> engine = Engine::open(engine_options());
  if (!engine.ok()) {
    logging::error("cannot start", {{"status", engine.status()}});
    return exit_code_of(engine.status());
  }
  engine_ = *std::move(engine);
  engine_->on_health_change([loop = pthread_self()] { pthread_kill(loop, SIGUSR1); });
  return std::nullopt;
}

services::ServerOptions Daemon::server_options() const {
  services::ServerOptions options;
  options.address = config_.grpc_address;
  options.tls = config_.grpc_tls;
  options.reflection = config_.grpc_reflection;
  options.message_bytes_max = config_.grpc_message_bytes_max;
  options.streams_max = config_.grpc_streams_max;
  options.keepalive = config_.grpc_keepalive;
  return options;
}

std::optional<int> Daemon::open_ports() {
  metrics_ = std::make_unique<metrics::DaemonMetrics>(*engine_, clock_, counters_, config_.metrics_trigger_labels_max);
  probes_ = std::make_unique<http::Probes>(*engine_, clock_);
  beat();
  auto admin = http::AdminServer::start(config_.http_address, *probes_, [this] { return metrics_->text(); });
  if (!admin.ok()) {
    logging::error("cannot start", {{"status", admin.status()}});
    return exit_code_of(admin.status());
  }
  admin_ = *std::move(admin);
  auto server = services::Server::start(server_options(), *engine_, clock_, counters_);
  if (!server.ok()) {
    logging::error("cannot start", {{"status", server.status()}});
    return exit_code_of(server.status());
  }
  server_ = *std::move(server);
  const Address grpc{config_.grpc_address.host, server_->port()};
  const Address http{config_.http_address.host, admin_->port()};
  logging::info("listening", {{"grpc", grpc.text()}, {"tls", config_.grpc_tls.enabled()}, {"http", http.text()}});
  return std::nullopt;
}

void Daemon::log_progress() const {
  std::uint64_t replayed = 0, to_replay = 0;
  std::uint32_t recovering = 0;
  for (const ShardStats& shard : engine_->stats().shards) {
    replayed += shard.replayed;
    to_replay += shard.to_replay;
    if (shard.phase == ShardPhase::kRecovering) ++recovering;
  }
  logging::info("recovering", {{"shards", recovering}, {"replayed", replayed}, {"to_replay", to_replay}});
}

std::optional<int> Daemon::recover() {
  std::chrono::nanoseconds told = clock_.read().steady;
  while (!engine_->wait_started(std::chrono::milliseconds(20))) {
    beat();
    if (is_stop(wait_signal(std::chrono::milliseconds(0)))) return kExitFine;
    if (const Health health = engine_->health(); !health.live) {
      logging::error("recovery failed", {{"why", health.why}});
      return kExitWorld;
    }
    if (clock_.read().steady - told < kProgressInterval) continue;
    told = clock_.read().steady;
    log_progress();
  }
  const EngineStats stats = engine_->stats();
  logging::info("recovered", {{"deployment", stats.deployment}, {"shards", stats.shards.size()}});
  return std::nullopt;
}

absl::StatusOr<CatalogApplied> Daemon::apply(const FolderCatalog& folder) {
  auto answer = std::make_shared<std::promise<absl::StatusOr<CatalogApplied>>>();
  std::future<absl::StatusOr<CatalogApplied>> applied = answer->get_future();
  engine_->apply_catalog(folder.catalog, "catalog.dir",
                         [answer](absl::StatusOr<CatalogApplied> result) { answer->set_value(std::move(result)); });
  // Out of the cluster's reach this may last, and a signal is heard all the same.
  while (applied.wait_for(kLoopInterval) != std::future_status::ready) {
    beat();
    const int signal = wait_signal(std::chrono::milliseconds(0));
    if (is_stop(signal)) stop_signal_ = signal;
    if (stop_signal_ != 0) return absl::CancelledError("stopped while the catalog was applied");
    if (const Health health = engine_->health(); !health.live) return absl::UnavailableError(health.why);
  }
  absl::StatusOr<CatalogApplied> result = applied.get();
  services::count_apply(result, clock_.read().wall, counters_);
  return result;
}

std::optional<int> Daemon::apply_catalog() {
  const auto in_force = engine_->current_catalog();
  if (!folder_) {
    logging::info("catalog", {{"hash", in_force == nullptr ? "none; apply one" : hex(in_force->hash)}});
    return std::nullopt;
  }
  const bool differs = in_force == nullptr || in_force->hash != folder_->hash;
  if (differs) {
    const absl::StatusOr<CatalogApplied> applied = apply(*folder_);
    if (stop_signal_ != 0) return kExitFine;
    if (!applied.ok()) {
      logging::error("catalog not applied", {{"status", applied.status()}});
      return kExitWorld;
    }
    if (!applied->errors.empty()) {
      log_catalog_errors("catalog refused", applied->errors);
      return kExitBadInput;
    }
  }
  logging::info("catalog",
                {{"hash", hex(folder_->hash)}, {"changed", differs}, {"triggers", folder_->catalog.triggers_size()}});
  return std::nullopt;
}

void Daemon::beat() {
  counters_.heartbeat_ms.store(clock_.read().wall.ms);
  if (probes_ != nullptr) probes_->beat();
}

void Daemon::look_at_health() {
  const Health health = engine_->health();
  server_->set_serving(health.ready);
  const std::string why = health.ready ? "" : health.why;
  if (why == last_why_) return;
  last_why_ = why;
  if (health.ready) logging::info("ready");
  else logging::warning("not ready", {{"why", why}});
  for (const ParkedShard& parked : health.parked) {
    logging::error("shard parked",
                   {{"shard", parked.shard}, {"reason", to_text(parked.reason)}, {"detail", parked.detail}});
  }
}

void Daemon::look_at_folder() {
  std::string stamp = catalog_folder_stamp(config_.catalog_dir);
  if (stamp == folder_stamp_ || clock_.read().steady < folder_retry_at_) return;
  const FolderCatalog folder = read_catalog_folder(config_.catalog_dir);
  if (!folder.errors.empty()) {
    folder_stamp_ = std::move(stamp);
    counters_.catalogs_refused.add();
    counters_.catalog_apply_successful.store(false);
    return log_catalog_errors("changed catalog refused; the one in force stays", folder.errors);
  }
  const absl::StatusOr<CatalogApplied> applied = apply(folder);
  if (stop_signal_ != 0) return;
  if (!applied.ok()) {
    // Not the files' fault: the same ones again, later.
    folder_retry_at_ = clock_.read().steady + kFolderRetryAfter;
    return logging::error("changed catalog not applied, to be tried again", {{"status", applied.status()}});
  }
  folder_stamp_ = std::move(stamp);
  if (!applied->errors.empty())
    return log_catalog_errors("changed catalog refused; the one in force stays", applied->errors);
  logging::info("catalog", {{"hash", hex(applied->hash)}, {"changed", applied->changed}});
}

int Daemon::serve() {
  look_at_health();
  while (true) {
    const int signal = stop_signal_ != 0 ? stop_signal_ : wait_signal(kLoopInterval);
    beat();
    if (is_stop(signal)) {
      logging::info("stopping", {{"signal", signal == SIGTERM ? "SIGTERM" : "SIGINT"}});
      return kExitFine;
    }
    look_at_health();
    if (const Health health = engine_->health(); !health.live) {
      // Crash-only: whoever started the daemon starts it again, and recovery is the repair.
      logging::error("stopping: only a restart helps", {{"why", health.why}});
      return kExitWorld;
    }
    if (config_.catalog_watch && signal == 0) look_at_folder();
  }
}

int Daemon::shut_down(int exit_code) {
  exit_on_next_signal();
  if (probes_ != nullptr) probes_->start_draining();
  if (server_ != nullptr) server_->drain();
  if (engine_ != nullptr) {
    if (const absl::Status status = engine_->shutdown(); !status.ok()) {
      logging::error("shutdown", {{"status", status}});
      if (exit_code == kExitFine) exit_code = kExitWorld;
    }
  }
  if (server_ != nullptr) server_->stop(config_.shutdown_grace);
  admin_.reset();
  server_.reset();
  engine_.reset();
  logging::info("stopped", {{"exit_code", exit_code}});
  return exit_code;
}

}  // namespace

void block_signals() {
  const sigset_t set = loop_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);  // a client that left is an error of its call
}

int run_daemon(const Config& config, const std::vector<std::string>& warnings) {
  logging::configure(config.log_level, config.log_format);
  logging::info("spurd starts", {{"version", kVersion}, {"fold_version", kFoldVersion}});
  for (const std::string& warning : warnings) logging::warning("configuration", {{"warning", warning}});
  Daemon daemon(config);
  using Step = std::optional<int> (Daemon::*)();
  for (const Step step : {&Daemon::read_catalog, &Daemon::open_engine, &Daemon::open_ports, &Daemon::recover,
                          &Daemon::apply_catalog}) {
    if (const std::optional<int> exit_code = (daemon.*step)()) return daemon.shut_down(*exit_code);
  }
  return daemon.shut_down(daemon.serve());
}

}  // namespace spur
