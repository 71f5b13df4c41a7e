// Cron: the five-field schedule, minute by minute in a zone.
//
//     minute        0-59
//     hour          0-23
//     day of month  1-31
//     month         1-12 or JAN-DEC
//     day of week   0-7 or SUN-SAT; 0 and 7 are Sunday
//
// Each field is `*`, a number, a range `1-5`, either with a step `*/15`, `8-18/2`, or a list of
// these `1,15,20-25`. Names may stand wherever their number may, in any case. Also @hourly, @daily,
// @midnight, @weekly, @monthly, @yearly and @annually.
//
// As in Vixie's cron, if both day fields are restricted a day matches when EITHER does ("0 0 13 *
// FRI" is every 13th and every Friday); a field that begins with `*` (also `*/2`) does not count as
// restricted, and then both must match.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "operators/calendar.h"
#include "state/time.h"

namespace spur {

// What is wrong with a schedule's text, and where in it.
struct CronError {
  std::size_t offset = 0;  // bytes from the start of the text
  std::string message;     // "hour 24 is out of range"
  std::string hint;        // "0 to 23"; may be empty
};

class Cron {
 public:
  struct Parsed;
  // Never throws; exactly one of `cron` and `error` is set.
  static Parsed parse(std::string_view text);

  // The first instant strictly after `after` that the schedule names, or never() if there is none
  // ("0 0 30 2 *"). By the calendar's two rules, a skipped local time fires when the gap ends
  // (several skipped ones fire once there), and a double one fires once, the first time. `after` =
  // never() gives never().
  Instant next(Instant after, const Zone& zone) const;

 private:
  bool day_matches(const Date& date, int weekday) const;
  bool possible() const;

  std::uint64_t minutes_ = 0;        // bit n: minute n
  std::uint32_t hours_ = 0;          // bit n: hour n
  std::uint32_t days_of_month_ = 0;  // bit n: day n, from 1
  std::uint32_t months_ = 0;         // bit n: month n, from 1
  std::uint32_t days_of_week_ = 0;   // bit n: weekday n, Sunday is 0
  bool either_day_ = false;          // both day fields are restricted: one is enough
};

struct Cron::Parsed {
  std::optional<Cron> cron;
  std::optional<CronError> error;
};

}  // namespace spur
