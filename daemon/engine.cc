// The engine's life: opening, failing, stopping, and what is seen of it. What callers ask of it is
// in engine_requests.cc.
#include "daemon/engine.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "daemon/engine_impl.h"
#include "daemon/log/deployment_id.h"
#include "operators/catalog/compiled.h"
#include "state/check.h"

namespace spur {
namespace {

constexpr std::chrono::milliseconds kOthersAskedEvery{500};

std::string host_name() {
  char name[256] = "";
  if (gethostname(name, sizeof name - 1) != 0) return "unknown";
  return name;
}

// What the fold computes with and does not contain: written into each Owner, so that a divergence
// can be traced to it.
std::string library_versions() {
  std::ifstream zones("/usr/share/zoneinfo/tzdata.zi");
  std::string line;  // "# version 2025b"
  if (!std::getline(zones, line) || !line.starts_with("# version ")) return "tzdata unknown";
  return "tzdata " + line.substr(10);
}

std::string make_nonce() {
  std::random_device random;
  std::string nonce;
  for (int i = 0; i < 4; ++i) {
    const std::uint32_t bits = random();
    nonce.append(reinterpret_cast<const char*>(&bits), sizeof bits);
  }
  return nonce;
}

absl::Status make_folder(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (!error) return absl::OkStatus();
  const std::string what = absl::StrCat("making the folder ", path, ": ", error.message());
  if (error == std::errc::permission_denied || error == std::errc::read_only_file_system) {
    return absl::PermissionDeniedError(absl::StrCat(what, "; it must be writable by this user"));
  }
  if (error == std::errc::no_space_on_device) return absl::ResourceExhaustedError(what);
  return absl::InvalidArgumentError(what);
}

}  // namespace

// --- start ---

absl::StatusOr<std::unique_ptr<Engine>> Engine::open(const EngineOptions& options) {
  if (options.directory.empty())
    return absl::InvalidArgumentError("the engine needs a folder for what is durable");
  auto engine = std::make_unique<EngineImpl>(options);
  if (absl::Status status = engine->start(); !status.ok()) return status;
  return engine;
}

EngineImpl::EngineImpl(const EngineOptions& options)
    : options_(options), clock_(options.clock == nullptr ? system_clock_ : *options.clock) {}

absl::Status EngineImpl::start() {
  if (absl::Status made = make_folder(options_.directory); !made.ok()) return made;
  rocks_ = std::make_unique<RocksShared>(options_.block_cache_bytes, options_.write_buffer_bytes,
                                         options_.faults.env);

  auto opened = open_log();
  if (!opened.ok()) return opened.status();
  log_ = *std::move(opened);

  auto crumb = Breadcrumb::open(options_.directory + "/breadcrumb", log_->shards());
  if (!crumb.ok()) return crumb.status();
  crumb_ = *std::move(crumb);
  if (absl::Status loaded = load_catalog(); !loaded.ok()) return loaded;

  flusher_ = std::make_unique<Flusher>(*log_);
  // Recoveries fold, so as many at once as there are cores; a look is a round trip.
  recoveries_ = std::make_unique<AsideThreads>(std::max(1u, std::thread::hardware_concurrency()));
  looks_ = std::make_unique<AsideThreads>(1);
  discoveries_ = std::make_unique<AsideThreads>(1);
  histories_ = std::make_unique<AsideThreads>(1);
  host_.reset(
      new ShardHost{options_, *log_, clock_, catalogs_, *flusher_, *crumb_, *recoveries_, *looks_,
                    *discoveries_});
  host_->exclusive = !options_.open_log;
  if (!options_.snapshots.empty()) {
    if (absl::Status made = make_folder(options_.snapshots); !made.ok()) return made;
    snapshots_ = std::make_unique<FolderSnapshots>(options_.snapshots, *rocks_);
    host_->snapshots = snapshots_.get();
    host_->snapshot_interval = options_.snapshot_interval;
  }
  host_->make_nonce = make_nonce;
  host_->node = host_name();
  host_->libraries = library_versions();
  host_->event_clock_moved = [this] {
    for (const auto& worker : workers_) worker->wake();
  };
  host_->health_changed = [this] { health_changed(); };
  host_->failed = [this](absl::Status why) { failed(std::move(why)); };
  host_->crash = [this] { crash(); };
  if (absl::Status stores = open_stores(); !stores.ok()) return stores;

  Log::Watcher watcher;
  watcher.assigned = [this](std::uint32_t shard) {
    worker_of(shard).post([live = live_[shard]] { live->assign(); });
  };
  watcher.revoked = [this](std::uint32_t shard) {
    worker_of(shard).post([live = live_[shard]] { live->revoke(); });
  };
  watcher.acked = [this](std::uint32_t shard, std::uint64_t seq) {
    live_[shard]->effects_acked(seq);
  };
  watcher.wanted = [this](std::uint32_t shard) {
    worker_of(shard).post([live = live_[shard]] { live->refill(); });
  };
  watcher.inputs = [this](std::uint32_t shard) { worker_of(shard).wake(); };
  watcher.catalogs = [this] {
    // Perhaps applied by another process. What was applied here is in force once it is durable, which
    // an own log shows its shards before.
    if (!host_->exclusive) workers_.front()->post([this] { catalog_arrived(); });
    for (const auto& worker : workers_) worker->wake();
  };
  watcher.actions = [this](const std::string& topic) { actions_released(topic); };
  clock_.watch([this] {
    for (const auto& worker : workers_) worker->wake();
  });
  log_->watch(std::move(watcher));
  for (const auto& worker : workers_) worker->start();
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Log>> EngineImpl::open_log() {
  if (options_.open_log) return options_.open_log(clock_);
  EmbeddedLog::Options log;
  log.path = options_.directory + "/log";
  log.shards = options_.shards;
  log.queue_events_max = options_.queue_events_max;
  log.queue_bytes_max = options_.queue_bytes_max;
  log.actions_retention = options_.actions_retention;
  log.actions_bytes_max = options_.actions_bytes_max;
  log.history_inputs = options_.history_inputs;
  log.on_commit = options_.on_commit;
  auto opened = EmbeddedLog::open(log, *rocks_, clock_);
  if (!opened.ok()) return opened.status();
  return std::unique_ptr<Log>(*std::move(opened));
}

absl::Status EngineImpl::open_stores() {
  const std::uint32_t shards = log_->shards();
  const std::uint32_t cores = std::max(1u, std::thread::hardware_concurrency());
  const std::uint32_t workers = std::min(shards, options_.workers == 0 ? cores : options_.workers);
  for (std::uint32_t i = 0; i < workers; ++i) workers_.push_back(std::make_unique<Worker>(clock_));
  if (absl::Status made = make_folder(options_.directory + "/state"); !made.ok()) return made;
  for (std::uint32_t shard = 0; shard < shards; ++shard) {
    auto store = RocksStore::open(absl::StrCat(options_.directory, "/state/", shard), *rocks_);
    if (!store.ok()) return store.status();
    Worker& worker = worker_of(shard);
    auto live = std::make_unique<LiveShard>(
        shard, *host_, *std::move(store),
        [&worker](std::function<void()> task) { worker.post(std::move(task)); });
    live_.push_back(live.get());
    worker.add(std::move(live));
  }
  return absl::OkStatus();
}

void EngineImpl::catalog_arrived() {
  // A version that this binary cannot run stops the shards that take it, with its reason.
  if (load_catalog().ok()) health_changed();
}

absl::Status EngineImpl::load_catalog() {
  const Offset end = log_->catalog_end();
  if (end == 0) return absl::OkStatus();
  if (const auto known = current_catalog(); known != nullptr && known->version >= end)
    return absl::OkStatus();
  const auto records = log_->poll_catalogs(end - 1, 1);
  if (!records.ok()) return records.status();
  SPUR_CHECK(records->size() == 1);
  auto compiled = catalogs_.compiled(records->front().catalog);
  if (!compiled.ok()) return compiled.status();
  auto current = std::make_shared<CatalogInForce>();
  SPUR_CHECK(current->catalog.ParseFromString(records->front().catalog));
  current->compiled = *std::move(compiled);
  current->hash.assign(current->compiled->hash.begin(), current->compiled->hash.end());
  current->version = end;
  const std::lock_guard lock(catalog_mutex_);
  if (current_ == nullptr || current_->version < end) current_ = std::move(current);
  return absl::OkStatus();
}

// --- stop ---

EngineImpl::~EngineImpl() {
  crash();
  clock_.watch(nullptr);
  for (const auto& worker : workers_) worker->join();
  if (recoveries_ != nullptr) recoveries_->stop();
  if (looks_ != nullptr) looks_->stop();
  if (discoveries_ != nullptr) discoveries_->stop();
  if (histories_ != nullptr) histories_->stop();
  // The log's and the flusher's threads still call into the workers: they end before those go.
  flusher_.reset();
  if (log_ != nullptr) log_->close().IgnoreError();
  workers_.clear();
}

void EngineImpl::crash() {
  intake_stopped_ = true;
  if (crashed_.exchange(true)) return;
  if (host_ != nullptr) host_->stopping = true;
  if (log_ != nullptr) log_->abandon();
  if (flusher_ != nullptr) flusher_->abandon();
  for (const auto& worker : workers_) worker->abandon();
  health_changed();
}

absl::Status EngineImpl::shutdown() {
  const std::lock_guard once(shutdown_mutex_);
  if (shut_down_) return shutdown_status_;
  shut_down_ = true;
  intake_stopped_ = true;
  health_changed();
  host_->stopping = true;
  histories_->stop();  // which read the log that is about to close
  hand_over();
  for (const auto& worker : workers_) worker->drain();
  for (const auto& worker : workers_) worker->join();
  flusher_->finish();
  shutdown_status_ = log_->close();
  {
    const std::lock_guard lock(health_mutex_);
    if (shutdown_status_.ok()) shutdown_status_ = failure_;
  }
  if (shutdown_status_.ok() && crashed_)
    shutdown_status_ = absl::UnavailableError("the engine was abandoned");
  health_changed();
  return shutdown_status_;
}

void EngineImpl::hand_over() {
  if (!log_->leave()) return;
  for (std::uint32_t shard = 0; shard < live_.size(); ++shard)
    worker_of(shard).post([live = live_[shard]] { live->hand_over(); });
  const auto taken = [this] {
    return crashed_ || !failure_.ok() ||
           std::none_of(live_.begin(), live_.end(), [](const LiveShard* shard) {
             return shard->phase() == ShardPhase::kLive ||
                    shard->phase() == ShardPhase::kRecovering;
           });
  };
  for (std::chrono::milliseconds waited{0}; waited < options_.hand_over_max;
       waited += kOthersAskedEvery) {
    {
      std::unique_lock lock(health_mutex_);
      if (health_cv_.wait_for(lock, kOthersAskedEvery, taken)) return;
    }
    if (!log_->leave()) return;  // they have stopped too
  }
}

void EngineImpl::failed(absl::Status why) {
  {
    const std::lock_guard lock(health_mutex_);
    if (failure_.ok()) failure_ = std::move(why);
  }
  intake_stopped_ = true;
  health_changed();
}

// --- seen from outside ---

void EngineImpl::health_changed() {
  std::function<void()> hook;
  {
    const std::lock_guard lock(health_mutex_);
    hook = health_hook_;
  }
  health_cv_.notify_all();
  if (hook) hook();
}

void EngineImpl::on_health_change(std::function<void()> changed) {
  const std::lock_guard lock(health_mutex_);
  health_hook_ = std::move(changed);
}

Health EngineImpl::health() const {
  Health health;
  absl::Status failure;
  {
    const std::lock_guard lock(health_mutex_);
    failure = failure_;
  }
  if (failure.ok()) failure = log_->status();
  std::size_t recovering = 0;
  std::optional<std::uint32_t> outbox_full;
  for (std::uint32_t shard = 0; shard < live_.size(); ++shard) {
    if (live_[shard]->outbox_full() && !outbox_full) outbox_full = shard;
    if (live_[shard]->phase() == ShardPhase::kRecovering) ++recovering;
    if (const auto park = live_[shard]->parked())
      health.parked.push_back({shard, park->reason, park->detail});
  }
  health.live = failure.ok() && !crashed_;
  health.started = recovering == 0;
  if (!failure.ok()) {
    health.why = absl::StrCat("failed: ", failure.message());
  } else if (crashed_) {
    health.why = "abandoned";
  } else if (!health.parked.empty()) {
    const ParkedShard& first = health.parked.front();
    health.why = absl::StrCat("shard ", first.shard, " is parked, ",
                              std::string(to_text(first.reason)), ": ", first.detail);
  } else if (!health.started) {
    health.why = absl::StrCat(recovering, " of ", live_.size(), " shards are recovering");
  } else if (outbox_full) {
    health.why = absl::StrCat("shard ", *outbox_full,
                              " takes nothing, for its outbox is full: a topic does not take what "
                              "is sent to it; the log names it");
  } else if (intake_stopped_) {
    health.why = "shutting down";
  } else if (current_catalog() == nullptr) {
    health.why = "no catalog was applied yet";
  }
  health.ready = health.why.empty();
  return health;
}

bool EngineImpl::wait_started(std::chrono::milliseconds timeout) {
  const auto settled = [this] {
    if (crashed_) return true;
    return std::none_of(live_.begin(), live_.end(), [](const LiveShard* shard) {
      return shard->phase() == ShardPhase::kRecovering;
    });
  };
  std::unique_lock lock(health_mutex_);
  if (!health_cv_.wait_for(lock, timeout, settled)) return false;
  return failure_.ok() && !crashed_;
}

EngineStats EngineImpl::stats() const {
  EngineStats stats;
  for (const LiveShard* shard : live_) stats.shards.push_back(shard->stats());
  stats.log_bytes = log_->disk_bytes();
  stats.log_commits = log_->commits();
  stats.events_published = published_;
  stats.events_refused = refused_;
  stats.actions_released = host_->actions_released;
  if (snapshots_ != nullptr) stats.snapshots_failed = snapshots_->failures();
  stats.deployment = deployment_text(log_->deployment());
  return stats;
}

}  // namespace spur
