// The engine behind engine.h; only its own sources include this.
#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "daemon/aside.h"
#include "daemon/catalogs.h"
#include "daemon/engine.h"
#include "daemon/flush.h"
#include "daemon/log/embedded_log.h"
#include "daemon/snapshot.h"
#include "daemon/worker.h"
#include "state/rocks_store.h"

namespace spur {

class EngineImpl final : public Engine {
 public:
  explicit EngineImpl(const EngineOptions& options);
  ~EngineImpl() override;
  absl::Status start();

  bool wait_started(std::chrono::milliseconds timeout) override;
  void publish(std::span<const EventToPublish> events, PublishDone done) override;

  absl::StatusOr<std::string> topic_of(std::string_view channel) const override;
  absl::StatusOr<std::vector<ActionDelivery>> read_actions(std::string_view topic,
                                                           std::string_view cursor,
                                                           std::uint32_t max) override;
  absl::StatusOr<std::string> end_cursor(std::string_view topic) const override;
  std::unique_ptr<ActionWatch> watch_actions(std::string_view topic,
                                             std::function<void()> changed) override;
  void store_cursor(std::string_view subscriber, std::string_view channel, std::string_view cursor,
                    std::function<void(absl::Status)> done) override;
  absl::StatusOr<std::string> stored_cursor(std::string_view subscriber,
                                            std::string_view channel) const override;

  std::uint32_t shards() const override { return log_->shards(); }
  void with_shard(std::uint32_t shard, std::function<void(const ShardView&)> ask,
                  std::function<void(absl::Status)> answered) override;
  void ask_history(HistoryQuestion question, std::function<void(absl::Status)> answered) override;
  absl::StatusOr<std::vector<spur::v1::Decision>> decisions_of(std::string_view customer,
                                                               std::uint32_t limit) override;
  absl::StatusOr<std::vector<spur::v1::Decision>> decisions(std::uint32_t shard,
                                                            std::uint64_t from_run,
                                                            std::uint32_t max) override;
  absl::StatusOr<std::vector<spur::v1::DeadLetter>> dead_letters(std::uint32_t shard,
                                                                 std::uint32_t max) override;

  void apply_catalog(const spur::v1::Catalog& catalog, std::string_view comment,
                     std::function<void(absl::StatusOr<CatalogApplied>)> done) override;
  std::shared_ptr<const CatalogInForce> current_catalog() const override;

  Health health() const override;
  EngineStats stats() const override;
  void on_health_change(std::function<void()> changed) override;
  absl::Status shutdown() override;

 private:
  class Watch;

  absl::StatusOr<std::unique_ptr<Log>> open_log();
  absl::Status open_stores();
  // Takes up the newest catalog that the log has, wherever it was applied.
  absl::Status load_catalog();
  void catalog_arrived();  // on a worker's thread
  // Tells subscribers; on the log's thread.
  void actions_released(const std::string& topic);
  void health_changed();
  void failed(absl::Status why);
  // Where others can take over: goes on until they have, or for hand_over_max.
  void hand_over();
  // Abandons everything, as a killed process would.
  void crash();
  absl::Status intake_refused() const;
  // Next spurseq per shard; from the oldest kept for an empty cursor.
  absl::StatusOr<std::vector<std::uint64_t>> positions(std::string_view topic,
                                                       std::string_view cursor) const;
  Worker& worker_of(std::uint32_t shard) { return *workers_[shard % workers_.size()]; }

  const EngineOptions options_;
  SystemClock system_clock_;
  Clock& clock_;

  // Destroyed from the bottom: first the threads that use what stands above them.
  std::unique_ptr<RocksShared> rocks_;
  std::unique_ptr<Breadcrumb> crumb_;
  Catalogs catalogs_;
  std::unique_ptr<Log> log_;
  std::unique_ptr<FolderSnapshots> snapshots_;
  std::unique_ptr<Flusher> flusher_;
  std::unique_ptr<AsideThreads> recoveries_, looks_, discoveries_, histories_;
  std::unique_ptr<ShardHost> host_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<LiveShard*> live_;  // by shard; owned by their workers

  mutable std::mutex catalog_mutex_;
  std::shared_ptr<const CatalogInForce> current_;

  mutable std::mutex watch_mutex_;
  std::multimap<std::string, Watch*, std::less<>> watches_;

  mutable std::mutex health_mutex_;
  mutable std::condition_variable health_cv_;
  std::function<void()> health_hook_;
  absl::Status failure_;

  std::atomic<bool> intake_stopped_{false}, crashed_{false};
  std::mutex shutdown_mutex_;
  bool shut_down_ = false;
  absl::Status shutdown_status_;
  std::atomic<std::uint64_t> published_{0}, refused_{0};
  std::atomic<std::uint32_t> histories_asked_{0};  // waiting or under way
};

}  // namespace spur
