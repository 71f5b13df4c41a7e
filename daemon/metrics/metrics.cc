#include "daemon/metrics/metrics.h"

#include <algorithm>
#include <map>
#include <sstream>

#include <fmt/format.h>
#include <prometheus/text_serializer.h>

#include "daemon/metrics/process.h"
#include "daemon/metrics/table.h"
#include "daemon/version.h"

namespace spur::metrics {
namespace {

double as_seconds(Instant at) { return static_cast<double>(at.ms) / 1e3; }
double as_seconds_ms(std::int64_t ms) { return static_cast<double>(ms) / 1e3; }

// later - earlier where both are counters that different threads move.
double difference(std::uint64_t later, std::uint64_t earlier) {
  return later > earlier ? static_cast<double>(later - earlier) : 0;
}

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) out += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return out;
}

void write_input(FamilyWriter& out, const ShardStats& shard, std::string_view label, Instant wall) {
  const FamilyWriter::Labels labels = {{"shard", label}};
  const Shard::Counters& counters = shard.counters;
  out.add(Metric::kEventsFolded, labels, static_cast<double>(counters.events));
  out.add(Metric::kEventsDeduplicated, labels, static_cast<double>(counters.duplicates));
  out.add(Metric::kEventsConflicting, labels, static_cast<double>(counters.conflicting_duplicates));
  out.add(Metric::kEventsLate, labels, static_cast<double>(counters.late));
  out.add(Metric::kDeadLetters, labels, static_cast<double>(counters.dead_letters));
  out.add(Metric::kEventsForwarded, labels, static_cast<double>(counters.forwarded));
  out.add(Metric::kMessagesRepeated, labels, static_cast<double>(counters.messages_repeated));
  out.add(Metric::kMessagesSkipped, labels, static_cast<double>(counters.messages_skipped));
  out.add(Metric::kEvaluations, labels, static_cast<double>(counters.evaluations));
  out.add(Metric::kDropped, labels, static_cast<double>(counters.dropped_over_limit));
  const double lag = difference(shard.input_end, shard.input_next);
  out.add(Metric::kLagRecords, labels, lag);
  const bool behind = lag > 0 && shard.clock > kInstantMin && shard.clock < wall;
  out.add(Metric::kLagSeconds, labels, behind ? as_seconds_ms((wall - shard.clock).count) : 0);
}

void write_time(FamilyWriter& out, const ShardStats& shard, std::string_view label) {
  const FamilyWriter::Labels labels = {{"shard", label}};
  if (shard.clock >= kInstantMin) out.add(Metric::kClock, labels, as_seconds(shard.clock));
  out.add(Metric::kClockHeld, labels, shard.clock_held ? 1 : 0);
  out.add(Metric::kTimersPlanned, labels, static_cast<double>(shard.timers));
  out.add(Metric::kTimersFired, labels, static_cast<double>(shard.counters.timers));
  // Measured on the shard's own clock: what it has not reached is not late.
  const bool overdue = shard.next_due >= kInstantMin && shard.next_due < shard.clock;
  out.add(Metric::kTimersOverdue, labels, overdue ? as_seconds_ms((shard.clock - shard.next_due).count) : 0);
}

void write_state(FamilyWriter& out, const ShardStats& shard, std::string_view label) {
  const FamilyWriter::Labels labels = {{"shard", label}};
  out.add(Metric::kRuns, labels, static_cast<double>(shard.durable_seq));
  out.add(Metric::kRunsUnacknowledged, labels, difference(shard.run_seq, shard.durable_seq));
  out.add(Metric::kCustomers, labels, static_cast<double>(shard.customers_in_memory));
  out.add(Metric::kCustomerBytes, labels, static_cast<double>(shard.customer_bytes));
  out.add(Metric::kCustomersDirty, labels, static_cast<double>(shard.customers_dirty));
  out.add(Metric::kStoreBytes, labels, static_cast<double>(shard.store_bytes));
  out.add(Metric::kOutboxBytes, labels, static_cast<double>(shard.outbox_bytes));
  out.add(Metric::kHeldUp, labels, shard.held_up ? 1 : 0);
  out.add(Metric::kStateFlushes, labels, static_cast<double>(shard.flushes));
  out.add(Metric::kStateLagRuns, labels, difference(shard.durable_seq, shard.state_seq));
  out.add(Metric::kReplayRemaining, labels, difference(shard.to_replay, shard.replayed));
  out.add(Metric::kReplayDivergences, labels, static_cast<double>(shard.divergences));
  out.add(Metric::kInputsChanged, labels, static_cast<double>(shard.inputs_changed));
  out.add(Metric::kQuarantined, labels, static_cast<double>(shard.quarantined));
  out.add(Metric::kEpoch, labels, static_cast<double>(shard.epoch));
  const bool owned = shard.phase == ShardPhase::kLive || shard.phase == ShardPhase::kRecovering;
  out.add(Metric::kShardOwned, labels, owned ? 1 : 0);
}

// Triggers by label, over all shards. A shard counts by index of the catalog it has, so names are resolved shard by
// shard.
using ByTrigger = std::map<std::string, Shard::TriggerCounters, std::less<>>;

ByTrigger by_trigger(const std::vector<ShardStats>& shards, TriggerLabels& labels) {
  ByTrigger out;
  for (const ShardStats& shard : shards) {
    if (shard.catalog == nullptr) continue;
    const std::size_t count = std::min(shard.triggers.size(), shard.catalog->triggers.size());
    for (std::size_t i = 0; i < count; ++i)
      out[std::string(labels.label_of(shard.catalog->triggers[i].name))] += shard.triggers[i];
  }
  return out;
}

void write_triggers(FamilyWriter& out, const ByTrigger& triggers) {
  for (const auto& [name, counters] : triggers) {
    const FamilyWriter::Labels labels = {{"trigger", name}};
    out.add(Metric::kFirings, labels, static_cast<double>(counters.fired));
    out.add(Metric::kConditionsFalse, labels, static_cast<double>(counters.if_false));
    out.add(Metric::kConditionErrors, labels, static_cast<double>(counters.errors));
    out.add(Metric::kDecisions, {{"trigger", name}, {"verdict", "sent"}}, static_cast<double>(counters.sent));
    out.add(Metric::kDecisions, {{"trigger", name}, {"verdict", "suppressed"}},
            static_cast<double>(counters.suppressed));
    out.add(Metric::kDecisions, {{"trigger", name}, {"verdict", "deferred"}}, static_cast<double>(counters.deferred));
    out.add(Metric::kDecisions, {{"trigger", name}, {"verdict", "held_out"}}, static_cast<double>(counters.held_out));
    out.add(Metric::kDecisions, {{"trigger", name}, {"verdict", "retracted"}}, static_cast<double>(counters.retracted));
  }
}

void write_engine(FamilyWriter& out, const EngineStats& stats, Instant wall, TriggerLabels& labels) {
  std::map<std::string_view, int> phases;
  for (const ShardPhase phase : {ShardPhase::kRecovering, ShardPhase::kLive, ShardPhase::kParked, ShardPhase::kFailed,
                                 ShardPhase::kStopped, ShardPhase::kUnassigned}) {
    phases[to_text(phase)] = 0;
  }
  for (const ShardStats& shard : stats.shards) {
    const std::string label = fmt::format("{}", shard.shard);
    ++phases[to_text(shard.phase)];
    write_input(out, shard, label, wall);
    write_time(out, shard, label);
    write_state(out, shard, label);
  }
  for (const auto& [phase, count] : phases) out.add(Metric::kShards, {{"phase", phase}}, count);
  write_triggers(out, by_trigger(stats.shards, labels));
  out.add(Metric::kEventsPublished, {}, static_cast<double>(stats.events_published));
  out.add(Metric::kEventsRefused, {}, static_cast<double>(stats.events_refused));
  out.add(Metric::kActionsReleased, {}, static_cast<double>(stats.actions_released));
  out.add(Metric::kLogCommits, {}, static_cast<double>(stats.log_commits));
  out.add(Metric::kLogBytes, {}, static_cast<double>(stats.log_bytes));
  out.add(Metric::kSnapshotFailures, {}, static_cast<double>(stats.snapshots_failed));
}

void write_edge(FamilyWriter& out, const EdgeCounters& edge) {
  out.add(Metric::kEventToAction, {}, edge.event_to_action.snapshot());
  out.add(Metric::kRunInputs, {}, edge.run_inputs.snapshot());
  out.add(Metric::kLogCommitSeconds, {}, edge.log_commit.snapshot());
  out.add(Metric::kLogCommitAppends, {}, edge.log_commit_appends.snapshot());
  out.add(Metric::kTransactionSeconds, {}, edge.transaction.snapshot());
  out.add(Metric::kTransactionsAborted, {}, static_cast<double>(edge.transactions_aborted.value()));
  edge.decisions_withheld.for_each([&](const std::string& both, const Counter& c) {
    const std::size_t space = std::min(both.find(' '), both.size());
    out.add(Metric::kWithheld,
            {{"channel", both.substr(std::min(space + 1, both.size()))}, {"reason", both.substr(0, space)}},
            static_cast<double>(c.value()));
  });
  out.add(Metric::kPublishSeconds, {}, edge.publish.snapshot());
  const auto counters = [&out](Metric metric, std::string_view label, const Labelled<Counter>& all) {
    all.for_each([&](const std::string& value, const Counter& c) {
      out.add(metric, {{label, value}}, static_cast<double>(c.value()));
    });
  };
  counters(Metric::kEventsRejected, "reason", edge.events_rejected);
  counters(Metric::kActionsDelivered, "channel", edge.actions_delivered);
  counters(Metric::kActionAcks, "channel", edge.action_acks);
  edge.subscribers.for_each([&](const std::string& channel, const Gauge& open) {
    out.add(Metric::kSubscribers, {{"channel", channel}}, static_cast<double>(open.value()));
  });
  edge.grpc_requests.for_each([&](const std::string& both, const Counter& c) {
    const std::size_t space = std::min(both.find(' '), both.size());
    out.add(Metric::kGrpcRequests,
            {{"method", both.substr(0, space)}, {"code", both.substr(std::min(space + 1, both.size()))}},
            static_cast<double>(c.value()));
  });
  edge.grpc_seconds.for_each([&](const std::string& method, const Histogram& seconds) {
    out.add(Metric::kGrpcSeconds, {{"method", method}}, seconds.snapshot());
  });
}

void write_catalog(FamilyWriter& out, const EdgeCounters& edge, const Engine& engine) {
  if (const auto in_force = engine.current_catalog()) {
    out.add(Metric::kCatalogInfo, {{"hash", hex(in_force->hash)}}, 1);
  }
  const auto applies = [&out](std::string_view result, const Counter& c) {
    out.add(Metric::kCatalogApplies, {{"result", result}}, static_cast<double>(c.value()));
  };
  applies("applied", edge.catalogs_applied);
  applies("unchanged", edge.catalogs_unchanged);
  applies("refused", edge.catalogs_refused);
  applies("failed", edge.catalogs_failed);
  out.add(Metric::kCatalogApplySuccessful, {}, edge.catalog_apply_successful.load() ? 1 : 0);
  if (const std::int64_t at = edge.catalog_apply_ms.load(); at != 0) {
    out.add(Metric::kCatalogApplyTime, {}, as_seconds_ms(at));
  }
}

}  // namespace

std::string_view TriggerLabels::label_of(std::string_view trigger) {
  if (const auto found = own_.find(trigger); found != own_.end()) return *found;
  if (own_.size() >= labels_max_) return "other";
  return *own_.emplace(trigger).first;
}

DaemonMetrics::DaemonMetrics(const Engine& engine, const Clock& clock, const EdgeCounters& edge,
                             std::size_t trigger_labels_max)
    : engine_(engine), clock_(clock), edge_(edge), trigger_labels_(trigger_labels_max) {}

std::vector<prometheus::MetricFamily> DaemonMetrics::Collect() const {
  const std::lock_guard lock(mutex_);
  FamilyWriter out;
  out.add(Metric::kBuildInfo, {{"version", kVersion}, {"fold_version", fmt::format("{}", kFoldVersion)}}, 1);
  const Health health = engine_.health();
  out.add(Metric::kReady, {}, health.ready ? 1 : 0);
  out.add(Metric::kHeartbeat, {}, as_seconds_ms(edge_.heartbeat_ms.load()));
  for (const ParkedShard& parked : health.parked) {
    out.add(Metric::kParked, {{"shard", fmt::format("{}", parked.shard)}, {"reason", to_text(parked.reason)}}, 1);
  }
  write_engine(out, engine_.stats(), clock_.read().wall, trigger_labels_);
  write_edge(out, edge_);
  write_catalog(out, edge_, engine_);
  return out.take();
}

std::string DaemonMetrics::text() const {
  std::ostringstream out;
  const prometheus::TextSerializer serializer;
  serializer.Serialize(out, Collect());
  serializer.Serialize(out, process_families());
  return out.str();
}

}  // namespace spur::metrics
