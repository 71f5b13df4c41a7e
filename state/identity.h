// Identity: what a customer is known by, and the one place that says how it is written and where it
// leads.
//
// A user id and an anonymous id are kinds of their own. Other kinds are those that a Source's `map`
// names, loyalty_id or email: there may be any number, so they share one kind here, and the name
// stands in the value, "loyalty_id:4711". So rows of different kinds never meet, and no number has
// to be given to a name.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace spur {

// Stored: a number is never reused.
enum class IdentityKind : std::uint8_t { kUserId = 1, kAnonymousId = 2, kNamed = 3 };

// What the first two go by where people name them.
inline constexpr std::string_view kUserIdName = "user_id", kAnonymousIdName = "anonymous_id";

struct Identity {
  IdentityKind kind = IdentityKind::kUserId;
  std::string_view value;  // of kNamed with the kind's name before it

  // The value without its kind. It says the customer's shard, and is the key of records on Kafka: a
  // topic that is keyed by what its `map` names needs no forwarding, whatever the kind.
  std::string_view key() const {
    return kind == IdentityKind::kNamed ? value.substr(value.find(':') + 1) : value;
  }

  friend auto operator<=>(const Identity&, const Identity&) = default;
};

// "user_id:123", "loyalty_id:4711": what people, actions and decisions call the customer. Two
// identities never have the same text.
std::string to_text(const Identity& identity);
// Of such a text the identity's key().
std::string_view key_of(std::string_view text);

// What was stored of a kind. nullopt: no kind has this number, or the value is none of it.
std::optional<IdentityKind> stored_kind(std::uint32_t number, std::string_view value);

}  // namespace spur
