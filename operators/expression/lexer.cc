#include "operators/expression/lexer.h"

#include <algorithm>

namespace spur::expression {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex_digit(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
bool is_word_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_word(char c) { return is_word_start(c) || is_digit(c); }

}  // namespace

bool is_reserved(std::string_view word) {
  static constexpr std::string_view kReserved[] = {
      "as",  "break", "const",     "continue", "else",   "for", "function", "if",   "import",
      "let", "loop",  "namespace", "package",  "return", "var", "void",     "while"};
  return std::find(std::begin(kReserved), std::end(kReserved), word) != std::end(kReserved);
}

Token Lexer::token(TokenKind kind, std::size_t begin) const {
  return {kind, begin, position_ - begin, source_.substr(begin, position_ - begin), {}, {}};
}

Token Lexer::error(std::size_t begin, std::string_view problem, std::string_view hint) const {
  Token result = token(TokenKind::kError, begin);
  result.problem = problem;
  result.hint = hint;
  return result;
}

void Lexer::skip_space() {
  for (;;) {
    const char c = at();
    if (c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r') {
      ++position_;
    } else if (c == '/' && at(1) == '/') {
      while (position_ < source_.size() && at() != '\n') ++position_;
    } else {
      return;
    }
  }
}

Token Lexer::next() {
  skip_space();
  const std::size_t begin = position_;
  if (begin >= source_.size()) return token(TokenKind::kEnd, begin);
  const char c = at();
  if (is_digit(c) || (c == '.' && is_digit(at(1)))) return number();
  if (c == '"' || c == '\'') return string(begin, false, false);
  if (is_word_start(c)) return word();
  if (c == '`') return quoted_identifier();
  return punctuation();
}

Token Lexer::number() {
  const std::size_t begin = position_;
  TokenKind kind = TokenKind::kInt;
  if (at() == '0' && (at(1) == 'x' || at(1) == 'X') && is_hex_digit(at(2))) {
    position_ += 2;
    while (is_hex_digit(at())) ++position_;
  } else {
    while (is_digit(at())) ++position_;
    if (at() == '.' && is_digit(at(1))) {
      kind = TokenKind::kDouble;
      ++position_;
      while (is_digit(at())) ++position_;
    }
    const std::size_t sign = at(1) == '+' || at(1) == '-' ? 1 : 0;
    if ((at() == 'e' || at() == 'E') && is_digit(at(1 + sign))) {
      kind = TokenKind::kDouble;
      position_ += 1 + sign;
      while (is_digit(at())) ++position_;
    }
  }
  Token result = token(kind, begin);
  if (kind == TokenKind::kInt && (at() == 'u' || at() == 'U')) {
    result.kind = TokenKind::kUint;
    ++position_;
    ++result.length;
  }
  if (is_word_start(at())) {
    while (is_word(at())) ++position_;
    return error(begin, "a number runs into a word",
                 "durations are written duration(\"7d\"), durations and names need a space before");
  }
  return result;
}

Token Lexer::word() {
  const std::size_t begin = position_;
  // A prefix of at most two letters before a quote makes a raw string, bytes, or both.
  bool raw = false;
  bool bytes = false;
  for (std::size_t i = 0; i < 3; ++i) {
    const char c = at(i);
    if (c == '"' || c == '\'') {
      position_ += i;
      return string(begin, raw, bytes);
    }
    if ((c == 'r' || c == 'R') && !raw) {
      raw = true;
    } else if ((c == 'b' || c == 'B') && !bytes) {
      bytes = true;
    } else {
      break;
    }
  }
  while (is_word(at())) ++position_;
  Token result = token(TokenKind::kIdentifier, begin);
  if (result.text == "in") result.kind = TokenKind::kIn;
  if (result.text == "true") result.kind = TokenKind::kTrue;
  if (result.text == "false") result.kind = TokenKind::kFalse;
  if (result.text == "null") result.kind = TokenKind::kNull;
  return result;
}

Token Lexer::quoted_identifier() {
  const std::size_t begin = position_++;
  const auto allowed = [](char c) {
    return is_word(c) || c == '.' || c == '-' || c == '/' || c == ' ';
  };
  while (allowed(at())) ++position_;
  const std::size_t end = position_;
  if (at() != '`' || end == begin + 1) {
    return error(begin, "a field name in backquotes is not closed or has other characters",
                 "it may have letters, digits, _ . - / and spaces; other names go in ['…']");
  }
  ++position_;
  Token result = token(TokenKind::kQuotedIdentifier, begin);
  result.text = source_.substr(begin + 1, end - begin - 1);
  return result;
}

Token Lexer::string(std::size_t begin, bool raw, bool bytes) {
  const char quote = at();
  const bool triple = at(1) == quote && at(2) == quote;
  position_ += triple ? 3 : 1;
  for (;;) {
    if (position_ >= source_.size() || (!triple && (at() == '\n' || at() == '\r'))) {
      return error(begin, "a string is not closed",
                   triple ? "close it with three quotes" : "close it with the quote it began with");
    }
    if (at() == '\\' && !raw) {
      position_ = std::min(position_ + 2, source_.size());
    } else if (at() == quote && (!triple || (at(1) == quote && at(2) == quote))) {
      position_ += triple ? 3 : 1;
      break;
    } else {
      ++position_;
    }
  }
  return token(bytes ? TokenKind::kBytes : TokenKind::kString, begin);
}

Token Lexer::punctuation() {
  struct Mark {
    std::string_view text;
    TokenKind kind;
  };
  static constexpr Mark kMarks[] = {
      {"||", TokenKind::kOr},
      {"&&", TokenKind::kAnd},
      {"<=", TokenKind::kLessEqual},
      {">=", TokenKind::kGreaterEqual},
      {"==", TokenKind::kEqual},
      {"!=", TokenKind::kNotEqual},
      {"?", TokenKind::kQuestion},
      {":", TokenKind::kColon},
      {",", TokenKind::kComma},
      {".", TokenKind::kDot},
      {"(", TokenKind::kOpenParenthesis},
      {")", TokenKind::kCloseParenthesis},
      {"[", TokenKind::kOpenBracket},
      {"]", TokenKind::kCloseBracket},
      {"{", TokenKind::kOpenBrace},
      {"}", TokenKind::kCloseBrace},
      {"!", TokenKind::kNot},
      {"-", TokenKind::kMinus},
      {"+", TokenKind::kPlus},
      {"*", TokenKind::kStar},
      {"/", TokenKind::kSlash},
      {"%", TokenKind::kPercent},
      {"<", TokenKind::kLess},
      {">", TokenKind::kGreater},
  };
  const std::size_t begin = position_;
  for (const Mark& mark : kMarks) {
    if (source_.substr(begin, mark.text.size()) != mark.text) continue;
    position_ += mark.text.size();
    return token(mark.kind, begin);
  }
  ++position_;
  switch (source_[begin]) {
    case '=':
      return error(begin, "`=` is no operator", "write `==` to compare");
    case '&':
      return error(begin, "`&` is no operator", "write `&&`, or math.bitAnd(a, b)");
    case '|':
      return error(begin, "`|` is no operator", "write `||`, or math.bitOr(a, b)");
    default:
      break;
  }
  // A character of several bytes is pointed at as a whole.
  while (position_ < source_.size() && (static_cast<unsigned char>(at()) & 0xC0) == 0x80) {
    ++position_;
  }
  return error(begin, "this character cannot stand here", "");
}

}  // namespace spur::expression
