// A Store in memory: tests, simulation and backtests. flush() does nothing; the rows die with the object.
#pragma once

#include <map>
#include <mutex>

#include "state/store.h"

namespace spur {

class MemoryStore final : public Store {
 public:
  absl::StatusOr<std::optional<std::string>> get(std::string_view key) const override;
  absl::Status write(const StoreBatch& batch) override;
  absl::Status scan(std::string_view prefix,
                    const std::function<bool(std::string_view, std::string_view)>& row) const override;
  absl::Status scan_from(
      std::string_view prefix, std::string_view from,
      const std::function<bool(std::string_view, std::string_view)>& row) const override;
  absl::Status flush() override { return absl::OkStatus(); }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::string, std::less<>> rows_;
};

}  // namespace spur
