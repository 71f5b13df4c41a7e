// How long to wait before something that failed is tried again: twice as long each time.
#pragma once

#include <algorithm>
#include <chrono>

namespace spur::kafka {

inline constexpr std::chrono::nanoseconds kPauseMin = std::chrono::milliseconds(200);
inline constexpr std::chrono::nanoseconds kPauseMax = std::chrono::seconds(30);

inline std::chrono::nanoseconds longer(std::chrono::nanoseconds pause) {
  return std::clamp(2 * pause, kPauseMin, kPauseMax);
}

}  // namespace spur::kafka
