// What names may look like.
#pragma once

#include <string_view>

namespace spur::catalog {

inline constexpr std::size_t kNameBytesMax = 63;    // as Kubernetes has it; also of identifiers
inline constexpr std::size_t kTopicBytesMax = 249;  // as Kafka has it

// `cart-abandoned`: lower-case letters, digits and `-`, with a letter or digit at both ends.
bool is_dns_label(std::string_view name);

// `orders_30d`: [a-z_][a-z0-9_]*, and no word that CEL keeps for itself.
bool is_identifier(std::string_view name);

// A word of CEL's grammar, or one that CEL reserves: `in`, `true`, `for`.
bool is_cel_word(std::string_view name);

// What Kafka takes: letters, digits, `.`, `_`, `-`, but not `.` and `..`.
bool is_topic(std::string_view name);

}  // namespace spur::catalog
