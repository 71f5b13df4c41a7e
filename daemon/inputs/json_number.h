// A JSON number as the value it becomes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "state/value.h"

namespace spur {

struct JsonNumber {
  enum class Fault : std::uint8_t { kNone, kSyntax, kRange };

  Fault fault = Fault::kNone;
  std::size_t size = 0;  // how many bytes it takes; of a fault, how many are good
  // A double; an int beyond ±2^53, a uint beyond int64; a double again where neither holds it.
  // Rounded to nearest, as everywhere; what is too small for a double is 0, too large is kRange.
  Value value;
};

// The number that `text` begins with; what follows it is the caller's to check.
JsonNumber parse_json_number(std::string_view text);

// A number as a key: 7, 7.0 and 7e0 are "7", 7.5 is "7.5", a longer whole number keeps all its
// digits. `text` is a number by the above.
std::string json_number_key(std::string_view text);

}  // namespace spur
