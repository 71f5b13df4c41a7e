#include "json_schema.h"

#include <gtest/gtest.h>

#include <regex>

#include "daemon/eval/cel_json.h"
#include "daemon/inputs/json_reader.h"
#include "operators/expression/text.h"

namespace spur::authoring {
namespace {

using eval::member;

std::string text(const Value& value) { return std::string(value.as_text()); }

bool has_type(const Value& document, std::string_view type) {
  if (type == "object") return document.is(Kind::kMap);
  if (type == "array") return document.is(Kind::kList);
  if (type == "string") return document.is(Kind::kString);
  if (type == "boolean") return document.is(Kind::kBool);
  if (type == "number") return document.is_number();
  if (type == "integer")
    return document.is_number() &&
           document.as_double() == static_cast<std::int64_t>(document.as_double());
  ADD_FAILURE() << "unknown type " << type;
  return false;
}

class Judge {
 public:
  explicit Judge(const Value& root) : root_(root) {}

  std::string judge(const Value& schema, const Value& document, const std::string& path) {
    const Value reference = member(schema, "$ref");
    if (!reference.is_absent()) return judge(resolved(text(reference)), document, path);
    for (const MapEntry& entry : schema.entries()) {
      const std::string problem = keyword(text(entry.key), entry.value, schema, document, path);
      if (!problem.empty()) return problem;
    }
    return "";
  }

 private:
  Value resolved(const std::string& reference) {
    constexpr std::string_view kPrefix = "#/definitions/";
    EXPECT_TRUE(reference.starts_with(kPrefix)) << reference;
    const Value found = member(member(root_, "definitions"), reference.substr(kPrefix.size()));
    EXPECT_TRUE(found.is(Kind::kMap)) << reference << " leads nowhere";
    return found;
  }

  std::string keyword(const std::string& key, const Value& value, const Value& schema,
                      const Value& document, const std::string& path) {
    for (const char* passed : {"$schema", "title", "description", "definitions", "examples", "then",
                               "patternProperties"}) {
      if (key == passed) return "";
    }
    if (key == "type") return type(value, document, path);
    if (key == "const")
      return same(value, document) ? "" : path + ": is not " + expression::to_json(value);
    if (key == "enum")
      return any_same(value, document) ? "" : path + ": is none of " + expression::to_json(value);
    if (key == "pattern") {
      const bool fits =
          !document.is(Kind::kString) || std::regex_search(text(document), std::regex(text(value)));
      return fits ? "" : path + ": `" + text(document) + "` is not like " + text(value);
    }
    if (key == "minimum" || key == "maximum") {
      if (!document.is_number()) return "";
      const bool low = key == "minimum";
      const bool fits = low ? document.as_double() >= value.as_double()
                            : document.as_double() <= value.as_double();
      return fits ? "" : path + ": beyond its " + key;
    }
    if (key == "required") return required(value, document, path);
    if (key == "properties") return properties(value, document, path);
    if (key == "additionalProperties") return additional(value, schema, document, path);
    if (key == "items") return items(value, document, path);
    if (key == "anyOf" || key == "oneOf") return several(key, value, document, path);
    if (key == "allOf") {
      for (const Value& part : value.elements()) {
        if (const std::string problem = judge(part, document, path); !problem.empty())
          return problem;
      }
      return "";
    }
    if (key == "if")
      return judge(value, document, path).empty() ? judge(member(schema, "then"), document, path)
                                                  : "";
    ADD_FAILURE() << "unknown keyword " << key;
    return "";
  }

  static bool same(const Value& a, const Value& b) {
    return expression::to_json(a) == expression::to_json(b);
  }
  static bool any_same(const Value& list, const Value& document) {
    for (const Value& one : list.elements()) {
      if (same(one, document)) return true;
    }
    return false;
  }

  static std::string type(const Value& types, const Value& document, const std::string& path) {
    if (types.is(Kind::kString))
      return has_type(document, text(types)) ? "" : path + ": is no " + text(types);
    for (const Value& one : types.elements()) {
      if (has_type(document, text(one))) return "";
    }
    return path + ": is none of " + expression::to_json(types);
  }

  static std::string required(const Value& keys, const Value& document, const std::string& path) {
    if (!document.is(Kind::kMap)) return "";
    for (const Value& key : keys.elements()) {
      if (member(document, text(key)).is_absent()) return path + ": `" + text(key) + "` is missing";
    }
    return "";
  }

  std::string properties(const Value& schemas, const Value& document, const std::string& path) {
    if (!document.is(Kind::kMap)) return "";
    for (const MapEntry& entry : document.entries()) {
      const Value schema = member(schemas, text(entry.key));
      if (schema.is_absent()) continue;
      const std::string problem = judge(schema, entry.value, path + "." + text(entry.key));
      if (!problem.empty()) return problem;
    }
    return "";
  }

  std::string additional(const Value& rule, const Value& schema, const Value& document,
                         const std::string& path) {
    if (!document.is(Kind::kMap)) return "";
    for (const MapEntry& entry : document.entries()) {
      const std::string key = text(entry.key);
      if (!member(member(schema, "properties"), key).is_absent()) continue;
      if (key == "true" && !member(schema, "patternProperties").is_absent()) continue;
      if (rule.is(Kind::kBool)) return path + ": no `" + key + "` here";
      if (const std::string problem = judge(rule, entry.value, path + "." + key); !problem.empty())
        return problem;
    }
    return "";
  }

  std::string items(const Value& schema, const Value& document, const std::string& path) {
    if (!document.is(Kind::kList)) return "";
    for (const Value& item : document.elements()) {
      if (const std::string problem = judge(schema, item, path + "[]"); !problem.empty())
        return problem;
    }
    return "";
  }

  std::string several(const std::string& key, const Value& schemas, const Value& document,
                      const std::string& path) {
    std::string deepest;  // of what fits none: the one that came furthest was meant
    int fitting = 0;
    for (const Value& schema : schemas.elements()) {
      const std::string problem = judge(schema, document, path);
      fitting += problem.empty() ? 1 : 0;
      if (problem.find(':') >= deepest.find(':') || deepest.empty()) deepest = problem;
    }
    if (fitting == 0) return deepest;
    return key == "oneOf" && fitting > 1 ? path + ": is more than one of several" : "";
  }

  const Value& root_;
};

}  // namespace

Value read_json(std::string_view json, Arena& arena) {
  InputLimits limits;
  limits.depth_max = 64;
  JsonReader reader(limits);
  Value value;
  JsonReader::Token at = reader.open(json);
  if (at != nullptr) at = reader.read(at, arena, value);
  if (at == nullptr || !reader.finish(at)) {
    ADD_FAILURE() << reader.take_failure().detail;
    return Value::null();
  }
  return value;
}

std::string complaint(const Value& schema, const Value& document) {
  return Judge(schema).judge(schema, document, "");
}

}  // namespace spur::authoring
