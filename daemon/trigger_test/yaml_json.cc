#include "daemon/trigger_test/yaml_json.h"

#include <algorithm>
#include <cstdlib>

#include "operators/catalog/source_text.h"
#include "operators/expression/text.h"

namespace spur::trigger_test {
namespace {

using catalog::YamlEntry;
using catalog::YamlNode;
using Kind = YamlNode::Kind;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

enum class Scalar { kNull, kTrue, kFalse, kNumber, kText };

Scalar scalar_of(const YamlNode& node) {
  if (node.kind == Kind::kNull) return Scalar::kNull;
  if (node.quoted) return Scalar::kText;
  if (node.text == "null" || node.text == "~") return Scalar::kNull;
  if (node.text == "true") return Scalar::kTrue;
  if (node.text == "false") return Scalar::kFalse;
  return is_json_number(node.text) ? Scalar::kNumber : Scalar::kText;
}

bool same(const YamlNode& a, const YamlNode& b) {
  const bool scalar = a.kind == Kind::kScalar || a.kind == Kind::kNull;
  if (scalar != (b.kind == Kind::kScalar || b.kind == Kind::kNull)) return false;
  if (scalar) {
    const Scalar kind = scalar_of(a);
    if (kind != scalar_of(b)) return false;
    if (kind == Scalar::kText) return a.text == b.text;
    if (kind != Scalar::kNumber || a.text == b.text) return true;
    return std::strtod(a.text.c_str(), nullptr) == std::strtod(b.text.c_str(), nullptr);
  }
  if (a.kind != b.kind) return false;
  if (a.kind == Kind::kList) {
    return std::equal(a.items.begin(), a.items.end(), b.items.begin(), b.items.end(),
                      [](const auto& x, const auto& y) { return same(*x, *y); });
  }
  return a.entries.size() == b.entries.size() &&
         std::all_of(a.entries.begin(), a.entries.end(), [&](const YamlEntry& entry) {
           const YamlEntry* const other = b.find(entry.key);
           return other != nullptr && same(*entry.value, *other->value);
         });
}

}  // namespace

bool is_json_number(std::string_view text) {
  std::size_t i = 0;
  const auto digits = [&] {
    const std::size_t begin = i;
    while (i < text.size() && is_digit(text[i])) ++i;
    return i - begin;
  };
  if (i < text.size() && text[i] == '-') ++i;
  const std::size_t first = i;
  const std::size_t whole = digits();
  if (whole == 0 || (whole > 1 && text[first] == '0')) return false;
  if (i < text.size() && text[i] == '.') {
    ++i;
    if (digits() == 0) return false;
  }
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
    if (digits() == 0) return false;
  }
  return i == text.size();
}

void append_json(std::string* out, const YamlNode& node) {
  const auto separate = [&](std::size_t i) {
    if (i > 0) *out += ',';
  };
  switch (node.kind) {
    case Kind::kList:
      *out += '[';
      for (std::size_t i = 0; i < node.items.size(); ++i) {
        separate(i);
        append_json(out, *node.items[i]);
      }
      *out += ']';
      return;
    case Kind::kMap:
      *out += '{';
      for (std::size_t i = 0; i < node.entries.size(); ++i) {
        separate(i);
        expression::append_json_string(out, node.entries[i].key);
        *out += ':';
        append_json(out, *node.entries[i].value);
      }
      *out += '}';
      return;
    case Kind::kNull:
    case Kind::kScalar:
      switch (scalar_of(node)) {
        case Scalar::kNull:
          *out += "null";
          return;
        case Scalar::kText:
          expression::append_json_string(out, node.text);
          return;
        case Scalar::kTrue:
        case Scalar::kFalse:
        case Scalar::kNumber:
          *out += node.text;
          return;
      }
  }
}

std::string to_json(const YamlNode& node) {
  std::string json;
  append_json(&json, node);
  return json;
}

bool is_json(const YamlNode& expected, std::string_view json) {
  // JSON is YAML where it matters here: strings are in quotes, numbers are not.
  const catalog::SourceText source("data", std::string(json));
  const catalog::YamlFile file = catalog::parse_yaml(source);
  return file.documents.size() == 1 && same(expected, *file.documents.front());
}

}  // namespace spur::trigger_test
