#include "operators/expression/cost.h"

#include <algorithm>
#include <string_view>
#include <vector>

namespace spur::expression {
namespace {

constexpr std::int64_t kSizeMax = 100'000;
constexpr std::int64_t kTurnSteps = 5;  // of a loop, beside what its body takes
// Of matches() with a pattern that is only known when run: it is compiled each time.
constexpr std::int64_t kPatternSteps = 1'000;
constexpr std::int64_t kPatternStepsAByte = 100;

class Estimate {
 public:
  Estimate(const Tree& tree, const Checked& checked, std::int64_t assumed)
      : tree_(tree), checked_(checked), assumed_(assumed) {}

  std::int64_t run() { return visit(tree_.root).steps; }

 private:
  struct Part {
    std::int64_t steps = 0;
    std::int64_t size = 1;  // elements, if the value is a list or map; kUnknown: it may be one
  };
  static constexpr std::int64_t kUnknown = 0;
  struct Local {
    std::string_view name;
    std::int64_t size;
  };

  static std::int64_t capped(std::int64_t steps) { return std::min(steps, kCostMax); }

  // What is known of a value by its type alone.
  std::int64_t size_by_type(NodeId id) const {
    const Type& type = checked_.meanings[id].type;
    if (type.is(Type::Kind::kList) || type.is(Type::Kind::kMap)) return assumed_;
    return type.is(Type::Kind::kDyn) || type.is(Type::Kind::kOptional) ? kUnknown : 1;
  }
  // A value that is looped over or searched is a list, and one that is compared or added seldom.
  std::int64_t as_list(const Part& part) const {
    return part.size == kUnknown ? assumed_ : part.size;
  }
  static std::int64_t as_operand(const Part& part) { return std::max<std::int64_t>(part.size, 1); }

  Part visit(NodeId id) {
    const Node& node = tree_[id];
    switch (checked_.meanings[id].kind) {
      case Meaning::Kind::kLocal:
        return {1, local(id)};
      case Meaning::Kind::kSlot:
      case Meaning::Kind::kTypeName:
      case Meaning::Kind::kFailed:
        return {1, size_by_type(id)};
      default:
        break;
    }
    switch (node.kind) {
      case NodeKind::kCall:
        return call(id);
      case NodeKind::kList:
      case NodeKind::kMap:
        return literal(node);
      case NodeKind::kComprehension:
        return loop(node);
      case NodeKind::kBind:
      case NodeKind::kOptionalMap:
        return binding(node);
      case NodeKind::kSelect:
        return {capped(1 + visit(node.target).steps), size_by_type(id)};
      default:
        return {1, 1};
    }
  }

  std::int64_t local(NodeId id) const {
    for (auto at = bound_.rbegin(); at != bound_.rend(); ++at) {
      if (at->name == tree_[id].name) return at->size;
    }
    return size_by_type(id);
  }

  Part call(NodeId id) {
    const Node& node = tree_[id];
    std::vector<Part> parts;
    if (node.target != kNoNode && checked_.meanings[id].receiver) {
      parts.push_back(visit(node.target));
    }
    for (const NodeId argument : node.arguments) parts.push_back(visit(argument));
    Part whole{1, size_by_type(id)};
    for (const Part& part : parts) whole.steps = capped(whole.steps + part.steps);
    if (node.name == "_+_" && parts.size() == 2) {
      whole.size = std::min(as_operand(parts[0]) + as_operand(parts[1]), kSizeMax);
    } else if (node.name == "_?_:_" && parts.size() == 3) {
      whole.size = std::max(parts[1].size, parts[2].size);
    } else if (node.name == "orValue" && parts.size() == 2) {
      whole.size = std::max(parts[0].size, parts[1].size);
    }
    whole.steps = capped(whole.steps + looked_through(node, parts, whole));
    return whole;
  }

  // Elements that the call itself goes through.
  std::int64_t looked_through(const Node& node, const std::vector<Part>& parts,
                              const Part& whole) const {
    if (node.name == "@in" && parts.size() == 2) return as_list(parts[1]);
    if ((node.name == "_==_" || node.name == "_!=_") && parts.size() == 2) {
      return std::min(as_operand(parts[0]), as_operand(parts[1])) - 1;
    }
    if (node.name == "_+_" && whole.size > 2) return whole.size;
    if (node.name == "matches" && !node.arguments.empty() &&
        tree_[node.arguments.back()].kind != NodeKind::kLiteral) {
      return kPatternSteps + kPatternStepsAByte * assumed_;
    }
    return 0;
  }

  Part literal(const Node& node) {
    Part whole{1, static_cast<std::int64_t>(node.arguments.size())};
    if (node.kind == NodeKind::kMap) whole.size /= 2;
    for (const NodeId argument : node.arguments) {
      whole.steps = capped(whole.steps + visit(argument).steps);
    }
    return whole;
  }

  Part loop(const Node& node) {
    const Part range = visit(node.target);
    const std::int64_t size = as_list(range);
    std::int64_t turn = kTurnSteps;
    if (node.condition != kNoNode) turn += visit(node.condition).steps;
    if (node.result != kNoNode) turn += visit(node.result).steps;
    // A map looks for each key among those it has already.
    if (node.macro == Macro::kTransformMap || node.macro == Macro::kTransformMapEntry) {
      turn += size / 2;
    }
    // The turn that finds no further element counts as well.
    return {capped(range.steps + (size + 1) * capped(turn)), size};
  }

  Part binding(const Node& node) {
    const Part value = visit(node.target);
    bound_.push_back({node.variable, value.size});
    const Part result = visit(node.result);
    bound_.pop_back();
    return {capped(1 + value.steps + result.steps), result.size};
  }

  const Tree& tree_;
  const Checked& checked_;
  const std::int64_t assumed_;
  std::vector<Local> bound_;  // by cel.bind and optMap, the innermost last
};

}  // namespace

Cost cost_of(const Tree& tree, const Checked& checked) {
  return {Estimate(tree, checked, 1).run(), Estimate(tree, checked, kElementsAssumed).run()};
}

}  // namespace spur::expression
