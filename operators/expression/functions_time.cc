// The parts of timestamps, in UTC or in a zone, and of durations. CEL counts months, days of the
// month and days of the year from 0, getDate from 1, days of the week from Sunday.

#include "operators/expression/calendar.h"
#include "operators/expression/functions.h"

namespace spur::expression {
namespace {

using Arguments = std::span<const Value>;
using Part = std::int64_t (*)(const CivilTime&);

std::int64_t year(const CivilTime& t) { return t.year; }
std::int64_t month(const CivilTime& t) { return t.month - 1; }
std::int64_t date(const CivilTime& t) { return t.day; }
std::int64_t day_of_month(const CivilTime& t) { return t.day - 1; }
std::int64_t day_of_week(const CivilTime& t) { return t.weekday; }
std::int64_t day_of_year(const CivilTime& t) { return t.year_day - 1; }
std::int64_t hour(const CivilTime& t) { return t.hour; }
std::int64_t minute(const CivilTime& t) { return t.minute; }
std::int64_t second(const CivilTime& t) { return t.second; }

template <Part part>
Value in_utc(Evaluation&, Arguments a) {
  return Value::integer(part(civil_time(a[0].seconds(), 0)));
}

template <Part part>
Value in_zone(Evaluation& e, Arguments a) {
  const std::optional<CivilTime> civil = civil_time_in(a[0].seconds(), a[1].as_text());
  if (!civil) return e.error({"no such time zone: ", a[1].as_text()});
  return Value::integer(part(*civil));
}

// No zone has ever been off by less than a second.
Value milliseconds(Evaluation&, Arguments a) { return Value::integer(a[0].nanos() / 1'000'000); }

template <std::int64_t seconds>
Value duration_in(Evaluation&, Arguments a) {
  return Value::integer(a[0].seconds() / seconds);
}

}  // namespace

std::span<const Row> time_rows() {
  static constexpr Row kRows[] = {
      {"getFullYear", "timestamp.() -> int", in_utc<year>},
      {"getFullYear", "timestamp.(string) -> int", in_zone<year>},
      {"getMonth", "timestamp.() -> int", in_utc<month>},
      {"getMonth", "timestamp.(string) -> int", in_zone<month>},
      {"getDate", "timestamp.() -> int", in_utc<date>},
      {"getDate", "timestamp.(string) -> int", in_zone<date>},
      {"getDayOfMonth", "timestamp.() -> int", in_utc<day_of_month>},
      {"getDayOfMonth", "timestamp.(string) -> int", in_zone<day_of_month>},
      {"getDayOfWeek", "timestamp.() -> int", in_utc<day_of_week>},
      {"getDayOfWeek", "timestamp.(string) -> int", in_zone<day_of_week>},
      {"getDayOfYear", "timestamp.() -> int", in_utc<day_of_year>},
      {"getDayOfYear", "timestamp.(string) -> int", in_zone<day_of_year>},
      {"getHours", "timestamp.() -> int", in_utc<hour>},
      {"getHours", "timestamp.(string) -> int", in_zone<hour>},
      {"getMinutes", "timestamp.() -> int", in_utc<minute>},
      {"getMinutes", "timestamp.(string) -> int", in_zone<minute>},
      {"getSeconds", "timestamp.() -> int", in_utc<second>},
      {"getSeconds", "timestamp.(string) -> int", in_zone<second>},
      {"getMilliseconds", "timestamp.() -> int", milliseconds},
      {"getMilliseconds", "timestamp.(string) -> int", milliseconds},
      {"getHours", "duration.() -> int", duration_in<3600>},
      {"getMinutes", "duration.() -> int", duration_in<60>},
      {"getSeconds", "duration.() -> int", duration_in<1>},
      // Of the second only, as the conformance suite has it; the others are totals.
      {"getMilliseconds", "duration.() -> int", milliseconds},
  };
  return kRows;
}

}  // namespace spur::expression
