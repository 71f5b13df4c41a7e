#include "operators/expression/folding.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <string_view>

namespace spur::expression {
namespace {

class Analysis {
 public:
  Analysis(const Tree& tree, const Checked& checked)
      : tree_(tree), checked_(checked), constant_(tree.size(), false) {}

  std::vector<bool> run() {
    visit(tree_.root);
    return std::move(constant_);
  }

 private:
  // What a part of the tree depends on: slots, or macro variables from `outermost` on (by their
  // place in scope_).
  struct Needs {
    bool slots = false;
    std::size_t outermost = std::numeric_limits<std::size_t>::max();
  };

  Needs visit(NodeId id) {
    const Node& node = tree_[id];
    Needs needs;
    switch (checked_.meanings[id].kind) {
      case Meaning::Kind::kSlot:
      case Meaning::Kind::kFailed:
        needs.slots = true;
        break;
      case Meaning::Kind::kTypeName:
        break;
      case Meaning::Kind::kLocal:
        needs.outermost = place(node.name);
        break;
      default:
        needs = children(id);
    }
    constant_[id] = !needs.slots && needs.outermost >= scope_.size();
    return needs;
  }

  Needs children(NodeId id) {
    const Node& node = tree_[id];
    Needs needs;
    const Meaning& meaning = checked_.meanings[id];
    // The target of math.abs(x) is a part of the name.
    const bool target = node.kind != NodeKind::kCall || meaning.receiver;
    if (node.target != kNoNode && target) include(&needs, node.target);
    for (const NodeId argument : node.arguments) include(&needs, argument);
    const std::size_t outside = scope_.size();
    if (!node.variable.empty()) scope_.push_back(node.variable);
    if (!node.second.empty()) scope_.push_back(node.second);
    if (node.condition != kNoNode) include(&needs, node.condition);
    if (node.result != kNoNode) include(&needs, node.result);
    scope_.resize(outside);
    // Its own variables are no concern of the outside.
    if (needs.outermost >= outside) needs.outermost = std::numeric_limits<std::size_t>::max();
    return needs;
  }

  void include(Needs* needs, NodeId child) {
    const Needs other = visit(child);
    needs->slots = needs->slots || other.slots;
    needs->outermost = std::min(needs->outermost, other.outermost);
  }

  std::size_t place(std::string_view name) const {
    for (std::size_t i = scope_.size(); i > 0; --i) {
      if (scope_[i - 1] == name) return i - 1;
    }
    return 0;
  }

  const Tree& tree_;
  const Checked& checked_;
  std::vector<bool> constant_;
  std::vector<std::string_view> scope_;
};

}  // namespace

std::vector<bool> constant_nodes(const Tree& tree, const Checked& checked) {
  return Analysis(tree, checked).run();
}

Value copy_value(const Value& value, Arena* arena) {
  switch (value.kind()) {
    case Kind::kString:
      return Value::string(arena->copy(value.as_text()));
    case Kind::kBytes:
      return Value::bytes(arena->copy(value.as_text()));
    case Kind::kType:
      return Value::type(arena->copy(value.as_text()));
    case Kind::kError:
      return Value::error(arena->copy(value.as_text()));
    case Kind::kList: {
      const std::span<Value> list = arena->array<Value>(value.elements().size());
      for (std::size_t i = 0; i < list.size(); ++i)
        list[i] = copy_value(value.elements()[i], arena);
      return Value::list(list);
    }
    case Kind::kMap: {
      if (value.is_computed_map()) return value;
      const std::span<MapEntry> map = arena->array<MapEntry>(value.entries().size());
      for (std::size_t i = 0; i < map.size(); ++i) {
        map[i] = {copy_value(value.entries()[i].key, arena),
                  copy_value(value.entries()[i].value, arena)};
      }
      return Value::map(std::span<const MapEntry>(map));
    }
    case Kind::kOptional: {
      if (value.optional_value() == nullptr) return value;
      const std::span<Value> held = arena->array<Value>(1);
      held[0] = copy_value(*value.optional_value(), arena);
      return Value::optional(held.data());
    }
    default:
      return value;
  }
}

}  // namespace spur::expression
