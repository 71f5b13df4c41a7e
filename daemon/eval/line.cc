#include "daemon/eval/line.h"

#include <utility>
#include <vector>

#include "daemon/eval/cel_json.h"
#include "daemon/inputs/json_reader.h"
#include "operators/expression/text.h"

namespace spur::eval {
namespace {

using expression::Environment;

// As large as a line may be; what the expression itself may be is the expression engine's matter.
InputLimits line_limits() {
  InputLimits limits;
  limits.message_bytes_max = kLineBytesMax;
  limits.depth_max = kLineDepthMax;
  limits.string_bytes_max = kLineBytesMax;
  limits.list_elements_max = 100'000;
  limits.object_keys_max = 100'000;
  return limits;
}

Environment::Signature signature_of(const Value& overload) {
  Environment::Signature signature;
  const Value parameters = member(overload, "params");
  if (parameters.is(Kind::kList)) {
    for (const Value& type : parameters.elements()) {
      signature.arguments.push_back(read_cel_type(type));
    }
  }
  signature.result = read_cel_type(member(overload, "resultType"));
  signature.member = member(overload, "isInstanceFunction").is_true();
  return signature;
}

std::string said(const expression::Diagnostic& d) {
  return d.hint.empty() ? d.message : d.message + "; " + d.hint;
}

}  // namespace

Value Line::Bound::load(std::uint32_t slot) {
  const auto at = values_.find(references_[slot].variable);
  return expression::select(at == values_.end() ? Value::absent() : at->second,
                            references_[slot].path);
}

Line::Line(std::string_view json, const LineOptions& options) {
  if (!read(json)) return;
  const Value container = member(json_, "container");
  if (container.is(Kind::kString)) environment_.set_container(std::string(container.as_text()));
  declare(member(json_, "typeEnv"));
  bind(member(json_, "bindings"));
  run(options);
}

bool Line::read(std::string_view json) {
  JsonReader reader(line_limits());
  JsonReader::Token at = reader.open(json);
  if (at != nullptr) at = reader.read(at, arena_, json_);
  if (at == nullptr || !reader.finish(at)) {
    const Malformed failure = reader.take_failure();
    end(Outcome::kUnreadable, std::string(to_text(failure.reason)) + ": " + failure.detail);
    return false;
  }
  if (!json_.is(Kind::kMap) || !member(json_, "expr").is(Kind::kString)) {
    end(Outcome::kUnreadable, "a line is an object with the text `expr`");
    return false;
  }
  return true;
}

void Line::declare(const Value& declarations) {
  if (!declarations.is(Kind::kList)) return;
  for (const Value& declaration : declarations.elements()) {
    const Value name = member(declaration, "name");
    if (!name.is(Kind::kString)) continue;
    const Value type = member(member(declaration, "ident"), "type");
    const Value overloads = member(member(declaration, "function"), "overloads");
    if (!type.is_absent()) {
      environment_.declare(std::string(name.as_text()), read_cel_type(type));
    } else if (overloads.is(Kind::kList)) {
      std::vector<Environment::Signature> signatures;
      for (const Value& overload : overloads.elements()) {
        signatures.push_back(signature_of(overload));
      }
      environment_.declare_function(std::string(name.as_text()), std::move(signatures));
    }
  }
}

void Line::bind(const Value& bindings) {
  if (!bindings.is(Kind::kMap)) return;
  for (const MapEntry& entry : bindings.entries()) {
    const std::string name(entry.key.as_text());
    // {"value": …} as in cel.expr.ExprValue, or the value alone.
    const Value wrapped = member(entry.value, "value");
    slots_.set(name, read_cel_value(wrapped.is_absent() ? entry.value : wrapped, arena_));
    // A binding is declaration enough: of dyn.
    if (environment_.find(name) == nullptr) environment_.declare(name, expression::Type::dyn());
  }
}

void Line::run(const LineOptions& options) {
  expression::Options how;
  how.strict = options.strict;
  how.check = !options.unchecked && !flag("disableCheck");
  compiled_ = expression::compile(member(json_, "expr").as_text(), environment_, references_, how);
  if (!compiled_.program) return end(Outcome::kCheckFailed, said(compiled_.errors.at(0)));
  type_ = compiled_.program->type();
  if (flag("checkOnly")) return end(Outcome::kType, "");
  value_ = compiled_.program->evaluate(slots_, arena_);
  if (value_.is_error()) return end(Outcome::kEvalFailed, expression::to_text(value_));
  end(Outcome::kValue, "");
}

void Line::end(Outcome outcome, std::string message) {
  outcome_ = outcome;
  message_ = std::move(message);
}

bool Line::flag(std::string_view key) const { return member(json_, key).is_true(); }

std::string Line::answer() const {
  std::string out = "{";
  const auto failure = [&](std::string_view stage) {
    out += "\"error\":\"" + std::string(stage) + "\",\"message\":";
    expression::append_json_string(&out, message_);
  };
  switch (outcome_) {
    case Outcome::kValue:
      out += "\"value\":";
      append_cel_value(&out, value_);
      break;
    case Outcome::kType:
      out += "\"type\":";
      expression::append_json_string(&out, type_.to_string());
      break;
    case Outcome::kCheckFailed:
      failure("check");
      break;
    case Outcome::kEvalFailed:
      failure("eval");
      break;
    case Outcome::kUnreadable:
      failure("line");
      break;
  }
  return out + "}";
}

}  // namespace spur::eval
