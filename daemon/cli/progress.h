// A progress bar on standard error, for work that reads files.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "daemon/clock.h"

namespace spur::cli {

class Progress {
 public:
  explicit Progress(bool shown) : shown_(shown) {}

  // At most ten times a second. `total` 0: unknown. `count` of what is told beside the bar.
  void show(const std::string& name, std::uint64_t done, std::uint64_t total, std::uint64_t count,
            std::string_view unit = "events");
  // Clears the line.
  void done();

 private:
  const bool shown_;
  SystemClock clock_;
  std::chrono::nanoseconds last_{0};
  bool drawn_ = false;
};

}  // namespace spur::cli
