#include "daemon/inputs/json_value.h"

#include <fmt/core.h>

#include <cmath>
#include <limits>

#include "state/aggregates/key_text.h"

namespace spur {
namespace {

constexpr std::int64_t kExactMax = std::int64_t{1} << 53;

class Maker {
 public:
  Maker(const InputLimits& limits, Arena& arena) : limits_(limits), arena_(arena) {}

  // The value itself where it is JSON already, which is most of what a body has.
  Value run(const Value& value, std::size_t depth) {
    switch (value.kind()) {
      case Kind::kAbsent:
      case Kind::kNull:
      case Kind::kBool:
        return value;
      case Kind::kInt:
        if (value.as_int() >= -kExactMax && value.as_int() <= kExactMax)
          return Value::real(static_cast<double>(value.as_int()));
        return value;
      case Kind::kUint:
        return whole(value.as_uint());
      case Kind::kDouble:
        if (!std::isfinite(value.as_double())) fail(Reason::kNumberOutOfRange, "NaN or infinite");
        return value;
      case Kind::kString:
        if (value.as_text().size() > limits_.string_bytes_max)
          fail(Reason::kStringTooLong, fmt::format("a text of {} bytes", value.as_text().size()));
        return value;
      case Kind::kTimestamp:
      case Kind::kDuration:
        return text_of(value);
      case Kind::kList:
        return list(value, depth + 1);
      case Kind::kMap:
        return map(value, depth + 1);
      case Kind::kOptional:
        return value.optional_value() == nullptr ? Value::absent()
                                                 : run(*value.optional_value(), depth);
      case Kind::kError:
        fail(Reason::kMappingFailed, std::string(value.as_text()));
        break;
      case Kind::kBytes:
        fail(Reason::kMappingFailed, "JSON has no bytes; use base64.encode()");
        break;
      case Kind::kType:
        fail(Reason::kMappingFailed, "JSON has no types");
        break;
    }
    return Value::null();
  }

  std::optional<Malformed> take_failure() { return std::move(failure_); }

 private:
  void fail(Reason reason, std::string detail) {
    if (!failure_) failure_ = Malformed{reason, std::move(detail)};
  }

  static Value whole(std::uint64_t number) {
    if (number <= static_cast<std::uint64_t>(kExactMax))
      return Value::real(static_cast<double>(number));
    if (number <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
      return Value::integer(static_cast<std::int64_t>(number));
    return Value::unsigned_integer(number);
  }

  Value text_of(const Value& value) {
    const std::optional<std::string_view> text = key_text(value, arena_);
    if (!text) fail(Reason::kMappingFailed, "no text says this");
    return Value::string(text.value_or(""));
  }

  bool too_deep(std::size_t depth) {
    if (depth <= limits_.depth_max) return false;
    fail(Reason::kTooDeep,
         fmt::format("more than {} lists and maps in one another", limits_.depth_max));
    return true;
  }

  Value list(const Value& value, std::size_t depth) {
    const std::span<const Value> elements = value.elements();
    if (too_deep(depth)) return value;
    if (elements.size() > limits_.list_elements_max)
      fail(Reason::kTooManyElements, fmt::format("a list of {}", elements.size()));
    std::span<Value> copy;
    for (std::size_t i = 0; i < elements.size() && !failure_; ++i) {
      const Value made = run(elements[i], depth);
      if (copy.empty() && same(made, elements[i])) continue;
      if (copy.empty()) {
        copy = arena_.array<Value>(elements.size());
        std::copy(elements.begin(), elements.end(), copy.begin());
      }
      copy[i] = made.is_absent() ? Value::null() : made;
    }
    return copy.empty() ? value : Value::list(copy);
  }

  Value map(const Value& value, std::size_t depth) {
    const std::span<const MapEntry> entries = value.entries();
    if (too_deep(depth)) return value;
    if (entries.size() > limits_.object_keys_max)
      fail(Reason::kTooManyFields, fmt::format("a map of {} keys", entries.size()));
    std::span<MapEntry> copy;
    for (std::size_t i = 0; i < entries.size() && !failure_; ++i) {
      const Value key = entries[i].key.is(Kind::kString) ? entries[i].key : text_of(entries[i].key);
      if (key.as_text().size() > limits_.key_bytes_max)
        fail(Reason::kStringTooLong, fmt::format("a key of {} bytes", key.as_text().size()));
      const Value made = run(entries[i].value, depth);
      if (copy.empty() && entries[i].key.is(Kind::kString) && same(made, entries[i].value))
        continue;
      if (copy.empty()) {
        copy = arena_.array<MapEntry>(entries.size());
        std::copy(entries.begin(), entries.end(), copy.begin());
      }
      copy[i] = {key, made.is_absent() ? Value::null() : made};
    }
    return copy.empty() ? value : Value::map(copy);
  }

  // Whether `made` is `value` as it was.
  static bool same(const Value& made, const Value& value) {
    if (made.kind() != value.kind()) return false;
    if (made.is(Kind::kList)) return made.elements().data() == value.elements().data();
    if (made.is(Kind::kMap)) return made.entries().data() == value.entries().data();
    return true;
  }

  const InputLimits& limits_;
  Arena& arena_;
  std::optional<Malformed> failure_;
};

}  // namespace

std::optional<Malformed> make_json(Value& value, std::size_t depth, const InputLimits& limits,
                                   Arena& arena) {
  Maker maker(limits, arena);
  value = maker.run(value, depth);
  return maker.take_failure();
}

}  // namespace spur
