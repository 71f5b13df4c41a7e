#include "daemon/authoring/operands.h"

#include <algorithm>

#include "operators/expression/lexer.h"

namespace spur::authoring {
namespace {

using expression::Token;
using expression::TokenKind;

bool opens(TokenKind kind) {
  return kind == TokenKind::kOpenParenthesis || kind == TokenKind::kOpenBracket ||
         kind == TokenKind::kOpenBrace;
}
bool closes(TokenKind kind) {
  return kind == TokenKind::kCloseParenthesis || kind == TokenKind::kCloseBracket ||
         kind == TokenKind::kCloseBrace;
}

class Splitting {
 public:
  explicit Splitting(std::string_view source) {
    expression::Lexer lexer(source);
    for (Token token = lexer.next(); token.kind != TokenKind::kEnd; token = lexer.next()) {
      if (token.kind == TokenKind::kError) {
        tokens_.clear();
        return;
      }
      tokens_.push_back(token);
    }
  }

  std::vector<Operand> run() {
    split(0, tokens_.size());
    std::stable_sort(operands_.begin(), operands_.end(),
                     [](const Operand& a, const Operand& b) { return a.offset < b.offset; });
    return std::move(operands_);
  }

 private:
  // Of the tokens [begin, end): at the operator that binds least.
  void split(std::size_t begin, std::size_t end) {
    while (in_parentheses(begin, end)) ++begin, --end;
    if (has_choice(begin, end)) return;
    for (const TokenKind kind : {TokenKind::kOr, TokenKind::kAnd}) {
      const std::vector<std::size_t> at = places(begin, end, kind);
      if (at.empty()) continue;
      std::size_t from = begin;
      for (std::size_t i = 0; i <= at.size(); ++i) {
        const std::size_t to = i < at.size() ? at[i] : end;
        add(from, to, kind == TokenKind::kAnd);
        from = to + 1;
      }
      return;
    }
  }

  void add(std::size_t begin, std::size_t end, bool of_and) {
    if (begin >= end) return;
    const std::size_t offset = tokens_[begin].offset;
    const Token& last = tokens_[end - 1];
    operands_.push_back({offset, last.offset + last.length - offset, of_and});
    split(begin, end);
  }

  bool in_parentheses(std::size_t begin, std::size_t end) const {
    if (end - begin < 2 || begin >= end || tokens_[begin].kind != TokenKind::kOpenParenthesis) {
      return false;
    }
    int depth = 0;
    for (std::size_t i = begin; i < end; ++i) {
      depth += opens(tokens_[i].kind) ? 1 : closes(tokens_[i].kind) ? -1 : 0;
      if (depth == 0) return i + 1 == end;
    }
    return false;
  }

  // Whether `c ? a : b` stands at the top, not a.?b or a[?b].
  bool has_choice(std::size_t begin, std::size_t end) const {
    for (const std::size_t i : places(begin, end, TokenKind::kQuestion)) {
      if (i > begin && tokens_[i - 1].kind != TokenKind::kDot) return true;
    }
    return false;
  }

  // Where tokens of the kind stand outside of any bracket.
  std::vector<std::size_t> places(std::size_t begin, std::size_t end, TokenKind kind) const {
    std::vector<std::size_t> found;
    int depth = 0;
    for (std::size_t i = begin; i < end; ++i) {
      depth += opens(tokens_[i].kind) ? 1 : closes(tokens_[i].kind) ? -1 : 0;
      if (depth == 0 && tokens_[i].kind == kind) found.push_back(i);
    }
    return found;
  }

  std::vector<Token> tokens_;
  std::vector<Operand> operands_;
};

}  // namespace

std::vector<Operand> operands_of(std::string_view source) { return Splitting(source).run(); }

std::string without(std::string_view source, const Operand& operand) {
  std::string text(source);
  return text.replace(operand.offset, operand.length, operand.of_and ? "true" : "false");
}

}  // namespace spur::authoring
