#include "operators/expression/parser.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "absl/strings/charconv.h"
#include "operators/expression/lexer.h"
#include "operators/expression/macros.h"

namespace spur::expression {
namespace {

struct Operator {
  TokenKind token;
  std::string_view name;
};

class Parser {
 public:
  Parser(std::string_view source, const Limits& limits, Tree* tree)
      : lexer_(source), limits_(limits), tree_(*tree) {
    advance();
  }

  std::optional<Diagnostic> run() {
    tree_.root = expression();
    if (!error_ && token_.kind != TokenKind::kEnd) fail_unexpected("an operator or the end");
    return error_;
  }

 private:
  // --- tokens ---

  void advance() {
    token_ = lexer_.next();
    if (token_.kind == TokenKind::kError) {
      fail(token_, std::string(token_.problem), std::string(token_.hint));
    }
  }
  bool is(TokenKind kind) const { return token_.kind == kind && !error_; }
  bool take(TokenKind kind) {
    if (!is(kind)) return false;
    advance();
    return true;
  }
  void expect(TokenKind kind, std::string_view what) {
    if (!take(kind)) fail_unexpected(what);
  }

  void fail(const Token& at, std::string message, std::string hint) {
    if (error_) return;  // the first error is the cause of the others
    error_ = Diagnostic{at.offset, at.length, std::move(message), std::move(hint)};
  }
  void fail_unexpected(std::string_view wanted) {
    if (token_.kind == TokenKind::kEnd)
      return fail(token_, "the expression ends here, expected " + std::string(wanted), "");
    const std::string found = "`" + std::string(token_.text) + "`";
    std::string hint;
    if (token_.text == "and") hint = "write `&&`";
    if (token_.text == "or") hint = "write `||`";
    if (token_.text == "not") hint = "write `!`";
    fail(token_, "unexpected " + found + ", expected " + std::string(wanted), std::move(hint));
  }

  // --- nodes ---

  NodeId add(Node node, const Token& at) {
    node.offset = static_cast<std::uint32_t>(at.offset);
    node.length = static_cast<std::uint32_t>(at.length);
    unsigned depth = 0;
    unsigned outer = 0;
    unsigned inner = 0;
    const auto include = [&](NodeId child, unsigned* loops) {
      if (child == kNoNode) return;
      depth = std::max<unsigned>(depth, tree_[child].depth);
      *loops = std::max<unsigned>(*loops, tree_[child].loops);
    };
    include(node.target, &outer);
    for (const NodeId argument : node.arguments) include(argument, &outer);
    include(node.condition, &inner);
    include(node.result, &inner);
    if (node.kind == NodeKind::kComprehension) ++inner;
    const unsigned loops = std::max(outer, inner);
    if (tree_.size() >= limits_.nodes_max) fail(at, "the expression is too large", "");
    if (depth >= limits_.nesting_max) fail(at, "the expression is nested too deeply", "");
    if (loops > limits_.comprehension_nesting_max) {
      fail(at, "too many of all, exists, map and filter inside one another", "");
    }
    // Beyond a failed limit the counts no longer matter, but must not wrap.
    node.depth = static_cast<std::uint16_t>(std::min(depth + 1, 0xFFFFu));
    node.loops = static_cast<std::uint8_t>(std::min(loops, 0xFFu));
    return tree_.add(std::move(node));
  }

  NodeId call(std::string_view name, std::vector<NodeId> arguments, const Token& at) {
    Node node;
    node.kind = NodeKind::kCall;
    node.name = name;
    node.arguments = std::move(arguments);
    return add(std::move(node), at);
  }

  NodeId literal(Value value, const Token& at) {
    Node node;
    node.literal = value;
    return add(std::move(node), at);
  }

  // --- the grammar, loosest first ---

  NodeId expression() {
    // Each level costs about ten calls here; that is what this bound is for.
    if (++nesting_ > limits_.nesting_max) fail(token_, "the expression is nested too deeply", "");
    if (error_) return kNoNode;
    NodeId node = disjunction();
    if (is(TokenKind::kQuestion)) {
      const Token at = token_;
      advance();
      const NodeId yes = disjunction();
      expect(TokenKind::kColon, "`:` and the other value of `? :`");
      const NodeId no = expression();
      node = call("_?_:_", {node, yes, no}, at);
    }
    --nesting_;
    return node;
  }

  NodeId disjunction() { return chain(TokenKind::kOr, "_||_", &Parser::conjunction); }
  NodeId conjunction() { return chain(TokenKind::kAnd, "_&&_", &Parser::relation); }

  // a && b && c … as a balanced tree: a long list of conditions is common and must not be deep.
  NodeId chain(TokenKind token, std::string_view name, NodeId (Parser::*term)()) {
    std::vector<NodeId> terms{(this->*term)()};
    std::vector<Token> operators;
    while (is(token)) {
      operators.push_back(token_);
      advance();
      terms.push_back((this->*term)());
    }
    if (error_) return kNoNode;
    return balance(name, terms, operators, 0, terms.size());
  }

  NodeId balance(std::string_view name, const std::vector<NodeId>& terms,
                 const std::vector<Token>& operators, std::size_t begin, std::size_t end) {
    if (end - begin == 1) return terms[begin];
    const std::size_t middle = (begin + end + 1) / 2;
    const NodeId left = balance(name, terms, operators, begin, middle);
    const NodeId right = balance(name, terms, operators, middle, end);
    return call(name, {left, right}, operators[middle - 1]);
  }

  NodeId relation() {
    static constexpr Operator kOperators[] = {
        {TokenKind::kLess, "_<_"},    {TokenKind::kLessEqual, "_<=_"},
        {TokenKind::kGreater, "_>_"}, {TokenKind::kGreaterEqual, "_>=_"},
        {TokenKind::kEqual, "_==_"},  {TokenKind::kNotEqual, "_!=_"},
        {TokenKind::kIn, "@in"},
    };
    return binary(kOperators, &Parser::sum);
  }
  NodeId sum() {
    static constexpr Operator kOperators[] = {{TokenKind::kPlus, "_+_"},
                                              {TokenKind::kMinus, "_-_"}};
    return binary(kOperators, &Parser::product);
  }
  NodeId product() {
    static constexpr Operator kOperators[] = {
        {TokenKind::kStar, "_*_"}, {TokenKind::kSlash, "_/_"}, {TokenKind::kPercent, "_%_"}};
    return binary(kOperators, &Parser::unary);
  }

  template <std::size_t N>
  NodeId binary(const Operator (&operators)[N], NodeId (Parser::*operand)()) {
    NodeId left = (this->*operand)();
    for (;;) {
      const auto found = std::find_if(std::begin(operators), std::end(operators),
                                      [&](const Operator& o) { return is(o.token); });
      if (found == std::end(operators)) return left;
      const Token at = token_;
      advance();
      const NodeId right = (this->*operand)();
      if (error_) return kNoNode;
      left = call(found->name, {left, right}, at);
    }
  }

  NodeId unary() {
    if (!is(TokenKind::kNot) && !is(TokenKind::kMinus)) return member();
    const TokenKind kind = token_.kind;
    std::vector<Token> signs;
    while (is(kind)) {
      signs.push_back(token_);
      advance();
    }
    const bool number = is(TokenKind::kInt) || is(TokenKind::kDouble);
    if (kind == TokenKind::kMinus && number) {
      // The sign belongs to the literal: the smallest int has no positive counterpart.
      negative_ = true;
      signs.pop_back();
    }
    NodeId node = member();
    while (!signs.empty() && !error_) {
      node = call(kind == TokenKind::kNot ? "!_" : "-_", {node}, signs.back());
      signs.pop_back();
    }
    return node;
  }

  NodeId member() {
    NodeId node = primary();
    while (!error_) {
      if (is(TokenKind::kDot)) {
        node = selection(node);
      } else if (is(TokenKind::kOpenBracket)) {
        node = index(node);
      } else if (is(TokenKind::kOpenBrace) && is_message_name(node)) {
        node = message(node);
      } else {
        return node;
      }
    }
    return kNoNode;
  }

  NodeId selection(NodeId target) {
    advance();
    const bool optional = take(TokenKind::kQuestion);
    const Token at = token_;
    const bool quoted = is(TokenKind::kQuotedIdentifier);
    if (!quoted && !is(TokenKind::kIdentifier)) {
      fail_unexpected("a field's name");
      return kNoNode;
    }
    advance();
    if (!optional && !quoted && is(TokenKind::kOpenParenthesis)) return method(target, at);
    Node node;
    node.kind = NodeKind::kSelect;
    node.target = target;
    node.name = at.text;
    node.optional = optional;
    return add(std::move(node), at);
  }

  NodeId index(NodeId target) {
    const Token at = token_;
    advance();
    const bool optional = take(TokenKind::kQuestion);
    const NodeId key = expression();
    expect(TokenKind::kCloseBracket, "`]`");
    if (error_) return kNoNode;
    return call(optional ? "_[?_]" : "_[_]", {target, key}, at);
  }

  NodeId method(NodeId target, const Token& at) {
    std::vector<NodeId> arguments = argument_list();
    if (error_) return kNoNode;
    Node node;
    node.kind = NodeKind::kCall;
    node.name = at.text;
    node.target = target;
    node.arguments = std::move(arguments);
    return expanded(std::move(node), at);
  }

  NodeId expanded(Node node, const Token& at) {
    if (std::optional<std::string> problem = expand_macro(tree_, &node)) {
      fail(at, std::move(*problem), "");
      return kNoNode;
    }
    return add(std::move(node), at);
  }

  std::vector<NodeId> argument_list() {
    expect(TokenKind::kOpenParenthesis, "`(`");
    std::vector<NodeId> arguments;
    while (!error_ && !is(TokenKind::kCloseParenthesis)) {
      arguments.push_back(expression());
      if (!take(TokenKind::kComma)) break;
      if (is(TokenKind::kCloseParenthesis)) fail_unexpected("another argument");
    }
    expect(TokenKind::kCloseParenthesis, "`)` or `,`");
    return arguments;
  }

  NodeId primary() {
    const Token at = token_;
    const bool negative = std::exchange(negative_, false);
    switch (at.kind) {
      case TokenKind::kDot:
      case TokenKind::kIdentifier:
        return identifier();
      case TokenKind::kOpenParenthesis:
        return parenthesis();
      case TokenKind::kOpenBracket:
        return list();
      case TokenKind::kOpenBrace:
        return map();
      case TokenKind::kInt:
        return integer(at, negative);
      case TokenKind::kUint:
        return unsigned_integer(at);
      case TokenKind::kDouble:
        return real(at, negative);
      case TokenKind::kString:
      case TokenKind::kBytes:
        return string(at);
      case TokenKind::kTrue:
        advance();
        return literal(Value::boolean(true), at);
      case TokenKind::kFalse:
        advance();
        return literal(Value::boolean(false), at);
      case TokenKind::kNull:
        advance();
        return literal(Value::null(), at);
      default:
        fail_unexpected("a value");
        return kNoNode;
    }
  }

  NodeId identifier() {
    const bool rooted = take(TokenKind::kDot);
    const Token at = token_;
    if (!is(TokenKind::kIdentifier)) {
      fail_unexpected("a name");
      return kNoNode;
    }
    if (is_reserved(at.text)) {
      fail(at, "`" + std::string(at.text) + "` is a reserved word of CEL", "choose another name");
      return kNoNode;
    }
    advance();
    Node node;
    node.name = at.text;
    node.rooted = rooted;
    if (!is(TokenKind::kOpenParenthesis)) {
      node.kind = NodeKind::kIdentifier;
      return add(std::move(node), at);
    }
    node.kind = NodeKind::kCall;
    node.arguments = argument_list();
    if (error_) return kNoNode;
    return expanded(std::move(node), at);
  }

  NodeId parenthesis() {
    advance();
    const NodeId node = expression();
    expect(TokenKind::kCloseParenthesis, "`)`");
    return node;
  }

  NodeId list() {
    const Token at = token_;
    advance();
    Node node;
    node.kind = NodeKind::kList;
    while (!error_ && !is(TokenKind::kCloseBracket)) {
      entry_mark(&node, take(TokenKind::kQuestion), node.arguments.size());
      node.arguments.push_back(expression());
      if (!take(TokenKind::kComma)) break;
    }
    expect(TokenKind::kCloseBracket, "`]` or `,`");
    if (error_) return kNoNode;
    return add(std::move(node), at);
  }

  NodeId map() {
    const Token at = token_;
    advance();
    Node node;
    node.kind = NodeKind::kMap;
    while (!error_ && !is(TokenKind::kCloseBrace)) {
      entry_mark(&node, take(TokenKind::kQuestion), node.arguments.size() / 2);
      node.arguments.push_back(expression());
      expect(TokenKind::kColon, "`:` and the key's value");
      node.arguments.push_back(expression());
      if (!take(TokenKind::kComma)) break;
    }
    expect(TokenKind::kCloseBrace, "`}` or `,`");
    if (error_) return kNoNode;
    return add(std::move(node), at);
  }

  // Notes that entry number `index` was written with a `?`.
  static void entry_mark(Node* node, bool optional, std::size_t index) {
    if (!optional && node->optional_entries.empty()) return;
    node->optional_entries.resize(index + 1, false);
    node->optional_entries[index] = optional;
  }

  bool is_message_name(NodeId id) const {
    const Node& node = tree_[id];
    if (node.kind == NodeKind::kIdentifier) return true;
    return node.kind == NodeKind::kSelect && !node.optional && is_message_name(node.target);
  }

  // Read to its end so that the error, which the checker gives, is about the whole.
  NodeId message(NodeId name) {
    const Token at = token_;
    advance();
    Node node;
    node.kind = NodeKind::kMessage;
    node.target = name;
    while (!error_ && !is(TokenKind::kCloseBrace)) {
      take(TokenKind::kQuestion);
      if (!take(TokenKind::kIdentifier) && !take(TokenKind::kQuotedIdentifier)) {
        fail_unexpected("a field's name");
      }
      expect(TokenKind::kColon, "`:` and the field's value");
      node.arguments.push_back(expression());
      if (!take(TokenKind::kComma)) break;
    }
    expect(TokenKind::kCloseBrace, "`}` or `,`");
    if (error_) return kNoNode;
    return add(std::move(node), at);
  }

  // --- literals ---

  // Digits in base ten or sixteen; nullopt beyond uint64.
  static std::optional<std::uint64_t> magnitude(std::string_view text) {
    const bool hex = text.size() > 2 && (text[1] == 'x' || text[1] == 'X');
    if (hex) text.remove_prefix(2);
    std::uint64_t value = 0;
    const auto [end, problem] =
        std::from_chars(text.data(), text.data() + text.size(), value, hex ? 16 : 10);
    if (problem != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
  }

  NodeId integer(const Token& at, bool negative) {
    const std::optional<std::uint64_t> value = magnitude(at.text);
    constexpr std::uint64_t kMost = std::uint64_t{1} << 63;
    if (!value || *value > kMost || (*value == kMost && !negative)) {
      fail(at, "the number is out of range for an int",
           "write it with a point to make it a double");
      return kNoNode;
    }
    advance();
    const std::uint64_t bits = negative ? 0 - *value : *value;
    return literal(Value::integer(static_cast<std::int64_t>(bits)), at);
  }

  NodeId unsigned_integer(const Token& at) {
    const std::optional<std::uint64_t> value = magnitude(at.text);
    if (!value) {
      fail(at, "the number is out of range for a uint", "");
      return kNoNode;
    }
    advance();
    return literal(Value::unsigned_integer(*value), at);
  }

  NodeId real(const Token& at, bool negative) {
    double value = 0;
    // absl's, because the standard one leaves the value alone on underflow, which here is 0.
    absl::from_chars(at.text.data(), at.text.data() + at.text.size(), value);
    if (value > 1.7976931348623157e308) {
      fail(at, "the number is out of range for a double", "");
      return kNoNode;
    }
    advance();
    return literal(Value::real(negative ? -value : value), at);
  }

  NodeId string(const Token& at) {
    std::string text;
    std::string problem;
    std::size_t offset = 0;
    if (!decode_string(at, &text, &problem, &offset)) {
      Token place = at;
      place.offset += offset;
      place.length = std::min<std::size_t>(2, at.length - offset);
      fail(place, problem + " in a string",
           "escapes are \\n \\t \\\\ \\\" \\' \\xHH \\uHHHH; r\"…\" has none");
      return kNoNode;
    }
    advance();
    const std::string_view kept = tree_.arena().copy(text);
    return literal(at.kind == TokenKind::kBytes ? Value::bytes(kept) : Value::string(kept), at);
  }

  Lexer lexer_;
  const Limits& limits_;
  Tree& tree_;
  Token token_;
  std::optional<Diagnostic> error_;
  std::size_t nesting_ = 0;
  bool negative_ = false;  // the number that follows has a minus before it
};

}  // namespace

std::optional<Diagnostic> parse(std::string_view source, const Limits& limits, Tree* tree) {
  if (source.size() > limits.source_bytes_max) {
    return Diagnostic{
        0, 0, "the expression is longer than " + std::to_string(limits.source_bytes_max) + " bytes",
        "split it over several features or segments"};
  }
  return Parser(source, limits, tree).run();
}

}  // namespace spur::expression
