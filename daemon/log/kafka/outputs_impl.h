// What Outputs is made of inside: outputs.cc sends, outputs_recovery.cc finds how far destinations
// have got, outputs_transactional.cc works for those that take transactions.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "daemon/log/kafka/backoff.h"
#include "daemon/log/kafka/outputs.h"

namespace spur::kafka {

// A session and what it is for.
struct Outputs::Box {
  std::shared_ptr<Session> session;
  Destination* only = nullptr;  // nullptr: everybody's
};

struct Outputs::Destination {
  enum class State { kUnchecked, kChecking, kOpen, kAway };
  std::string topic;
  bool json = false;
  bool transactional = false;
  std::chrono::nanoseconds gap{0};  // between two records of one shard; 0: as fast as it goes
  State state = State::kUnchecked;
  bool isolated = false;  // its records failed once: a session of its own
  std::shared_ptr<Box> own;
  std::chrono::nanoseconds retry_at{0}, pause{0};
};

// What a run wants done, until all of it is acknowledged. What has arrived takes no memory any
// more.
struct Outputs::Run {
  RunEffects effects;
  std::uint32_t outstanding = 0;
};
// By sequence. What comes back from the outbox for one lane is a run beside that of the others.
using Runs = std::multimap<std::uint64_t, Outputs::Run>;

struct Outputs::Item {
  Runs::iterator run;
  std::uint32_t index = 0;
  std::uint32_t bytes = 0;  // in memory, about
};

struct Outputs::Lane {
  ShardOut* shard = nullptr;
  Destination* destination = nullptr;
  EffectKind kind = EffectKind::kDecision;
  std::int32_t partition = 0;
  std::deque<Item> items;  // the first `in_flight` are sent
  // Behind `items` and before `later`: runs whose effects for this lane are rows of the outbox
  // alone.
  std::optional<RunRange> spilled;
  std::deque<Item> later;
  bool wanted = false;             // the outbox was asked for what comes next
  std::size_t waiting_bytes = 0;   // of `items` and `later` that are not in flight
  std::optional<EffectId> begins;  // what comes back and is not behind this has arrived
  std::size_t in_flight = 0, bytes_in_flight = 0;
  std::uint64_t orphans = 0;  // sent before the shard was dropped: acknowledged first
  std::shared_ptr<Box> box;
  Topic handle;                     // of the box's session; destroyed before it
  std::chrono::nanoseconds due{0};  // of what lingers; 0: nothing does
  Pace pace;
  std::chrono::nanoseconds gap{0};  // of the destination, as last asked
  // Of a transactional destination, instead of a box. What is in flight is one transaction then.
  std::unique_ptr<TransactionalSender> sender;
  std::uint64_t sender_number = 0;  // one that is retired has another, and is nobody's
  bool tail_pending = false, tail_asking = false;
  std::chrono::nanoseconds tail_retry_at{0}, tail_pause{0};
};

struct Outputs::ShardOut {
  ShardOut(std::uint32_t of, std::string_view deployment) : shard(of), maker(deployment) {}

  const std::uint32_t shard;
  RecordMaker maker;
  mutable std::mutex mutex;
  std::uint64_t generation = 0;  // of drop(): a late tail of before is nobody's
  std::map<std::pair<std::string, std::int32_t>, std::unique_ptr<Lane>> lanes;
  std::deque<std::pair<std::uint64_t, RunEffects>> held;  // not released
  Runs runs;  // released, with effects that are in memory and not acknowledged
  std::uint32_t spilled_lanes = 0;
  std::atomic<std::size_t> waiting_bytes{0};  // of its lanes
  bool wants = false;                         // a lane has begun to want more of the outbox
  std::uint64_t released = 0, acked = 0, told = 0;
  std::uint64_t stored = 0;  // runs up to it that have not arrived are rows of the outbox
  std::set<Destination*> acked_actions;
  Destination* acked_action_last = nullptr;  // put in last; nullptr: it is empty
  bool dirty = false;
  std::chrono::nanoseconds due = Pump::kNothingDue;
};

// What the end of a partition says.
struct Outputs::Tail {
  std::string topic;
  absl::Status status;  // not OK: it could not be asked
  bool any = false;
  EffectId last;
};

// One effect of a run: what it takes in memory, about; its stored bytes; and a copy of it.
std::size_t item_bytes(EffectKind kind, const RunEffects& effects, std::size_t index);
const std::string& bytes_of(EffectKind kind, const RunEffects& effects, std::size_t index);
void copy_effect(EffectKind kind, const RunEffects& from, std::size_t index, RunEffects& to);

}  // namespace spur::kafka
