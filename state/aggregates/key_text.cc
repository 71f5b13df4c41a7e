#include "state/aggregates/key_text.h"

#include <charconv>
#include <cstdint>
#include <cstdio>
#include <string>

namespace spur {
namespace {

// Room for the longest: 21 digits with a sign, or 17 digits with point and exponent.
struct Text {
  char bytes[48];
  std::size_t size = 0;

  void put(char c) { bytes[size++] = c; }
  void put(std::string_view text) {
    for (const char c : text) put(c);
  }
  // At least `width` digits, with leading zeros.
  void digits(std::uint64_t number, int width = 1) {
    char reversed[20];
    int n = 0;
    for (; number != 0 || n < width; number /= 10)
      reversed[n++] = static_cast<char>('0' + number % 10);
    while (n > 0) put(reversed[--n]);
  }
};

void write_int(std::int64_t i, Text& out) {
  if (i < 0) out.put('-');
  out.digits(i < 0 ? 0 - static_cast<std::uint64_t>(i) : static_cast<std::uint64_t>(i));
}

// Shortest digits and exponent come from the standard library, which is exact and knows no locale;
// only where the point goes is ours.
void write_double(double d, Text& out) {
  if (d == 0) return out.put('0');
  char scientific[32];
  const auto end = std::to_chars(scientific, scientific + sizeof scientific, d < 0 ? -d : d,
                                 std::chars_format::scientific)
                       .ptr;
  std::string_view text(scientific, static_cast<std::size_t>(end - scientific));
  const std::size_t e = text.find('e');
  int exponent = 0;
  const char* const from = text.data() + e + (text[e + 1] == '+' ? 2 : 1);
  std::from_chars(from, text.data() + text.size(), exponent);
  char digits[20];
  int count = 0;
  for (const char c : text.substr(0, e)) {
    if (c != '.') digits[count++] = c;
  }
  while (count > 1 && digits[count - 1] == '0') --count;

  if (d < 0) out.put('-');
  if (exponent >= 21 || exponent < -6) {
    out.put(digits[0]);
    if (count > 1) out.put('.');
    out.put({digits + 1, static_cast<std::size_t>(count - 1)});
    out.put(exponent < 0 ? "e-" : "e+");
    out.digits(static_cast<std::uint64_t>(exponent < 0 ? -exponent : exponent));
    return;
  }
  if (exponent < 0) {
    out.put("0.");
    for (int i = -1; i > exponent; --i) out.put('0');
  }
  for (int i = 0; i < count || i <= exponent; ++i) {
    if (exponent >= 0 && i == exponent + 1) out.put('.');
    out.put(i < count ? digits[i] : '0');
  }
}

void write_fraction(std::uint64_t nanos, Text& out) {
  if (nanos == 0) return;
  out.put('.');
  if (nanos % 1'000'000 == 0) return out.digits(nanos / 1'000'000, 3);
  if (nanos % 1'000 == 0) return out.digits(nanos / 1'000, 6);
  out.digits(nanos, 9);
}

// Days since 1970-01-01 to a date of the proleptic Gregorian calendar (Howard Hinnant's
// civil_from_days). False before year 0 and after 9999, which RFC 3339 cannot write.
bool write_date(std::int64_t days, Text& out) {
  if (days < -719'528 || days > 2'932'896) return false;
  const std::int64_t shifted = days + 719'468 + 146'097;  // so that it is positive
  const std::int64_t era = shifted / 146'097 - 1;
  const std::int64_t day_of_era = shifted % 146'097;
  const std::int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const std::int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t shifted_month = (5 * day_of_year + 2) / 153;  // from March
  const std::int64_t month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
  out.digits(static_cast<std::uint64_t>(year_of_era + era * 400 + (month <= 2 ? 1 : 0)), 4);
  out.put('-');
  out.digits(static_cast<std::uint64_t>(month), 2);
  out.put('-');
  out.digits(static_cast<std::uint64_t>(day_of_year - (153 * shifted_month + 2) / 5 + 1), 2);
  return true;
}

bool write_timestamp(const Value& value, Text& out) {
  std::int64_t days = value.seconds() / 86'400;
  std::int64_t rest = value.seconds() % 86'400;
  if (rest < 0) {
    rest += 86'400;
    days -= 1;
  }
  if (!write_date(days, out)) return false;
  const auto seconds = static_cast<std::uint64_t>(rest);
  out.put('T');
  out.digits(seconds / 3600, 2);
  out.put(':');
  out.digits(seconds / 60 % 60, 2);
  out.put(':');
  out.digits(seconds % 60, 2);
  write_fraction(static_cast<std::uint64_t>(value.nanos()), out);
  out.put('Z');
  return true;
}

void write_duration(const Value& value, Text& out) {
  const bool negative = value.seconds() < 0 || value.nanos() < 0;
  if (negative) out.put('-');
  out.digits(value.seconds() < 0 ? 0 - static_cast<std::uint64_t>(value.seconds())
                                 : static_cast<std::uint64_t>(value.seconds()));
  std::uint64_t nanos =
      static_cast<std::uint64_t>(value.nanos() < 0 ? -value.nanos() : value.nanos());
  if (nanos != 0) {
    int width = 9;
    for (; nanos % 10 == 0; nanos /= 10) --width;
    out.put('.');
    out.digits(nanos, width);
  }
  out.put('s');
}

bool write(const Value& value, Text& out) {
  switch (value.kind()) {
    case Kind::kInt:
      write_int(value.as_int(), out);
      return true;
    case Kind::kUint:
      out.digits(value.as_uint());
      return true;
    case Kind::kDouble:
      if (value.as_double() - value.as_double() != 0) return false;  // NaN or infinite
      write_double(value.as_double(), out);
      return true;
    case Kind::kTimestamp:
      return write_timestamp(value, out);
    case Kind::kDuration:
      write_duration(value, out);
      return true;
    default:
      return false;
  }
}

}  // namespace

std::optional<std::string_view> key_text(const Value& value, Arena& arena) {
  if (value.is(Kind::kString)) return value.as_text();
  if (value.is(Kind::kBool)) return value.as_bool() ? "true" : "false";
  if (value.is(Kind::kOptional)) {
    if (value.optional_value() == nullptr) return std::nullopt;
    return key_text(*value.optional_value(), arena);
  }
  Text text;
  if (!write(value, text)) return std::nullopt;
  return arena.copy({text.bytes, text.size});
}

}  // namespace spur
