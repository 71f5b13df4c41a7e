// DaemonMetrics: everything spurd shows to Prometheus, put together when scraped.
//
// What the engine counts is asked of it at the scrape (Engine::stats); what happens at the daemon's edge is counted
// here. Nothing is registered, nothing is kept per series: a scrape walks some numbers and writes them down.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

#include <prometheus/collectable.h>

#include "daemon/clock.h"
#include "daemon/engine.h"
#include "daemon/metrics/instruments.h"

namespace spur::metrics {

// The edge's own counters; each may be counted in from any thread.
struct EdgeCounters {
  Histogram event_to_action;
  Histogram publish;
  Histogram log_commit;
  SizeHistogram log_commit_appends;
  Histogram transaction;
  Counter transactions_aborted;
  SizeHistogram run_inputs;
  Labelled<Counter> decisions_withheld;  // by "reason channel": a reason has no space
  Labelled<Counter> events_rejected;    // by reason
  Labelled<Counter> actions_delivered;  // by channel
  Labelled<Counter> action_acks;        // by channel
  Labelled<Gauge> subscribers;          // by channel
  Labelled<Counter> grpc_requests;      // by "method code"
  Labelled<Histogram> grpc_seconds;     // by method
  Counter catalogs_applied, catalogs_unchanged, catalogs_refused, catalogs_failed;
  std::atomic<bool> catalog_apply_successful{true};
  std::atomic<std::int64_t> catalog_apply_ms{0};  // when the last one ended well; 0: none yet
  std::atomic<std::int64_t> heartbeat_ms{0};
};

// Which triggers have series of their own: those first asked for, up to the cap, so that a series never changes its
// owner while the daemon runs. Not thread-safe.
class TriggerLabels {
 public:
  explicit TriggerLabels(std::size_t labels_max) : labels_max_(labels_max) {}
  // The trigger's own name or "other".
  std::string_view label_of(std::string_view trigger);

 private:
  std::size_t labels_max_;
  std::set<std::string, std::less<>> own_;
};

class DaemonMetrics final : public prometheus::Collectable {
 public:
  // `engine`, `clock` and `edge` outlive it.
  DaemonMetrics(const Engine& engine, const Clock& clock, const EdgeCounters& edge, std::size_t trigger_labels_max);

  // Any thread; scrapes are taken one at a time.
  std::vector<prometheus::MetricFamily> Collect() const override;
  // The text format of Prometheus, version 0.0.4.
  std::string text() const;

 private:
  const Engine& engine_;
  const Clock& clock_;
  const EdgeCounters& edge_;
  mutable std::mutex mutex_;
  mutable TriggerLabels trigger_labels_;
};

}  // namespace spur::metrics
