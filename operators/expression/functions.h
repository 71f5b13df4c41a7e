// The functions an expression can call, one row an overload: its signature, which the checker
// reads, and the code, which is called only with arguments of those kinds.
//
// The rows stand with their code, a file a family (functions_text.cc, …); this is the table they
// make together. The operators are rows without code: the compiler has instructions for them.
#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "operators/expression/evaluation.h"
#include "operators/expression/type.h"
#include "state/value.h"

namespace spur::expression {

using Native = Value (*)(Evaluation&, std::span<const Value>);

enum class Dialect : bool { kCel, kSpur };  // kSpur: an addition of ours, hidden when strict

// As written down. A signature is "(int, int) -> int" for f(a, b), "string.(int) -> string" for
// a.f(b); capital letters are type parameters.
struct Row {
  const char* name;
  const char* signature;
  Native native = nullptr;
  Dialect dialect = Dialect::kCel;
};

inline constexpr std::size_t kArgumentsMax = 4;  // of any row below; the receiver counts

struct Overload {
  std::vector<Type> arguments;  // the receiver first
  Type result;
  bool member = false;
  Dialect dialect = Dialect::kCel;
  Native native = nullptr;
  std::array<Kind, kArgumentsMax> kinds{};  // kAbsent: any

  // Whether values of these kinds may be given to `native`.
  bool takes(std::span<const Value> values) const {
    if (values.size() != arguments.size()) return false;
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (kinds[i] != Kind::kAbsent && kinds[i] != values[i].kind()) return false;
    }
    return true;
  }
};

struct Function {
  std::string name;
  std::vector<Overload> overloads;
};

// All functions by name. Made once, at first use; never changes.
const std::map<std::string, Function, std::less<>>& functions();

// The families.
std::span<const Row> operator_rows();
std::span<const Row> conversion_rows();
std::span<const Row> text_rows();
std::span<const Row> time_rows();
std::span<const Row> math_rows();
std::span<const Row> optional_rows();
std::span<const Row> other_rows();  // size, type, dyn, base64, distance_m

}  // namespace spur::expression
