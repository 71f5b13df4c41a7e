#include "daemon/authoring/windows.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/authoring/message_fields.h"
#include "fmt/format.h"
#include "operators/catalog/durations.h"
#include "operators/catalog/position.h"
#include "operators/expression/calendar.h"
#include "operators/expression/parser.h"

namespace spur::authoring {
namespace {

using expression::Node;
using expression::NodeId;
using expression::NodeKind;

class Conditions {
 public:
  explicit Conditions(const spur::v1::Catalog& catalog) {
    for (const spur::v1::Feature& feature : catalog.features())
      features_[feature.name()] = &feature;
  }

  std::vector<Never> take() { return std::move(found_); }

  void look(const std::string& path, const std::string& source) {
    if (source.empty()) return;
    expression::Tree tree;
    if (expression::parse(source, {}, &tree)) return;  // told by the compiler
    for (NodeId id = 0; id < tree.size(); ++id) {
      const Node& node = tree[id];
      if (node.kind != NodeKind::kCall || node.arguments.size() != 2) continue;
      const bool over = node.name == "_>_" || node.name == "_>=_";
      const bool under = node.name == "_<_" || node.name == "_<=_";
      if (!over && !under) continue;
      const bool strict = node.name == "_>_" || node.name == "_<_";
      judge(path, tree, node, node.arguments[over ? 0 : 1], node.arguments[over ? 1 : 0], strict);
    }
  }

 private:
  // `large` should be more than `small` (or as much, if not `strict`).
  void judge(const std::string& path, const expression::Tree& tree, const Node& node, NodeId large,
             NodeId small, bool strict) {
    const std::optional<Bound> bound = bound_of(tree, large);
    if (!bound) return;
    const std::optional<std::int64_t> wanted =
        bound->days ? whole_number(tree, small) : milliseconds(tree, small);
    if (!wanted) return;
    // Everything in (now - W, now] is less than W apart.
    const bool possible = bound->days ? *wanted + (strict ? 1 : 0) <= bound->most
                                      : *wanted + (strict ? 1 : 0) < bound->most;
    if (possible) return;
    found_.push_back({path, node.offset,
                      fmt::format("this is never true: `features.{}` looks back {} only",
                                  bound->feature, duration_text(bound->window)),
                      bound->days ? "give it a longer window, or ask for less"
                                  : "give it a longer window, or ask for a shorter time"});
  }

  struct Bound {
    std::string feature;
    Millis window{0};
    std::int64_t most = 0;
    bool days = false;  // `most` counts days, else milliseconds
  };

  // The most that the expression can be, if a window bounds it.
  std::optional<Bound> bound_of(const expression::Tree& tree, NodeId id) const {
    const Node& node = tree[id];
    if (node.kind == NodeKind::kCall && node.name == "_-_" && node.arguments.size() == 2) {
      const Node& now = tree[node.arguments[0]];
      if (now.kind != NodeKind::kIdentifier || now.name != "now") return std::nullopt;
      const spur::v1::Feature* const feature = feature_of(tree, node.arguments[1]);
      if (feature == nullptr || feature->of() != "event.time") return std::nullopt;
      return Bound{feature->name(), window(*feature), window(*feature).count, false};
    }
    if (node.kind != NodeKind::kSelect || node.test || node.optional) return std::nullopt;
    const spur::v1::Feature* const feature = feature_of(tree, node.target);
    if (feature == nullptr || feature->aggregate() != "gaps") return std::nullopt;
    if (node.name == "count") {
      if (!feature->distinct_days()) return std::nullopt;
      // A window of n days touches n + 1 of them, which have n gaps.
      const std::int64_t gaps = (feature->window_ms() + kDay.count - 1) / kDay.count;
      return Bound{feature->name(), window(*feature), gaps, true};
    }
    return Bound{feature->name(), window(*feature), feature->window_ms(), false};
  }

  // How long ago the oldest can be.
  static Millis window(const spur::v1::Feature& feature) {
    return {feature.window_ms() + feature.offset_ms()};
  }

  // `features.x` or `features.x['key']` of one with a window.
  const spur::v1::Feature* feature_of(const expression::Tree& tree, NodeId id) const {
    if (id == expression::kNoNode) return nullptr;
    const Node& node = tree[id];
    if (node.kind == NodeKind::kCall && node.name == "_[_]" && node.arguments.size() == 2) {
      return feature_of(tree, node.arguments[0]);
    }
    if (node.kind != NodeKind::kSelect || node.target == expression::kNoNode) return nullptr;
    const Node& root = tree[node.target];
    if (root.kind != NodeKind::kIdentifier || root.name != "features") return nullptr;
    const auto found = features_.find(std::string(node.name));
    if (found == features_.end() || found->second->window_ms() == 0) return nullptr;
    return found->second;
  }

  // duration("7d")
  static std::optional<std::int64_t> milliseconds(const expression::Tree& tree, NodeId id) {
    const Node& node = tree[id];
    if (node.kind != NodeKind::kCall || node.name != "duration" || node.arguments.size() != 1) {
      return std::nullopt;
    }
    const Node& text = tree[node.arguments[0]];
    if (text.kind != NodeKind::kLiteral || !text.literal.is(Kind::kString)) return std::nullopt;
    const Value value = expression::parse_duration(text.literal.as_text(), true);
    if (!value.is(Kind::kDuration)) return std::nullopt;
    return value.seconds() * 1000 + value.nanos() / 1'000'000;
  }

  static std::optional<std::int64_t> whole_number(const expression::Tree& tree, NodeId id) {
    const Node& node = tree[id];
    if (node.kind != NodeKind::kLiteral || !node.literal.is(Kind::kInt)) return std::nullopt;
    return node.literal.as_int();
  }

  std::map<std::string, const spur::v1::Feature*> features_;
  std::vector<Never> found_;
};

// All texts of a message: those that are no conditions hold no comparison of a feature.
void look_through(Conditions& conditions, const std::string& path,
                  const google::protobuf::Message& message) {
  for_each_field(message, path, [&](const FieldPlace& at) {
    if (at.field.type() != google::protobuf::FieldDescriptor::TYPE_STRING) return;
    if (at.field.is_repeated()) return;
    conditions.look(at.path, at.owner.GetReflection()->GetString(at.owner, &at.field));
  });
}

}  // namespace

std::vector<Never> impossible_windows(const spur::v1::Catalog& catalog) {
  Conditions conditions(catalog);
  for (const spur::v1::Segment& segment : catalog.segments()) {
    look_through(conditions, catalog::resource_path("Segment", segment.name()) + "/spec", segment);
  }
  for (const spur::v1::Trigger& trigger : catalog.triggers()) {
    look_through(conditions, catalog::resource_path("Trigger", trigger.name()) + "/spec", trigger);
  }
  return conditions.take();
}

}  // namespace spur::authoring
