#include "conformance_case.h"

#include <cmath>

#include "daemon/eval/cel_json.h"
#include "operators/expression/text.h"

namespace spur::expression {
namespace {

using eval::Line;
using eval::member;

std::string text(const Value& json) {
  return json.is(Kind::kString) ? std::string(json.as_text()) : std::string();
}

// Equality to the kind: 1 is not 1.0 here, and NaN is NaN.
bool same(const Value& a, const Value& b) {
  if (a.kind() != b.kind()) return false;
  if (a.is(Kind::kDouble)) {
    return a.as_double() == b.as_double() ||
           (std::isnan(a.as_double()) && std::isnan(b.as_double()));
  }
  if (a.is(Kind::kList)) {
    if (a.elements().size() != b.elements().size()) return false;
    for (std::size_t i = 0; i < a.elements().size(); ++i) {
      if (!same(a.elements()[i], b.elements()[i])) return false;
    }
    return true;
  }
  if (a.is(Kind::kMap)) {
    if (a.entries().size() != b.entries().size()) return false;
    for (const MapEntry& x : a.entries()) {
      bool found = false;
      for (const MapEntry& y : b.entries())
        found = found || (same(x.key, y.key) && same(x.value, y.value));
      if (!found) return false;
    }
    return true;
  }
  return to_json(a) == to_json(b);
}

// What the line should have come to; a line that says nothing should be true.
std::string judge(Line& line, bool checked) {
  const Line::Outcome outcome = line.outcome();
  const Value typed = member(line.json(), "typedResult");
  if (!typed.is_absent()) {
    const std::string wanted = eval::read_cel_type(member(typed, "deducedType")).to_string();
    if (checked && line.type().to_string() != wanted) {
      return "type " + line.type().to_string() + " is not " + wanted;
    }
    if (outcome == Line::Outcome::kType) return "";
  }
  if (!member(line.json(), "evalError").is_absent()) {
    return outcome == Line::Outcome::kEvalFailed ? ""
                                                 : line.answer() + " is no error of evaluation";
  }
  if (outcome != Line::Outcome::kValue) return line.answer();
  const Value given = typed.is_absent() ? member(line.json(), "value") : member(typed, "result");
  const Value wanted =
      given.is_absent() ? Value::boolean(true) : eval::read_cel_value(given, line.arena());
  if (!same(line.value(), wanted)) return line.answer() + " is not " + eval::to_cel_json(wanted);
  // What is printed reads back as the same.
  Arena again;
  Line echo(R"({"expr":"x","disableCheck":true,"bindings":{"x":)" +
                eval::to_cel_json(line.value()) + "}}",
            {});
  return same(echo.value(), wanted) ? "" : echo.answer() + " is what was read back";
}

}  // namespace

CaseResult run_case(std::string_view json, const eval::LineOptions& options) {
  Line line(json, options);
  CaseResult result;
  result.file = text(member(line.json(), "file"));
  result.name = text(member(line.json(), "section")) + "/" + text(member(line.json(), "name"));
  result.needs_message = member(line.json(), "proto_message").is_true();
  const bool checked = !options.unchecked && !member(line.json(), "disableCheck").is_true();
  result.problem = judge(line, checked);
  const std::string wanted = text(member(line.json(), "type"));
  if (checked && !wanted.empty() && line.outcome() != Line::Outcome::kCheckFailed &&
      line.type().to_string() != wanted) {
    result.type_problem = line.type().to_string() + " is not " + wanted;
  }
  return result;
}

}  // namespace spur::expression
