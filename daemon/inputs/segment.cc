#include "daemon/inputs/segment.h"

#define XXH_INLINE_ALL
#include <fmt/core.h>
#include <xxhash.h>

#include <array>
#include <optional>

#include "daemon/inputs/json_number.h"
#include "daemon/inputs/timestamp.h"

namespace spur {
namespace {

// The fields of a call that we know; the numbers index Call::seen.
enum class Member : std::uint8_t {
  kType, kEvent, kName, kMessageId, kUserId, kAnonymousId,
  kTimestamp, kOriginalTimestamp, kSentAt, kReceivedAt,
  kProperties, kTraits, kContext, kGroupId, kPreviousId, kOther,
};

Member member_of(std::string_view key) {
  switch (key.size()) {
    case 4: return key == "type" ? Member::kType : key == "name" ? Member::kName : Member::kOther;
    case 5: return key == "event" ? Member::kEvent : Member::kOther;
    case 6:
      return key == "userId"   ? Member::kUserId
             : key == "sentAt" ? Member::kSentAt
             : key == "traits" ? Member::kTraits
                               : Member::kOther;
    case 7:
      return key == "context"   ? Member::kContext
             : key == "groupId" ? Member::kGroupId
                                : Member::kOther;
    case 9:
      return key == "messageId"   ? Member::kMessageId
             : key == "timestamp" ? Member::kTimestamp
                                  : Member::kOther;
    case 10:
      return key == "properties"   ? Member::kProperties
             : key == "receivedAt" ? Member::kReceivedAt
             : key == "previousId" ? Member::kPreviousId
                                   : Member::kOther;
    case 11: return key == "anonymousId" ? Member::kAnonymousId : Member::kOther;
    case 17: return key == "originalTimestamp" ? Member::kOriginalTimestamp : Member::kOther;
    default: return Member::kOther;
  }
}

std::optional<CallType> call_type(std::string_view name) {
  for (const CallType type : {CallType::kTrack, CallType::kIdentify, CallType::kPage,
                              CallType::kScreen, CallType::kGroup, CallType::kAlias}) {
    if (name == to_text(type)) return type;
  }
  return std::nullopt;
}

EventSchema::NameIndex name_index(CallType type, std::string_view name, const EventSchema& schema) {
  switch (type) {
    case CallType::kTrack: return schema.find_name(name);
    case CallType::kIdentify: return EventSchema::kIdentifyName;
    case CallType::kPage: return EventSchema::kPageName;
    case CallType::kScreen: return EventSchema::kScreenName;
    case CallType::kGroup: return EventSchema::kGroupName;
    case CallType::kAlias: return EventSchema::kAliasName;
  }
  return EventSchema::kOther;
}

const EventSchema::Node* child(const EventSchema::Node& node, std::string_view key) {
  for (const EventSchema::Node& candidate : node.children) {
    if (candidate.key == key) return &candidate;
  }
  return nullptr;
}

// Reads one call: first all of its fields (read), then what they mean together (conclude).
class Call {
 public:
  Call(JsonReader& reader, const InputLimits& limits, const EventSchema& schema, Arena& arena)
      : reader_(reader), limits_(limits), schema_(schema), arena_(arena),
        fields_(arena.array<Value>(schema.field_count())) {}

  bool read(std::string_view bytes);
  Decoded conclude(std::uint32_t source);

 private:
  using Node = EventSchema::Node;

  bool member(std::string_view key, std::span<bool> seen);
  bool known(Member member, std::string_view key);
  bool text(std::string_view key, std::string_view& text);
  bool id(std::string_view key, std::string_view& id);
  bool wrong_type(std::string_view key, std::string_view wanted);
  bool properties();
  bool traits();
  bool context();
  bool map(std::string_view key, Value& value);
  bool no_map(std::string_view key, Value& value);
  bool take(const Node* node);
  bool take_members(const Node& node);
  bool take_context_members(const Node* node);
  const Node* first(const Node& node, std::string_view key, std::span<bool> seen);
  void assign(const Node* node, const Value& value);

  std::string_view name_of(CallType type) const;
  std::string_view time_text() const;
  std::optional<Malformed> find_time(Instant& time) const;
  std::string_view derived_id(CallType type) const;
  Value traits_set(CallType type) const;

  JsonReader& reader_;
  const InputLimits& limits_;
  const EventSchema& schema_;
  Arena& arena_;
  std::span<Value> fields_;

  unsigned seen_ = 0;  // bit by Member
  std::string_view type_, event_, name_, message_id_, user_id_, anonymous_id_;
  std::string_view timestamp_, original_timestamp_, sent_at_, received_at_;
  std::string_view properties_raw_, traits_raw_, group_id_raw_, previous_id_raw_;
  Value traits_, context_traits_;
  std::uint64_t content_ = 0;
};

bool Call::read(std::string_view bytes) {
  if (!reader_.open(bytes)) return false;
  if (reader_.peek() != '{') {
    return reader_.skip() && reader_.finish() &&
           reader_.fail(Reason::kWrongType, "an event is a JSON object");
  }
  const std::span<bool> seen = arena_.array<bool>(schema_.root().children.size());
  return reader_.object(arena_, [&](std::string_view key) { return member(key, seen); }) &&
         reader_.finish();
}

bool Call::member(std::string_view key, std::span<bool> seen) {
  const Member which = member_of(key);
  const std::size_t begin = reader_.position();
  if (which == Member::kOther) {
    if (!take(first(schema_.root(), key, seen))) return false;
  } else {
    const unsigned bit = 1u << static_cast<unsigned>(which);
    if ((seen_ & bit) != 0) return reader_.skip();
    seen_ |= bit;
    if (!known(which, key)) return false;
  }
  // Added up, so that the order of the fields does not matter. The times of sending change from try
  // to try.
  if (which != Member::kSentAt && which != Member::kReceivedAt) {
    const std::string_view value = reader_.passed(begin);
    content_ +=
        XXH3_64bits_withSeed(value.data(), value.size(), XXH3_64bits(key.data(), key.size()));
  }
  return true;
}

bool Call::known(Member member, std::string_view key) {
  const std::size_t begin = reader_.position();
  const auto raw = [&](std::string_view& slice) {
    slice = reader_.passed(begin);
    return true;
  };
  switch (member) {
    case Member::kType: return text(key, type_);
    case Member::kEvent: return text(key, event_);
    case Member::kName: return text(key, name_);
    case Member::kMessageId: return id(key, message_id_);
    case Member::kUserId: return id(key, user_id_);
    case Member::kAnonymousId: return id(key, anonymous_id_);
    case Member::kTimestamp: return text(key, timestamp_);
    case Member::kOriginalTimestamp: return text(key, original_timestamp_);
    case Member::kSentAt: return text(key, sent_at_);
    case Member::kReceivedAt: return text(key, received_at_);
    case Member::kProperties: return properties() && raw(properties_raw_);
    case Member::kTraits: return traits() && raw(traits_raw_);
    case Member::kContext: return context();
    case Member::kGroupId: return take(child(schema_.root(), key)) && raw(group_id_raw_);
    case Member::kPreviousId: return take(child(schema_.root(), key)) && raw(previous_id_raw_);
    case Member::kOther: break;
  }
  return reader_.skip();
}

bool Call::wrong_type(std::string_view key, std::string_view wanted) {
  return reader_.fail(Reason::kWrongType, fmt::format("`{}` is not {}", key, wanted));
}

// A text, or null for none.
bool Call::text(std::string_view key, std::string_view& text) {
  switch (reader_.peek()) {
    case '"': return reader_.text(arena_, text);
    case 'n': return reader_.skip();
    default: return wrong_type(key, "a text");
  }
}

// A text or number, or null for none.
bool Call::id(std::string_view key, std::string_view& id) {
  const char c = reader_.peek();
  if (c == '-' || (c >= '0' && c <= '9')) {
    const std::size_t begin = reader_.position();
    if (!reader_.skip()) return false;
    id = arena_.copy(json_number_key(reader_.passed(begin)));
  } else if (c == '"') {
    if (!reader_.text(arena_, id)) return false;
  } else {
    return c == 'n' ? reader_.skip() : wrong_type(key, "a text or a number");
  }
  if (id.size() <= limits_.id_bytes_max) return true;
  return reader_.fail(Reason::kStringTooLong, fmt::format("`{}` of {} bytes; at most {} are taken",
                                                          key, id.size(), limits_.id_bytes_max));
}

bool Call::properties() {
  const Node* const node = child(schema_.root(), "properties");
  if (reader_.peek() == '{') return take(node);
  Value empty;
  if (!no_map("properties", empty)) return false;
  assign(node, empty);
  return true;
}

// Kept whole, whatever the catalog reads: they are what a customer is known by.
bool Call::traits() {
  if (!map("traits", traits_)) return false;
  assign(child(schema_.root(), "traits"), traits_);
  return true;
}

bool Call::context() {
  const Node* const node = child(schema_.root(), "context");
  const bool whole = node != nullptr && node->field >= 0;
  if (reader_.peek() == '{' && !whole) return take_context_members(node);
  Value value;
  if (!map("context", value)) return false;
  assign(node, value);
  context_traits_ = field(value, "traits");
  if (context_traits_.is(Kind::kNull)) context_traits_ = Value::absent();
  if (context_traits_.is(Kind::kList) && context_traits_.elements().empty())
    context_traits_ = Value::map({});
  if (context_traits_.is_absent() || context_traits_.is(Kind::kMap)) return true;
  return wrong_type("context.traits", "an object");
}

// Only what the catalog reads of the context, and its traits.
bool Call::take_context_members(const Node* node) {
  const std::span<bool> seen = arena_.array<bool>(node == nullptr ? 0 : node->children.size());
  bool traits_seen = false;
  return reader_.object(arena_, [&](std::string_view key) {
    const Node* const wanted = node == nullptr ? nullptr : first(*node, key, seen);
    if (key != "traits" || traits_seen) return take(wanted);
    traits_seen = true;
    if (!map("context.traits", context_traits_)) return false;
    assign(wanted, context_traits_);
    return true;
  });
}

// An object, kept whole; or what stands for none.
bool Call::map(std::string_view key, Value& value) {
  return reader_.peek() == '{' ? reader_.read(arena_, value) : no_map(key, value);
}

// What stands where an object should: null is none, [] an empty one.
bool Call::no_map(std::string_view key, Value& value) {
  if (reader_.peek() == 'n') return reader_.skip();
  if (reader_.peek() != '[') return wrong_type(key, "an object");
  Value list;
  if (!reader_.read(arena_, list)) return false;
  if (!list.elements().empty()) return wrong_type(key, "an object");
  value = Value::map({});
  return true;
}

// Passes a value and keeps what `node` wants of it; nullptr: nothing.
bool Call::take(const Node* node) {
  if (node == nullptr) return reader_.skip();
  if (node->field < 0) return reader_.peek() == '{' ? take_members(*node) : reader_.skip();
  Value value;
  if (!reader_.read(arena_, value)) return false;
  assign(node, value);
  return true;
}

bool Call::take_members(const Node& node) {
  const std::span<bool> seen = arena_.array<bool>(node.children.size());
  return reader_.object(arena_, [&](std::string_view key) { return take(first(node, key, seen)); });
}

// The child for `key`, once; nullptr when nothing is wanted of it, or nothing more.
const EventSchema::Node* Call::first(const Node& node, std::string_view key, std::span<bool> seen) {
  const Node* const found = child(node, key);
  if (found == nullptr) return nullptr;
  bool& taken = seen[static_cast<std::size_t>(found - node.children.data())];
  if (taken) return nullptr;
  taken = true;
  return found;
}

void Call::assign(const Node* node, const Value& value) {
  if (node == nullptr) return;
  if (node->field >= 0) fields_[static_cast<std::size_t>(node->field)] = value;
  for (const Node& below : node->children) assign(&below, field(value, below.key));
}

std::string_view Call::name_of(CallType type) const {
  if (type == CallType::kTrack) return event_;
  return type == CallType::kPage || type == CallType::kScreen ? name_ : std::string_view();
}

// What tells the time if it needs no correction.
std::string_view Call::time_text() const {
  for (const std::string_view text : {timestamp_, original_timestamp_, received_at_, sent_at_}) {
    if (!text.empty()) return text;
  }
  return {};
}

std::optional<Malformed> Call::find_time(Instant& time) const {
  const auto parse = [](std::string_view text, Instant& instant) -> std::optional<Malformed> {
    const std::optional<Instant> parsed = parse_timestamp(text);
    if (!parsed) {
      return Malformed{
          Reason::kBadTimestamp,
          fmt::format("`{:.40}` is not like 2026-03-01T08:30:00.250Z, or no such day or second",
                      text)};
    }
    instant = *parsed;
    return std::nullopt;
  };
  const std::string_view text = time_text();
  if (text.empty()) return Malformed{Reason::kMissingTimestamp, "no `timestamp`, nor another time"};
  if (auto malformed = parse(text, time)) return malformed;
  const bool corrected = timestamp_.empty() && !original_timestamp_.empty() && !sent_at_.empty() &&
                         !received_at_.empty();
  if (corrected) {
    // The client's clock may be wrong, but its two readings are equally so.
    Instant sent, received;
    if (auto malformed = parse(sent_at_, sent)) return malformed;
    if (auto malformed = parse(received_at_, received)) return malformed;
    time = received - (sent - time);
  }
  if (time < kInstantMin || time > kInstantMax) {
    return Malformed{Reason::kTimeOutOfRange,
                     fmt::format("`{:.40}` is not within 1970 to 2969", text)};
  }
  return std::nullopt;
}

// The same call sent again has the same id, whatever the times of sending. Frozen: ids are kept for
// de-duplication.
std::string_view Call::derived_id(CallType type) const {
  XXH3_state_t state;
  XXH3_128bits_reset(&state);
  for (const std::string_view part :
       {user_id_, anonymous_id_, to_text(type), name_of(type), time_text(), properties_raw_,
        traits_raw_, group_id_raw_, previous_id_raw_}) {
    std::array<unsigned char, 8>
        size;  // so that no two lists of parts run together into the same bytes
    for (std::size_t i = 0; i < size.size(); ++i)
      size[i] = static_cast<unsigned char>(part.size() >> (8 * i));
    XXH3_128bits_update(&state, size.data(), size.size());
    XXH3_128bits_update(&state, part.data(), part.size());
  }
  const XXH128_hash_t hash = XXH3_128bits_digest(&state);
  char text[48];
  const auto end = fmt::format_to(text, "derived-{:016x}{:016x}", hash.high64, hash.low64);
  return arena_.copy({text, static_cast<std::size_t>(end - text)});
}

// identify's own traits come before the context's; those of a group call describe the account.
Value Call::traits_set(CallType type) const {
  if (type != CallType::kIdentify || traits_.is_absent()) return context_traits_;
  if (context_traits_.is_absent()) return traits_;
  const std::span<const MapEntry> own = traits_.entries();
  const std::span<const MapEntry> more = context_traits_.entries();
  const std::span<MapEntry> all = arena_.array<MapEntry>(own.size() + more.size());
  std::size_t count = 0;
  for (const MapEntry& entry : own) all[count++] = entry;
  for (const MapEntry& entry : more) {
    if (field(traits_, entry.key.as_text()).is_absent()) all[count++] = entry;
  }
  return Value::map(all.first(count));
}

Decoded Call::conclude(std::uint32_t source) {
  if (type_.empty())
    return Malformed{Reason::kMissingType,
                     "no `type`: one of track, identify, page, screen, group, alias"};
  const std::optional<CallType> type = call_type(type_);
  if (!type) {
    return Malformed{
        Reason::kUnknownType,
        fmt::format("`type` is `{:.40}`: none of track, identify, page, screen, group, alias",
                    type_)};
  }
  if (*type == CallType::kTrack && event_.empty())
    return Malformed{Reason::kMissingEventName, "a track without `event`"};
  if (user_id_.empty() && anonymous_id_.empty())
    return Malformed{Reason::kMissingIdentity, "neither `userId` nor `anonymousId`"};

  Event event;
  if (auto malformed = find_time(event.time)) return *std::move(malformed);
  event.source = source;
  event.type = *type;
  event.name = name_of(*type);
  event.name_index = name_index(*type, event.name, schema_);
  event.id = message_id_.empty() ? derived_id(*type) : message_id_;
  event.user_id = user_id_;
  event.anonymous_id = anonymous_id_;
  event.fields = fields_;
  event.traits = traits_set(*type);
  event.content_hash = content_;
  return event;
}

}  // namespace

Decoded SegmentDecoder::decode(std::string_view bytes, const EventSchema& schema,
                               std::uint32_t source, Arena& arena) {
  Call call(reader_, limits_, schema, arena);
  if (!call.read(bytes)) return reader_.take_failure();
  return call.conclude(source);
}

std::variant<EventIdentity, Malformed> SegmentDecoder::identity_of(std::string_view bytes,
                                                                   Arena& arena) {
  Decoded decoded = decode(bytes, empty_, 0, arena);
  if (auto* malformed = std::get_if<Malformed>(&decoded)) return std::move(*malformed);
  const Event& event = std::get<Event>(decoded);
  return EventIdentity{event.user_id, event.anonymous_id};
}

}  // namespace spur
