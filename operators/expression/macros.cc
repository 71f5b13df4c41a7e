#include "operators/expression/macros.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace spur::expression {
namespace {

struct Form {
  std::string_view name;
  Macro macro;
  std::size_t variables;
  bool condition;
  bool result;
};

constexpr Form kForms[] = {
    {"all", Macro::kAll, 1, true, false},
    {"all", Macro::kAll, 2, true, false},
    {"exists", Macro::kExists, 1, true, false},
    {"exists", Macro::kExists, 2, true, false},
    {"exists_one", Macro::kExistsOne, 1, true, false},
    {"exists_one", Macro::kExistsOne, 2, true, false},
    {"existsOne", Macro::kExistsOne, 1, true, false},
    {"existsOne", Macro::kExistsOne, 2, true, false},
    {"filter", Macro::kFilter, 1, true, false},
    {"map", Macro::kMap, 1, false, true},
    {"map", Macro::kMap, 1, true, true},
    {"transformList", Macro::kMap, 2, false, true},
    {"transformList", Macro::kMap, 2, true, true},
    {"transformMap", Macro::kTransformMap, 2, false, true},
    {"transformMap", Macro::kTransformMap, 2, true, true},
    {"transformMapEntry", Macro::kTransformMapEntry, 2, false, true},
    {"transformMapEntry", Macro::kTransformMapEntry, 2, true, true},
};

std::size_t argument_count(const Form& form) {
  return form.variables + (form.condition ? 1 : 0) + (form.result ? 1 : 0);
}

// The variable's name that argument number `index` gives, empty if it is no plain name.
std::string_view variable(const Tree& tree, const Node& node, std::size_t index) {
  const Node& argument = tree[node.arguments[index]];
  if (argument.kind != NodeKind::kIdentifier || argument.rooted) return {};
  return argument.name;
}

std::string needs_name(const Node& node) {
  return "`" + std::string(node.name) + "` needs a plain name for its variable, as in `list." +
         std::string(node.name) + "(x, …)`";
}

std::optional<std::string> expand_has(Tree& tree, Node* node) {
  const Node& argument = tree[node->arguments[0]];
  if (argument.kind != NodeKind::kSelect || argument.test || argument.optional) {
    return "has() takes a field: has(a.b); for a key with other characters write 'key' in a, or "
           "has(a.`key`)";
  }
  Node test = argument;
  test.test = true;
  *node = std::move(test);
  return std::nullopt;
}

std::optional<std::string> expand_comprehension(const Tree& tree, const Form& form, Node* node) {
  node->variable = variable(tree, *node, 0);
  if (node->variable.empty()) return needs_name(*node);
  if (form.variables == 2) {
    node->second = variable(tree, *node, 1);
    if (node->second.empty()) return needs_name(*node);
    if (node->second == node->variable) return "the two variables need two names";
  }
  std::size_t next = form.variables;
  if (form.condition) node->condition = node->arguments[next++];
  if (form.result) node->result = node->arguments[next++];
  node->kind = NodeKind::kComprehension;
  node->macro = form.macro;
  node->arguments.clear();
  return std::nullopt;
}

// optMap and optFlatMap.
std::optional<std::string> expand_optional_map(const Tree& tree, Node* node) {
  node->variable = variable(tree, *node, 0);
  if (node->variable.empty()) return needs_name(*node);
  node->kind = NodeKind::kOptionalMap;
  node->flat = node->name == "optFlatMap";
  node->result = node->arguments[1];
  node->arguments.clear();
  return std::nullopt;
}

std::optional<std::string> expand_bind(const Tree& tree, Node* node) {
  node->variable = variable(tree, *node, 0);
  if (node->variable.empty()) return "cel.bind needs a plain name: cel.bind(x, value, expression)";
  node->kind = NodeKind::kBind;
  node->target = node->arguments[1];
  node->result = node->arguments[2];
  node->arguments.clear();
  return std::nullopt;
}

bool is_named(const Tree& tree, NodeId id, std::string_view name) {
  return tree[id].kind == NodeKind::kIdentifier && tree[id].name == name;
}

// math.greatest(a, b, c) as math.greatest([a, b, c]), so that functions have a fixed number of
// arguments.
void expand_extremum(Tree& tree, Node* node) {
  Node list;
  list.kind = NodeKind::kList;
  for (const NodeId argument : node->arguments) {
    list.depth = std::max<std::uint16_t>(list.depth, tree[argument].depth + 1);
    list.loops = std::max(list.loops, tree[argument].loops);
  }
  list.offset = tree[node->arguments[0]].offset;
  list.arguments = std::move(node->arguments);
  node->arguments = {tree.add(std::move(list))};
}

}  // namespace

std::optional<std::string> expand_macro(Tree& tree, Node* node) {
  const std::size_t count = node->arguments.size();
  if (node->target == kNoNode) {
    if (node->name == "has" && count == 1) return expand_has(tree, node);
    return std::nullopt;
  }
  if (node->name == "bind" && count == 3 && is_named(tree, node->target, "cel")) {
    return expand_bind(tree, node);
  }
  if ((node->name == "optMap" || node->name == "optFlatMap") && count == 2) {
    return expand_optional_map(tree, node);
  }
  if ((node->name == "greatest" || node->name == "least") && count >= 3 &&
      is_named(tree, node->target, "math")) {
    expand_extremum(tree, node);
    return std::nullopt;
  }
  for (const Form& form : kForms) {
    if (form.name == node->name && argument_count(form) == count) {
      return expand_comprehension(tree, form, node);
    }
  }
  return std::nullopt;
}

}  // namespace spur::expression
