// Probes: what the three questions of Kubernetes are answered with. Decides only; the port is admin_server's.
//
//   /livez     would a restart help? Only the daemon's own loop and the engine's verdict count, never a slow disk,
//              a lagging shard or a refused catalog: those a restart would make worse
//   /readyz    may clients come? started, caught up once, nothing parked, a catalog in force, not shutting down
//   /startupz  is recovery over? It may take minutes, so the startup probe's budget must cover it
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>

#include "daemon/engine.h"

namespace spur::http {

struct ProbeAnswer {
  bool ok = false;
  std::string json;
};

class Probes {
 public:
  // A heartbeat older than this means that the daemon's loop hangs.
  static constexpr std::chrono::seconds kHeartbeatAgeMax{15};
  // A shard with no more unfolded inputs than this has caught up: some milliseconds of work.
  static constexpr std::uint64_t kCaughtUpRecords = 1'000;

  // `engine` and `clock` outlive it.
  Probes(const Engine& engine, const Clock& clock);

  // Called by the daemon's loop each time round.
  void beat();
  // From now on /readyz says no: the first step of a shutdown.
  void start_draining() { draining_.store(true); }

  // From any thread.
  ProbeAnswer live() const;
  ProbeAnswer ready() const;
  ProbeAnswer started() const;

 private:
  std::string ready_reasons(const Health& health, const EngineStats& stats) const;

  const Engine& engine_;
  const Clock& clock_;
  std::atomic<std::int64_t> beat_nanos_;  // steady
  std::atomic<bool> draining_{false};
  // Caught up once is enough: a burst later on is back-pressure's business, and a pod that leaves the service because
  // it is busy makes the others busier.
  mutable std::atomic<bool> caught_up_{false};
};

}  // namespace spur::http
