#include "operators/catalog/durations.h"

#include <cstddef>

#include "operators/calendar.h"

namespace spur::catalog {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t ms;
};
// From large to small, the order in which a combination is written.
constexpr Unit kUnits[] = {{"w", kWeek.count},   {"d", kDay.count},    {"h", kHour.count},
                           {"m", kMinute.count}, {"s", kSecond.count}, {"ms", 1}};

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Reads exactly `digits` digits at `*at`.
std::optional<int> take_number(std::string_view text, std::size_t* at, std::size_t digits) {
  if (text.size() < *at + digits) return std::nullopt;
  int number = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    const char c = text[(*at)++];
    if (!is_digit(c)) return std::nullopt;
    number = number * 10 + (c - '0');
  }
  return number;
}

bool take(std::string_view text, std::size_t* at, char c) {
  if (*at >= text.size() || text[*at] != c) return false;
  ++*at;
  return true;
}

}  // namespace

std::optional<Millis> parse_duration(std::string_view text) {
  const bool negative = !text.empty() && text.front() == '-';
  std::size_t at = negative ? 1 : 0;
  std::size_t next_unit = 0;  // the largest that may still come
  std::int64_t total = 0;
  if (at == text.size()) return std::nullopt;
  while (at < text.size()) {
    if (!is_digit(text[at])) return std::nullopt;
    std::int64_t number = 0;
    while (at < text.size() && is_digit(text[at])) {
      number = number * 10 + (text[at++] - '0');
      if (number > kDurationMax.count) return std::nullopt;
    }
    const std::size_t unit_at = at;
    while (at < text.size() && !is_digit(text[at])) ++at;
    const std::string_view name = text.substr(unit_at, at - unit_at);
    while (next_unit < std::size(kUnits) && kUnits[next_unit].name != name) ++next_unit;
    if (next_unit == std::size(kUnits)) return std::nullopt;
    const Unit& unit = kUnits[next_unit++];
    if (number > kDurationMax.count / unit.ms) return std::nullopt;
    total += number * unit.ms;
    if (total > kDurationMax.count) return std::nullopt;
  }
  return Millis{negative ? -total : total};
}

std::string to_text(Millis duration) {
  if (duration.count == 0) return "0s";
  std::string text = duration.count < 0 ? "-" : "";
  // Unsigned, because the smallest int64 has no positive counterpart.
  std::uint64_t rest = duration.count < 0 ? 0 - static_cast<std::uint64_t>(duration.count)
                                          : static_cast<std::uint64_t>(duration.count);
  for (const Unit& unit : kUnits) {
    const std::uint64_t size = static_cast<std::uint64_t>(unit.ms);
    if (rest >= size) text += std::to_string(rest / size) + std::string(unit.name);
    rest %= size;
  }
  return text;
}

std::optional<Instant> parse_instant(std::string_view text) {
  std::size_t at = 0;
  const auto year = take_number(text, &at, 4);
  if (!year || !take(text, &at, '-')) return std::nullopt;
  const auto month = take_number(text, &at, 2);
  if (!month || !take(text, &at, '-')) return std::nullopt;
  const auto day = take_number(text, &at, 2);
  if (!day || !(take(text, &at, 'T') || take(text, &at, 't') || take(text, &at, ' ')))
    return std::nullopt;
  const auto hour = take_number(text, &at, 2);
  if (!hour || !take(text, &at, ':')) return std::nullopt;
  const auto minute = take_number(text, &at, 2);
  if (!minute || !take(text, &at, ':')) return std::nullopt;
  const auto second = take_number(text, &at, 2);
  if (!second) return std::nullopt;
  if (*month < 1 || *month > 12 || *day < 1 || *day > days_in_month(*year, *month))
    return std::nullopt;
  if (*hour > 23 || *minute > 59 || *second > 59) return std::nullopt;

  std::int64_t fraction_ms = 0;
  if (take(text, &at, '.')) {
    const std::size_t start = at;
    for (std::int64_t unit = 100; at < text.size() && is_digit(text[at]); ++at, unit /= 10) {
      if (unit == 0 && text[at] != '0') return std::nullopt;
      fraction_ms += unit * (text[at] - '0');
    }
    if (at == start) return std::nullopt;
  }

  std::int64_t offset_ms = 0;
  if (!take(text, &at, 'Z') && !take(text, &at, 'z')) {
    const bool west = at < text.size() && text[at] == '-';
    if (!west && !(at < text.size() && text[at] == '+')) return std::nullopt;
    ++at;
    const auto offset_hour = take_number(text, &at, 2);
    if (!offset_hour || *offset_hour > 23 || !take(text, &at, ':')) return std::nullopt;
    const auto offset_minute = take_number(text, &at, 2);
    if (!offset_minute || *offset_minute > 59) return std::nullopt;
    offset_ms = (*offset_hour * kHour.count + *offset_minute * kMinute.count) * (west ? -1 : 1);
  }
  if (at != text.size()) return std::nullopt;

  const std::int64_t days = day_of({*year, *month, *day}).count;
  const std::int64_t ms = days * kDay.count + *hour * kHour.count + *minute * kMinute.count +
                          *second * kSecond.count + fraction_ms - offset_ms;
  const Instant instant{ms};
  if (instant < kInstantMin || instant > kInstantMax) return std::nullopt;
  return instant;
}

std::optional<int> parse_time_of_day(std::string_view text) {
  std::size_t at = 0;
  const auto hour = take_number(text, &at, 2);
  if (!hour || *hour > 23 || !take(text, &at, ':')) return std::nullopt;
  const auto minute = take_number(text, &at, 2);
  if (!minute || *minute > 59 || at != text.size()) return std::nullopt;
  return *hour * 60 + *minute;
}

}  // namespace spur::catalog
