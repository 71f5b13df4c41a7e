// The syntax tree of one expression: nodes in a table, by number, in the order they were parsed.
//
// Operators are calls under CEL's names ("_+_", "_[_]", "!_"). Macros are nodes of their own rather
// than expanded to CEL's fold: the checker can speak of them as they were written, and the compiler
// makes straight loops.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "state/arena.h"
#include "state/value.h"

namespace spur::expression {

using NodeId = std::uint32_t;
inline constexpr NodeId kNoNode = 0xFFFFFFFF;

enum class NodeKind : std::uint8_t {
  kLiteral,
  kIdentifier,
  kSelect,         // target.name; `optional`: target.?name; `test`: has(target.name)
  kCall,           // name(arguments) or target.name(arguments)
  kList,           // arguments
  kMap,            // arguments: key, value, key, value …
  kMessage,        // name{…}: parsed to be refused politely
  kComprehension,  // target.macro(variable, [second,] [condition,] [result])
  kBind,           // cel.bind(variable, target, result)
  kOptionalMap,    // target.optMap(variable, result); `flat`: optFlatMap
};

enum class Macro : std::uint8_t {
  kAll,
  kExists,
  kExistsOne,
  kMap,
  kFilter,
  kTransformMap,
  kTransformMapEntry
};

struct Node {
  NodeKind kind = NodeKind::kLiteral;
  Macro macro = Macro::kAll;
  bool rooted = false;  // an identifier written with a leading dot: not looked up in the container
  bool optional = false;     // `.?`
  bool test = false;         // has()
  bool flat = false;         // optFlatMap
  std::uint8_t loops = 0;    // how deeply comprehensions nest inside
  std::uint16_t depth = 1;   // of the tree below and with this node
  std::uint32_t offset = 0;  // what an error about this node should point at
  std::uint32_t length = 0;
  Value literal;          // in the tree's arena
  std::string_view name;  // in the source, or a constant
  NodeId target = kNoNode;
  NodeId condition = kNoNode;
  NodeId result = kNoNode;
  std::string_view variable;
  std::string_view second;  // the other variable of the two-variable macros; empty for one
  std::vector<NodeId> arguments;
  std::vector<bool>
      optional_entries;  // of a list's elements or a map's entries; empty if there is no `?`
};

// Texts point into the source and the tree's arena, so the source must outlive the tree.
class Tree {
 public:
  NodeId add(Node node) {
    nodes_.push_back(std::move(node));
    return static_cast<NodeId>(nodes_.size() - 1);
  }
  Node& operator[](NodeId id) { return nodes_[id]; }
  const Node& operator[](NodeId id) const { return nodes_[id]; }
  std::size_t size() const { return nodes_.size(); }

  Arena& arena() { return arena_; }
  NodeId root = kNoNode;

 private:
  std::deque<Node> nodes_;  // a deque: adding a node moves no other
  Arena arena_;
};

}  // namespace spur::expression
