#include "operators/calendar.h"

#include <algorithm>

namespace spur {
namespace {

// Division that rounds down also below zero.
constexpr std::int64_t floor_div(std::int64_t a, std::int64_t b) {
  return a / b - (a % b < 0 ? 1 : 0);
}

bool name_is_acceptable(std::string_view name) {
  if (name.empty() || name.size() > 64) return false;
  if (name.front() == '/' || name.back() == '/') return false;
  if (name == "localtime" || name == "posixrules" || name.substr(0, 6) == "right/") return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '+' || c == '/';
  });
}

}  // namespace

// Days from civil and back: the well-known arithmetic over eras of 400 years that begin on 1 March.
Day day_of(const Date& date) {
  const std::int64_t year = date.year - (date.month <= 2 ? 1 : 0);
  const std::int64_t era = floor_div(year, 400);
  const std::int64_t year_of_era = year - era * 400;
  const std::int64_t day_of_year =
      (153 * (date.month + (date.month > 2 ? -3 : 9)) + 2) / 5 + date.day - 1;
  const std::int64_t day_of_era =
      year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return {era * 146'097 + day_of_era - 719'468};
}

Date date_of(Day day) {
  const std::int64_t shifted = day.count + 719'468;
  const std::int64_t era = floor_div(shifted, 146'097);
  const std::int64_t day_of_era = shifted - era * 146'097;
  const std::int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const std::int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t shifted_month = (5 * day_of_year + 2) / 153;
  const int month = static_cast<int>(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9);
  return {static_cast<int>(year_of_era + era * 400 + (month <= 2 ? 1 : 0)), month,
          static_cast<int>(day_of_year - (153 * shifted_month + 2) / 5 + 1)};
}

int weekday_of(Day day) {
  const std::int64_t since_sunday = day.count + 4;  // 1970-01-01 was a Thursday
  return static_cast<int>(since_sunday - floor_div(since_sunday, 7) * 7);
}

int days_in_month(int year, int month) {
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return month == 2 && leap ? 29 : kDays[month - 1];
}

std::optional<Zone> Zone::load(std::string_view name) {
  if (!name_is_acceptable(name)) return std::nullopt;
  Zone zone;
  zone.name_ = std::string(name);
  zone.utc_ = name == "UTC" || name == "Etc/UTC";
  if (!zone.utc_ && !absl::LoadTimeZone(zone.name_, &zone.zone_)) return std::nullopt;
  return zone;
}

LocalTime Zone::local(Instant t) const {
  if (utc_) {
    const std::int64_t day = floor_div(t.ms, kDay.count);
    return {{day}, t.ms - day * kDay.count};
  }
  const absl::CivilSecond civil = zone_.At(absl::FromUnixMillis(t.ms)).cs;
  const Day day = day_of({static_cast<int>(civil.year()), civil.month(), civil.day()});
  const std::int64_t second = civil.hour() * 3600 + civil.minute() * 60 + civil.second();
  // Offsets are whole seconds, so what is below the second is the same in every zone.
  return {day, second * 1000 + (t.ms - floor_div(t.ms, 1000) * 1000)};
}

Instant Zone::instant(Day day, int minute_of_day) const {
  if (utc_) return {day.count * kDay.count + minute_of_day * kMinute.count};
  const Date date = date_of(day);
  const absl::TimeZone::TimeInfo info = zone_.At(absl::CivilSecond(
      date.year, date.month, date.day, minute_of_day / 60, minute_of_day % 60, 0));
  const bool skipped = info.kind == absl::TimeZone::TimeInfo::SKIPPED;
  return {absl::ToUnixMillis(skipped ? info.trans : info.pre)};
}

Instant Zone::next_time_of_day(Instant t, int minute_of_day) const {
  if (t == Instant::never()) return t;
  // From the day before, because a clock set back over midnight shows yesterday's date after
  // today's.
  Day day = local(t).day - 1;
  Instant candidate = instant(day, minute_of_day);
  while (candidate < t) candidate = instant(day = day + 1, minute_of_day);
  return candidate;
}

std::optional<Instant> Zone::stretch_end(Instant t, int from_minute, int to_minute) const {
  if (t == Instant::never()) return std::nullopt;
  const int over_midnight = to_minute <= from_minute ? 1 : 0;
  const Day today = local(t).day;
  for (int shift = -1 - over_midnight; shift <= 1; ++shift) {
    const Day day = today + shift;
    const Instant end = instant(day + over_midnight, to_minute);
    if (instant(day, from_minute) <= t && t < end) return end;
  }
  return std::nullopt;
}

}  // namespace spur
