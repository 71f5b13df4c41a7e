// The one table of spurd's options, and how a value of each type is written.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "daemon/config.h"

namespace spur {

enum class OptionType : std::uint8_t {
  kPath,      // of a file or folder
  kText,      // any other text
  kAddress,   // host:port
  kInteger,   // within [min, max]
  kSize,      // 64MiB, 10GiB, 4096 (bytes)
  kDuration,  // 250ms, 30s, 5m, 2h, 7d
  kBool,      // true, false; as a flag alone: true
  kChoice,    // one of `choices`
  kProperties,  // name=value,…; in the file a mapping
};
std::string_view to_text(OptionType type);

// A parsed value; the member that the type says.
struct OptionValue {
  std::string text;
  std::int64_t number = 0;  // integer, bytes, milliseconds, 0 or 1, index of the choice
  Address address;
  std::map<std::string, std::string> properties;
};

struct Option {
  std::string_view key;            // "grpc.address"
  std::string_view alias;          // a shorter flag, e.g. "--catalog"; may be empty
  OptionType type;
  std::string_view default_text;
  std::int64_t min, max;           // integers, sizes (bytes) and durations (ms)
  std::string_view choices;        // "wall|events"
  std::string_view help;           // one line
  std::string_view reason;         // why this default
  void (*set)(Config&, const OptionValue&);
};

// In the order of the documentation; keys of a group stand together.
std::span<const Option> options();
const Option* find_option(std::string_view key);

// "--grpc-address" and "SPUR_GRPC_ADDRESS" of "grpc.address".
std::string flag_name(std::string_view key);
std::string environment_name(std::string_view key);

// InvalidArgument says what is wrong and what would be right, without naming the place.
absl::StatusOr<OptionValue> parse_value(const Option& option, std::string_view text);

absl::StatusOr<Address> parse_address(std::string_view text);
absl::StatusOr<std::int64_t> parse_size(std::string_view text);      // bytes
absl::StatusOr<std::int64_t> parse_duration(std::string_view text);  // milliseconds
// Pairs parted by commas, or one a line where a value holds a comma.
absl::StatusOr<std::map<std::string, std::string>> parse_properties(std::string_view text);

// The candidate nearest to `word` by edit distance, empty if none is near.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace spur
