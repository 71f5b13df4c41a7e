// What `spur top` shows: who owns which shard and how each daemon is doing, out of two readings of
// their metrics.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "daemon/top/samples.h"

namespace spur::top {

// One daemon at one moment. `samples` is empty while it does not answer.
struct Reading {
  std::string address;
  std::chrono::nanoseconds at{0};  // on a steady scale
  std::optional<Samples> samples;
};

struct DaemonRow {
  std::string address;
  std::string state;  // ready, starting, away
  int shards_live = 0, shards_recovering = 0, shards_parked = 0;
  // Between the two readings; nullopt: one of them is missing, or the daemon was restarted between.
  std::optional<double> events_per_second, actions_per_second, cpus;
  std::optional<double> p50_seconds, p99_seconds;  // event to action; nullopt: no action left
  double memory_bytes = 0;
};

struct ShardRow {
  int shard = 0;
  std::string owner;   // an address; empty: nobody says that it owns it
  std::string parked;  // the reason, if it is
  double epoch = 0, lag_records = 0, lag_seconds = 0, replay_left = 0, customers = 0, timers = 0;
  std::optional<double> events_per_second;
};

struct Board {
  std::vector<DaemonRow> daemons;  // as asked for
  std::vector<ShardRow> shards;    // by number
};

// `before` and `now` name the same daemons in the same order.
Board make_board(std::span<const Reading> before, std::span<const Reading> now);

// As text, a line each, for a terminal of at least 80 columns.
std::string draw(const Board& board);

}  // namespace spur::top
