#include "operators/expression/reference.h"

namespace spur::expression {

std::string Reference::to_string() const {
  std::string text = variable;
  for (const std::string& field : path) {
    text += ".";
    text += field;
  }
  return text;
}

std::uint32_t References::slot(const Reference& reference) {
  const auto [at, is_new] =
      slots_.try_emplace(reference, static_cast<std::uint32_t>(references_.size()));
  if (is_new) references_.push_back(reference);
  return at->second;
}

Value select(const Value& root, std::span<const std::string> path) {
  Value value = root;
  for (const std::string& name : path) {
    if (value.is_error()) return value;
    if (value.is_absent()) return Value::error("no such key");
    if (!value.is(Kind::kMap)) return Value::error("no such field: not a map");
    value = field(value, name);
  }
  return value;
}

}  // namespace spur::expression
