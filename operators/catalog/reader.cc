#include "operators/catalog/reader.h"

#include <optional>

#include "operators/catalog/nearest.h"
#include "state/text_prefix.h"

namespace spur::catalog {

void Reader::fail(std::size_t offset, std::string message, std::string hint) {
  errors_.push_back({file_->position(offset), std::move(message), std::move(hint)});
}

void Reader::note(const std::string& path, std::size_t key_offset, const YamlNode& value) {
  const bool scalar = value.kind == YamlNode::Kind::kScalar;
  const std::size_t offset = value.kind == YamlNode::Kind::kNull ? key_offset : value.offset;
  positions_.add(path, {file_, key_offset, offset, scalar, scalar ? value.text : ""});
}

std::string Reader::unknown_key(const YamlEntry& entry, const YamlNode& in,
                                const std::set<std::string>& keys, const std::string& where) {
  std::optional<std::string> near = nearest(entry.key, keys);
  std::string hint;
  const bool cut = in.flow && entry.value->kind == YamlNode::Kind::kNull;  // {of: f(a, b)}
  if (cut && entry.key.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") != std::string::npos)
    near.reset();
  if (near) {
    hint = "did you mean `" + *near + "`?";
  } else if (cut) {
    hint = "inside { } put quotes around text that holds a comma";
  } else if (entry.key == "<<") {
    hint = "merge keys are not read; write the keys out";
  } else {
    hint = keys.empty() ? "nothing may stand here" : "known are " + joined(keys);
  }
  fail(entry.key_offset, "unknown key " + quoted(entry.key) + " in " + where, std::move(hint));
  return near.value_or("");
}

std::string quoted(std::string_view text) {
  constexpr std::size_t kShown = 60;
  if (text.size() <= kShown) return "`" + std::string(text) + "`";
  return "`" + std::string(text_prefix(text, kShown)) + "…`";
}

std::string joined(const std::set<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

std::string kind_of(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::kNull:
      return "empty";
    case YamlNode::Kind::kScalar:
      return "text";
    case YamlNode::Kind::kList:
      return "a list";
    case YamlNode::Kind::kMap:
      return "a mapping";
  }
  return "";
}

std::size_t offset_of(const YamlEntry& entry) {
  return entry.value->kind == YamlNode::Kind::kNull ? entry.key_offset : entry.value->offset;
}

}  // namespace spur::catalog
