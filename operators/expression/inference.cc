#include "operators/expression/inference.h"

namespace spur::expression {
namespace {

using Rename = std::map<std::string, Type, std::less<>>;

Type with_parameters(const Type& type, std::vector<Type> parameters) {
  switch (type.kind()) {
    case Type::Kind::kList:
      return Type::list(std::move(parameters[0]));
    case Type::Kind::kMap:
      return Type::map(std::move(parameters[0]), std::move(parameters[1]));
    case Type::Kind::kOptional:
      return Type::optional(std::move(parameters[0]));
    case Type::Kind::kType:
      return Type::type(std::move(parameters[0]));
    default:
      return Type::abstract(std::string(type.name()), std::move(parameters));
  }
}

Type renamed(const Type& type, Inference* inference, Rename* names) {
  if (type.is(Type::Kind::kParameter)) {
    const auto at = names->find(type.name());
    if (at != names->end()) return at->second;
    return names->emplace(std::string(type.name()), inference->fresh()).first->second;
  }
  if (type.parameters().empty()) return type;
  std::vector<Type> inner;
  for (const Type& parameter : type.parameters()) {
    inner.push_back(renamed(parameter, inference, names));
  }
  return with_parameters(type, std::move(inner));
}

// Whether `a` says no more than `b`: dyn says least.
bool is_more_general(const Type& a, const Type& b) {
  if (a.is(Type::Kind::kDyn) || a.is(Type::Kind::kParameter)) return true;
  if (b.is(Type::Kind::kDyn) || b.is(Type::Kind::kParameter)) return false;
  if (a.kind() != b.kind()) return false;
  if (a.is(Type::Kind::kType)) return true;
  if (a.parameters().size() != b.parameters().size()) return false;
  for (std::size_t i = 0; i < a.parameters().size(); ++i) {
    if (!is_more_general(a.parameters()[i], b.parameters()[i])) return false;
  }
  return !a.is(Type::Kind::kAbstract) || a.name() == b.name();
}

}  // namespace

Type Inference::fresh() { return Type::parameter("_" + std::to_string(next_++)); }

Overload Inference::instantiate(const Overload& overload) {
  Rename names;
  Overload instance = overload;
  for (Type& argument : instance.arguments) argument = renamed(argument, this, &names);
  instance.result = renamed(instance.result, this, &names);
  return instance;
}

bool Inference::assignable(const Type& from, const Type& to) {
  const auto before = bound_;
  if (assign(from, to)) return true;
  bound_ = before;
  return false;
}

bool Inference::assignable(const std::vector<Type>& from, const std::vector<Type>& to) {
  if (from.size() != to.size()) return false;
  const auto before = bound_;
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (assign(from[i], to[i])) continue;
    bound_ = before;
    return false;
  }
  return true;
}

bool Inference::assign(const Type& from, const Type& to) {
  if (from == to) return true;
  if (to.is(Type::Kind::kParameter)) {
    const auto at = bound_.find(to.name());
    if (at == bound_.end()) return bind(to, from);
    const Type current = at->second;
    if (!assign(from, current)) return false;
    if (is_more_general(from, current) && !occurs(to, from)) {
      bound_.insert_or_assign(std::string(to.name()), from);
    }
    return true;
  }
  if (from.is(Type::Kind::kParameter)) {
    const auto at = bound_.find(from.name());
    if (at == bound_.end()) return bind(from, to);
    const Type current = at->second;
    if (!assign(current, to)) return false;
    if (is_more_general(to, current) && !occurs(from, to)) {
      bound_.insert_or_assign(std::string(from.name()), to);
    }
    return true;
  }
  if (from.is(Type::Kind::kDyn) || to.is(Type::Kind::kDyn)) return true;
  // Null stands for a missing time or optional, as in protobuf.
  if (from.is(Type::Kind::kNull)) {
    return to.is(Type::Kind::kTimestamp) || to.is(Type::Kind::kDuration) ||
           to.is(Type::Kind::kOptional) || to.is(Type::Kind::kAbstract);
  }
  if (from.kind() != to.kind()) return false;
  if (from.is(Type::Kind::kType)) return true;
  if (from.parameters().size() != to.parameters().size()) return false;
  if (from.is(Type::Kind::kAbstract) && from.name() != to.name()) return false;
  for (std::size_t i = 0; i < from.parameters().size(); ++i) {
    if (!assign(from.parameters()[i], to.parameters()[i])) return false;
  }
  return true;
}

bool Inference::bind(const Type& parameter, const Type& type) {
  if (occurs(parameter, type)) return false;
  bound_.insert_or_assign(std::string(parameter.name()), type);
  return true;
}

bool Inference::occurs(const Type& parameter, const Type& type) const {
  if (type == parameter) return true;
  if (type.is(Type::Kind::kParameter)) {
    const auto at = bound_.find(type.name());
    return at != bound_.end() && occurs(parameter, at->second);
  }
  for (const Type& inner : type.parameters()) {
    if (occurs(parameter, inner)) return true;
  }
  return false;
}

Type Inference::substitute(const Type& type, bool settle) const {
  if (type.is(Type::Kind::kParameter)) {
    const auto at = bound_.find(type.name());
    if (at != bound_.end()) return substitute(at->second, settle);
    return settle ? Type::dyn() : type;
  }
  if (type.parameters().empty()) return type;
  std::vector<Type> inner;
  for (const Type& parameter : type.parameters()) inner.push_back(substitute(parameter, settle));
  return with_parameters(type, std::move(inner));
}

Type Inference::known(const Type& type) const { return substitute(type, false); }
Type Inference::settled(const Type& type) const { return substitute(type, true); }

Type Inference::join(const Type& a, const Type& b) {
  if (known(a).is(Type::Kind::kNull) && assignable(a, b)) return b;
  if (!assignable(b, a)) return Type::dyn();
  if (known(b).is(Type::Kind::kNull)) return a;
  return is_more_general(known(a), known(b)) ? a : b;
}

}  // namespace spur::expression
