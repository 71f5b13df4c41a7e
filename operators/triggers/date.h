// The operator `date`: fires at a date of the customer, once or as it comes back each year or
// month, some days before or after it, at a time of day in the customer's zone or a named one. The
// key is the date that has come.
//
// The trigger's timer stands at the next occurrence, and is set anew whenever something changes
// that the date is read from. One that lies behind when the date becomes known is over; one at that
// very instant is not.
#pragma once

#include <optional>
#include <string_view>

#include "operators/calendar.h"
#include "operators/turn.h"

namespace spur::triggers {

// Sets the timer to the first occurrence at or after `from` that has not been asked about.
void plan_date(Turn& turn, std::uint32_t trigger, Instant from);
// The timer is due now: fires, and plans the next.
void ask_date(Turn& turn, std::uint32_t trigger);

// A date as people give it: `2026-05-12`, whatever follows in the text; `--05-12` or the year 0000:
// without a year.
struct GivenDate {
  std::optional<int> year;
  int month = 1;
  int day = 1;
};
std::optional<GivenDate> parse_given_date(std::string_view text);

// One time that it comes: the day, without the offset; how many years or months after the given
// one; and the instant.
struct Occurrence {
  Day day;
  std::int64_t count = 0;
  Instant at = Instant::never();
};

// The first occurrence at or after `from`; at never() if there is none. A day that a month does not
// have is its last.
struct DateRule {
  catalog::Every every = catalog::Every::kNever;
  std::int64_t offset_days = 0;
  int minute_of_day = 0;
  Zone zone;
};
Occurrence next_occurrence(const GivenDate& date, const DateRule& rule, Instant from);

}  // namespace spur::triggers
