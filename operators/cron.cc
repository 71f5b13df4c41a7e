#include "operators/cron.h"

#include <array>
#include <bit>
#include <span>
#include <vector>

namespace spur {
namespace {

struct Field {
  std::string_view name;
  int min;
  int max;
  std::string_view range;                   // for people
  std::span<const std::string_view> names;  // of min, min + 1, …
};

constexpr std::string_view kMonths[] = {"JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                                        "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
constexpr std::string_view kWeekdays[] = {"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"};

constexpr std::array<Field, 5> kFields = {{
    {"minute", 0, 59, "0 to 59", {}},
    {"hour", 0, 23, "0 to 23", {}},
    {"day of month", 1, 31, "1 to 31", {}},
    {"month", 1, 12, "1 to 12 or JAN to DEC", kMonths},
    {"day of week", 0, 7, "0 to 7 or SUN to SAT", kWeekdays},
}};

constexpr std::string_view kFiveFields =
    "minute hour day-of-month month day-of-week, such as 0 9 * * MON";

struct Shorthand {
  std::string_view name;
  std::string_view meaning;
};
constexpr Shorthand kShorthands[] = {
    {"@hourly", "0 * * * *"},   {"@daily", "0 0 * * *"},   {"@midnight", "0 0 * * *"},
    {"@weekly", "0 0 * * 0"},   {"@monthly", "0 0 1 * *"}, {"@yearly", "0 0 1 1 *"},
    {"@annually", "0 0 1 1 *"},
};

constexpr char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_letter(char c) { return upper(c) >= 'A' && upper(c) <= 'Z'; }
constexpr bool is_space(char c) { return c == ' ' || c == '\t'; }

// One field, read from left to right; the first thing that is wrong stops it.
class FieldParser {
 public:
  FieldParser(const Field& field, std::string_view text, std::size_t offset)
      : field_(field), text_(text), offset_(offset) {}

  // The bits named, or nullopt with error() set.
  std::optional<std::uint64_t> parse() {
    std::uint64_t bits = 0;
    do {
      if (!parse_item(bits)) return std::nullopt;
    } while (take(','));
    if (at_ < text_.size()) {
      fail(at_, std::string("unexpected `") + text_[at_] + "` in " + std::string(field_.name));
      return std::nullopt;
    }
    return bits;
  }
  CronError error() const { return error_; }

 private:
  bool parse_item(std::uint64_t& bits) {
    const std::size_t start = at_;
    int low = field_.min, high = field_.max;
    bool is_range = true;
    if (!take('*')) {
      const std::optional<int> first = parse_value();
      if (!first) return false;
      low = high = *first;
      is_range = take('-');
      if (is_range) {
        const std::optional<int> last = parse_value();
        if (!last) return false;
        high = *last;
      }
      if (high < low) {
        return fail(start, "the range " + std::string(text_.substr(start, at_ - start)) + " in " +
                               std::string(field_.name) + " runs backwards");
      }
    }
    int step = 1;
    if (take('/')) {
      const std::size_t step_at = at_;
      if (!is_range) {
        return fail(start, "a step in " + std::string(field_.name) + " needs a range",
                    std::to_string(low) + "-" + std::to_string(field_.max) + "/n or */n");
      }
      const std::optional<int> number = parse_number();
      if (!number) return false;
      if (*number < 1 || *number > field_.max) {
        return fail(step_at,
                    "step " + std::to_string(*number) + " in " + std::string(field_.name) +
                        " is out of range",
                    "1 to " + std::to_string(field_.max));
      }
      step = *number;
    }
    for (int value = low; value <= high; value += step) bits |= std::uint64_t{1} << value;
    return true;
  }

  std::optional<int> parse_value() {
    const std::size_t start = at_;
    if (at_ < text_.size() && is_letter(text_[at_])) return parse_name();
    const std::optional<int> number = parse_number();
    if (!number) return std::nullopt;
    if (*number < field_.min || *number > field_.max) {
      fail(start, std::string(field_.name) + " " + std::to_string(*number) + " is out of range",
           std::string(field_.range));
      return std::nullopt;
    }
    return number;
  }

  std::optional<int> parse_name() {
    const std::size_t start = at_;
    while (at_ < text_.size() && is_letter(text_[at_])) ++at_;
    std::string name(text_.substr(start, at_ - start));
    for (char& c : name) c = upper(c);
    for (std::size_t i = 0; i < field_.names.size(); ++i) {
      if (field_.names[i] == name) return field_.min + static_cast<int>(i);
    }
    fail(start, "`" + name + "` is not a " + std::string(field_.name), std::string(field_.range));
    return std::nullopt;
  }

  std::optional<int> parse_number() {
    const std::size_t start = at_;
    int number = 0;
    while (at_ < text_.size() && is_digit(text_[at_])) {
      number = number * 10 + (text_[at_++] - '0');
      if (number > 10'000) number = 10'000;  // out of every range; keeps the sum from overflowing
    }
    if (at_ > start) return number;
    fail(start, "a number is missing in " + std::string(field_.name), std::string(field_.range));
    return std::nullopt;
  }

  bool take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  bool fail(std::size_t at, std::string message, std::string hint = "") {
    error_ = {offset_ + at, std::move(message), std::move(hint)};
    return false;
  }

  const Field& field_;
  std::string_view text_;
  std::size_t offset_;
  std::size_t at_ = 0;
  CronError error_;
};

struct Word {
  std::string_view text;
  std::size_t offset;
};

std::vector<Word> words_of(std::string_view text) {
  std::vector<Word> words;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t start = i;
    while (i < text.size() && !is_space(text[i])) ++i;
    if (i > start) words.push_back({text.substr(start, i - start), start});
    while (i < text.size() && is_space(text[i])) ++i;
  }
  return words;
}

Cron::Parsed failed(std::size_t offset, std::string message, std::string hint) {
  return {std::nullopt, CronError{offset, std::move(message), std::move(hint)}};
}

}  // namespace

Cron::Parsed Cron::parse(std::string_view text) {
  const std::vector<Word> words = words_of(text);
  if (words.size() == 1 && words[0].text[0] == '@') {
    for (const Shorthand& shorthand : kShorthands) {
      if (words[0].text == shorthand.name) return parse(shorthand.meaning);
    }
    return failed(words[0].offset, "`" + std::string(words[0].text) + "` is not a schedule",
                  "@hourly, @daily, @weekly, @monthly, @yearly or five fields");
  }
  if (words.size() != kFields.size()) {
    return failed(words.size() > kFields.size() ? words[kFields.size()].offset : text.size(),
                  "cron needs 5 fields and has " + std::to_string(words.size()),
                  std::string(kFiveFields));
  }
  std::array<std::uint64_t, kFields.size()> bits{};
  for (std::size_t i = 0; i < kFields.size(); ++i) {
    FieldParser parser(kFields[i], words[i].text, words[i].offset);
    const std::optional<std::uint64_t> parsed = parser.parse();
    if (!parsed) return {std::nullopt, parser.error()};
    bits[i] = *parsed;
  }
  Cron cron;
  cron.minutes_ = bits[0];
  cron.hours_ = static_cast<std::uint32_t>(bits[1]);
  cron.days_of_month_ = static_cast<std::uint32_t>(bits[2]);
  cron.months_ = static_cast<std::uint32_t>(bits[3]);
  cron.days_of_week_ =
      static_cast<std::uint32_t>((bits[4] | bits[4] >> 7) & 0x7f);  // 7 is Sunday too
  cron.either_day_ = words[2].text[0] != '*' && words[4].text[0] != '*';
  return {cron, std::nullopt};
}

bool Cron::day_matches(const Date& date, int weekday) const {
  const bool by_month = days_of_month_ >> date.day & 1;
  const bool by_week = days_of_week_ >> weekday & 1;
  return either_day_ ? by_month || by_week : by_month && by_week;
}

// Any day of the month falls on every weekday in the 400 years after which the calendar repeats, 29
// February too, so only the months' lengths can make a schedule empty.
bool Cron::possible() const {
  if (either_day_) return true;
  const int first_day = std::countr_zero(days_of_month_);
  for (int month = 1; month <= 12; ++month) {
    if ((months_ >> month & 1) && first_day <= days_in_month(2000, month)) return true;
  }
  return false;
}

Instant Cron::next(Instant after, const Zone& zone) const {
  if (after == Instant::never() || !possible()) return Instant::never();
  // A later local time is never an earlier instant, so the walk over local times from that of
  // `after` misses nothing.
  const LocalTime start = zone.local(after);
  for (Day day = start.day;; day = day + 1) {
    const Date date = date_of(day);
    if (!(months_ >> date.month & 1)) {
      day = day + (days_in_month(date.year, date.month) - date.day);
      continue;
    }
    if (!day_matches(date, weekday_of(day))) continue;
    for (int hour = day == start.day ? start.minute_of_day() / 60 : 0; hour < 24; ++hour) {
      if (!(hours_ >> hour & 1)) continue;
      for (std::uint64_t rest = minutes_; rest != 0; rest &= rest - 1) {
        const Instant candidate = zone.instant(day, hour * 60 + std::countr_zero(rest));
        if (candidate > after) return candidate;
      }
    }
  }
}

}  // namespace spur
