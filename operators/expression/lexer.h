// The lexer: source text to tokens, each with its place. Never fails; what is no token is a kError
// token that says why.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace spur::expression {

enum class TokenKind : std::uint8_t {
  kEnd,
  kError,
  kIdentifier,        // also the reserved words: only some places forbid them
  kQuotedIdentifier,  // `content-type`, without the quotes
  kInt,
  kUint,  // text without its suffix
  kDouble,
  kString,  // text with prefix and quotes; decode_string reads it
  kBytes,
  kQuestion,
  kColon,
  kComma,
  kDot,
  kOpenParenthesis,
  kCloseParenthesis,
  kOpenBracket,
  kCloseBracket,
  kOpenBrace,
  kCloseBrace,
  kOr,
  kAnd,
  kNot,
  kMinus,
  kPlus,
  kStar,
  kSlash,
  kPercent,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kEqual,
  kNotEqual,
  kIn,
  kTrue,
  kFalse,
  kNull,
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::size_t offset = 0;
  std::size_t length = 0;
  std::string_view text;
  std::string_view problem;  // of a kError: what is wrong
  std::string_view hint;
};

class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(source) {}
  // The next token; kEnd for ever after the last.
  Token next();

 private:
  Token token(TokenKind kind, std::size_t begin) const;
  Token error(std::size_t begin, std::string_view problem, std::string_view hint) const;
  Token number();
  Token word();
  Token quoted_identifier();
  Token string(std::size_t begin, bool raw, bool bytes);
  Token punctuation();
  void skip_space();
  char at(std::size_t ahead = 0) const {
    return position_ + ahead < source_.size() ? source_[position_ + ahead] : '\0';
  }

  std::string_view source_;
  std::size_t position_ = 0;
};

// The content of a kString or kBytes token, its escapes resolved. On failure false, with what is
// wrong in *problem and where, from the token's start, in *offset.
bool decode_string(const Token& token, std::string* out, std::string* problem, std::size_t* offset);

// Words that CEL keeps for itself: no variable or global function may have them as a name.
bool is_reserved(std::string_view word);

}  // namespace spur::expression
