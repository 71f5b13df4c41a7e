#include "daemon/metrics/table.h"

#include <fmt/format.h>

#include "state/check.h"

namespace spur::metrics {
namespace {

constexpr auto kC = prometheus::MetricType::Counter;
constexpr auto kG = prometheus::MetricType::Gauge;
constexpr auto kH = prometheus::MetricType::Histogram;

constexpr MetricInfo kTable[] = {
    {Metric::kBuildInfo, "spur_build_info", kG, "version, fold_version", "Always 1; what is running."},
    {Metric::kReady, "spur_ready", kG, "", "1 while /readyz says so."},
    {Metric::kHeartbeat, "spur_heartbeat_timestamp_seconds", kG, "",
     "When the daemon's own loop last went round; /livez looks at the same."},
    {Metric::kShards, "spur_shards", kG, "phase", "Shards recovering, live, parked, failed or stopped."},
    {Metric::kParked, "spur_parked", kG, "shard, reason", "1 for a shard that stopped for good, with its reason."},

    {Metric::kEventsPublished, "spur_events_published_total", kC, "", "Events taken into the log."},
    {Metric::kEventsRefused, "spur_events_refused_total", kC, "",
     "Events not taken because a queue was full; the client tries again."},
    {Metric::kEventsRejected, "spur_events_rejected_total", kC, "reason",
     "Events taken that could not be decoded: kept as dead letters."},
    {Metric::kPublishSeconds, "spur_publish_seconds", kH, "",
     "From a Publish request to its acknowledgement: the group commit, mostly."},

    {Metric::kEventsFolded, "spur_events_folded_total", kC, "shard", "Events folded into customers."},
    {Metric::kEventsDeduplicated, "spur_events_deduplicated_total", kC, "shard", "Events whose id was known already."},
    {Metric::kEventsConflicting, "spur_events_conflicting_duplicates_total", kC, "shard",
     "Of those, the ones with other content under the same id: a producer's fault."},
    {Metric::kEventsLate, "spur_events_late_total", kC, "shard", "Events later than the policy's lateness."},
    {Metric::kDeadLetters, "spur_dead_letters_total", kC, "shard",
     "Inputs that ended as dead letters, for any reason."},
    {Metric::kEventsForwarded, "spur_events_forwarded_total", kC, "shard",
     "Events of another shard's customer, passed on: their topic is not keyed by the customer."},
    {Metric::kMessagesRepeated, "spur_messages_repeated_total", kC, "shard",
     "Messages of other shards that had been taken before: sent again after a crash."},
    {Metric::kMessagesSkipped, "spur_messages_skipped_total", kC, "shard",
     "Messages of other shards that came before one that is missing: they come again, or something is lost."},

    {Metric::kEventToAction, "spur_event_to_action_seconds", kH, "",
     "From taking an event to the release of the actions it caused."},
    {Metric::kActionsReleased, "spur_actions_released_total", kC, "", "Actions made readable."},
    {Metric::kActionsDelivered, "spur_actions_delivered_total", kC, "channel", "Actions written to subscribers."},
    {Metric::kActionAcks, "spur_action_acks_total", kC, "channel", "Cursors acknowledged by subscribers."},
    {Metric::kSubscribers, "spur_subscribers", kG, "channel", "Open Subscribe streams."},

    {Metric::kDecisions, "spur_decisions_total", kC, "trigger, verdict",
     "Decisions, whether or not anything was sent."},
    {Metric::kWithheld, "spur_decisions_withheld_total", kC, "channel, reason",
     "Decisions of this process that were suppressed or deferred, by the guard's reason."},
    {Metric::kFirings, "spur_firings_total", kC, "trigger", "How often the operator of a trigger fired."},
    {Metric::kConditionsFalse, "spur_conditions_false_total", kC, "trigger", "Firings that `if` turned down."},
    {Metric::kConditionErrors, "spur_condition_errors_total", kC, "trigger",
     "Conditions that ended in an error and counted as false."},
    {Metric::kEvaluations, "spur_evaluations_total", kC, "shard", "Expressions evaluated."},
    {Metric::kDropped, "spur_effects_dropped_total", kC, "shard", "Effects beyond what one input may have."},

    {Metric::kTimersPlanned, "spur_timers_planned", kG, "shard", "Customers that wait for time to pass."},
    {Metric::kTimersFired, "spur_timers_fired_total", kC, "shard", "Customers woken because something was due."},
    {Metric::kTimersOverdue, "spur_timers_overdue_seconds", kG, "shard",
     "How long the earliest plan is past due; 0 if nothing is."},

    {Metric::kLagRecords, "spur_consumer_lag_records", kG, "shard", "Inputs in the log that are not folded yet."},
    {Metric::kLagSeconds, "spur_consumer_lag_seconds", kG, "shard",
     "How far the shard's clock is behind the wall while inputs wait; 0 if none do."},
    {Metric::kClock, "spur_clock_timestamp_seconds", kG, "shard", "The shard's clock."},
    {Metric::kClockHeld, "spur_clock_held", kG, "shard",
     "1 while the wall clock is further ahead than can be believed."},

    {Metric::kRuns, "spur_runs_total", kC, "shard", "Runs in the journal."},
    {Metric::kRunInputs, "spur_run_inputs", kH, "", "Inputs of a run; 0 if only time passed."},
    {Metric::kRunsUnacknowledged, "spur_runs_unacknowledged", kG, "shard", "Runs computed and not durable yet."},
    {Metric::kLogCommits, "spur_log_commits_total", kC, "", "Group commits, each one sync of the disk."},
    {Metric::kLogCommitSeconds, "spur_log_commit_seconds", kH, "",
     "Writing and syncing one group: what the disk adds to every latency."},
    {Metric::kLogCommitAppends, "spur_log_commit_appends", kH, "",
     "Appends of publishers, runs and cursors that shared one sync."},
    {Metric::kTransactionSeconds, "spur_transaction_seconds", kH, "",
     "Transactions to channels with `delivery: transactional`, from the first record to the end of the commit."},
    {Metric::kTransactionsAborted, "spur_transactions_aborted_total", kC, "",
     "Transactions that were aborted or given up; their actions are sent again."},
    {Metric::kLogBytes, "spur_log_size_bytes", kG, "", "The log on disk, estimated."},
    {Metric::kSnapshotFailures, "spur_snapshot_failures_total", kC, "",
     "Snapshots that were not taken for an error, which the log names: the log is not trimmed meanwhile."},

    {Metric::kCustomers, "spur_customers_in_memory", kG, "shard", "Customers in memory."},
    {Metric::kCustomerBytes, "spur_customers_memory_bytes", kG, "shard", "What they take."},
    {Metric::kCustomersDirty, "spur_customers_dirty", kG, "shard", "Customers changed since they were last written."},
    {Metric::kStoreBytes, "spur_store_size_bytes", kG, "shard", "State on disk, estimated."},
    {Metric::kOutboxBytes, "spur_outbox_size_bytes", kG, "shard",
     "Effects on disk that wait for topics which do not take them; at most `state.outbox_bytes_max` of all shards."},
    {Metric::kHeldUp, "spur_shard_held_up", kG, "shard",
     "1 while the shard takes no inputs, until what it has computed is written or has left: a slow disk, a full "
     "outbox."},
    {Metric::kStateFlushes, "spur_state_flushes_total", kC, "shard", "Cuts of the state written to disk."},
    {Metric::kStateLagRuns, "spur_state_lag_runs", kG, "shard",
     "Runs that a restart would replay: the journal less the state on disk."},

    {Metric::kReplayRemaining, "spur_replay_remaining_entries", kG, "shard", "Journal entries still to replay."},
    {Metric::kReplayDivergences, "spur_replay_divergences_total", kC, "shard",
     "Replayed runs whose digest was not the journaled one. Never expected."},
    {Metric::kInputsChanged, "spur_inputs_changed_total", kC, "shard",
     "Replayed inputs that were not what they had been. Never expected."},
    {Metric::kQuarantined, "spur_inputs_quarantined_total", kC, "shard",
     "Inputs set aside because they brought the process down."},
    {Metric::kEpoch, "spur_owner_epoch", kG, "shard", "Epoch of the shard's owner: one more with each start."},
    {Metric::kShardOwned, "spur_shard_owned", kG, "shard",
     "1 while the shard is this process's: live, or recovering to be."},

    {Metric::kCatalogInfo, "spur_catalog_info", kG, "hash", "Always 1; the catalog in force."},
    {Metric::kCatalogApplies, "spur_catalog_applies_total", kC, "result",
     "Applies that were applied, unchanged, refused or failed."},
    {Metric::kCatalogApplySuccessful, "spur_catalog_last_apply_successful", kG, "",
     "1 if the last apply was not refused and did not fail."},
    {Metric::kCatalogApplyTime, "spur_catalog_last_apply_timestamp_seconds", kG, "", "When the last apply ended well."},

    {Metric::kGrpcRequests, "spur_grpc_requests_total", kC, "method, code", "Calls and streams ended, by status code."},
    {Metric::kGrpcSeconds, "spur_grpc_request_seconds", kH, "method", "How long calls took; not of streams."},
};
static_assert(std::size(kTable) == static_cast<std::size_t>(Metric::kCount));

std::string_view type_text(prometheus::MetricType type) {
  return type == kC ? "counter" : type == kG ? "gauge" : "histogram";
}

}  // namespace

std::span<const MetricInfo> metric_table() { return kTable; }

const MetricInfo& info_of(Metric metric) {
  const MetricInfo& info = kTable[static_cast<std::size_t>(metric)];
  SPUR_CHECK(info.metric == metric);
  return info;
}

std::string metrics_markdown() {
  std::string out =
      "# Metrics of spurd\n\n"
      "Served by `GET /metrics` on the admin port (`http.address`). Written from the table in "
      "`daemon/metrics/table.cc`; a test\nkeeps this page equal to it.\n\n"
      "No label ever holds a customer, an event or an action. `trigger` has at most `metrics.max_trigger_labels` (500) "
      "values;\nthe rest share `other`. Histograms in seconds have the bounds 0.1, 0.25, 0.5 ms, 1, 2.5, 5 … 10 s, the "
      "others 0, 1, 2,\n4 … 1024. Beside these there are the usual `process_cpu_seconds_total`, "
      "`process_resident_memory_bytes`,\n`process_open_fds`, "
      "`process_max_fds`, `process_start_time_seconds`.\n\n"
      "The first thing to watch: `histogram_quantile(0.99, rate(spur_event_to_action_seconds_bucket[5m]))`. The first "
      "to alarm\non: `spur_parked`, `spur_replay_divergences_total`, `spur_consumer_lag_seconds`, "
      "`spur_catalog_last_apply_successful == 0`.\n\n"
      "| metric | type | labels | what |\n|---|---|---|---|\n";
  for (const MetricInfo& info : kTable) {
    out += fmt::format("| `{}` | {} | {} | {} |\n", info.name, type_text(info.type), info.labels, info.help);
  }
  return out;
}

FamilyWriter::FamilyWriter() : families_(std::size(kTable)) {
  for (std::size_t i = 0; i < families_.size(); ++i) {
    families_[i].name = std::string(kTable[i].name);
    families_[i].help = std::string(kTable[i].help);
    families_[i].type = kTable[i].type;
  }
}

prometheus::ClientMetric& FamilyWriter::sample(Metric metric, const Labels& labels) {
  prometheus::ClientMetric& out = families_[static_cast<std::size_t>(metric)].metric.emplace_back();
  for (const auto& [name, value] : labels) {
    SPUR_CHECK(info_of(metric).labels.find(name) != std::string_view::npos);
    out.label.push_back({std::string(name), std::string(value)});
  }
  return out;
}

void FamilyWriter::add(Metric metric, const Labels& labels, double value) {
  prometheus::ClientMetric& out = sample(metric, labels);
  if (info_of(metric).type == kC) out.counter.value = value;
  else out.gauge.value = value;
}

void FamilyWriter::add(Metric metric, const Labels& labels, const HistogramSnapshot& snapshot) {
  SPUR_CHECK(info_of(metric).type == kH);
  prometheus::ClientMetric::Histogram& out = sample(metric, labels).histogram;
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < snapshot.bounds.size(); ++i) {
    count += snapshot.counts[i];
    out.bucket.push_back({count, snapshot.bounds[i]});
  }
  count += snapshot.counts.back();
  out.bucket.push_back({count, std::numeric_limits<double>::infinity()});
  out.sample_count = count;
  out.sample_sum = snapshot.sum;
}

std::vector<prometheus::MetricFamily> FamilyWriter::take() {
  std::vector<prometheus::MetricFamily> out;
  for (prometheus::MetricFamily& family : families_) {
    if (!family.metric.empty()) out.push_back(std::move(family));
  }
  return out;
}

}  // namespace spur::metrics
