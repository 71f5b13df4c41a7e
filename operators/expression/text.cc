#include "operators/expression/text.h"

#include <charconv>
#include <cmath>
#include <cstdint>

#include "absl/strings/escaping.h"
#include "absl/strings/string_view.h"
#include "operators/expression/calendar.h"
#include "operators/expression/containers.h"

namespace spur::expression {
namespace {

// The digits and the decimal exponent of a finite, positive double: 1250.0 is "125" and 3 (0.125 ×
// 10⁴).
struct Digits {
  std::string digits;
  int exponent = 0;  // 0.digits × 10^(exponent + 1)
};

Digits shortest_digits(double d) {
  char buffer[40];
  const auto end =
      std::to_chars(buffer, buffer + sizeof(buffer), d, std::chars_format::scientific).ptr;
  Digits result;
  const char* at = buffer;
  for (; at != end && *at != 'e'; ++at) {
    if (*at != '.') result.digits += *at;
  }
  ++at;                  // the e
  if (*at == '+') ++at;  // from_chars takes no plus
  std::from_chars(at, end, result.exponent);
  return result;
}

// A fraction of a second without its trailing zeros, with its point; nothing for 0.
void append_fraction(std::string* out, std::int32_t nanos) {
  if (nanos == 0) return;
  char digits[10];
  digits[0] = '.';
  std::size_t used = 1;
  for (int i = 9; i >= 1; --i) {
    digits[i] = static_cast<char>('0' + nanos % 10);
    if (digits[i] != '0' && used == 1) used = static_cast<std::size_t>(i) + 1;
    nanos /= 10;
  }
  out->append(digits, used);
}

void append_padded(std::string* out, std::int64_t number, int width) {
  const std::string digits = std::to_string(number);
  for (int i = static_cast<int>(digits.size()); i < width; ++i) out->push_back('0');
  *out += digits;
}

void append_json_list(std::string* out, const Value& list) {
  *out += '[';
  bool first = true;
  for (const Value& element : list.elements()) {
    if (!first) *out += ',';
    first = false;
    append_json(out, element);
  }
  *out += ']';
}

void append_json_map(std::string* out, const Value& map) {
  *out += '{';
  bool first = true;
  MapCursor cursor(map);
  while (cursor.next()) {
    if (!first) *out += ',';
    first = false;
    append_json_string(out, to_text(cursor.key()));
    *out += ':';
    append_json(out, cursor.value());
  }
  *out += '}';
}

}  // namespace

std::string double_text(double d) {
  if (std::isnan(d)) return "NaN";
  if (std::isinf(d)) return d > 0 ? "Infinity" : "-Infinity";
  if (d == 0) return "0";
  const auto [digits, exponent] = shortest_digits(std::fabs(d));
  const int count = static_cast<int>(digits.size());
  std::string text = d < 0 ? "-" : "";
  if (exponent >= 21 || exponent < -6) {
    text += digits[0];
    if (count > 1) text += "." + digits.substr(1);
    text += exponent < 0 ? "e-" : "e+";
    return text + std::to_string(exponent < 0 ? -exponent : exponent);
  }
  if (exponent < 0) return text + "0." + std::string(-exponent - 1, '0') + digits;
  if (count <= exponent + 1) return text + digits + std::string(exponent + 1 - count, '0');
  return text + digits.substr(0, exponent + 1) + "." + digits.substr(exponent + 1);
}

std::string timestamp_text(std::int64_t seconds, std::int32_t nanos) {
  const CivilTime civil = civil_time(seconds, 0);
  std::string text;
  append_padded(&text, civil.year, 4);
  text += '-';
  append_padded(&text, civil.month, 2);
  text += '-';
  append_padded(&text, civil.day, 2);
  text += 'T';
  append_padded(&text, civil.hour, 2);
  text += ':';
  append_padded(&text, civil.minute, 2);
  text += ':';
  append_padded(&text, civil.second, 2);
  append_fraction(&text, nanos);
  return text + "Z";
}

std::string duration_text(std::int64_t seconds, std::int32_t nanos) {
  std::string text = seconds < 0 || nanos < 0 ? "-" : "";
  const std::uint64_t magnitude =
      seconds < 0 ? 0 - static_cast<std::uint64_t>(seconds) : static_cast<std::uint64_t>(seconds);
  text += std::to_string(magnitude);
  append_fraction(&text, nanos < 0 ? -nanos : nanos);
  return text + "s";
}

std::string base64_text(std::string_view bytes) {
  return absl::Base64Escape(absl::string_view(bytes.data(), bytes.size()));
}

std::string to_text(const Value& value) {
  switch (value.kind()) {
    case Kind::kAbsent:
      return "";
    case Kind::kNull:
      return "null";
    case Kind::kBool:
      return value.as_bool() ? "true" : "false";
    case Kind::kInt:
      return std::to_string(value.as_int());
    case Kind::kUint:
      return std::to_string(value.as_uint());
    case Kind::kDouble:
      return double_text(value.as_double());
    case Kind::kString:
    case Kind::kType:
    case Kind::kError:
      return std::string(value.as_text());
    case Kind::kBytes:
      return base64_text(value.as_text());
    case Kind::kTimestamp:
      return timestamp_text(value.seconds(), value.nanos());
    case Kind::kDuration:
      return duration_text(value.seconds(), value.nanos());
    case Kind::kList:
    case Kind::kMap:
      return to_json(value);
    case Kind::kOptional:
      return value.optional_value() == nullptr ? "" : to_text(*value.optional_value());
  }
  return "";
}

void append_json_string(std::string* out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  *out += '"';
  std::size_t plain = 0;  // what is not copied yet begins here
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c != '"' && c != '\\' && static_cast<unsigned char>(c) >= 0x20) [[likely]] continue;
    out->append(text, plain, i - plain);
    plain = i + 1;
    *out += '\\';
    switch (c) {
      case '\n':
        *out += 'n';
        break;
      case '\r':
        *out += 'r';
        break;
      case '\t':
        *out += 't';
        break;
      case '\b':
        *out += 'b';
        break;
      case '\f':
        *out += 'f';
        break;
      default:
        if (static_cast<unsigned char>(c) >= 0x20) {
          *out += c;
        } else {
          *out += "u00";
          *out += kHex[c >> 4];
          *out += kHex[c & 0xF];
        }
    }
  }
  out->append(text, plain);
  *out += '"';
}

void append_json(std::string* out, const Value& value) {
  switch (value.kind()) {
    case Kind::kAbsent:
    case Kind::kNull:
    case Kind::kError:
      *out += "null";
      return;
    case Kind::kBool:
    case Kind::kInt:
    case Kind::kUint:
      *out += to_text(value);
      return;
    case Kind::kDouble:
      if (std::isfinite(value.as_double())) {
        *out += double_text(value.as_double());
      } else {
        append_json_string(out, double_text(value.as_double()));
      }
      return;
    case Kind::kString:
    case Kind::kBytes:
    case Kind::kTimestamp:
    case Kind::kDuration:
    case Kind::kType:
      append_json_string(out, to_text(value));
      return;
    case Kind::kList:
      append_json_list(out, value);
      return;
    case Kind::kMap:
      append_json_map(out, value);
      return;
    case Kind::kOptional:
      append_json(out, value.optional_value() == nullptr ? Value::null() : *value.optional_value());
      return;
  }
}

std::string to_json(const Value& value) {
  std::string out;
  append_json(&out, value);
  return out;
}

}  // namespace spur::expression
