// A customer as people name one: "user_id:123", "anonymous_id:abc", "loyalty_id:4711" of a kind
// that the catalog maps, or a bare user id.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "operators/catalog/compiled.h"
#include "state/identity.h"

namespace spur::catalog {

// An identity that owns its text.
struct CustomerName {
  IdentityKind kind = IdentityKind::kUserId;
  std::string value;  // as Identity has it

  Identity identity() const { return {kind, value}; }
};

// What callers say when they are given none.
inline constexpr std::string_view kCustomerHint =
    "user_id:123, anonymous_id:abc, loyalty_id:4711 (a kind that a Source's map names), or a bare "
    "user id";

// A kind is what stands before the first colon, if it is user_id, anonymous_id or one that a Source
// of the catalog maps; else all of it is a user id, which may have colons. Where a user id begins
// like a kind, user_id: before it tells. nullptr: no catalog, so no further kinds. nullopt if
// empty.
std::optional<CustomerName> parse_customer(std::string_view text, const Compiled* catalog);

}  // namespace spur::catalog
