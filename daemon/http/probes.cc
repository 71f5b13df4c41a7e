#include "daemon/http/probes.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "operators/expression/text.h"

namespace spur::http {
namespace {

std::string quoted(std::string_view text) {
  std::string out;
  expression::append_json_string(&out, text);
  return out;
}

std::string shard_json(const ShardStats& shard) {
  return fmt::format(R"({{"shard":{},"phase":"{}","replayed":{},"to_replay":{},"lag_records":{}}})", shard.shard,
                     to_text(shard.phase), shard.replayed, shard.to_replay,
                     shard.input_end > shard.input_next ? shard.input_end - shard.input_next : 0);
}

std::string shards_json(const EngineStats& stats) {
  std::vector<std::string> out;
  for (const ShardStats& shard : stats.shards) out.push_back(shard_json(shard));
  return fmt::format("[{}]", fmt::join(out, ","));
}

bool all_caught_up(const EngineStats& stats) {
  return std::all_of(stats.shards.begin(), stats.shards.end(), [](const ShardStats& shard) {
    return shard.ends_unheard == 0 && shard.input_end <= shard.input_next + Probes::kCaughtUpRecords;
  });
}

}  // namespace

Probes::Probes(const Engine& engine, const Clock& clock)
    : engine_(engine), clock_(clock), beat_nanos_(clock.read().steady.count()) {}

void Probes::beat() { beat_nanos_.store(clock_.read().steady.count()); }

ProbeAnswer Probes::live() const {
  const std::chrono::nanoseconds age(clock_.read().steady.count() - beat_nanos_.load());
  if (age > kHeartbeatAgeMax) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(age).count();
    return {false, fmt::format(R"({{"live":false,"reason":"the daemon's loop stands still for {} s"}})", seconds)};
  }
  const Health health = engine_.health();
  if (!health.live) return {false, fmt::format(R"({{"live":false,"reason":{}}})", quoted(health.why))};
  return {true, R"({"live":true})"};
}

std::string Probes::ready_reasons(const Health& health, const EngineStats& stats) const {
  std::vector<std::string> reasons;
  if (draining_.load()) reasons.push_back(quoted("shutting down"));
  for (const ParkedShard& parked : health.parked) {
    reasons.push_back(
        quoted(fmt::format("shard {} is parked: {}: {}", parked.shard, to_text(parked.reason), parked.detail)));
  }
  if (!health.ready && health.parked.empty()) reasons.push_back(quoted(health.why.empty() ? "not ready" : health.why));
  if (health.ready && !caught_up_.load()) {
    if (all_caught_up(stats)) caught_up_.store(true);
    else reasons.push_back(quoted("catching up: inputs of before the start are still being folded"));
  }
  return fmt::format("[{}]", fmt::join(reasons, ","));
}

ProbeAnswer Probes::ready() const {
  const EngineStats stats = engine_.stats();
  const std::string reasons = ready_reasons(engine_.health(), stats);
  const bool ok = reasons == "[]";
  return {ok, fmt::format(R"({{"ready":{},"reasons":{},"shards":{}}})", ok, reasons, shards_json(stats))};
}

ProbeAnswer Probes::started() const {
  const bool ok = engine_.health().started;
  return {ok, fmt::format(R"({{"started":{},"shards":{}}})", ok, shards_json(engine_.stats()))};
}

}  // namespace spur::http
