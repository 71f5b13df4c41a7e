#include "daemon/authoring/words.h"

#include <algorithm>
#include <array>

namespace spur::authoring {
namespace {

struct Row {
  std::string_view message, field;
  std::array<std::string_view, 10> words;  // the rest is empty

  std::span<const std::string_view> used() const {
    return {words.data(),
            static_cast<std::size_t>(std::find(words.begin(), words.end(), "") - words.begin())};
  }
};

constexpr Row kRows[] = {
    {"Source", "format", {"segment", "json", "cloudevents", "protobuf"}},
    {"Reference", "format", {"json"}},
    {"Feature",
     "aggregate",
     {"count", "sum", "mean", "min", "max", "distinct", "first", "last", "gaps", "decayed"}},
    {"Channel", "format", {"protobuf", "json"}},
    {"Channel", "delivery", {"transactional"}},
    {"QuietHours", "then", {"defer", "drop"}},
    {"Trigger", "class", {"marketing", "service", "transactional"}},
    {"Trigger", "once", {"customer", "key"}},
    {"SessionOperator", "on", {"opened", "idle", "closed"}},
    {"ScheduleOperator", "edge", {"rising"}},
    {"RhythmOperator", "change", {"drop", "rise"}},
    {"RhythmOperator", "usual", {"mean", "median", "p90"}},
    {"DateOperator", "every", {"year", "month"}},
    {"SegmentOperator", "on", {"entered", "left"}},
    {"Policy", "arbitration", {"channel", "customer"}},
};

}  // namespace

std::vector<WordsOfField> all_words() {
  std::vector<WordsOfField> all;
  for (const Row& row : kRows) all.push_back({row.message, row.field, row.used()});
  return all;
}

std::span<const std::string_view> words_of(std::string_view message, std::string_view field) {
  for (const Row& row : kRows) {
    if (row.message == message && row.field == field) return row.used();
  }
  return {};
}

}  // namespace spur::authoring
