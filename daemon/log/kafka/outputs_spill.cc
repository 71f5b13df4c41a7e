// What waits for destinations that are away: bounded in memory, since what the outbox holds may
// leave it and comes back when its lane goes on (docs/protocol.md rule 12).
//
//     in memory, sent or next      rows of the outbox           in memory, released since
//     [ items ...................] [ spilled: first … last ....] [ later ..................]
#include <algorithm>
#include <utility>

#include "daemon/log/kafka/outputs_impl.h"
#include "state/check.h"

namespace spur::kafka {
namespace {

constexpr std::size_t kItemBytes = 192;  // of its places in lane and run, about

std::size_t count_of(EffectKind kind, const RunEffects& effects) {
  switch (kind) {
    case EffectKind::kAction:
      return effects.actions.size();
    case EffectKind::kDecision:
      return effects.decisions.size();
    case EffectKind::kDeadLetter:
      return effects.dead_letters.size();
    case EffectKind::kMessage:
      return effects.messages.size();
  }
  return 0;
}

}  // namespace

std::size_t item_bytes(EffectKind kind, const RunEffects& effects, std::size_t index) {
  std::size_t bytes = kItemBytes + bytes_of(kind, effects, index).size();
  if (kind == EffectKind::kAction)
    bytes += effects.actions[index].topic.size() + effects.actions[index].key.size();
  if (kind == EffectKind::kDecision) bytes += effects.decisions[index].customer.size();
  return bytes;
}

const std::string& bytes_of(EffectKind kind, const RunEffects& effects, std::size_t index) {
  switch (kind) {
    case EffectKind::kAction:
      return effects.actions[index].bytes;
    case EffectKind::kDecision:
      return effects.decisions[index].bytes;
    case EffectKind::kDeadLetter:
      return effects.dead_letters[index];
    case EffectKind::kMessage:
      break;
  }
  return effects.messages[index].bytes;
}

void copy_effect(EffectKind kind, const RunEffects& from, std::size_t index, RunEffects& to) {
  switch (kind) {
    case EffectKind::kAction:
      return to.actions.push_back(from.actions[index]);
    case EffectKind::kDecision:
      return to.decisions.push_back(from.decisions[index]);
    case EffectKind::kDeadLetter:
      return to.dead_letters.push_back(from.dead_letters[index]);
    case EffectKind::kMessage:
      return to.messages.push_back(from.messages[index]);
  }
}

Outputs::Lane& Outputs::lane_of(ShardOut& shard, const Outlet& outlet) {
  const auto own = static_cast<std::int32_t>(shard.shard);
  switch (outlet.kind) {
    case Outlet::Kind::kDecision:
      return lane(shard, names_.decisions, own, EffectKind::kDecision);
    case Outlet::Kind::kDeadLetter:
      return lane(shard, names_.dead_letters, own, EffectKind::kDeadLetter);
    case Outlet::Kind::kMessage:
      return lane(shard, names_.messages, static_cast<std::int32_t>(outlet.to),
                  EffectKind::kMessage);
    case Outlet::Kind::kAction:
      break;
  }
  return lane(shard, outlet.topic, own, EffectKind::kAction);
}

Outlet Outputs::outlet_of(const Lane& lane) {
  switch (lane.kind) {
    case EffectKind::kDecision:
      return {Outlet::Kind::kDecision, "", 0};
    case EffectKind::kDeadLetter:
      return {Outlet::Kind::kDeadLetter, "", 0};
    case EffectKind::kMessage:
      return {Outlet::Kind::kMessage, "", static_cast<std::uint32_t>(lane.partition)};
    case EffectKind::kAction:
      break;
  }
  return {Outlet::Kind::kAction, lane.destination->topic, 0};
}

std::size_t Outputs::part() const {
  return std::max(waiting_bytes_max_ / shards_.size(),
                  std::min(waiting_bytes_max_, kWaitingBytesMin));
}

Log::Waiting Outputs::waiting(std::uint32_t shard) const {
  const std::size_t bytes = shards_[shard]->waiting_bytes.load(std::memory_order_relaxed);
  if (bytes <= part() / 2) return Log::Waiting::kLittle;
  return bytes <= part() ? Log::Waiting::kMuch : Log::Waiting::kTooMuch;
}

void Outputs::stored(std::uint32_t shard, std::uint64_t seq) {
  ShardOut& out = *shards_[shard];
  const std::lock_guard lock(out.mutex);
  out.stored = seq;
  make_room(out);
}

void Outputs::make_room(ShardOut& shard) {
  if (shard.waiting_bytes <= part() / 2) return;
  // Those first that hold most: what a destination that is well has waiting is little.
  std::vector<Lane*> lanes;
  for (const auto& [to, lane] : shard.lanes) lanes.push_back(lane.get());
  std::sort(lanes.begin(), lanes.end(), [](const Lane* a, const Lane* b) {
    return std::pair(b->waiting_bytes, a->partition) < std::pair(a->waiting_bytes, b->partition);
  });
  for (Lane* lane : lanes) {
    if (shard.waiting_bytes <= part() / 2) return;
    spill(*lane, shard.stored);
  }
}

// Whole runs: what comes back as rows is whole runs too.
void Outputs::spill(Lane& lane, std::uint64_t seq) {
  if (!lane.spilled.has_value()) {
    // What is sent stays, and one that is tried.
    std::size_t keep = std::max<std::size_t>(lane.in_flight, 1);
    while (keep < lane.items.size() &&
           lane.items[keep].run->first == lane.items[keep - 1].run->first)
      ++keep;
    if (keep >= lane.items.size() || lane.items[keep].run->first > seq) return;
    lane.later.assign(lane.items.begin() + static_cast<std::ptrdiff_t>(keep), lane.items.end());
    lane.items.erase(lane.items.begin() + static_cast<std::ptrdiff_t>(keep), lane.items.end());
    lane.spilled = {lane.later.front().run->first, 0};
    ++lane.shard->spilled_lanes;
  }
  while (!lane.later.empty() && lane.later.front().run->first <= seq) {
    const Item item = lane.later.front();
    lane.later.pop_front();
    lane.spilled->last = item.run->first;
    wait(lane, false, item.bytes);
    forget(lane, item);
  }
}

std::vector<RunRange> Outputs::spilled(std::uint32_t shard) const {
  const ShardOut& out = *shards_[shard];
  const std::lock_guard lock(out.mutex);
  std::vector<RunRange> ranges;
  for (const auto& [to, lane] : out.lanes) {
    if (lane->spilled.has_value()) ranges.push_back(*lane->spilled);
  }
  return ranges;
}

std::optional<Spilled> Outputs::wanted(std::uint32_t shard) {
  ShardOut& out = *shards_[shard];
  const std::lock_guard lock(out.mutex);
  for (const auto& [to, lane] : out.lanes) {
    if (lane->wanted && lane->spilled.has_value()) return Spilled{outlet_of(*lane), *lane->spilled};
  }
  return std::nullopt;
}

void Outputs::refill(std::uint32_t shard, const Outlet& outlet, std::vector<UnsentRun> rows,
                     std::uint64_t through) {
  ShardOut& out = *shards_[shard];
  {
    const std::lock_guard lock(out.mutex);
    Lane& lane = lane_of(out, outlet);
    SPUR_CHECK(lane.wanted && lane.spilled.has_value());
    for (const UnsentRun& row : rows) take_back(lane, row);
    lane.wanted = false;
    lane.spilled->first = through + 1;
    if (through >= lane.spilled->last) {
      lane.spilled.reset();
      --out.spilled_lanes;
      lane.items.insert(lane.items.end(), lane.later.begin(), lane.later.end());
      lane.later.clear();
    }
    out.dirty = true;
  }
  pump_.wake();
}

// Of a row what goes by this lane and has not arrived.
void Outputs::take_back(Lane& lane, const UnsentRun& row) {
  Run run;
  for (std::size_t i = 0; i < count_of(lane.kind, row.effects); ++i) {
    if (lane.kind == EffectKind::kAction && row.effects.actions[i].topic != lane.destination->topic)
      continue;
    if (lane.kind == EffectKind::kMessage &&
        row.effects.messages[i].to != static_cast<std::uint32_t>(lane.partition))
      continue;
    if (lane.begins.has_value() &&
        id_of(lane.kind, bytes_of(lane.kind, row.effects, i)) <= *lane.begins)
      continue;
    copy_effect(lane.kind, row.effects, i, run.effects);
    ++run.outstanding;
  }
  if (run.outstanding == 0) return;
  const std::uint32_t count = run.outstanding;
  const auto stays = lane.shard->runs.emplace(row.seq, std::move(run));
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto bytes = static_cast<std::uint32_t>(item_bytes(lane.kind, stays->second.effects, i));
    lane.items.push_back({stays, i, bytes});
    wait(lane, true, bytes);
  }
}

}  // namespace spur::kafka
