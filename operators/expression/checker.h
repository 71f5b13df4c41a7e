// The checker: gives every name its meaning and every node its type, or says what does not fit.
//
// Without Options::check only names are resolved; what has no meaning becomes an error value when
// it is evaluated.
#pragma once

#include <vector>

#include "operators/expression/ast.h"
#include "operators/expression/diagnostic.h"
#include "operators/expression/environment.h"
#include "operators/expression/functions.h"
#include "operators/expression/program.h"
#include "operators/expression/reference.h"

namespace spur::expression {

// What the checker found out about one node.
struct Meaning {
  enum class Kind : std::uint8_t {
    kPlain,     // what its kind says
    kLocal,     // the variable of an enclosing macro
    kSlot,      // one slot: read, tested or made optional, as the node's flags say
    kTypeName,  // a type as a value
    kCall,      // a call of one of `overloads`
    kFailed,    // no meaning: evaluates to an error (unchecked only)
  };
  Kind kind = Kind::kPlain;
  Type type;
  Reference reference;                     // kSlot
  std::string name;                        // kTypeName: CEL's name
  bool receiver = false;                   // kCall: the node's target is the first argument
  std::vector<const Overload*> overloads;  // kCall: those that may fit, in the table's order
};

struct Checked {
  std::vector<Meaning> meanings;  // by NodeId
  Type type;                      // of the whole
  std::vector<Diagnostic> errors;
  std::vector<Diagnostic> warnings;
};

// May change literals in `tree`: where a double is wanted an int literal becomes one (never when
// strict).
Checked check(Tree& tree, const Environment& environment, const Options& options);

}  // namespace spur::expression
