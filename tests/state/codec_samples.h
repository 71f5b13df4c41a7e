// Values that have every kind and every way to be written; shared by the round trips and the
// goldens.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "state/arena.h"
#include "state/value.h"

namespace spur::testing {

inline std::string hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    text += kDigits[static_cast<unsigned char>(c) >> 4];
    text += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return text;
}

inline std::vector<std::pair<std::string, Value>> sample_values(Arena& arena) {
  const auto list = arena.array<Value>(3);
  list[0] = Value::integer(1);
  list[1] = Value::string("two");
  list[2] = Value::list({});
  const auto entries = arena.array<MapEntry>(2);
  entries[0] = {Value::string("total"), Value::real(19.99)};
  entries[1] = {Value::integer(2), Value::list(list)};
  const auto inner = arena.array<Value>(1);
  inner[0] = Value::boolean(true);
  return {
      {"absent", Value::absent()},
      {"null", Value::null()},
      {"true", Value::boolean(true)},
      {"false", Value::boolean(false)},
      {"int -1", Value::integer(-1)},
      {"int min", Value::integer(INT64_MIN)},
      {"uint max", Value::unsigned_integer(UINT64_MAX)},
      {"double 20", Value::real(20)},
      {"double 19.99", Value::real(19.99)},
      {"double -0.0", Value::real(-0.0)},
      {"double 1e300", Value::real(1e300)},
      {"double 2^53", Value::real(9007199254740992.0)},
      {"string empty", Value::string("")},
      {"string shoes", Value::string("shoes")},
      {"string of 15", Value::string("fifteen letters")},
      {"string long", Value::string("a longer text, of more than fifteen bytes: smörgås")},
      {"bytes", Value::bytes(std::string_view("\x00\xff", 2))},
      {"timestamp", Value::timestamp(Instant{1'767'225'600'000})},
      {"timestamp with nanoseconds", Value::timestamp(-5, 999'999'999)},
      {"duration", Value::duration(Millis{7 * 86'400'000LL})},
      {"duration negative", Value::duration(-1, -500'000'000)},
      {"list", Value::list(list)},
      {"map", Value::map(entries)},
      {"type", Value::type("google.protobuf.Timestamp")},
      {"optional none", Value::optional(nullptr)},
      {"optional true", Value::optional(inner.data())},
      {"error", Value::error("no such field")},
  };
}

}  // namespace spur::testing
