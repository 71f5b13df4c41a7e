// Inference of type parameters: what `A` is in one call of (A, list(A)) -> bool, and what [] is a
// list of.
//
// Gradual: dyn goes where anything goes. A parameter takes the first type it meets and is widened
// if a more general one comes. This is the algorithm of CEL's own checkers, so that the deduced
// types are the same.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "operators/expression/functions.h"
#include "operators/expression/type.h"

namespace spur::expression {

class Inference {
 public:
  // A parameter that stands for a type yet unknown.
  Type fresh();
  // The overload with its own parameters replaced by fresh ones.
  Overload instantiate(const Overload& overload);

  // Whether a value of type `from` may stand where `to` is wanted. What that says about parameters
  // is kept if true.
  bool assignable(const Type& from, const Type& to);
  bool assignable(const std::vector<Type>& from, const std::vector<Type>& to);

  // `type` with what is known of its parameters.
  Type known(const Type& type) const;
  // The same, and dyn for what is not known.
  Type settled(const Type& type) const;
  // One type for the elements of a list: the more general of the two, or dyn.
  Type join(const Type& a, const Type& b);

 private:
  bool assign(const Type& from, const Type& to);
  bool bind(const Type& parameter, const Type& type);
  bool occurs(const Type& parameter, const Type& type) const;
  Type substitute(const Type& type, bool settle) const;

  std::map<std::string, Type, std::less<>> bound_;
  int next_ = 0;
};

}  // namespace spur::expression
