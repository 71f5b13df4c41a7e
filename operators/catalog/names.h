// What names may look like.
#pragma once

#include <string>
#include <string_view>

#include "spur/v1/catalog.pb.h"

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

// Where its events come from and its actions go to: the topic it names, else one made of its own
// name.
std::string topic_of(const spur::v1::Source& source);
std::string topic_of(const spur::v1::Channel& channel);

// Writes out the topics that a catalog leaves to their default, where a name is fit to be one.
void write_out_topics(spur::v1::Catalog& catalog);

}  // namespace spur::catalog
