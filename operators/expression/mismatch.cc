#include "operators/expression/mismatch.h"

#include <algorithm>
#include <set>

#include "operators/expression/environment.h"

namespace spur::expression {
namespace {

// "+" of "_+_"; empty for functions.
std::string operator_of(std::string_view name) {
  if (name == "@in") return "in";
  if (name == "_?_:_") return "? :";
  if (name == "_[_]" || name == "_[?_]") return "[ ]";
  std::string text;
  for (const char c : name) {
    if (c != '_') text += c;
  }
  const bool letters =
      std::any_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'z'; });
  return letters ? "" : text;
}

std::string listed(const std::vector<Type>& types, std::size_t from, std::string_view last) {
  std::string text;
  for (std::size_t i = from; i < types.size(); ++i) {
    if (i > from) text += i + 1 == types.size() ? std::string(last) : ", ";
    text += types[i].to_string();
  }
  return text;
}

std::string form(const Overload& overload) {
  if (!overload.member) return "(" + listed(overload.arguments, 0, ", ") + ")";
  return overload.arguments[0].to_string() + ".(" + listed(overload.arguments, 1, ", ") + ")";
}

bool is_text_and_number(const std::vector<Type>& arguments) {
  if (arguments.size() != 2) return false;
  const auto text = [](const Type& t) { return t.is(Type::Kind::kString); };
  return (text(arguments[0]) && arguments[1].is_number()) ||
         (text(arguments[1]) && arguments[0].is_number());
}

}  // namespace

std::string mismatch_message(const Function& function, const std::vector<Type>& arguments,
                             bool receiver) {
  const std::string symbol = operator_of(function.name);
  if (!symbol.empty()) return "`" + symbol + "` does not take " + listed(arguments, 0, " and ");
  if (!receiver)
    return "`" + function.name + "` does not take (" + listed(arguments, 0, ", ") + ")";
  return "`" + function.name + "` of a " + arguments[0].to_string() + " does not take (" +
         listed(arguments, 1, ", ") + ")";
}

std::string mismatch_hint(const Function& function, const std::vector<Type>& arguments,
                          bool receiver, bool strict) {
  if (function.name == "_==_" || function.name == "_!=_") {
    return is_text_and_number(arguments)
               ? "the two can never be equal; quote the number or convert the text"
               : "the two can never be equal";
  }
  if (is_text_and_number(arguments)) return "convert one with string(…) or double(…)";
  std::string hint;
  std::size_t shown = 0;
  bool other_form = true;
  for (const Overload& overload : function.overloads) {
    if (strict && overload.dialect == Dialect::kSpur) continue;
    other_form = other_form && overload.member != receiver;
    if (++shown > 6) continue;
    hint += (shown == 1 ? "" : ", ") + form(overload);
  }
  if (shown > 6) hint += ", …";
  if (other_form && !receiver) return "call it on a value: x." + function.name + "(…)";
  return "it takes " + hint;
}

Diagnostic unknown_function(const Node& call) {
  Diagnostic diagnostic{call.offset, call.length, "", ""};
  const std::string name(call.name);
  static constexpr std::string_view kMacros[] = {
      "all", "exists", "exists_one", "existsOne", "filter", "map", "has", "optMap", "optFlatMap"};
  if (std::find(std::begin(kMacros), std::end(kMacros), name) != std::end(kMacros)) {
    diagnostic.message = "`" + name + "` is called with another number of arguments";
    diagnostic.hint = name == "has" ? "has(a.b)" : "as in list." + name + "(x, …)";
    return diagnostic;
  }
  diagnostic.message = "there is no function `" + name + "`";
  std::set<std::string> known(std::begin(kMacros), std::end(kMacros));
  for (const auto& [other, function] : functions()) {
    if (operator_of(other).empty()) known.insert(other);
  }
  if (const auto near = nearest_of(name, known)) diagnostic.hint = "did you mean `" + *near + "`?";
  return diagnostic;
}

}  // namespace spur::expression
