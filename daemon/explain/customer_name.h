// A customer as people name one: "user_id:123", "anonymous_id:abc", or a bare user id.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "state/customer.h"

namespace spur::explain {

// An identity that owns its text.
struct CustomerName {
  IdentityKind kind = IdentityKind::kUserId;
  std::string value;

  Identity identity() const { return {kind, value}; }
};

// A bare user id may have a colon in it. nullopt if empty.
std::optional<CustomerName> parse_customer(std::string_view text);

}  // namespace spur::explain
