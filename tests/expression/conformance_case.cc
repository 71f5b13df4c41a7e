#include "conformance_case.h"

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "operators/expression/calendar.h"
#include "operators/expression/program.h"
#include "operators/expression/text.h"

namespace spur::expression {
namespace {

using simdjson::dom::element;

std::string text(element json) { return std::string(std::string_view(json)); }

// The one key of an object that names an alternative, and what it holds.
std::pair<std::string, element> alternative(element json) {
  for (const auto field : simdjson::dom::object(json)) return {std::string(field.key), field.value};
  return {"", json};
}

double real(element json) {
  if (json.is_string()) {
    const std::string word = text(json);
    return word == "NaN" ? NAN : word == "Infinity" ? INFINITY : -INFINITY;
  }
  return double(json);
}

Value read_value(element json, Arena& arena);

Value read_list(element json, Arena& arena) {
  simdjson::dom::array values;
  if (json["values"].get(values) != simdjson::SUCCESS) return Value::list({});
  const std::span<Value> list = arena.array<Value>(values.size());
  std::size_t i = 0;
  for (const element value : values) list[i++] = read_value(value, arena);
  return Value::list(list);
}

Value read_map(element json, Arena& arena) {
  simdjson::dom::array entries;
  if (json["entries"].get(entries) != simdjson::SUCCESS) {
    return Value::map(std::span<const MapEntry>());
  }
  const std::span<MapEntry> map = arena.array<MapEntry>(entries.size());
  std::size_t i = 0;
  for (const element entry : entries) {
    map[i++] = {read_value(entry["key"], arena), read_value(entry["value"], arena)};
  }
  return Value::map(std::span<const MapEntry>(map));
}

// A protobuf message that has a CEL value: the well-known types.
Value read_object(element json) {
  const std::string type = text(json["@type"]);
  if (type.ends_with("Timestamp")) return parse_timestamp(text(json["value"]));
  if (type.ends_with("Duration")) return parse_duration(text(json["value"]), false);
  return Value::error("a message");
}

Value read_value(element json, Arena& arena) {
  const auto [kind, inner] = alternative(json);
  if (kind == "nullValue") return Value::null();
  if (kind == "boolValue") return Value::boolean(bool(inner));
  if (kind == "int64Value") return Value::integer(std::stoll(text(inner)));
  if (kind == "uint64Value") return Value::unsigned_integer(std::stoull(text(inner)));
  if (kind == "doubleValue") return Value::real(real(inner));
  if (kind == "stringValue") return Value::string(arena.copy(text(inner)));
  if (kind == "typeValue") return Value::type(arena.copy(text(inner)));
  if (kind == "listValue") return read_list(inner, arena);
  if (kind == "mapValue") return read_map(inner, arena);
  if (kind == "objectValue") return read_object(inner);
  if (kind == "bytesValue") {
    std::string bytes;
    absl::Base64Unescape(text(inner), &bytes);
    return Value::bytes(arena.copy(bytes));
  }
  return Value::error("an unknown kind of value");
}

Type read_type(element json) {
  const auto [kind, inner] = alternative(json);
  const auto primitive = [](const std::string& name) {
    if (name == "BOOL") return Type::boolean();
    if (name == "INT64") return Type::integer();
    if (name == "UINT64") return Type::unsigned_integer();
    if (name == "DOUBLE") return Type::real();
    if (name == "STRING") return Type::string();
    return Type::bytes();
  };
  if (kind == "primitive") return primitive(text(inner));
  if (kind == "null") return Type::null();
  if (kind == "listType") return Type::list(read_type(inner["elemType"]));
  if (kind == "mapType")
    return Type::map(read_type(inner["keyType"]), read_type(inner["valueType"]));
  if (kind == "type") return Type::type(read_type(inner));
  if (kind == "typeParam") return Type::parameter(text(inner));
  if (kind == "wellKnown") return text(inner) == "TIMESTAMP" ? Type::timestamp() : Type::duration();
  if (kind == "messageType") {
    if (text(inner).ends_with("Timestamp")) return Type::timestamp();
    if (text(inner).ends_with("Duration")) return Type::duration();
  }
  if (kind == "abstractType") {
    std::vector<Type> parameters;
    simdjson::dom::array types;
    if (inner["parameterTypes"].get(types) == simdjson::SUCCESS) {
      for (const element type : types) parameters.push_back(read_type(type));
    }
    if (text(inner["name"]) == "optional_type") return Type::optional(parameters[0]);
    return Type::abstract(text(inner["name"]), parameters);
  }
  return Type::dyn();
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

class Bindings final : public Slots {
 public:
  explicit Bindings(const References& references) : references_(references) {}
  void set(std::string name, Value value) { values_[std::move(name)] = value; }
  Value load(std::uint32_t slot) override {
    const auto at = values_.find(references_[slot].variable);
    return select(at == values_.end() ? Value::absent() : at->second, references_[slot].path);
  }

 private:
  const References& references_;
  std::map<std::string, Value> values_;
};

std::string described(const Diagnostic& d) {
  return d.message + (d.hint.empty() ? "" : "; " + d.hint);
}

class Case {
 public:
  explicit Case(element line) : line_(line) {}

  void run(CaseResult* result) {
    options_.strict = true;
    options_.check = !flag("disableCheck");
    element present;
    if (line_["container"].get(present) == simdjson::SUCCESS)
      environment_.set_container(text(present));
    if (line_["typeEnv"].get(present) == simdjson::SUCCESS) declare(present);
    if (line_["bindings"].get(present) == simdjson::SUCCESS) bind(present);
    source_ = text(line_["expr"]);
    const Compiled compiled = compile(source_, environment_, references_, options_);
    if (!compiled.program) {
      result->problem = "does not compile: " + described(compiled.errors[0]);
      return;
    }
    element type;
    if (options_.check && line_["type"].get(type) == simdjson::SUCCESS &&
        compiled.program->type().to_string() != text(type)) {
      result->type_problem = compiled.program->type().to_string() + " is not " + text(type);
    }
    result->problem = judge(*compiled.program);
  }

 private:
  bool flag(const char* name) {
    bool value = false;
    return line_[name].get(value) == simdjson::SUCCESS && value;
  }

  void declare(element declarations) {
    for (const element declaration : simdjson::dom::array(declarations)) {
      element type;
      if (declaration["ident"]["type"].get(type) != simdjson::SUCCESS) continue;
      environment_.declare(text(declaration["name"]), read_type(type));
    }
  }

  void bind(element bindings) {
    for (const auto field : simdjson::dom::object(bindings)) {
      slots_.set(std::string(field.key), read_value(field.value["value"], arena_));
      // Without a checker a binding is declaration enough.
      const std::string name(field.key);
      if (environment_.find(name) == nullptr) environment_.declare(name, Type::dyn());
    }
  }

  std::string judge(const Program& program) {
    element expected;
    if (line_["typedResult"].get(expected) == simdjson::SUCCESS)
      return judge_typed(program, expected);
    const Value value = program.evaluate(slots_, arena_);
    if (line_["evalError"].get(expected) == simdjson::SUCCESS) {
      return value.is_error() ? "" : to_json(value) + " is no error";
    }
    Value wanted = Value::boolean(true);
    if (line_["value"].get(expected) == simdjson::SUCCESS) wanted = read_value(expected, arena_);
    return compared(value, wanted);
  }

  std::string judge_typed(const Program& program, element expected) {
    const std::string wanted = read_type(expected["deducedType"]).to_string();
    if (program.type().to_string() != wanted) {
      return "type " + program.type().to_string() + " is not " + wanted;
    }
    element result;
    if (flag("checkOnly") || expected["result"].get(result) != simdjson::SUCCESS) return "";
    return compared(program.evaluate(slots_, arena_), read_value(result, arena_));
  }

  static std::string compared(const Value& value, const Value& wanted) {
    if (same(value, wanted)) return "";
    const std::string found = value.is_error() ? "error: " + to_text(value) : to_json(value);
    return found + " is not " + to_json(wanted);
  }

  element line_;
  Options options_;
  std::string source_;
  Environment environment_;
  References references_;
  Bindings slots_{references_};
  Arena arena_;
};

}  // namespace

CaseResult run_case(element line) {
  CaseResult result;
  result.file = text(line["file"]);
  result.name = text(line["section"]) + "/" + text(line["name"]);
  Case(line).run(&result);
  return result;
}

}  // namespace spur::expression
