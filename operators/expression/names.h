// What the names of an expression mean: a variable of a macro, a declared variable with the fields
// below it, a type, or nothing, and then why.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "operators/expression/ast.h"
#include "operators/expression/diagnostic.h"
#include "operators/expression/environment.h"
#include "operators/expression/reference.h"

namespace spur::expression {

// A chain a.b['c'] from a name, outermost last.
struct Chain {
  struct Segment {
    std::string_view name;
    NodeId node = kNoNode;
    bool indexed = false;  // written ['name']: a key, never part of a declared name
  };
  std::vector<Segment> segments;
  bool rooted = false;

  // The first `count` names with dots.
  std::string dotted(std::size_t count) const;
};

// The chain that ends in node `id`; nullopt if it starts with something else than a name, or an
// optional selection stands in it. The node itself may be a has() or `.?`.
std::optional<Chain> chain_of(const Tree& tree, NodeId id);

// A chain that is one slot, and the type of what is there.
struct FoundVariable {
  Reference reference;
  Type type;
};

class Names {
 public:
  explicit Names(const Environment& environment) : environment_(environment) {}

  // The variable that `chain` reads, if it is a declared one with only foldable fields below it.
  std::optional<FoundVariable> variable(const Chain& chain) const;
  // Whether some declared variable is the chain or a prefix of it.
  bool is_below_variable(const Chain& chain) const;
  // `name` under each parent of the container, innermost first: "a.b.x", "a.x", "x".
  std::vector<std::string> candidates(std::string_view name, bool rooted) const;
  // The error for a chain that means nothing.
  Diagnostic unknown(const Tree& tree, const Chain& chain) const;

 private:
  struct Declared {
    std::string name;
    const Type* type = nullptr;
    std::size_t segments = 0;
  };
  std::optional<Declared> longest_declared(const Chain& chain) const;

  const Environment& environment_;
};

// CEL's named types: "int", "google.protobuf.Timestamp". The type of such a name is type(…).
std::optional<Type> named_type(std::string_view name);

}  // namespace spur::expression
