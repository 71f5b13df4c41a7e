#include "operators/expression/type.h"

#include <utility>

#include "state/check.h"

namespace spur::expression {

struct Type::Detail {
  std::string name;
  std::vector<Type> parameters;
};

Type::Type(Kind kind, std::string name, std::vector<Type> parameters)
    : kind_(kind),
      detail_(std::make_shared<const Detail>(Detail{std::move(name), std::move(parameters)})) {}

Type Type::list(Type element) { return Type(Kind::kList, "", {std::move(element)}); }

Type Type::map(Type key, Type value) {
  return Type(Kind::kMap, "", {std::move(key), std::move(value)});
}

Type Type::object() {
  Type object = map(string(), dyn());
  object.object_ = true;
  return object;
}

Type Type::optional(Type value) { return Type(Kind::kOptional, "", {std::move(value)}); }

Type Type::type(Type of) { return Type(Kind::kType, "", {std::move(of)}); }

Type Type::abstract(std::string name, std::vector<Type> parameters) {
  return Type(Kind::kAbstract, std::move(name), std::move(parameters));
}

Type Type::parameter(std::string name) { return Type(Kind::kParameter, std::move(name), {}); }

std::span<const Type> Type::parameters() const {
  if (detail_ == nullptr) return {};
  return detail_->parameters;
}

std::string_view Type::name() const {
  SPUR_CHECK(detail_ != nullptr);
  return detail_->name;
}

namespace {

std::string_view base_name(const Type& type) {
  switch (type.kind()) {
    case Type::Kind::kDyn:
      return "dyn";
    case Type::Kind::kNull:
      return "null";
    case Type::Kind::kBool:
      return "bool";
    case Type::Kind::kInt:
      return "int";
    case Type::Kind::kUint:
      return "uint";
    case Type::Kind::kDouble:
      return "double";
    case Type::Kind::kString:
      return "string";
    case Type::Kind::kBytes:
      return "bytes";
    case Type::Kind::kTimestamp:
      return "timestamp";
    case Type::Kind::kDuration:
      return "duration";
    case Type::Kind::kList:
      return "list";
    case Type::Kind::kMap:
      return "map";
    case Type::Kind::kOptional:
      return "optional_type";
    case Type::Kind::kType:
      return "type";
    case Type::Kind::kAbstract:
    case Type::Kind::kParameter:
      return type.name();
  }
  return "dyn";
}

}  // namespace

std::string Type::to_string() const {
  std::string text(base_name(*this));
  const std::span<const Type> inner = parameters();
  if (inner.empty()) return text;
  text += "(";
  for (std::size_t i = 0; i < inner.size(); ++i) {
    if (i > 0) text += ", ";
    text += inner[i].to_string();
  }
  return text + ")";
}

bool operator==(const Type& a, const Type& b) {
  if (a.kind_ != b.kind_) return false;
  if (a.detail_ == b.detail_) return true;
  if (a.detail_ == nullptr || b.detail_ == nullptr) return false;
  return a.detail_->name == b.detail_->name && a.detail_->parameters == b.detail_->parameters;
}

}  // namespace spur::expression
