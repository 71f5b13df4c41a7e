#include "state/event.h"

#include "state/digest.h"

namespace spur {

std::string_view to_text(CallType type) {
  switch (type) {
    case CallType::kTrack:
      return "track";
    case CallType::kIdentify:
      return "identify";
    case CallType::kPage:
      return "page";
    case CallType::kScreen:
      return "screen";
    case CallType::kGroup:
      return "group";
    case CallType::kAlias:
      return "alias";
  }
  return "";
}

std::optional<CallType> call_named(std::string_view name) {
  static_assert(static_cast<int>(CallType::kAlias) == kCallNames.size() + 1,
                "in the order of CallType, without track");
  for (std::size_t i = 0; i < kCallNames.size(); ++i) {
    if (name == kCallNames[i]) return static_cast<CallType>(i + 2);
  }
  return std::nullopt;
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
  if (const std::optional<CallType> call = call_named(normal)) return index_of(*call, {});
  const auto index = static_cast<NameIndex>(name_count());
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

EventSchema::NameIndex EventSchema::index_of(CallType type, std::string_view name) const {
  switch (type) {
    case CallType::kTrack:
      return find_name(name);
    case CallType::kIdentify:
      return kIdentifyName;
    case CallType::kPage:
      return kPageName;
    case CallType::kScreen:
      return kScreenName;
    case CallType::kGroup:
      return kGroupName;
    case CallType::kAlias:
      return kAliasName;
  }
  return kOther;
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
