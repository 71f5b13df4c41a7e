#include "operators/expression/names.h"

#include <algorithm>

namespace spur::expression {

std::string Chain::dotted(std::size_t count) const {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) text += ".";
    text += segments[i].name;
  }
  return text;
}

std::optional<Chain> chain_of(const Tree& tree, NodeId id) {
  Chain chain;
  for (NodeId at = id;;) {
    const Node& node = tree[at];
    if (node.kind == NodeKind::kIdentifier) {
      chain.segments.push_back({node.name, at, false});
      chain.rooted = node.rooted;
      std::reverse(chain.segments.begin(), chain.segments.end());
      return chain;
    }
    if (node.kind == NodeKind::kSelect && (at == id || (!node.optional && !node.test))) {
      chain.segments.push_back({node.name, at, false});
      at = node.target;
      continue;
    }
    if (node.kind != NodeKind::kCall || node.name != "_[_]" || node.target != kNoNode) {
      return std::nullopt;
    }
    const Node& key = tree[node.arguments[1]];
    if (key.kind != NodeKind::kLiteral || !key.literal.is(Kind::kString)) return std::nullopt;
    chain.segments.push_back({key.literal.as_text(), at, true});
    at = node.arguments[0];
  }
}

std::vector<std::string> Names::candidates(std::string_view name, bool rooted) const {
  std::vector<std::string> result;
  std::string_view container = rooted ? std::string_view() : environment_.container();
  while (!container.empty()) {
    result.push_back(std::string(container) + "." + std::string(name));
    const std::size_t dot = container.rfind('.');
    container = dot == std::string_view::npos ? std::string_view() : container.substr(0, dot);
  }
  result.emplace_back(name);
  return result;
}

std::optional<Names::Declared> Names::longest_declared(const Chain& chain) const {
  std::size_t names = 0;
  while (names < chain.segments.size() && !chain.segments[names].indexed) ++names;
  for (; names > 0; --names) {
    for (std::string& name : candidates(chain.dotted(names), chain.rooted)) {
      if (const Type* type = environment_.find(name)) return Declared{std::move(name), type, names};
    }
  }
  return std::nullopt;
}

std::optional<FoundVariable> Names::variable(const Chain& chain) const {
  const std::optional<Declared> declared = longest_declared(chain);
  if (!declared) return std::nullopt;
  FoundVariable found{{declared->name, {}}, *declared->type};
  if (declared->segments == chain.segments.size()) return found;
  if (!declared->type->is_object() && !declared->type->is(Type::Kind::kDyn)) return std::nullopt;
  for (std::size_t i = declared->segments; i < chain.segments.size(); ++i) {
    found.reference.path.emplace_back(chain.segments[i].name);
  }
  found.type = Type::dyn();
  return found;
}

bool Names::is_below_variable(const Chain& chain) const {
  return longest_declared(chain).has_value();
}

Diagnostic Names::unknown(const Tree& tree, const Chain& chain) const {
  std::size_t names = 0;
  while (names < chain.segments.size() && !chain.segments[names].indexed) ++names;
  const std::string* reason = environment_.unavailable(chain.dotted(names));
  // The first name that leads nowhere is the one to point at.
  std::size_t bad = 0;
  while (bad + 1 < names && environment_.is_namespace(chain.dotted(bad + 1))) ++bad;
  const Node& node = tree[chain.segments[reason == nullptr ? bad : 0].node];
  Diagnostic diagnostic{node.offset, node.length, "", ""};
  if (reason != nullptr) {
    diagnostic.message = *reason;
    return diagnostic;
  }
  const std::string name(chain.segments[bad].name);
  const std::string space = chain.dotted(bad);
  if (environment_.is_namespace(chain.dotted(bad + 1))) {
    diagnostic.message = "`" + chain.dotted(bad + 1) + "` is no value itself";
    diagnostic.hint = "select one of its members, as in `" + chain.dotted(bad + 1) + ".…`";
    return diagnostic;
  }
  diagnostic.message = space.empty() ? "`" + name + "` is not declared here"
                                     : "`" + name + "` is not declared in `" + space + "`";
  if (const std::optional<std::string> near = environment_.nearest(space, name)) {
    diagnostic.hint = "did you mean `" + (space.empty() ? *near : space + "." + *near) + "`?";
  }
  return diagnostic;
}

std::optional<Type> named_type(std::string_view name) {
  if (name == "bool") return Type::boolean();
  if (name == "int") return Type::integer();
  if (name == "uint") return Type::unsigned_integer();
  if (name == "double") return Type::real();
  if (name == "string") return Type::string();
  if (name == "bytes") return Type::bytes();
  if (name == "null_type") return Type::null();
  if (name == "list") return Type::list(Type::dyn());
  if (name == "map") return Type::map(Type::dyn(), Type::dyn());
  if (name == "type") return Type::type();
  if (name == "optional_type") return Type::optional(Type::dyn());
  if (name == "google.protobuf.Timestamp") return Type::timestamp();
  if (name == "google.protobuf.Duration") return Type::duration();
  return std::nullopt;
}

}  // namespace spur::expression
