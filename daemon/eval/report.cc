#include "daemon/eval/report.h"

#include <algorithm>

#include "operators/expression/text.h"
#include "operators/expression/utf8.h"

namespace spur::eval {

std::string marked(std::string_view source, const expression::Diagnostic& diagnostic) {
  const std::size_t offset = std::min(diagnostic.offset, source.size());
  const std::string_view before = source.substr(0, offset);
  const std::size_t newline = before.rfind('\n');
  const std::size_t begin = newline == std::string_view::npos ? 0 : newline + 1;
  const std::size_t end = std::min(source.find('\n', offset), source.size());
  const std::string_view lead = source.substr(begin, offset - begin);
  const std::size_t length = std::min(diagnostic.length, end - offset);

  std::string out = std::to_string(1 + std::count(before.begin(), before.end(), '\n')) + ":" +
                    std::to_string(1 + expression::code_points(lead)) + ": " + diagnostic.message;
  if (!diagnostic.hint.empty()) out += "; " + diagnostic.hint;
  out += "\n  " + std::string(source.substr(begin, end - begin)) + "\n  ";
  for (std::size_t i = 0; i < expression::code_points(lead); ++i) {
    out += lead[expression::byte_offset(lead, i)] == '\t' ? '\t' : ' ';
  }
  const std::size_t carets = expression::code_points(source.substr(offset, length));
  return out + std::string(std::max<std::size_t>(carets, 1), '^');
}

std::string shown(const Value& value) {
  if (value.is(Kind::kType)) return std::string(value.as_text());
  if (!value.is(Kind::kOptional)) return expression::to_json(value);
  if (value.optional_value() == nullptr) return "optional.none()";
  return "optional.of(" + shown(*value.optional_value()) + ")";
}

}  // namespace spur::eval
