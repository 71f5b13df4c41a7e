// The paths of an EventSchema, taken out of a document in the one walk that checks it.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "daemon/inputs/json_reader.h"
#include "state/arena.h"
#include "state/event.h"

namespace spur {

// What `node` wants of a value that is there already, into `fields`; nullptr: nothing.
inline void assign_fields(const EventSchema::Node* node, const Value& value,
                          std::span<Value> fields) {
  if (node == nullptr) return;
  if (node->field >= 0) fields[static_cast<std::size_t>(node->field)] = value;
  for (const EventSchema::Node& below : node->children)
    assign_fields(&below, field(value, below.key), fields);
}

// For one document; `fields` has a place for each of the schema's fields.
class JsonFields {
 public:
  using Node = EventSchema::Node;
  using Token = JsonReader::Token;

  JsonFields(JsonReader& reader, Arena& arena, std::span<Value> fields)
      : reader_(reader), arena_(arena), fields_(fields) {}

  // Passes a value and keeps what `node` wants of it; nullptr: nothing.
  Token take(Token at, const Node* node) {
    if (node == nullptr) return reader_.skip(at);
    if (node->field < 0)
      return reader_.peek(at) == '{' ? take_members(at, *node) : reader_.skip(at);
    Value value;
    const Token behind = reader_.read(at, arena_, value);
    assign(node, value);
    return behind;
  }

  Token take_members(Token at, const Node& node) {
    const std::span<bool> seen = arena_.array<bool>(node.children.size());
    return reader_.object(at, arena_, [&](std::string_view key, Token value) {
      return take(value, first(node, key, seen));
    });
  }

  void assign(const Node* node, const Value& value) { assign_fields(node, value, fields_); }

  static const Node* child(const Node& node, std::string_view key) {
    for (const Node& candidate : node.children) {
      // The last byte tells most keys of one length apart (field_1, field_2) without a call.
      if (candidate.key.size() == key.size() &&
          (key.empty() || candidate.key.back() == key.back()) && candidate.key == key) {
        return &candidate;
      }
    }
    return nullptr;
  }

  // The child for `key`, once; nullptr when nothing is wanted of it, or nothing more.
  static const Node* first(const Node& node, std::string_view key, std::span<bool> seen) {
    const Node* const found = child(node, key);
    if (found == nullptr) return nullptr;
    bool& taken = seen[static_cast<std::size_t>(found - node.children.data())];
    if (taken) return nullptr;
    taken = true;
    return found;
  }

  std::span<const Value> fields() const { return fields_; }

 private:
  JsonReader& reader_;
  Arena& arena_;
  std::span<Value> fields_;
};

}  // namespace spur
