// Value: what an event property, a trait, a feature or a CEL expression can be.
//
// 16 bytes, trivially copyable, owns nothing: strings, lists and maps point into an Arena, into the input's bytes or
// into a constant, and whoever hands a Value out says how long that lives. That is what lets the fold evaluate a
// predicate without allocating. To keep a value beyond its arena, encode it (state/codec/value_codec.h).
//
// The kinds are CEL's (cel-spec langdef.md, "Values") plus kAbsent, which is no CEL value: it is what a slot answers
// for a field that is not there, so that has() and a failing read can be told apart without an exception.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "state/check.h"
#include "state/time.h"

namespace spur {

// Stored in golden bytes: a number is never reused.
enum class Kind : std::uint8_t {
  kAbsent = 0,     // no such field
  kNull = 1,
  kBool = 2,
  kInt = 3,        // int64
  kUint = 4,       // uint64
  kDouble = 5,
  kString = 6,     // valid UTF-8
  kBytes = 7,
  kTimestamp = 8,  // seconds and nanoseconds since 1970
  kDuration = 9,   // seconds and nanoseconds, both of one sign
  kList = 10,
  kMap = 11,       // entries in their order of insertion, or computed (LookupMap)
  kType = 12,      // a CEL type as a value; its name
  kOptional = 13,
  kError = 14,     // CEL's error value; its message
};

class Value;
struct MapEntry;

// A map whose entries are computed when asked for: features by key, segments, reference data.
class LookupMap {
 public:
  // The value under `key`, or an absent Value. `key` has any kind; a kind that cannot be a key is absent.
  virtual Value find(const Value& key) const = 0;
  // Whether `key` is in the map. A map that answers for keys it has not (a count of 0) says so
  // here.
  virtual bool contains(const Value& key) const;
  // All keys, in a deterministic order. May be costly; only macros and size() ask. Live as long as the map.
  virtual std::span<const Value> keys() const = 0;

 protected:
  ~LookupMap() = default;
};

class Value {
 public:
  constexpr Value() = default;  // absent

  static constexpr Value absent() { return Value(); }
  static constexpr Value null() { return Value(Kind::kNull); }
  static constexpr Value boolean(bool b) {
    Value v(Kind::kBool);
    v.int_ = b ? 1 : 0;
    return v;
  }
  static constexpr Value integer(std::int64_t i) {
    Value v(Kind::kInt);
    v.int_ = i;
    return v;
  }
  static constexpr Value unsigned_integer(std::uint64_t u) {
    Value v(Kind::kUint);
    v.uint_ = u;
    return v;
  }
  static constexpr Value real(double d) {
    Value v(Kind::kDouble);
    v.double_ = d;
    return v;
  }
  // `text` must outlive the value; at most 4 GiB, which every input limit keeps.
  static constexpr Value string(std::string_view text) { return Value(Kind::kString, text.data(), text.size()); }
  static constexpr Value bytes(std::string_view raw) { return Value(Kind::kBytes, raw.data(), raw.size()); }
  // `nanos` in [0, 999,999,999].
  static constexpr Value timestamp(std::int64_t seconds, std::int32_t nanos) {
    Value v(Kind::kTimestamp);
    v.int_ = seconds;
    v.size_ = static_cast<std::uint32_t>(nanos);
    return v;
  }
  static constexpr Value timestamp(Instant t) {
    std::int64_t seconds = t.ms / 1000;
    std::int64_t rest = t.ms % 1000;
    if (rest < 0) {
      rest += 1000;
      seconds -= 1;
    }
    return timestamp(seconds, static_cast<std::int32_t>(rest * 1'000'000));
  }
  // `nanos` has the sign of `seconds` (or either is 0).
  static constexpr Value duration(std::int64_t seconds, std::int32_t nanos) {
    Value v(Kind::kDuration);
    v.int_ = seconds;
    v.size_ = static_cast<std::uint32_t>(nanos);
    return v;
  }
  static constexpr Value duration(Millis d) {
    return duration(d.count / 1000, static_cast<std::int32_t>(d.count % 1000 * 1'000'000));
  }
  static constexpr Value list(std::span<const Value> elements) {
    return Value(Kind::kList, elements.data(), elements.size());
  }
  static constexpr Value map(std::span<const MapEntry> entries) {
    return Value(Kind::kMap, entries.data(), entries.size());
  }
  static constexpr Value map(const LookupMap* computed) {
    Value v(Kind::kMap, computed, 0);
    v.computed_ = true;
    return v;
  }
  // `name` is a CEL type name such as "int" or "google.protobuf.Timestamp".
  static constexpr Value type(std::string_view name) { return Value(Kind::kType, name.data(), name.size()); }
  // nullptr: optional.none().
  static constexpr Value optional(const Value* value) {
    return Value(Kind::kOptional, value, value == nullptr ? 0 : 1);
  }
  static constexpr Value error(std::string_view message) { return Value(Kind::kError, message.data(), message.size()); }

  constexpr Kind kind() const { return kind_; }
  constexpr bool is(Kind kind) const { return kind_ == kind; }
  constexpr bool is_absent() const { return kind_ == Kind::kAbsent; }
  constexpr bool is_error() const { return kind_ == Kind::kError; }
  // true and nothing else: not an error, not absent, not another kind.
  constexpr bool is_true() const { return kind_ == Kind::kBool && int_ != 0; }
  constexpr bool is_number() const { return kind_ == Kind::kInt || kind_ == Kind::kUint || kind_ == Kind::kDouble; }

  // Each accessor requires its kind; asking for another is a bug of the caller.
  constexpr bool as_bool() const { return int_ != 0; }
  constexpr std::int64_t as_int() const { return int_; }
  constexpr std::uint64_t as_uint() const { return uint_; }
  constexpr double as_double() const { return double_; }
  // Of a string, bytes, a type's name or an error's message.
  constexpr std::string_view as_text() const { return {static_cast<const char*>(pointer_), size_}; }
  constexpr std::int64_t seconds() const { return int_; }
  constexpr std::int32_t nanos() const { return static_cast<std::int32_t>(size_); }
  constexpr std::span<const Value> elements() const;
  constexpr bool is_computed_map() const { return kind_ == Kind::kMap && computed_; }
  constexpr const LookupMap& lookup() const { return *static_cast<const LookupMap*>(pointer_); }
  // Of a map that is not computed.
  constexpr std::span<const MapEntry> entries() const;
  // Of an optional: the value, or nullptr for none.
  constexpr const Value* optional_value() const { return static_cast<const Value*>(pointer_); }

  // A timestamp or duration in whole milliseconds, rounded towards the past. Requires that kind; what lies beyond
  // int64 milliseconds is clamped.
  Instant as_instant() const;
  Millis as_millis() const;

 private:
  constexpr explicit Value(Kind kind) : kind_(kind) {}
  constexpr Value(Kind kind, const void* pointer, std::size_t size)
      : kind_(kind), size_(static_cast<std::uint32_t>(size)), pointer_(pointer) {}

  Kind kind_ = Kind::kAbsent;
  bool computed_ = false;
  std::uint32_t size_ = 0;  // of text, elements or entries; nanoseconds of a time
  union {
    std::int64_t int_ = 0;
    std::uint64_t uint_;
    double double_;
    const void* pointer_;
  };
};
static_assert(sizeof(Value) == 16);

struct MapEntry {
  Value key;
  Value value;
};

constexpr std::span<const Value> Value::elements() const { return {static_cast<const Value*>(pointer_), size_}; }
constexpr std::span<const MapEntry> Value::entries() const { return {static_cast<const MapEntry*>(pointer_), size_}; }

// The value under the string `name` of a map; absent if there is none or `map` is no map.
Value field(const Value& map, std::string_view name);

inline bool LookupMap::contains(const Value& key) const { return !find(key).is_absent(); }

}  // namespace spur
