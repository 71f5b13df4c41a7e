#include "daemon/cli/progress.h"

#include <algorithm>
#include <cstdio>

#include "fmt/format.h"

namespace spur::cli {

void Progress::show(const std::string& name, std::uint64_t done, std::uint64_t total,
                    std::uint64_t count, std::string_view unit) {
  if (!shown_) return;
  const std::chrono::nanoseconds now = clock_.read().steady;
  if (drawn_ && now - last_ < std::chrono::milliseconds(100)) return;
  last_ = now;
  drawn_ = true;
  constexpr std::size_t kWidth = 30;
  if (total == 0) {
    fmt::print(stderr, "\r\033[K{}: {} {}", name, count, unit);
  } else {
    const std::size_t full = std::min(kWidth, static_cast<std::size_t>(kWidth * done / total));
    fmt::print(stderr, "\r\033[K[{}{}] {:3}% {}: {} {}", std::string(full, '#'),
               std::string(kWidth - full, '.'), std::min<std::uint64_t>(100, 100 * done / total),
               name, count, unit);
  }
  std::fflush(stderr);
}

void Progress::done() {
  if (drawn_) fmt::print(stderr, "\r\033[K");
}

}  // namespace spur::cli
