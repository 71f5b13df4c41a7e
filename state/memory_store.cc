#include "state/memory_store.h"

namespace spur {

absl::StatusOr<std::optional<std::string>> MemoryStore::get(std::string_view key) const {
  const std::lock_guard lock(mutex_);
  const auto it = rows_.find(key);
  if (it == rows_.end()) return std::optional<std::string>();
  return std::optional<std::string>(it->second);
}

absl::Status MemoryStore::write(const StoreBatch& batch) {
  const std::lock_guard lock(mutex_);
  for (const std::string& key : batch.deletes) rows_.erase(key);
  for (const auto& [key, value] : batch.puts) rows_.insert_or_assign(key, value);
  return absl::OkStatus();
}

absl::Status MemoryStore::scan(
    std::string_view prefix,
    const std::function<bool(std::string_view, std::string_view)>& row) const {
  return scan_from(prefix, prefix, row);
}

absl::Status MemoryStore::scan_from(
    std::string_view prefix, std::string_view from,
    const std::function<bool(std::string_view, std::string_view)>& row) const {
  const std::lock_guard lock(mutex_);
  for (auto it = rows_.lower_bound(from); it != rows_.end(); ++it) {
    if (std::string_view(it->first).substr(0, prefix.size()) != prefix) break;
    if (!row(it->first, it->second)) break;
  }
  return absl::OkStatus();
}

}  // namespace spur
