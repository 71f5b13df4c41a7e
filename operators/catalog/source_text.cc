#include "operators/catalog/source_text.h"

#include <algorithm>
#include <utility>

namespace spur::catalog {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t'; }
bool is_break(char c) { return c == '\n' || c == '\r'; }
bool continues_code_point(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

std::size_t utf8_size(char32_t c) { return c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4; }

// Walks a scalar's source and its value side by side. yaml-cpp has already read the scalar, so the
// walk only has to know how many bytes of source wrote the next byte of the value; when in doubt it
// stays where it is.
class ScalarWalk {
 public:
  ScalarWalk(std::string_view source, std::size_t begin, std::string_view value)
      : source_(source),
        value_(value),
        at_(begin),
        style_(begin < source.size() ? source[begin] : ' ') {
    if (style_ == '"' || style_ == '\'') ++at_;
    if (style_ == '|' || style_ == '>') enter_block();
  }

  std::size_t offset_of(std::size_t offset) {
    while (done_ < value_.size()) {
      skip_to_next();
      const std::size_t before = at_;
      step();
      if (done_ > offset) return before;  // also within what one escape wrote
    }
    return at_;
  }

 private:
  char peek(std::size_t ahead = 0) const {
    return at_ + ahead < source_.size() ? source_[at_ + ahead] : '\0';
  }
  bool block() const { return style_ == '|' || style_ == '>'; }

  // Past the header line; its indentation is that of the first line that is not blank, unless a
  // digit says otherwise. With a digit the parent's indentation would be needed too; the first line
  // is what it amounts to, but for a first line that begins with blanks of its own.
  void enter_block() {
    while (at_ < source_.size() && source_[at_] != '\n') ++at_;
    if (at_ < source_.size()) ++at_;
    for (std::size_t line = at_; line < source_.size();) {
      std::size_t text = line;
      while (text < source_.size() && source_[text] == ' ') ++text;
      if (text < source_.size() && !is_break(source_[text])) {
        indent_ = text - line;
        const std::size_t own =
            std::min(indent_, value_.find_first_not_of("\n") == std::string_view::npos
                                  ? 0
                                  : leading_blanks_of_value());
        indent_ -= own;
        break;
      }
      line = text;
      while (line < source_.size() && source_[line] != '\n') ++line;
      if (line < source_.size()) ++line;
    }
    skip_indent();
  }

  std::size_t leading_blanks_of_value() const {
    const std::size_t first = value_.find_first_not_of("\n");
    const std::size_t text = value_.find_first_not_of(' ', first);
    return (text == std::string_view::npos ? value_.size() : text) - first;
  }

  void skip_indent() {
    for (std::size_t i = 0; i < indent_ && peek() == ' '; ++i) ++at_;
  }

  bool take_break() {
    if (peek() == '\r' && peek(1) == '\n')
      at_ += 2;
    else if (is_break(peek()))
      ++at_;
    else
      return false;
    return true;
  }

  // What stands in the source and writes nothing: an escaped line break in double quotes.
  void skip_to_next() {
    while (style_ == '"' && peek() == '\\' && is_break(peek(1))) {
      ++at_;
      take_break();
      while (is_space(peek())) ++at_;
    }
  }

  void step() {
    if (block()) return step_block();
    std::size_t ahead = 0;
    while (is_space(peek(ahead))) ++ahead;
    if (is_break(peek(ahead))) return step_fold();
    if (style_ == '\'' && peek() == '\'') at_ += 1;  // the first of two; the second is passed below
    if (style_ == '"' && peek() == '\\') return step_escape();
    ++at_;
    ++done_;
  }

  // Line breaks in plain and quoted text: one is a space, n are n - 1 breaks.
  void step_fold() {
    std::size_t breaks = 0;
    for (;;) {
      while (is_space(peek())) ++at_;
      if (!take_break()) break;
      ++breaks;
    }
    done_ += std::max<std::size_t>(1, breaks - 1);
  }

  void step_escape() {
    const char kind = peek(1);
    const std::size_t digits = kind == 'x' ? 2 : kind == 'u' ? 4 : kind == 'U' ? 8 : 0;
    at_ += 2;
    if (digits == 0) {
      // \L and \P are three bytes, all others one.
      done_ += kind == 'L' || kind == 'P' ? 3 : 1;
      return;
    }
    char32_t code = 0;
    for (std::size_t i = 0; i < digits; ++i, ++at_) {
      const char c = peek();
      code = code * 16 + static_cast<char32_t>(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    done_ += utf8_size(code);
  }

  // A literal break is a break. A folded one is a space, or as many breaks as the value has there.
  void step_block() {
    if (!is_break(peek())) {
      ++at_;
      ++done_;
      return;
    }
    if (style_ == '|' || value_[done_] == '\n') {
      take_break();
      skip_indent();
      // Of n breaks between folded lines the value has n - 1: the last one goes with the one
      // before.
      const bool folds = style_ == '>' && done_ + 1 < value_.size() && value_[done_ + 1] != '\n' &&
                         is_break(peek());
      if (folds) {
        take_break();
        skip_indent();
      }
      ++done_;
      return;
    }
    take_break();
    skip_indent();
    ++done_;
  }

  std::string_view source_;
  std::string_view value_;
  std::size_t at_;
  char style_;
  std::size_t indent_ = 0;
  std::size_t done_ = 0;  // bytes of the value that the source before `at_` wrote
};

}  // namespace

SourceText::SourceText(std::string name, std::string text)
    : name_(std::move(name)), text_(std::move(text)) {
  if (text_.starts_with("\xef\xbb\xbf")) text_.erase(0, 3);
  line_begins_.push_back(0);
  for (std::size_t i = 0; i < text_.size(); ++i) {
    if (text_[i] == '\n') line_begins_.push_back(i + 1);
  }
}

Position SourceText::position(std::size_t offset) const {
  offset = std::min(offset, text_.size());
  const auto next = std::upper_bound(line_begins_.begin(), line_begins_.end(), offset);
  const std::size_t begin = *std::prev(next);
  const auto characters = std::count_if(text_.begin() + static_cast<std::ptrdiff_t>(begin),
                                        text_.begin() + static_cast<std::ptrdiff_t>(offset),
                                        [](char c) { return !continues_code_point(c); });
  return {name_, static_cast<int>(next - line_begins_.begin()), static_cast<int>(characters) + 1};
}

std::size_t SourceText::offset_in_scalar(std::size_t scalar_begin, std::string_view value,
                                         std::size_t offset) const {
  if (scalar_begin >= text_.size()) return text_.size();
  return ScalarWalk(text_, scalar_begin, value).offset_of(offset);
}

}  // namespace spur::catalog
