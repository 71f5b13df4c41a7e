#include "operators/expression/parts.h"

#include <algorithm>
#include <utility>

#include "operators/expression/checker.h"
#include "operators/expression/compiler.h"
#include "operators/expression/lexer.h"
#include "operators/expression/parser.h"

namespace spur::expression {
namespace {

bool opens(TokenKind kind) {
  return kind == TokenKind::kOpenParenthesis || kind == TokenKind::kOpenBracket ||
         kind == TokenKind::kOpenBrace;
}
bool closes(TokenKind kind) {
  return kind == TokenKind::kCloseParenthesis || kind == TokenKind::kCloseBracket ||
         kind == TokenKind::kCloseBrace;
}

class Takes {
 public:
  Takes(std::string_view source, Tree& tree, Checked& checked, References& references,
        const Options& options)
      : source_(source),
        tree_(tree),
        checked_(checked),
        references_(references),
        options_(options) {
    Lexer lexer(source);
    for (Token token = lexer.next(); token.kind != TokenKind::kEnd; token = lexer.next())
      tokens_.push_back(token);
  }

  std::optional<Part> part(NodeId id) {
    ++made_;
    std::optional<Program> program = compiled(id);
    if (!program) return std::nullopt;
    Part part{kind_of(id), text_of(id), *std::move(program), false, {}};
    part.constant = part.program.slots().empty();
    if (part.constant) part.kind = Part::Kind::kPlain;
    std::vector<NodeId> inside;
    if (part.kind != Part::Kind::kPlain) inside = children(id, part.kind);
    if (made_ + inside.size() > kExpressionPartsMax) {
      part.kind = Part::Kind::kPlain;
      return part;
    }
    for (const NodeId child : inside) {
      std::optional<Part> made = this->part(child);
      if (!made) {
        part.kind = Part::Kind::kPlain;
        part.parts.clear();
        return part;
      }
      part.parts.push_back(*std::move(made));
    }
    return part;
  }

 private:
  // The tree with another root is a program over the same slots.
  std::optional<Program> compiled(NodeId id) {
    const NodeId whole = std::exchange(tree_.root, id);
    const Type type = std::exchange(checked_.type, checked_.meanings[id].type);
    std::vector<Diagnostic> errors, warnings;
    std::shared_ptr<const Code> code =
        compile_tree(tree_, checked_, references_, options_, &errors, &warnings);
    tree_.root = whole;
    checked_.type = type;
    if (!errors.empty()) return std::nullopt;
    return Program(std::move(code));
  }

  Part::Kind kind_of(NodeId id) const {
    const Node& node = tree_[id];
    if (node.kind != NodeKind::kCall) return Part::Kind::kPlain;
    if (node.name == "_&&_") return Part::Kind::kAll;
    if (node.name == "_||_") return Part::Kind::kAny;
    if (node.name == "!_") return Part::Kind::kNot;
    if (node.name == "_?_:_") return Part::Kind::kChoice;
    for (const std::string_view name :
         {"_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_", "@in", "_in_"}) {
      if (node.name == name) return Part::Kind::kCompare;
    }
    return Part::Kind::kPlain;
  }

  // Terms of a chain, which the parser has made a balanced tree, stand side by side again.
  std::vector<NodeId> children(NodeId id, Part::Kind kind) const {
    const Node& node = tree_[id];
    if (kind != Part::Kind::kAll && kind != Part::Kind::kAny) return node.arguments;
    std::vector<NodeId> terms;
    for (const NodeId argument : node.arguments) {
      if (tree_[argument].kind == NodeKind::kCall && tree_[argument].name == node.name) {
        const std::vector<NodeId> inner = children(argument, kind);
        terms.insert(terms.end(), inner.begin(), inner.end());
      } else {
        terms.push_back(argument);
      }
    }
    return terms;
  }

  // The tokens from the first to the last that a node or something below it was made of.
  void span(NodeId id, std::size_t& first, std::size_t& last) const {
    if (id == kNoNode) return;
    const Node& node = tree_[id];
    for (std::size_t t = 0; t < tokens_.size(); ++t) {
      if (tokens_[t].offset > node.offset) break;
      if (node.offset >= tokens_[t].offset + tokens_[t].length) continue;
      first = std::min(first, t);
      last = std::max(last, t);
    }
    span(node.target, first, last);
    span(node.condition, first, last);
    span(node.result, first, last);
    for (const NodeId argument : node.arguments) span(argument, first, last);
  }

  // The source of a node. The tree has no parentheses: those that the span cuts through, and those
  // that follow a function's name, belong to it.
  std::string text_of(NodeId id) const {
    std::size_t first = tokens_.size(), last = 0;
    span(id, first, last);
    if (first > last) return std::string(source_);
    for (bool more = true; more;) {
      more = false;
      int depth = 0, lowest = 0;
      for (std::size_t t = first; t <= last; ++t) {
        depth += opens(tokens_[t].kind) ? 1 : closes(tokens_[t].kind) ? -1 : 0;
        lowest = std::min(lowest, depth);
      }
      if (depth - lowest > 0 && last + 1 < tokens_.size()) {
        ++last;
        more = true;
      } else if (lowest < 0 && first > 0) {
        --first;
        more = true;
      } else if (ends_in_name(last) && last + 1 < tokens_.size() && opens(tokens_[last + 1].kind)) {
        ++last;
        more = true;
      } else if (tests(id, first)) {
        first -= 2;
        more = true;
      } else if (is_member(last)) {
        ++last;
        more = true;
      }
    }
    const std::size_t from = tokens_[first].offset;
    return std::string(source_.substr(from, tokens_[last].offset + tokens_[last].length - from));
  }

  bool ends_in_name(std::size_t t) const { return tokens_[t].kind == TokenKind::kIdentifier; }
  // A select points at its dot.
  bool is_member(std::size_t t) const {
    return tokens_[t].kind == TokenKind::kDot && t + 1 < tokens_.size();
  }
  // has(a.b) is a node of a.b.
  bool tests(NodeId id, std::size_t first) const {
    return leftmost_tests(id) && first >= 2 &&
           tokens_[first - 1].kind == TokenKind::kOpenParenthesis &&
           tokens_[first - 2].text == "has";
  }
  bool leftmost_tests(NodeId id) const {
    for (; id != kNoNode;) {
      const Node& node = tree_[id];
      if (node.test) return true;
      id = node.target != kNoNode   ? node.target
           : node.arguments.empty() ? kNoNode
                                    : node.arguments.front();
    }
    return false;
  }

  std::string_view source_;
  Tree& tree_;
  Checked& checked_;
  References& references_;
  const Options& options_;
  std::vector<Token> tokens_;
  std::size_t made_ = 0;
};

}  // namespace

std::optional<Part> parts_of(std::string_view source, const Environment& environment,
                             References& references, const Options& options) {
  Tree tree;
  if (parse(source, options.limits, &tree)) return std::nullopt;
  Checked checked = check(tree, environment, options);
  if (!checked.errors.empty()) return std::nullopt;
  return Takes(source, tree, checked, references, options).part(tree.root);
}

}  // namespace spur::expression
