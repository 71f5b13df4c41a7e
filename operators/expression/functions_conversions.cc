// Conversions between types, by the target's name: int("7"), string(20.0),
// timestamp("2026-03-01T08:00:00Z").

#include <charconv>
#include <cmath>

#include "absl/strings/charconv.h"
#include "operators/expression/calendar.h"
#include "operators/expression/functions.h"
#include "operators/expression/text.h"
#include "operators/expression/utf8.h"

namespace spur::expression {
namespace {

using Arguments = std::span<const Value>;

constexpr char kRange[] = "the number is out of range";
constexpr char kNotANumber[] = "the text is no number";
constexpr double kTwoTo63 = 9223372036854775808.0;
constexpr double kTwoTo64 = 18446744073709551616.0;

Value same(Evaluation&, Arguments a) { return a[0]; }

template <typename Integer>
bool parse_integer(std::string_view text, Integer* out) {
  if (!text.empty() && text[0] == '+') text.remove_prefix(1);
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), *out);
  return problem == std::errc() && end == text.data() + text.size();
}

Value uint_to_int(Evaluation&, Arguments a) {
  if (a[0].as_uint() > static_cast<std::uint64_t>(INT64_MAX)) return Value::error(kRange);
  return Value::integer(static_cast<std::int64_t>(a[0].as_uint()));
}
// The ends themselves are refused too: a double there may stand for a number beyond.
Value double_to_int(Evaluation&, Arguments a) {
  const double d = a[0].as_double();
  if (!(d > -kTwoTo63 && d < kTwoTo63)) return Value::error(kRange);
  return Value::integer(static_cast<std::int64_t>(d));
}
Value string_to_int(Evaluation&, Arguments a) {
  std::int64_t value = 0;
  if (!parse_integer(a[0].as_text(), &value)) return Value::error(kNotANumber);
  return Value::integer(value);
}
Value timestamp_to_int(Evaluation&, Arguments a) { return Value::integer(a[0].seconds()); }

Value int_to_uint(Evaluation&, Arguments a) {
  if (a[0].as_int() < 0) return Value::error(kRange);
  return Value::unsigned_integer(static_cast<std::uint64_t>(a[0].as_int()));
}
Value double_to_uint(Evaluation&, Arguments a) {
  const double d = a[0].as_double();
  if (!(d > -1 && d < kTwoTo64)) return Value::error(kRange);
  return Value::unsigned_integer(static_cast<std::uint64_t>(d));
}
Value string_to_uint(Evaluation&, Arguments a) {
  std::uint64_t value = 0;
  if (!parse_integer(a[0].as_text(), &value)) return Value::error(kNotANumber);
  return Value::unsigned_integer(value);
}

Value int_to_double(Evaluation&, Arguments a) {
  return Value::real(static_cast<double>(a[0].as_int()));
}
Value uint_to_double(Evaluation&, Arguments a) {
  return Value::real(static_cast<double>(a[0].as_uint()));
}
Value string_to_double(Evaluation&, Arguments a) {
  std::string_view text = a[0].as_text();
  if (text == "NaN") return Value::real(std::nan(""));
  if (!text.empty() && text[0] == '+') text.remove_prefix(1);
  if (text == "Infinity") return Value::real(HUGE_VAL);
  if (text == "-Infinity") return Value::real(-HUGE_VAL);
  // absl also reads words; a number has a digit or a point behind its sign.
  const std::size_t first = !text.empty() && text[0] == '-' ? 1 : 0;
  const bool digit =
      first < text.size() && ((text[first] >= '0' && text[first] <= '9') || text[first] == '.');
  double value = 0;
  const auto [end, problem] = absl::from_chars(text.data(), text.data() + text.size(), value);
  if (!digit || problem == std::errc::invalid_argument || end != text.data() + text.size()) {
    return Value::error(kNotANumber);
  }
  if (std::isinf(value)) return Value::error(kRange);
  return Value::real(value);
}

Value scalar_to_string(Evaluation& e, Arguments a) { return e.string(to_text(a[0])); }
Value bytes_to_string(Evaluation& e, Arguments a) {
  if (!e.spend_text(a[0].as_text().size())) return Value::error(kTooManySteps);
  if (!is_utf8(a[0].as_text())) return Value::error("the bytes are not UTF-8");
  return Value::string(a[0].as_text());
}
Value string_to_bytes(Evaluation&, Arguments a) { return Value::bytes(a[0].as_text()); }

Value string_to_bool(Evaluation&, Arguments a) {
  const std::string_view text = a[0].as_text();
  for (const std::string_view yes : {"true", "True", "TRUE", "t", "1"}) {
    if (text == yes) return Value::boolean(true);
  }
  for (const std::string_view no : {"false", "False", "FALSE", "f", "0"}) {
    if (text == no) return Value::boolean(false);
  }
  return Value::error("the text is neither true nor false");
}

Value string_to_timestamp(Evaluation&, Arguments a) { return parse_timestamp(a[0].as_text()); }
Value int_to_timestamp(Evaluation&, Arguments a) { return make_timestamp(a[0].as_int(), 0); }
Value string_to_duration(Evaluation& e, Arguments a) {
  return parse_duration(a[0].as_text(), !e.strict);
}

Value type_of(Evaluation&, Arguments a) { return Value::type(type_name(a[0].kind())); }

}  // namespace

std::span<const Row> conversion_rows() {
  static constexpr Row kRows[] = {
      {"int", "(int) -> int", same},
      {"int", "(uint) -> int", uint_to_int},
      {"int", "(double) -> int", double_to_int},
      {"int", "(string) -> int", string_to_int},
      {"int", "(timestamp) -> int", timestamp_to_int},
      {"uint", "(uint) -> uint", same},
      {"uint", "(int) -> uint", int_to_uint},
      {"uint", "(double) -> uint", double_to_uint},
      {"uint", "(string) -> uint", string_to_uint},
      {"double", "(double) -> double", same},
      {"double", "(int) -> double", int_to_double},
      {"double", "(uint) -> double", uint_to_double},
      {"double", "(string) -> double", string_to_double},
      {"string", "(string) -> string", same},
      {"string", "(bool) -> string", scalar_to_string},
      {"string", "(int) -> string", scalar_to_string},
      {"string", "(uint) -> string", scalar_to_string},
      {"string", "(double) -> string", scalar_to_string},
      {"string", "(bytes) -> string", bytes_to_string},
      {"string", "(timestamp) -> string", scalar_to_string},
      {"string", "(duration) -> string", scalar_to_string},
      {"bytes", "(bytes) -> bytes", same},
      {"bytes", "(string) -> bytes", string_to_bytes},
      {"bool", "(bool) -> bool", same},
      {"bool", "(string) -> bool", string_to_bool},
      {"timestamp", "(timestamp) -> timestamp", same},
      {"timestamp", "(string) -> timestamp", string_to_timestamp},
      {"timestamp", "(int) -> timestamp", int_to_timestamp},
      {"duration", "(duration) -> duration", same},
      {"duration", "(string) -> duration", string_to_duration},
      {"dyn", "(A) -> dyn", same},
      {"type", "(A) -> type(A)", type_of},
  };
  return kRows;
}

}  // namespace spur::expression
