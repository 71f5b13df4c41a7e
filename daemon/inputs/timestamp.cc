#include "daemon/inputs/timestamp.h"

#include <cstdint>

namespace spur {
namespace {

constexpr int kBad = -1;

// Two digits as a number, or kBad. Reads p[0] and p[1].
int two_digits(const char* p) {
  const unsigned tens = static_cast<unsigned char>(p[0]) - unsigned{'0'};
  const unsigned ones = static_cast<unsigned char>(p[1]) - unsigned{'0'};
  return tens > 9 || ones > 9 ? kBad : static_cast<int>(tens * 10 + ones);
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_leap(int year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

int days_in_month(int year, int month) {
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && is_leap(year) ? 29 : kDays[month - 1];
}

// Days since 1970-01-01. Years counted from March, so that the leap day is the last of its year
// (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
std::int64_t days_since_epoch(int year, int month, int day) {
  const int y = month <= 2 ? year - 1 : year;
  const int era = (y >= 0 ? y : y - 399) / 400;
  const int year_of_era = y - era * 400;
  const int day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  const int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return std::int64_t{era} * 146'097 + day_of_era - 719'468;
}

// ".25" as 250, advancing `p` behind it; the digits beyond the third are checked and dropped. kBad:
// no digit, or ten.
int fraction_millis(const char*& p, const char* end) {
  int millis = 0;
  int digits = 0;
  for (++p; p != end && is_digit(*p); ++p, ++digits) {
    if (digits < 3) millis = millis * 10 + (*p - '0');
  }
  if (digits == 0 || digits > 9) return kBad;
  for (; digits < 3; ++digits) millis *= 10;
  return millis;
}

// "Z", "+02:00" or "+0200" as minutes east; false: anything else.
bool offset_minutes(std::string_view text, int& minutes) {
  minutes = 0;
  if (text == "Z" || text == "z") return true;
  const bool colon = text.size() == 6 && text[3] == ':';
  if (!colon && text.size() != 5) return false;
  if (text[0] != '+' && text[0] != '-') return false;
  const int hours = two_digits(text.data() + 1);
  const int rest = two_digits(text.data() + (colon ? 4 : 3));
  if (hours == kBad || hours > 23 || rest == kBad || rest > 59) return false;
  minutes = text[0] == '-' ? -(hours * 60 + rest) : hours * 60 + rest;
  return true;
}

}  // namespace

std::optional<Instant> parse_timestamp(std::string_view text) {
  constexpr std::size_t kShortest = sizeof("2026-03-01T08:30:00Z") - 1;
  if (text.size() < kShortest) return std::nullopt;
  const char* p = text.data();
  if (p[4] != '-' || p[7] != '-' || p[13] != ':' || p[16] != ':') return std::nullopt;
  if (p[10] != 'T' && p[10] != 't' && p[10] != ' ') return std::nullopt;
  const int century = two_digits(p);
  const int year_of_century = two_digits(p + 2);
  const int month = two_digits(p + 5);
  const int day = two_digits(p + 8);
  const int hour = two_digits(p + 11);
  const int minute = two_digits(p + 14);
  const int second = two_digits(p + 17);
  // kBad is -1, so one negative among them makes the disjunction negative.
  if ((century | year_of_century | month | day | hour | minute | second) < 0) return std::nullopt;
  const int year = century * 100 + year_of_century;
  if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month)) return std::nullopt;
  if (hour > 23 || minute > 59 || second > 59) return std::nullopt;

  const char* end = p + text.size();
  p += kShortest - 1;
  const int millis = *p == '.' ? fraction_millis(p, end) : 0;
  if (millis == kBad) return std::nullopt;
  int east = 0;
  if (!offset_minutes({p, static_cast<std::size_t>(end - p)}, east)) return std::nullopt;

  const std::int64_t minutes =
      (days_since_epoch(year, month, day) * 24 + hour) * 60 + minute - east;
  return Instant{(minutes * 60 + second) * 1000 + millis};
}

}  // namespace spur
