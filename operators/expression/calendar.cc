#include "operators/expression/calendar.h"

#include <limits>
#include <string>

#include "absl/time/civil_time.h"
#include "absl/time/time.h"

namespace spur::expression {
namespace {

CivilTime from_civil(absl::CivilSecond civil) {
  CivilTime time;
  time.year = civil.year();
  time.month = civil.month();
  time.day = civil.day();
  time.hour = civil.hour();
  time.minute = civil.minute();
  time.second = civil.second();
  // absl counts from Monday; CEL from Sunday.
  time.weekday = (static_cast<int>(absl::GetWeekday(civil)) + 1) % 7;
  time.year_day = absl::GetYearDay(absl::CivilDay(civil));
  return time;
}

// Reads fixed-width digits and separators from the front of a text.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  std::optional<int> digits(std::size_t count) {
    if (text_.size() < count) return std::nullopt;
    int number = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (!is_digit(text_[i])) return std::nullopt;
      number = number * 10 + (text_[i] - '0');
    }
    text_.remove_prefix(count);
    return number;
  }
  bool take(char c) {
    if (text_.empty() || text_[0] != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  bool at_digit() const { return !text_.empty() && is_digit(text_[0]); }
  bool at_end() const { return text_.empty(); }
  char next() {
    const char c = text_[0];
    text_.remove_prefix(1);
    return c;
  }
  std::string_view rest() const { return text_; }
  void skip(std::size_t count) { text_.remove_prefix(count); }

 private:
  static bool is_digit(char c) { return c >= '0' && c <= '9'; }
  std::string_view text_;
};

// "+02:00", "-09:30", "02:00" in seconds east of UTC.
std::optional<std::int64_t> fixed_offset(std::string_view zone) {
  Reader reader(zone);
  const bool west = reader.take('-');
  if (!west) reader.take('+');
  const std::optional<int> hours = reader.digits(2);
  if (!hours || !reader.take(':')) return std::nullopt;
  const std::optional<int> minutes = reader.digits(2);
  if (!minutes || !reader.at_end() || *hours > 23 || *minutes > 59) return std::nullopt;
  const std::int64_t seconds = (*hours * 60 + *minutes) * 60;
  return west ? -seconds : seconds;
}

// absl also reads paths and the machine's own zone; neither may decide anything here.
bool is_zone_name(std::string_view zone) {
  if (zone.empty() || zone.size() > 64 || zone == "localtime") return false;
  if (zone[0] == '/' || zone.find("..") != std::string_view::npos) return false;
  for (const char c : zone) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!letter && c != '_' && c != '-' && c != '+' && c != '/') return false;
  }
  return true;
}

constexpr char kBadTimestamp[] = "timestamp: not RFC 3339, as 2026-03-01T08:00:00Z is";
constexpr char kTimestampRange[] = "timestamp out of range: 0001-01-01 to 9999-12-31";
constexpr char kBadDuration[] = "duration: not a number with a unit, as 90s, 1h30m and 1.5h are";
constexpr char kDurationRange[] = "duration out of range: more than 292 years";

// Nanoseconds of one unit at the front of `reader`; 0 if there is none.
std::int64_t take_unit(Reader* reader, bool days) {
  struct Unit {
    std::string_view name;
    std::int64_t nanos;
    bool day;
  };
  static constexpr Unit kUnits[] = {
      {"ns", 1, false},
      {"us", 1'000, false},
      {"\xC2\xB5s", 1'000, false},  // µ, the micro sign
      {"\xCE\xBCs", 1'000, false},  // μ, the Greek letter
      {"ms", 1'000'000, false},
      {"s", kNanosPerSecond, false},
      {"m", 60 * kNanosPerSecond, false},
      {"h", 3'600 * kNanosPerSecond, false},
      {"d", 86'400 * kNanosPerSecond, true},
      {"w", 7 * 86'400 * kNanosPerSecond, true},
  };
  for (const Unit& unit : kUnits) {
    if (unit.day && !days) continue;
    if (reader->rest().substr(0, unit.name.size()) != unit.name) continue;
    reader->skip(unit.name.size());
    return unit.nanos;
  }
  return 0;
}

}  // namespace

CivilTime civil_time(std::int64_t unix_seconds, std::int64_t offset_seconds) {
  return from_civil(absl::CivilSecond(1970, 1, 1) + (unix_seconds + offset_seconds));
}

std::optional<CivilTime> civil_time_in(std::int64_t unix_seconds, std::string_view zone) {
  if (zone == "UTC") return civil_time(unix_seconds, 0);
  if (const std::optional<std::int64_t> offset = fixed_offset(zone)) {
    return civil_time(unix_seconds, *offset);
  }
  absl::TimeZone time_zone;
  if (!is_zone_name(zone) ||
      !absl::LoadTimeZone(absl::string_view(zone.data(), zone.size()), &time_zone)) {
    return std::nullopt;
  }
  return from_civil(time_zone.At(absl::FromUnixSeconds(unix_seconds)).cs);
}

Value make_timestamp(std::int64_t seconds, std::int64_t nanos) {
  std::int64_t carry = nanos / kNanosPerSecond;
  nanos %= kNanosPerSecond;
  if (nanos < 0) {
    nanos += kNanosPerSecond;
    carry -= 1;
  }
  if (__builtin_add_overflow(seconds, carry, &seconds) || seconds < kTimestampSecondsMin ||
      seconds > kTimestampSecondsMax) {
    return Value::error(kTimestampRange);
  }
  return Value::timestamp(seconds, static_cast<std::int32_t>(nanos));
}

Value make_duration(WideNanos nanos) {
  if (nanos > std::numeric_limits<std::int64_t>::max() ||
      nanos < std::numeric_limits<std::int64_t>::min()) {
    return Value::error(kDurationRange);
  }
  const auto narrow = static_cast<std::int64_t>(nanos);
  return Value::duration(narrow / kNanosPerSecond,
                         static_cast<std::int32_t>(narrow % kNanosPerSecond));
}

std::optional<std::int64_t> duration_nanos(const Value& duration) {
  std::int64_t nanos = 0;
  if (__builtin_mul_overflow(duration.seconds(), kNanosPerSecond, &nanos) ||
      __builtin_add_overflow(nanos, duration.nanos(), &nanos)) {
    return std::nullopt;
  }
  return nanos;
}

Value parse_timestamp(std::string_view text) {
  Reader reader(text);
  const auto year = reader.digits(4);
  if (!year || !reader.take('-')) return Value::error(kBadTimestamp);
  const auto month = reader.digits(2);
  if (!month || !reader.take('-')) return Value::error(kBadTimestamp);
  const auto day = reader.digits(2);
  if (!day || !(reader.take('T') || reader.take('t'))) return Value::error(kBadTimestamp);
  const auto hour = reader.digits(2);
  if (!hour || !reader.take(':')) return Value::error(kBadTimestamp);
  const auto minute = reader.digits(2);
  if (!minute || !reader.take(':')) return Value::error(kBadTimestamp);
  const auto second = reader.digits(2);
  if (!second) return Value::error(kBadTimestamp);
  std::int64_t nanos = 0;
  if (reader.take('.')) {
    if (!reader.at_digit()) return Value::error(kBadTimestamp);
    // Digits beyond the ninth are dropped: they are less than CEL can hold.
    for (std::int64_t unit = kNanosPerSecond / 10; reader.at_digit(); unit /= 10) {
      nanos += (reader.next() - '0') * unit;
    }
  }
  std::int64_t offset = 0;
  if (!reader.take('Z') && !reader.take('z')) {
    const std::string_view zone = reader.rest();
    if (zone.empty() || (zone[0] != '+' && zone[0] != '-')) return Value::error(kBadTimestamp);
    const std::optional<std::int64_t> fixed = fixed_offset(zone);
    if (!fixed) return Value::error(kBadTimestamp);
    offset = *fixed;
    reader.skip(zone.size());
  }
  const absl::CivilSecond civil(*year, *month, *day, *hour, *minute, *second);
  // absl carries 31 April over into May; a text that says so is wrong.
  if (!reader.at_end() || civil.month() != *month || civil.day() != *day || civil.hour() != *hour ||
      civil.minute() != *minute || civil.second() != *second) {
    return Value::error(kBadTimestamp);
  }
  return make_timestamp(civil - absl::CivilSecond(1970, 1, 1) - offset, nanos);
}

Value parse_duration(std::string_view text, bool days) {
  Reader reader(text);
  const bool negative = reader.take('-');
  if (!negative) reader.take('+');
  if (reader.rest() == "0") return Value::duration(0, 0);
  if (reader.at_end()) return Value::error(kBadDuration);
  // A tenth of a nanosecond is dropped per part, as Go does. 2^100 leaves room to see the overflow.
  constexpr WideNanos kWide = static_cast<WideNanos>(1) << 70;
  WideNanos total = 0;
  while (!reader.at_end()) {
    if (!reader.at_digit() && reader.rest()[0] != '.') return Value::error(kBadDuration);
    WideNanos whole = 0;
    bool any = false;
    while (reader.at_digit()) {
      whole = whole * 10 + (reader.next() - '0');
      if (whole > kWide) return Value::error(kDurationRange);
      any = true;
    }
    WideNanos fraction = 0;
    WideNanos scale = 1;
    if (reader.take('.')) {
      while (reader.at_digit()) {
        const int digit = reader.next() - '0';
        any = true;
        if (scale > 1'000'000'000'000'000) continue;
        fraction = fraction * 10 + digit;
        scale *= 10;
      }
    }
    if (!any) return Value::error(kBadDuration);
    const std::int64_t unit = take_unit(&reader, days);
    if (unit == 0) return Value::error(kBadDuration);
    if (whole > kWide / unit) return Value::error(kDurationRange);
    total += whole * unit + fraction * unit / scale;
    if (total > kWide) return Value::error(kDurationRange);
  }
  return make_duration(negative ? -total : total);
}

}  // namespace spur::expression
