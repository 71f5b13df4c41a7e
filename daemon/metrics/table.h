// The one table of metrics: what spurd shows, in Prometheus' manners. Scrape, docs/metrics.md and the lint test read
// it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <prometheus/metric_family.h>

#include "daemon/metrics/instruments.h"

namespace spur::metrics {

// One a family, in the order of the table.
enum class Metric : std::uint8_t {
  kBuildInfo, kReady, kHeartbeat, kShards, kParked,
  kEventsPublished, kEventsRefused, kEventsRejected, kPublishSeconds,
  kEventsFolded, kEventsDeduplicated, kEventsConflicting, kEventsLate, kDeadLetters,
  kEventsForwarded, kMessagesRepeated, kMessagesSkipped,
  kEventToAction, kActionsReleased, kActionsDelivered, kActionAcks, kSubscribers,
  kDecisions, kWithheld, kFirings, kConditionsFalse, kConditionErrors, kEvaluations, kDropped,
  kTimersPlanned, kTimersFired, kTimersOverdue,
  kLagRecords, kLagSeconds, kClock, kClockHeld,
  kRuns, kRunInputs, kRunsUnacknowledged, kLogCommits, kLogCommitSeconds, kLogCommitAppends,
  kTransactionSeconds, kTransactionsAborted, kLogBytes,
  kSnapshotFailures,
  kCustomers, kCustomerBytes, kCustomersDirty, kStoreBytes, kOutboxBytes, kHeldUp, kStateFlushes, kStateLagRuns,
  kReplayRemaining, kReplayDivergences, kInputsChanged, kQuarantined, kEpoch, kShardOwned,
  kCatalogInfo, kCatalogApplies, kCatalogApplySuccessful, kCatalogApplyTime,
  kGrpcRequests, kGrpcSeconds,
  kCount,
};

struct MetricInfo {
  Metric metric;
  std::string_view name;
  prometheus::MetricType type;
  std::string_view labels;  // "trigger, verdict"; empty: none
  std::string_view help;
};

std::span<const MetricInfo> metric_table();
const MetricInfo& info_of(Metric metric);

// docs/metrics.md.
std::string metrics_markdown();

// Collects samples into families, in the order of the table; families without a sample are left out.
class FamilyWriter {
 public:
  using Labels = std::vector<std::pair<std::string_view, std::string_view>>;

  FamilyWriter();
  // A counter's or gauge's value.
  void add(Metric metric, const Labels& labels, double value);
  void add(Metric metric, const Labels& labels, const HistogramSnapshot& snapshot);
  std::vector<prometheus::MetricFamily> take();

 private:
  prometheus::ClientMetric& sample(Metric metric, const Labels& labels);
  std::vector<prometheus::MetricFamily> families_;
};

}  // namespace spur::metrics
