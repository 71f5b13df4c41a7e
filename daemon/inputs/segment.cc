#include "daemon/inputs/segment.h"

#define XXH_INLINE_ALL
#include <fmt/core.h>
#include <xxhash.h>

#include <array>
#include <cstring>
#include <optional>

#include "daemon/inputs/envelope.h"
#include "daemon/inputs/json_fields.h"
#include "daemon/inputs/json_number.h"
#include "daemon/inputs/timestamp.h"

namespace spur {
namespace {

using Node = EventSchema::Node;
using Token = JsonReader::Token;

// The fields of a call that we know. The first ten are kept as text, of the rest only where they
// stand.
enum Member : unsigned {
  kType, kEvent, kName, kMessageId, kUserId, kAnonymousId,
  kTimestamp, kOriginalTimestamp, kSentAt, kReceivedAt,
  kProperties, kTraits, kGroupId, kPreviousId, kContext, kOther,
};

// Whether `key`, known to have N bytes, is `name`. Of constant length, so that no function is
// called for it.
template <std::size_t N>
bool is(std::string_view key, const char (&name)[N]) {
  return std::memcmp(key.data(), name, N - 1) == 0;
}

Member member_of(std::string_view key) {
  switch (key.size()) {
    case 4: return is(key, "type") ? kType : is(key, "name") ? kName : kOther;
    case 5: return is(key, "event") ? kEvent : kOther;
    case 6:
      return is(key, "userId")   ? kUserId
             : is(key, "sentAt") ? kSentAt
             : is(key, "traits") ? kTraits
                                 : kOther;
    case 7: return is(key, "context") ? kContext : is(key, "groupId") ? kGroupId : kOther;
    case 9: return is(key, "messageId") ? kMessageId : is(key, "timestamp") ? kTimestamp : kOther;
    case 10:
      return is(key, "properties")   ? kProperties
             : is(key, "receivedAt") ? kReceivedAt
             : is(key, "previousId") ? kPreviousId
                                     : kOther;
    case 11: return is(key, "anonymousId") ? kAnonymousId : kOther;
    case 17: return is(key, "originalTimestamp") ? kOriginalTimestamp : kOther;
    default: return kOther;
  }
}

std::optional<CallType> call_type(std::string_view name) {
  for (const CallType type : {CallType::kTrack, CallType::kIdentify, CallType::kPage,
                              CallType::kScreen, CallType::kGroup, CallType::kAlias}) {
    if (name == to_text(type)) return type;
  }
  return std::nullopt;
}

// Spreads a hash over 64 bits and by `tag`, so that sums of several stay apart.
std::uint64_t mixed(std::uint64_t hash, std::uint64_t tag) {
  return XXH3_mul128_fold64(hash ^ (0x9e3779b97f4a7c15ULL * (tag + 1)), 0xd6e8feb86659fd93ULL);
}

// Reads one call: first all of its fields (read), then what they mean together (conclude).
class Call {
 public:
  Call(JsonReader& reader, const InputLimits& limits, const EventSchema& schema, Arena& arena)
      : reader_(reader),
        limits_(limits),
        schema_(schema),
        arena_(arena),
        fields_(reader, arena, arena.array<Value>(schema.field_count())) {}

  // False: reader's take_failure() says why not.
  bool read(std::string_view bytes);
  Decoded conclude(std::uint32_t source);

 private:
  Token member(Token at, std::string_view key, std::span<bool> seen);
  Token known(Token at, Member member, std::string_view key);
  Token text(Token at, Member member, std::string_view key);
  Token id(Token at, Member member, std::string_view key);
  Token properties(Token at);
  Token traits(Token at);
  Token context(Token at);
  Token context_members(Token at, const Node* node);
  Token map(Token at, std::string_view key, Value& value);
  Token no_map(Token at, std::string_view key, Value& value);
  Token wrong_type(Token at, std::string_view key, std::string_view wanted);

  // A known field's text, or the bytes of one that is none; empty: not there.
  std::string_view part(Member member) const {
    return (seen_ >> member & 1) != 0 ? std::string_view(parts_[member].data, parts_[member].size)
                                      : std::string_view();
  }
  void set_part(Member member, std::string_view text) {
    parts_[member] = {text.data(), text.size()};
  }

  std::string_view name_of(CallType type) const;
  std::string_view time_text() const;
  std::optional<Malformed> find_time(Instant& time) const;
  std::string_view id_of_content(CallType type) const;

  JsonReader& reader_;
  const InputLimits& limits_;
  const EventSchema& schema_;
  Arena& arena_;
  JsonFields fields_;

  struct Part {
    const char* data;
    std::size_t size;
  };
  unsigned seen_ = 0;               // bit by Member: which parts_ are set; they are not cleared
  std::array<Part, kOther> parts_;
  Value traits_, context_traits_;
  std::uint64_t content_ = 0;
};

bool Call::read(std::string_view bytes) {
  Token at = reader_.open_object(bytes, "an event");
  if (at == nullptr) return false;
  const std::span<bool> seen = arena_.array<bool>(schema_.root().children.size());
  at = reader_.object(at, arena_,
                      [&](std::string_view key, Token value) { return member(value, key, seen); });
  return at != nullptr && reader_.finish(at);
}

Token Call::member(Token at, std::string_view key, std::span<bool> seen) {
  const Member which = member_of(key);
  Token behind;
  std::uint64_t tag = which;
  if (which == kOther) {
    tag += XXH3_64bits(key.data(), key.size());
    behind = fields_.take(at, JsonFields::first(schema_.root(), key, seen));
  } else {
    if ((seen_ >> which & 1) != 0) return reader_.skip(at);
    seen_ |= 1u << which;
    behind = known(at, which, key);
  }
  if (behind == nullptr) return nullptr;
  // Added up, so that the order of the fields does not matter. The times of sending change from try
  // to try.
  if (which != kSentAt && which != kReceivedAt) {
    const std::string_view value = reader_.between(at, behind);
    content_ += mixed(XXH3_64bits(value.data(), value.size()), tag);
  }
  return behind;
}

Token Call::known(Token at, Member member, std::string_view key) {
  if (member <= kReceivedAt) {
    return member >= kMessageId && member <= kAnonymousId ? id(at, member, key)
                                                          : text(at, member, key);
  }
  Token behind = nullptr;
  if (member == kProperties) behind = properties(at);
  if (member == kTraits) behind = traits(at);
  if (member == kContext) behind = context(at);
  if (member == kGroupId || member == kPreviousId)
    behind = fields_.take(at, JsonFields::child(schema_.root(), key));
  if (behind != nullptr && member != kContext) set_part(member, reader_.between(at, behind));
  return behind;
}

// What is no JSON at all is that first.
Token Call::wrong_type(Token at, std::string_view key, std::string_view wanted) {
  if (reader_.skip(at) == nullptr) return nullptr;
  return reader_.fail(at, Reason::kWrongType, fmt::format("`{}` is not {}", key, wanted));
}

// A text, or null for none.
Token Call::text(Token at, Member member, std::string_view key) {
  std::string_view text;
  Token behind = nullptr;
  switch (reader_.peek(at)) {
    case '"': behind = reader_.text(at, arena_, text); break;
    case 'n': behind = reader_.skip(at); break;
    default: return wrong_type(at, key, "a text");
  }
  set_part(member, text);
  return behind;
}

// A text or number, or null for none.
Token Call::id(Token at, Member member, std::string_view key) {
  const char c = reader_.peek(at);
  if (c != '-' && (c < '0' || c > '9')) {
    if (c != '"' && c != 'n') return wrong_type(at, key, "a text or a number");
    const Token behind = text(at, member, key);
    if (behind == nullptr || part(member).size() <= limits_.id_bytes_max) return behind;
  } else {
    const Token behind = reader_.skip(at);
    if (behind == nullptr) return nullptr;
    set_part(member, arena_.copy(json_number_key(reader_.between(at, behind))));
    if (part(member).size() <= limits_.id_bytes_max) return behind;
  }
  return reader_.fail(at, Reason::kStringTooLong,
                      fmt::format("`{}` of {} bytes; at most {} are taken", key,
                                  part(member).size(), limits_.id_bytes_max));
}

Token Call::properties(Token at) {
  const Node* const node = JsonFields::child(schema_.root(), "properties");
  if (reader_.peek(at) == '{') return fields_.take(at, node);
  Value empty;
  const Token behind = no_map(at, "properties", empty);
  fields_.assign(node, empty);
  return behind;
}

// Kept whole, whatever the catalog reads: they are what a customer is known by.
Token Call::traits(Token at) {
  const Token behind = map(at, "traits", traits_);
  fields_.assign(JsonFields::child(schema_.root(), "traits"), traits_);
  return behind;
}

Token Call::context(Token at) {
  const Node* const node = JsonFields::child(schema_.root(), "context");
  const bool whole = node != nullptr && node->field >= 0;
  if (reader_.peek(at) == '{' && !whole) return context_members(at, node);
  Value value;
  const Token behind = map(at, "context", value);
  if (behind == nullptr) return nullptr;
  fields_.assign(node, value);
  const Value traits = field(value, "traits");
  const bool empty_list = traits.is(Kind::kList) && traits.elements().empty();
  if (!traits.is_absent() && !traits.is(Kind::kNull) && !traits.is(Kind::kMap) && !empty_list) {
    return wrong_type(at, "context.traits", "an object");
  }
  if (traits.is(Kind::kMap)) context_traits_ = traits;
  if (empty_list) context_traits_ = Value::map(std::span<const MapEntry>());
  return behind;
}

// Only what the catalog reads of the context, and its traits.
Token Call::context_members(Token at, const Node* node) {
  const std::span<bool> seen = arena_.array<bool>(node == nullptr ? 0 : node->children.size());
  bool traits_seen = false;
  return reader_.object(at, arena_, [&](std::string_view key, Token value) {
    const Node* const wanted = node == nullptr ? nullptr : JsonFields::first(*node, key, seen);
    if (traits_seen || key != "traits") return fields_.take(value, wanted);
    traits_seen = true;
    const Token behind = map(value, "context.traits", context_traits_);
    fields_.assign(wanted, context_traits_);
    return behind;
  });
}

// An object, kept whole; or what stands for none.
Token Call::map(Token at, std::string_view key, Value& value) {
  return reader_.peek(at) == '{' ? reader_.read(at, arena_, value) : no_map(at, key, value);
}

// What stands where an object should: null is none, [] an empty one.
Token Call::no_map(Token at, std::string_view key, Value& value) {
  if (reader_.peek(at) == 'n') return reader_.skip(at);
  if (reader_.peek(at) != '[') return wrong_type(at, key, "an object");
  Value list;
  const Token behind = reader_.read(at, arena_, list);
  if (behind == nullptr) return nullptr;
  if (!list.elements().empty()) return wrong_type(at, key, "an object");
  value = Value::map(std::span<const MapEntry>());
  return behind;
}

std::string_view Call::name_of(CallType type) const {
  if (type == CallType::kTrack) return part(kEvent);
  return type == CallType::kPage || type == CallType::kScreen ? part(kName) : std::string_view();
}

// What tells the time if it needs no correction.
std::string_view Call::time_text() const {
  for (const Member member : {kTimestamp, kOriginalTimestamp, kReceivedAt, kSentAt}) {
    if (!part(member).empty()) return part(member);
  }
  return {};
}

std::optional<Malformed> Call::find_time(Instant& time) const {
  const std::string_view text = time_text();
  if (text.empty()) return Malformed{Reason::kMissingTimestamp, "no `timestamp`, nor another time"};
  const std::optional<Instant> written = parse_timestamp(text);
  if (!written) return bad_timestamp(text);
  time = *written;
  if (part(kTimestamp).empty() && !part(kOriginalTimestamp).empty() && !part(kSentAt).empty() &&
      !part(kReceivedAt).empty()) {
    // The client's clock may be wrong, but both of its readings are equally so.
    const std::optional<Instant> sent = parse_timestamp(part(kSentAt));
    if (!sent) return bad_timestamp(part(kSentAt));
    const std::optional<Instant> received = parse_timestamp(part(kReceivedAt));
    if (!received) return bad_timestamp(part(kReceivedAt));
    time = *received - (*sent - time);
  }
  return check_time(time, text);
}

// The same call sent again has the same id, whatever the times of sending.
std::string_view Call::id_of_content(CallType type) const {
  return derived_id({part(kUserId), part(kAnonymousId), to_text(type), name_of(type), time_text(),
                     part(kProperties), part(kTraits), part(kGroupId), part(kPreviousId)},
                    arena_);
}

Decoded Call::conclude(std::uint32_t source) {
  const std::optional<CallType> type = call_type(part(kType));
  if (!type) {
    constexpr std::string_view kWanted = "one of track, identify, page, screen, group, alias";
    if (part(kType).empty())
      return Malformed{Reason::kMissingType, fmt::format("no `type`: {}", kWanted)};
    return Malformed{Reason::kUnknownType,
                     fmt::format("`type` is `{:.40}`, not {}", part(kType), kWanted)};
  }
  if (*type == CallType::kTrack && part(kEvent).empty()) {
    return Malformed{Reason::kMissingEventName, "a track without `event`"};
  }
  if (part(kUserId).empty() && part(kAnonymousId).empty()) {
    return Malformed{Reason::kMissingIdentity, "neither `userId` nor `anonymousId`"};
  }
  Decoded decoded;
  Event& event = std::get<Event>(decoded);
  if (auto malformed = find_time(event.time)) return *std::move(malformed);
  event.source = source;
  event.type = *type;
  event.name = name_of(*type);
  event.name_index = schema_.index_of(*type, event.name);
  event.id = part(kMessageId).empty() ? id_of_content(*type) : part(kMessageId);
  event.user_id = part(kUserId);
  event.anonymous_id = part(kAnonymousId);
  event.fields = fields_.fields();
  event.traits = traits_set_by(*type, traits_, context_traits_, arena_);
  event.content_hash = content_;
  return decoded;
}

}  // namespace

Decoded SegmentDecoder::decode(std::string_view bytes, const EventSchema& schema,
                               std::uint32_t source, Arena& arena) {
  Call call(reader_, limits_, schema, arena);
  if (!call.read(bytes)) return reader_.take_failure();
  return call.conclude(source);
}

}  // namespace spur
