#include "state/event.h"

#include "state/digest.h"

namespace spur {

std::string_view to_text(CallType type) {
  switch (type) {
    case CallType::kTrack: return "track";
    case CallType::kIdentify: return "identify";
    case CallType::kPage: return "page";
    case CallType::kScreen: return "screen";
    case CallType::kGroup: return "group";
    case CallType::kAlias: return "alias";
  }
  return "";
}

std::string normalized_event_name(std::string_view name) {
  std::string normal(name);
  for (char& c : normal) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (c == '_') c = ' ';
  }
  return normal;
}

EventSchema::EventSchema() = default;

EventSchema::NameIndex EventSchema::add_name(std::string_view name) {
  std::string normal = normalized_event_name(name);
  if (normal == "$identify") return kIdentifyName;
  if (normal == "$page") return kPageName;
  if (normal == "$screen") return kScreenName;
  if (normal == "$group") return kGroupName;
  if (normal == "$alias") return kAliasName;
  const auto index = static_cast<NameIndex>(names_.size() + 5);
  return names_.try_emplace(std::move(normal), index).first->second;
}

EventSchema::NameIndex EventSchema::find_name(std::string_view name) const {
  // Names are short: normalise on the stack, since this runs once per event.
  char buffer[128];
  if (name.size() > sizeof buffer) {
    const auto it = names_.find(normalized_event_name(name));
    return it == names_.end() ? kOther : it->second;
  }
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    buffer[i] = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c == '_' ? ' ' : c;
  }
  const auto it = names_.find(std::string_view(buffer, name.size()));
  return it == names_.end() ? kOther : it->second;
}

EventSchema::FieldIndex EventSchema::add_field(const std::vector<std::string>& path) {
  Node* node = &root_;
  std::string joined;
  for (const std::string& key : path) {
    joined += key;
    joined += '\0';  // so that {"a.b"} and {"a", "b"} differ
    Node* next = nullptr;
    for (Node& child : node->children) {
      if (child.key == key) next = &child;
    }
    if (next == nullptr) {
      node->children.push_back({key, -1, {}});
      next = &node->children.back();
    }
    node = next;
  }
  if (node->field < 0) {
    node->field = static_cast<std::int64_t>(paths_.size());
    paths_.push_back(path);
    path_hashes_.push_back(static_cast<std::uint32_t>(hash64(joined)));
  }
  return static_cast<FieldIndex>(node->field);
}

}  // namespace spur
