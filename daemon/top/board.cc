#include "daemon/top/board.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>
#include <map>
#include <system_error>
#include <utility>

#include "state/check.h"

namespace spur::top {
namespace {

// -1: its label is no number of a shard.
int shard_of(const Sample& sample) {
  const std::string_view text = sample.label("shard");
  const char* const all = text.data() + text.size();
  unsigned shard = 0;
  const auto [end, error] = std::from_chars(text.data(), all, shard);
  return error == std::errc() && end == all && std::in_range<int>(shard) ? static_cast<int>(shard)
                                                                         : -1;
}

double seconds_between(const Reading& before, const Reading& now) {
  return std::chrono::duration<double>(now.at - before.at).count();
}

// A counter that went back belongs to another process.
std::optional<double> rate(std::optional<double> before, std::optional<double> now,
                           double seconds) {
  if (!before || !now || seconds <= 0 || *now < *before) return std::nullopt;
  return (*now - *before) / seconds;
}

std::map<double, double> buckets(const Samples& samples, std::string_view name) {
  std::map<double, double> by_bound;
  samples.each(name, [&](const Sample& sample) {
    const std::string bound(sample.label("le"));
    by_bound[bound == "+Inf" ? INFINITY : std::strtod(bound.c_str(), nullptr)] += sample.value;
  });
  return by_bound;
}

// As Prometheus' histogram_quantile: the rank's place within its bucket, in proportion.
std::optional<double> quantile(double q, const std::map<double, double>& before,
                               const std::map<double, double>& now) {
  std::vector<std::pair<double, double>> grown;  // cumulative
  for (const auto& [bound, count] : now) {
    const auto was = before.find(bound);
    grown.emplace_back(bound, count - (was == before.end() ? 0 : was->second));
  }
  if (grown.empty() || grown.back().second <= 0) return std::nullopt;
  const double rank = q * grown.back().second;
  double lower = 0, below = 0;
  for (const auto& [bound, count] : grown) {
    if (count >= rank) {
      if (std::isinf(bound) || count <= below) return lower;
      return lower + (bound - lower) * (rank - below) / (count - below);
    }
    lower = bound;
    below = count;
  }
  return lower;
}

DaemonRow daemon_row(const Reading& before, const Reading& now) {
  DaemonRow row;
  row.address = now.address;
  row.state = !now.samples                                     ? "away"
              : now.samples->sum("spur_ready").value_or(0) > 0 ? "ready"
                                                               : "starting";
  if (!now.samples) return row;
  const Samples& s = *now.samples;
  s.each("spur_shards", [&](const Sample& sample) {
    const std::string_view phase = sample.label("phase");
    const int count = static_cast<int>(sample.value);
    if (phase == "live") row.shards_live = count;
    if (phase == "recovering") row.shards_recovering = count;
    if (phase == "parked" || phase == "failed") row.shards_parked += count;
  });
  row.memory_bytes = s.sum("process_resident_memory_bytes").value_or(0);
  if (!before.samples) return row;
  const double seconds = seconds_between(before, now);
  const auto grown = [&](std::string_view name) {
    return rate(before.samples->sum(name), s.sum(name), seconds);
  };
  row.cpus = grown("process_cpu_seconds_total");
  row.events_per_second = grown("spur_events_folded_total");
  row.actions_per_second = grown("spur_actions_released_total");
  if (!row.actions_per_second) return row;
  const std::string_view latency = "spur_event_to_action_seconds_bucket";
  const auto first = buckets(*before.samples, latency), last = buckets(s, latency);
  row.p50_seconds = quantile(0.5, first, last);
  row.p99_seconds = quantile(0.99, first, last);
  return row;
}

std::map<int, double> by_shard(const Samples& samples, std::string_view name) {
  std::map<int, double> values;
  samples.each(name, [&](const Sample& sample) { values[shard_of(sample)] += sample.value; });
  return values;
}

void add_shards(const Reading& before, const Reading& now, std::map<int, ShardRow>& rows) {
  if (!now.samples) return;
  const Samples& s = *now.samples;
  std::map<int, std::string> parked;
  s.each("spur_parked", [&](const Sample& sample) {
    if (sample.value > 0) parked[shard_of(sample)] = std::string(sample.label("reason"));
  });
  auto epoch = by_shard(s, "spur_owner_epoch"), records = by_shard(s, "spur_consumer_lag_records"),
       lag = by_shard(s, "spur_consumer_lag_seconds"),
       left = by_shard(s, "spur_replay_remaining_entries"),
       customers = by_shard(s, "spur_customers_in_memory"),
       timers = by_shard(s, "spur_timers_planned"),
       events = by_shard(s, "spur_events_folded_total");
  std::map<int, double> events_before;
  if (before.samples) events_before = by_shard(*before.samples, "spur_events_folded_total");
  for (const auto& [shard, owned] : by_shard(s, "spur_shard_owned")) {
    if (shard < 0) continue;
    ShardRow& row = rows[shard];
    row.shard = shard;
    if (owned <= 0 && !parked.contains(shard)) continue;
    row.owner = now.address;
    row.parked = parked[shard];
    row.epoch = epoch[shard];
    row.lag_records = records[shard];
    row.lag_seconds = lag[shard];
    row.replay_left = left[shard];
    row.customers = customers[shard];
    row.timers = timers[shard];
    if (before.samples)
      row.events_per_second =
          rate(events_before[shard], events[shard], seconds_between(before, now));
  }
}

std::string number(std::optional<double> value) {
  if (!value) return "-";
  return *value < 10 && *value > 0 ? fmt::format("{:.1f}", *value) : fmt::format("{:.0f}", *value);
}

std::string milliseconds(std::optional<double> seconds) {
  return seconds ? fmt::format("{:.1f}", *seconds * 1e3) : "-";
}

}  // namespace

Board make_board(std::span<const Reading> before, std::span<const Reading> now) {
  SPUR_CHECK(before.size() == now.size());
  Board board;
  std::map<int, ShardRow> shards;
  for (std::size_t i = 0; i < now.size(); ++i) {
    board.daemons.push_back(daemon_row(before[i], now[i]));
    add_shards(before[i], now[i], shards);
  }
  for (auto& [shard, row] : shards) board.shards.push_back(std::move(row));
  return board;
}

std::string draw(const Board& board) {
  std::string out;
  const auto to = std::back_inserter(out);
  fmt::format_to(to, "{:<22} {:<9} {:>6} {:>9} {:>9} {:>7} {:>7} {:>5} {:>8}\n", "daemon", "state",
                 "shards", "events/s", "actions/s", "p50 ms", "p99 ms", "cpus", "memory");
  for (const DaemonRow& row : board.daemons) {
    std::string shards = std::to_string(row.shards_live);
    if (row.shards_recovering > 0) shards += fmt::format("+{}", row.shards_recovering);
    fmt::format_to(to, "{:<22} {:<9} {:>6} {:>9} {:>9} {:>7} {:>7} {:>5} {:>5.0f} MB{}\n",
                   row.address, row.state, shards, number(row.events_per_second),
                   number(row.actions_per_second), milliseconds(row.p50_seconds),
                   milliseconds(row.p99_seconds), number(row.cpus), row.memory_bytes / 1e6,
                   row.shards_parked > 0 ? fmt::format("  {} parked", row.shards_parked) : "");
  }
  fmt::format_to(to, "\n{:<6} {:<22} {:>5} {:>9} {:>10} {:>7} {:>8} {:>10} {:>9}\n", "shard",
                 "owner", "epoch", "events/s", "behind", "s", "replay", "customers", "timers");
  for (const ShardRow& row : board.shards) {
    fmt::format_to(
        to, "{:<6} {:<22} {:>5.0f} {:>9} {:>10.0f} {:>7.1f} {:>8.0f} {:>10.0f} {:>9.0f}{}{}\n",
        row.shard, row.owner.empty() ? "nobody here" : row.owner, row.epoch,
        number(row.events_per_second), row.lag_records, row.lag_seconds, row.replay_left,
        row.customers, row.timers, row.parked.empty() ? "" : "  parked: ", row.parked);
  }
  return out;
}

}  // namespace spur::top
