// Instants as CloudEvents writes them: RFC 3339 in UTC, to the millisecond.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace spur::kafka {

// Remembers the day it wrote last, since what leaves together was decided on one day.
class InstantText {
 public:
  // "2026-03-01T08:30:00.250Z". Good until the next call. Years 0000 to 9999.
  std::string_view operator()(std::int64_t ms);

 private:
  std::int64_t day_ = INT64_MIN;
  std::array<char, 24> text_{};
};

}  // namespace spur::kafka
