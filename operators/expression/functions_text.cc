// Strings: the standard functions and the string extension. Indexes count code points.

#include <algorithm>
#include <string>

#include "operators/expression/format.h"
#include "operators/expression/functions.h"
#include "operators/expression/patterns.h"
#include "operators/expression/utf8.h"

namespace spur::expression {
namespace {

using Arguments = std::span<const Value>;
constexpr std::size_t kNone = std::string_view::npos;

Value index_error(Evaluation& e, std::int64_t index) {
  return e.error({"index out of range: ", std::to_string(index)});
}

// Where code point number `index` of `text` starts, its end for the one past the last; kNone if out
// of range.
std::size_t offset_of(std::string_view text, std::int64_t index) {
  return index < 0 ? kNone : byte_offset(text, static_cast<std::size_t>(index));
}

Value position(std::string_view text, std::size_t found) {
  if (found == kNone) return Value::integer(-1);
  return Value::integer(static_cast<std::int64_t>(code_points(text.substr(0, found))));
}

Value contains(Evaluation& e, Arguments a) {
  if (!e.spend_text(a[0].as_text().size())) return Value::error(kTooManySteps);
  return Value::boolean(a[0].as_text().find(a[1].as_text()) != kNone);
}
Value starts_with(Evaluation&, Arguments a) {
  return Value::boolean(a[0].as_text().substr(0, a[1].as_text().size()) == a[1].as_text());
}
Value ends_with(Evaluation&, Arguments a) {
  const std::string_view text = a[0].as_text();
  const std::string_view end = a[1].as_text();
  return Value::boolean(text.size() >= end.size() && text.substr(text.size() - end.size()) == end);
}
Value matches(Evaluation& e, Arguments a) { return match_once(e, a[0].as_text(), a[1].as_text()); }

Value char_at(Evaluation& e, Arguments a) {
  const std::string_view text = a[0].as_text();
  const std::size_t at = offset_of(text, a[1].as_int());
  if (at == kNone) return index_error(e, a[1].as_int());
  if (at == text.size()) return Value::string("");
  std::size_t length = 1;
  decode_code_point(text, at, &length);
  return Value::string(text.substr(at, length));
}

Value index_of(Evaluation& e, Arguments a) {
  const std::string_view text = a[0].as_text();
  if (!e.spend_text(text.size())) return Value::error(kTooManySteps);
  const std::int64_t from = a.size() == 3 ? a[2].as_int() : 0;
  const std::size_t start = offset_of(text, from);
  if (start == kNone) return index_error(e, from);
  return position(text, text.find(a[1].as_text(), start));
}

Value last_index_of(Evaluation& e, Arguments a) {
  const std::string_view text = a[0].as_text();
  if (!e.spend_text(text.size())) return Value::error(kTooManySteps);
  std::size_t start = kNone;
  if (a.size() == 3) {
    start = offset_of(text, a[2].as_int());
    if (start == kNone) return index_error(e, a[2].as_int());
  }
  return position(text, text.rfind(a[1].as_text(), start));
}

Value change_case(Evaluation& e, std::string_view text, char first, char last, int shift) {
  if (!e.spend_text(text.size())) return Value::error(kTooManySteps);
  const std::span<char> out = e.arena.array<char>(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool in = text[i] >= first && text[i] <= last;
    out[i] = in ? static_cast<char>(text[i] + shift) : text[i];
  }
  return Value::string({out.data(), out.size()});
}
Value lower_ascii(Evaluation& e, Arguments a) {
  return change_case(e, a[0].as_text(), 'A', 'Z', 'a' - 'A');
}
Value upper_ascii(Evaluation& e, Arguments a) {
  return change_case(e, a[0].as_text(), 'a', 'z', 'A' - 'a');
}

// An empty `from` stands before each code point and at the end, as in Go.
Value replace(Evaluation& e, Arguments a) {
  const std::string_view text = a[0].as_text();
  const std::string_view from = a[1].as_text();
  const std::string_view to = a[2].as_text();
  std::int64_t left = a.size() == 4 ? a[3].as_int() : -1;
  TextBuilder out(e);
  std::size_t at = 0;
  while (left != 0) {
    if (!e.spend(1)) return Value::error(kTooManySteps);
    const std::size_t found = text.find(from, at);
    if (found == kNone) break;
    out.append(text.substr(at, found - at));
    if (!out.append(to)) break;
    at = found + from.size();
    --left;
    if (!from.empty()) continue;
    if (at >= text.size()) return out.finish();
    std::size_t length = 1;
    decode_code_point(text, at, &length);
    out.append(text.substr(at, length));
    at += length;
  }
  out.append(text.substr(std::min(at, text.size())));
  return out.finish();
}

Value split(Evaluation& e, Arguments a) {
  std::string_view rest = a[0].as_text();
  const std::string_view separator = a[1].as_text();
  const std::int64_t limit = a.size() == 3 ? a[2].as_int() : -1;
  if (limit == 0) return Value::list({});
  // At most one piece per separator and one more, or one per byte.
  std::size_t pieces_max = 1;
  for (std::size_t at = 0; !separator.empty() && (at = rest.find(separator, at)) != kNone;) {
    ++pieces_max;
    at += separator.size();
  }
  if (separator.empty()) pieces_max = code_points(rest);
  if (limit > 0) pieces_max = std::min(pieces_max, static_cast<std::size_t>(limit));
  if (pieces_max > e.limits.elements_max) return Value::error(kTooManyElements);
  if (!e.spend(pieces_max)) return Value::error(kTooManySteps);
  const std::span<Value> pieces = e.arena.array<Value>(pieces_max);
  for (std::size_t i = 0; i < pieces_max; ++i) {
    std::size_t length = rest.size();
    std::size_t skip = 0;
    if (i + 1 < pieces_max && separator.empty()) {
      decode_code_point(rest, 0, &length);
    } else if (i + 1 < pieces_max) {
      length = rest.find(separator);
      skip = separator.size();
    }
    pieces[i] = Value::string(rest.substr(0, length));
    rest.remove_prefix(length + skip);
  }
  return Value::list(pieces);
}

Value join(Evaluation& e, Arguments a) {
  const std::string_view separator = a.size() == 2 ? a[1].as_text() : std::string_view();
  TextBuilder out(e);
  bool first = true;
  for (const Value& piece : a[0].elements()) {
    if (!piece.is(Kind::kString)) return Value::error(kNoSuchOverload);
    if (!e.spend(1)) return Value::error(kTooManySteps);
    if (!first) out.append(separator);
    first = false;
    if (!out.append(piece.as_text())) break;
  }
  return out.finish();
}

Value substring(Evaluation& e, Arguments a) {
  const std::string_view text = a[0].as_text();
  const std::size_t begin = offset_of(text, a[1].as_int());
  if (begin == kNone) return index_error(e, a[1].as_int());
  if (a.size() == 2) return Value::string(text.substr(begin));
  const std::size_t end = offset_of(text, a[2].as_int());
  if (end == kNone) return index_error(e, a[2].as_int());
  if (end < begin) return Value::error("a substring's end lies before its start");
  return Value::string(text.substr(begin, end - begin));
}

Value trim(Evaluation&, Arguments a) {
  std::string_view text = a[0].as_text();
  std::size_t length = 1;
  while (!text.empty() && is_space(decode_code_point(text, 0, &length))) text.remove_prefix(length);
  while (!text.empty()) {
    std::size_t last = text.size() - 1;
    while (last > 0 && (static_cast<unsigned char>(text[last]) & 0xC0) == 0x80) --last;
    if (!is_space(decode_code_point(text, last, &length))) break;
    text = text.substr(0, last);
  }
  return Value::string(text);
}

Value reverse(Evaluation& e, Arguments a) {
  const std::string_view text = a[0].as_text();
  if (!e.spend_text(text.size())) return Value::error(kTooManySteps);
  const std::span<char> out = e.arena.array<char>(text.size());
  std::size_t end = out.size();
  for (std::size_t at = 0; at < text.size();) {
    std::size_t length = 1;
    decode_code_point(text, at, &length);
    end -= length;
    std::copy_n(text.data() + at, length, out.data() + end);
    at += length;
  }
  return Value::string({out.data(), out.size()});
}

Value quote_text(Evaluation& e, Arguments a) { return quote(e, a[0].as_text()); }
Value format_text(Evaluation& e, Arguments a) { return format(e, a[0].as_text(), a[1].elements()); }

}  // namespace

std::span<const Row> text_rows() {
  static constexpr Row kRows[] = {
      {"contains", "string.(string) -> bool", contains},
      {"startsWith", "string.(string) -> bool", starts_with},
      {"endsWith", "string.(string) -> bool", ends_with},
      {"matches", "string.(string) -> bool", matches},
      {"matches", "(string, string) -> bool", matches},
      {"charAt", "string.(int) -> string", char_at},
      {"indexOf", "string.(string) -> int", index_of},
      {"indexOf", "string.(string, int) -> int", index_of},
      {"lastIndexOf", "string.(string) -> int", last_index_of},
      {"lastIndexOf", "string.(string, int) -> int", last_index_of},
      {"lowerAscii", "string.() -> string", lower_ascii},
      {"upperAscii", "string.() -> string", upper_ascii},
      {"replace", "string.(string, string) -> string", replace},
      {"replace", "string.(string, string, int) -> string", replace},
      {"split", "string.(string) -> list(string)", split},
      {"split", "string.(string, int) -> list(string)", split},
      {"join", "list(string).() -> string", join},
      {"join", "list(string).(string) -> string", join},
      {"substring", "string.(int) -> string", substring},
      {"substring", "string.(int, int) -> string", substring},
      {"trim", "string.() -> string", trim},
      {"reverse", "string.() -> string", reverse},
      {"strings.quote", "(string) -> string", quote_text},
      {"format", "string.(list(dyn)) -> string", format_text},
  };
  return kRows;
}

}  // namespace spur::expression
