#include "daemon/explain/customer_name.h"

namespace spur::explain {

std::optional<CustomerName> parse_customer(std::string_view text) {
  if (text.empty()) return std::nullopt;
  for (const IdentityKind kind : {IdentityKind::kUserId, IdentityKind::kAnonymousId}) {
    const std::string prefix = to_text(Identity{kind, {}});
    if (text.substr(0, prefix.size()) != prefix) continue;
    if (text.size() == prefix.size()) return std::nullopt;
    return CustomerName{kind, std::string(text.substr(prefix.size()))};
  }
  return CustomerName{IdentityKind::kUserId, std::string(text)};
}

}  // namespace spur::explain
