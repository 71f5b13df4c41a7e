// Event: one decoded customer event, as the fold sees it.
//
// A view: text, fields and traits point into the decoder's arena or the input's bytes and die with them. Only the paths
// that the catalog in force names are read from the input (EventSchema); each is read once and shared by all triggers.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "state/identity.h"
#include "state/time.h"
#include "state/value.h"

namespace spur {

// The six calls of the Segment spec. Stored: a number is never reused.
enum class CallType : std::uint8_t {
  kTrack = 1,
  kIdentify = 2,
  kPage = 3,
  kScreen = 4,
  kGroup = 5,
  kAlias = 6,
};

// "track", "identify", …; the text of `event.type`.
std::string_view to_text(CallType type);

// What a call that is no track goes by where event names stand: in a pattern, in a Source's map.
inline constexpr std::array<std::string_view, 5> kCallNames = {"$identify", "$page", "$screen", "$group", "$alias"};
// The call of such a name; nullopt: it is none.
std::optional<CallType> call_named(std::string_view name);

// An event name as patterns compare it: lower case (ASCII), `_` as a space. "order_completed" is "Order Completed".
std::string normalized_event_name(std::string_view name);

// What one catalog wants to know of events: which names it listens to and which paths it reads. Built while the catalog
// is compiled, then immutable and shared by all threads.
class EventSchema {
 public:
  using NameIndex = std::uint32_t;
  using FieldIndex = std::uint32_t;

  // Names 0 to 4 stand for calls without a name, in the order of kCallNames. Tracks follow. kOther is every track that
  // no pattern names.
  static constexpr NameIndex kIdentifyName = 0, kPageName = 1, kScreenName = 2, kGroupName = 3, kAliasName = 4;
  static constexpr NameIndex kOther = 0xffffffff;

  EventSchema();

  // The index of a track's name, adding it if it is new. `name` in any spelling.
  NameIndex add_name(std::string_view name);
  // The index of the path below the event, e.g. {"properties", "total"}; the first element is properties, context or
  // traits. Adding {"properties"} alone keeps all properties, as a map.
  FieldIndex add_field(const std::vector<std::string>& path);

  // The index of a normalised or raw name, or kOther.
  NameIndex find_name(std::string_view name) const;
  // The same for a call of any type; `name` counts for a track alone.
  NameIndex index_of(CallType type, std::string_view name) const;
  std::size_t name_count() const { return names_.size() + kCallNames.size(); }
  std::size_t field_count() const { return paths_.size(); }
  const std::vector<std::string>& path(FieldIndex field) const { return paths_[field]; }
  // A hash of the path that is the same in every catalog: what stored events are keyed by.
  std::uint32_t path_hash(FieldIndex field) const { return path_hashes_[field]; }

  // The paths as a tree, for a decoder that walks an input once. A node with a field index wants its whole value; a
  // node without wants only its children.
  struct Node {
    std::string key;
    std::int64_t field = -1;
    std::vector<Node> children;  // in order of first use; few, so searched from the front
  };
  const Node& root() const { return root_; }

 private:
  std::map<std::string, NameIndex, std::less<>> names_;  // normalised
  std::vector<std::vector<std::string>> paths_;
  std::vector<std::uint32_t> path_hashes_;
  Node root_;
};

struct Event {
  std::uint32_t source = 0;  // index of the Source in the catalog in force
  CallType type = CallType::kTrack;
  EventSchema::NameIndex name_index = EventSchema::kOther;
  std::string_view name;          // as it came; of a page or screen its name; may be empty
  std::string_view id;            // messageId, or derived from the content
  std::string_view user_id;       // empty: none
  std::string_view anonymous_id;  // empty: none
  // Of the kinds that a Source's map names, the first that is there: "loyalty_id:4711";
  // empty: none.
  std::string_view named_id;
  Instant time;                   // when it happened
  // By EventSchema::FieldIndex; absent where the event has no such field.
  std::span<const Value> fields;
  // The traits this call sets, a map, or absent: `traits` of identify (for a group call they describe the account and
  // are not here), `context.traits` of any call.
  Value traits;
  // xxh3-64 of all content but the envelope times (sentAt, receivedAt): tells a repeat from other content under one id.
  std::uint64_t content_hash = 0;

  // Whose event it is: the strongest identity that it has. Of a decoded event there is one.
  Identity customer() const {
    if (!user_id.empty()) return {IdentityKind::kUserId, user_id};
    if (!named_id.empty()) return {IdentityKind::kNamed, named_id};
    return {IdentityKind::kAnonymousId, anonymous_id};
  }
};

}  // namespace spur
