#include "tests/simulation/disk.h"

#include "tests/simulation/fiber.h"

namespace spur::simulation {
namespace {

constexpr std::size_t kFlushesKept = 3;

absl::Status killed() { return absl::UnavailableError("the process is dead"); }

}  // namespace

void Disk::write(const StoreBatch& batch) {
  older_.push_back(rows_);
  for (const std::string& key : batch.deletes) rows_.erase(key);
  for (const auto& [key, value] : batch.puts) rows_[key] = value;
}

void Disk::flush() {
  older_.clear();
  flushed_.push_back(rows_);
  if (flushed_.size() > kFlushesKept) flushed_.erase(flushed_.begin());
}

void Disk::crash(Random& random) {
  if (older_.empty()) return;
  const std::size_t kept = random.below(older_.size() + 1);
  if (kept < older_.size()) rows_ = older_[kept];
  older_.clear();
}

void Disk::lose() {
  rows_.clear();
  older_.clear();
  flushed_.clear();
}

bool Disk::tear(Random& random) {
  if (flushed_.empty()) return false;
  rows_ = flushed_[random.below(flushed_.size())];
  older_.clear();
  flushed_.clear();
  return true;
}

absl::StatusOr<std::optional<std::string>> SimulatedStore::get(std::string_view key) const {
  if (dead_) return killed();
  const auto it = disk_.rows().find(key);
  if (it == disk_.rows().end()) return std::optional<std::string>();
  return std::optional<std::string>(it->second);
}

absl::Status SimulatedStore::write(const StoreBatch& batch) {
  Fiber::give_way();
  if (dead_) return killed();
  disk_.write(batch);
  return absl::OkStatus();
}

absl::Status SimulatedStore::scan(
    std::string_view prefix,
    const std::function<bool(std::string_view, std::string_view)>& row) const {
  return scan_from(prefix, prefix, row);
}

absl::Status SimulatedStore::scan_from(
    std::string_view prefix, std::string_view from,
    const std::function<bool(std::string_view, std::string_view)>& row) const {
  if (dead_) return killed();
  for (auto it = disk_.rows().lower_bound(from);
       it != disk_.rows().end() && it->first.starts_with(prefix); ++it) {
    if (!row(it->first, it->second)) break;
  }
  return absl::OkStatus();
}

absl::Status SimulatedStore::flush() {
  Fiber::give_way();
  if (dead_) return killed();
  disk_.flush();
  return absl::OkStatus();
}

}  // namespace spur::simulation
