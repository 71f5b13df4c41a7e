#include "tests/simulation/snapshots.h"

#include <algorithm>
#include <utility>

#include "daemon/plant.h"
#include "state/codec/keys.h"
#include "tests/simulation/fiber.h"

namespace spur::simulation {
namespace {

absl::Status killed() { return absl::UnavailableError("the process is dead"); }

std::pair<std::uint64_t, std::uint64_t> order(const Bucket::Copy& copy) {
  return {copy.position.epoch(), copy.position.seq()};
}

}  // namespace

bool Bucket::tear(std::uint32_t shard) {
  std::vector<Copy>& copies = shards[shard];
  if (copies.size() < 2 || !copies[0].whole || !copies[1].whole) return false;
  copies[0].whole = false;
  return true;
}

void Bucket::lose(std::uint32_t shard) {
  for (Copy& copy : shards[shard]) copy.whole = false;
}

absl::StatusOr<std::optional<Log::Trim>> SimulatedSnapshots::take(std::uint32_t shard,
                                                                  Store& store) {
  if (dead_) return killed();
  Bucket::Copy copy;
  const absl::Status scanned = store.scan("", [&](std::string_view key, std::string_view value) {
    if (key == position_key())
      copy.position.ParseFromArray(value.data(), static_cast<int>(value.size()));
    copy.rows.puts.emplace_back(key, value);
    return true;
  });
  if (!scanned.ok()) return scanned;
  if (copy.position.deployment().empty()) return std::optional<Log::Trim>();  // nothing yet
  Fiber::give_way();
  if (dead_) return killed();
  copy.whole = true;
  const std::uint64_t epoch = copy.position.epoch();
  std::vector<Bucket::Copy>& copies = bucket_.shards[shard];
  copies.push_back(std::move(copy));
  std::sort(copies.begin(), copies.end(),
            [](const Bucket::Copy& a, const Bucket::Copy& b) { return order(a) > order(b); });
  Fiber::give_way();
  if (dead_) return killed();
  const std::size_t kept = planted(Plant::kTrimBehindNewest) ? 1 : kKept;
  std::optional<Log::Trim> below;
  std::size_t whole = 0;
  for (const Bucket::Copy& one : copies) {
    if (one.whole && ++whole == kept) below = trim_below(one.position);
  }
  return drop_older(copies, epoch) ? absl::StatusOr<std::optional<Log::Trim>>(below) : killed();
}

// What is behind the newest goes, one by one, but for what a later owner has taken (H19).
bool SimulatedSnapshots::drop_older(std::vector<Bucket::Copy>& copies, std::uint64_t epoch) {
  for (;;) {
    std::size_t whole = 0;
    const auto older = std::find_if(copies.begin(), copies.end(), [&](const Bucket::Copy& copy) {
      if (whole < kKept) {
        whole += copy.whole ? 1 : 0;
        return false;
      }
      return copy.position.epoch() <= epoch;
    });
    if (older == copies.end()) return true;
    copies.erase(older);
    Fiber::give_way();
    if (dead_) return false;
  }
}

absl::StatusOr<bool> SimulatedSnapshots::restore(std::uint32_t shard, Store& store) {
  Fiber::give_way();
  if (dead_) return killed();
  for (const Bucket::Copy& copy : bucket_.shards[shard]) {
    if (!copy.whole) continue;
    MemoryStore from;
    if (absl::Status written = from.write(copy.rows); !written.ok()) return written;
    if (absl::Status copied = copy_rows(from, store); !copied.ok()) return copied;
    return true;
  }
  return false;
}

}  // namespace spur::simulation
