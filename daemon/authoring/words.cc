#include "daemon/authoring/words.h"

#include <array>

namespace spur::authoring {
namespace {

struct Row {
  std::string_view message, field;
  std::array<std::string_view, 10> words;  // the rest is empty
};

constexpr Row kRows[] = {
    {"Source", "format", {"segment"}},
    {"Feature",
     "aggregate",
     {"count", "sum", "mean", "min", "max", "distinct", "first", "last", "gaps", "decayed"}},
    {"Channel", "format", {"protobuf", "json"}},
    {"QuietHours", "then", {"defer", "drop"}},
    {"Trigger", "class", {"marketing", "service", "transactional"}},
    {"Trigger", "once", {"customer", "key"}},
    {"SessionOperator", "on", {"opened", "idle", "closed"}},
    {"ScheduleOperator", "edge", {"rising"}},
};

}  // namespace

std::span<const std::string_view> words_of(std::string_view message, std::string_view field) {
  for (const Row& row : kRows) {
    if (row.message != message || row.field != field) continue;
    std::size_t count = 0;
    while (count < row.words.size() && !row.words[count].empty()) ++count;
    return {row.words.data(), count};
  }
  return {};
}

}  // namespace spur::authoring
