#include "operators/catalog/customer_name.h"

namespace spur::catalog {
namespace {

std::optional<IdentityKind> kind_named(std::string_view name, const Compiled* catalog) {
  if (name == kUserIdName) return IdentityKind::kUserId;
  if (name == kAnonymousIdName) return IdentityKind::kAnonymousId;
  if (catalog != nullptr && catalog->has_identity_kind(name)) return IdentityKind::kNamed;
  return std::nullopt;
}

}  // namespace

std::optional<CustomerName> parse_customer(std::string_view text, const Compiled* catalog) {
  const std::size_t colon = text.find(':');
  const auto kind = colon == std::string_view::npos ? std::optional<IdentityKind>()
                                                    : kind_named(text.substr(0, colon), catalog);
  const std::string_view value = kind ? text.substr(colon + 1) : text;
  if (value.empty()) return std::nullopt;
  const bool with_kind = kind == IdentityKind::kNamed;
  return CustomerName{kind.value_or(IdentityKind::kUserId), std::string(with_kind ? text : value)};
}

}  // namespace spur::catalog
