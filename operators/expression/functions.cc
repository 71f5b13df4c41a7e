#include "operators/expression/functions.h"

#include "state/check.h"

namespace spur::expression {
namespace {

// Reads the signatures of rows. They are ours, so a mistake is a bug and stops the process at the
// first use.
class SignatureReader {
 public:
  explicit SignatureReader(std::string_view text) : rest_(text) {}

  Overload read() {
    Overload overload;
    if (rest_[0] != '(') {
      overload.member = true;
      overload.arguments.push_back(type());
      take(".");
    }
    take("(");
    while (rest_[0] != ')') {
      overload.arguments.push_back(type());
      if (rest_[0] == ',') take(", ");
    }
    take(") -> ");
    overload.result = type();
    SPUR_CHECK(rest_.empty());
    return overload;
  }

 private:
  Type type() {
    const std::string_view name = word();
    if (name == "dyn") return Type::dyn();
    if (name == "null") return Type::null();
    if (name == "bool") return Type::boolean();
    if (name == "int") return Type::integer();
    if (name == "uint") return Type::unsigned_integer();
    if (name == "double") return Type::real();
    if (name == "string") return Type::string();
    if (name == "bytes") return Type::bytes();
    if (name == "timestamp") return Type::timestamp();
    if (name == "duration") return Type::duration();
    if (name == "list") return Type::list(parameters()[0]);
    if (name == "optional") return Type::optional(parameters()[0]);
    if (name == "type") return Type::type(parameters()[0]);
    if (name == "map") {
      const std::vector<Type> inner = parameters();
      return Type::map(inner[0], inner[1]);
    }
    SPUR_CHECK(name.size() == 1);
    return Type::parameter(std::string(name));
  }

  std::vector<Type> parameters() {
    std::vector<Type> types;
    take("(");
    types.push_back(type());
    while (rest_[0] == ',') {
      take(", ");
      types.push_back(type());
    }
    take(")");
    return types;
  }

  std::string_view word() {
    std::size_t length = 0;
    while (length < rest_.size() && rest_[length] != ' ' && rest_[length] != ',' &&
           rest_[length] != '(' && rest_[length] != ')' && rest_[length] != '.') {
      ++length;
    }
    const std::string_view word = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return word;
  }

  void take(std::string_view expected) {
    SPUR_CHECK(rest_.substr(0, expected.size()) == expected);
    rest_.remove_prefix(expected.size());
  }

  std::string_view rest_;
};

Kind kind_of(const Type& type) {
  switch (type.kind()) {
    case Type::Kind::kNull:
      return Kind::kNull;
    case Type::Kind::kBool:
      return Kind::kBool;
    case Type::Kind::kInt:
      return Kind::kInt;
    case Type::Kind::kUint:
      return Kind::kUint;
    case Type::Kind::kDouble:
      return Kind::kDouble;
    case Type::Kind::kString:
      return Kind::kString;
    case Type::Kind::kBytes:
      return Kind::kBytes;
    case Type::Kind::kTimestamp:
      return Kind::kTimestamp;
    case Type::Kind::kDuration:
      return Kind::kDuration;
    case Type::Kind::kList:
      return Kind::kList;
    case Type::Kind::kMap:
      return Kind::kMap;
    case Type::Kind::kOptional:
      return Kind::kOptional;
    case Type::Kind::kType:
      return Kind::kType;
    default:
      return Kind::kAbsent;
  }
}

std::map<std::string, Function, std::less<>> build() {
  std::map<std::string, Function, std::less<>> table;
  for (const std::span<const Row> family :
       {operator_rows(), conversion_rows(), text_rows(), time_rows(), math_rows(), optional_rows(),
        other_rows()}) {
    for (const Row& row : family) {
      Overload overload = SignatureReader(row.signature).read();
      SPUR_CHECK(overload.arguments.size() <= kArgumentsMax);
      for (std::size_t i = 0; i < overload.arguments.size(); ++i) {
        overload.kinds[i] = kind_of(overload.arguments[i]);
      }
      overload.native = row.native;
      overload.dialect = row.dialect;
      Function& function = table[row.name];
      function.name = row.name;
      function.overloads.push_back(std::move(overload));
    }
  }
  return table;
}

}  // namespace

const std::map<std::string, Function, std::less<>>& functions() {
  static const auto* const kTable = new std::map<std::string, Function, std::less<>>(build());
  return *kTable;
}

}  // namespace spur::expression
