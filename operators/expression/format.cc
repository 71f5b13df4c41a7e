#include "operators/expression/format.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>
#include <vector>

#include "operators/expression/containers.h"
#include "operators/expression/text.h"

namespace spur::expression {
namespace {

constexpr int kPrecisionDefault = 6;
constexpr int kPrecisionMax = 100;

class Formatter {
 public:
  Formatter(Evaluation& evaluation, std::span<const Value> arguments)
      : evaluation_(evaluation), arguments_(arguments), out_(evaluation) {}

  Value run(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t percent = std::min(text.find('%', at), text.size());
      out_.append(text.substr(at, percent - at));
      at = percent;
      if (at == text.size()) break;
      ++at;
      if (at < text.size() && text[at] == '%') {
        out_.append("%");
        ++at;
      } else if (!clause(text, &at)) {
        return problem_;
      }
    }
    return out_.finish();
  }

 private:
  bool fail(std::initializer_list<std::string_view> message) {
    problem_ = evaluation_.error(message);
    return false;
  }
  bool wrong_kind(std::string_view clause, const Value& value) {
    return fail({clause, " cannot print a ", type_name(value.kind())});
  }

  // One clause, from behind its percent sign.
  bool clause(std::string_view text, std::size_t* at) {
    int precision = kPrecisionDefault;
    if (*at < text.size() && text[*at] == '.') {
      precision = 0;
      for (++*at; *at < text.size() && text[*at] >= '0' && text[*at] <= '9'; ++*at) {
        precision = std::min(precision * 10 + (text[*at] - '0'), kPrecisionMax);
      }
    }
    if (*at >= text.size()) return fail({"format: a clause is not finished"});
    const std::string_view verb = text.substr(*at, 1);
    ++*at;
    if (next_ >= arguments_.size()) {
      return fail({"format: no argument for clause ", std::to_string(next_ + 1)});
    }
    if (!evaluation_.spend(1)) {
      problem_ = Value::error(kTooManySteps);
      return false;
    }
    const Value& argument = arguments_[next_++];
    switch (verb[0]) {
      case 's':
        return any(argument);
      case 'd':
        return decimal(argument);
      case 'f':
        return real(argument, std::chars_format::fixed, precision, "%f");
      case 'e':
        return real(argument, std::chars_format::scientific, precision, "%e");
      case 'x':
        return hexadecimal(argument, false);
      case 'X':
        return hexadecimal(argument, true);
      case 'o':
        return in_base(argument, 8, false, "%o");
      case 'b':
        if (argument.is(Kind::kBool)) return out_.append(argument.as_bool() ? "1" : "0") || true;
        return in_base(argument, 2, false, "%b");
      default:
        return fail({"format: no such clause: %", verb});
    }
  }

  // %s: as string() prints scalars; lists and maps without quotes, maps ordered by key so that the
  // text does not depend on how the map came to be.
  bool any(const Value& value) {
    switch (value.kind()) {
      case Kind::kBytes:
        out_.append(value.as_text());
        return true;
      case Kind::kList:
        return list(value);
      case Kind::kMap:
        return map(value);
      case Kind::kOptional:
      case Kind::kError:
      case Kind::kAbsent:
        return wrong_kind("%s", value);
      default:
        out_.append(to_text(value));
        return true;
    }
  }

  bool list(const Value& value) {
    out_.append("[");
    bool first = true;
    for (const Value& element : value.elements()) {
      if (!first) out_.append(", ");
      first = false;
      if (!spend() || !any(element)) return false;
    }
    out_.append("]");
    return true;
  }

  bool map(const Value& value) {
    std::vector<std::pair<std::string, Value>> entries;
    MapCursor cursor(value);
    while (cursor.next()) {
      if (!spend()) return false;
      entries.emplace_back(to_text(cursor.key()), cursor.value());
    }
    std::stable_sort(entries.begin(), entries.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    out_.append("{");
    bool first = true;
    for (const auto& [key, entry] : entries) {
      if (!first) out_.append(", ");
      first = false;
      out_.append(key);
      out_.append(": ");
      if (!any(entry)) return false;
    }
    out_.append("}");
    return true;
  }

  bool spend() {
    if (evaluation_.spend(1)) return true;
    problem_ = Value::error(kTooManySteps);
    return false;
  }

  bool decimal(const Value& value) {
    if (!value.is_number()) return wrong_kind("%d", value);
    out_.append(to_text(value));
    return true;
  }

  bool real(const Value& value, std::chars_format form, int precision, std::string_view clause) {
    double d = 0;
    switch (value.kind()) {
      case Kind::kDouble:
        d = value.as_double();
        break;
      case Kind::kInt:
        d = static_cast<double>(value.as_int());
        break;
      case Kind::kUint:
        d = static_cast<double>(value.as_uint());
        break;
      default:
        return wrong_kind(clause, value);
    }
    if (!std::isfinite(d)) {
      out_.append(double_text(d));
      return true;
    }
    char buffer[512];  // 309 digits before the point, 100 behind it
    const auto end = std::to_chars(buffer, buffer + sizeof(buffer), d, form, precision).ptr;
    out_.append({buffer, static_cast<std::size_t>(end - buffer)});
    return true;
  }

  bool hexadecimal(const Value& value, bool upper) {
    if (!value.is(Kind::kString) && !value.is(Kind::kBytes)) {
      return in_base(value, 16, upper, upper ? "%X" : "%x");
    }
    const char* digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    for (const char c : value.as_text()) {
      const auto byte = static_cast<unsigned char>(c);
      const char pair[2] = {digits[byte >> 4], digits[byte & 0xF]};
      if (!out_.append({pair, 2})) break;
    }
    return true;
  }

  bool in_base(const Value& value, int base, bool upper, std::string_view clause) {
    char buffer[72];
    char* end = buffer;
    if (value.is(Kind::kInt)) {
      end = std::to_chars(buffer, buffer + sizeof(buffer), value.as_int(), base).ptr;
    } else if (value.is(Kind::kUint)) {
      end = std::to_chars(buffer, buffer + sizeof(buffer), value.as_uint(), base).ptr;
    } else {
      return wrong_kind(clause, value);
    }
    for (char* c = buffer; upper && c != end; ++c) {
      if (*c >= 'a' && *c <= 'f') *c = static_cast<char>(*c - 'a' + 'A');
    }
    out_.append({buffer, static_cast<std::size_t>(end - buffer)});
    return true;
  }

  Evaluation& evaluation_;
  std::span<const Value> arguments_;
  std::size_t next_ = 0;
  TextBuilder out_;
  Value problem_;
};

}  // namespace

Value format(Evaluation& evaluation, std::string_view text, std::span<const Value> arguments) {
  return Formatter(evaluation, arguments).run(text);
}

Value quote(Evaluation& evaluation, std::string_view text) {
  TextBuilder out(evaluation);
  out.append("\"");
  for (std::size_t i = 0; i < text.size(); ++i) {
    switch (text[i]) {
      case '\a':
        out.append("\\a");
        break;
      case '\b':
        out.append("\\b");
        break;
      case '\f':
        out.append("\\f");
        break;
      case '\n':
        out.append("\\n");
        break;
      case '\r':
        out.append("\\r");
        break;
      case '\t':
        out.append("\\t");
        break;
      case '\v':
        out.append("\\v");
        break;
      case '\\':
        out.append("\\\\");
        break;
      case '"':
        out.append("\\\"");
        break;
      default:
        out.append(text.substr(i, 1));
        break;
    }
  }
  out.append("\"");
  return out.finish();
}

}  // namespace spur::expression
