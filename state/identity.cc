#include "state/identity.h"

namespace spur {

std::string to_text(const Identity& identity) {
  if (identity.kind == IdentityKind::kNamed) return std::string(identity.value);
  const std::string_view name =
      identity.kind == IdentityKind::kUserId ? kUserIdName : kAnonymousIdName;
  std::string text;
  text.reserve(name.size() + 1 + identity.value.size());
  text += name;
  text += ':';
  text += identity.value;
  return text;
}

std::string_view key_of(std::string_view text) { return text.substr(text.find(':') + 1); }

std::optional<IdentityKind> stored_kind(std::uint32_t number, std::string_view value) {
  const auto kind = static_cast<IdentityKind>(number);
  switch (number) {
    case 1:
    case 2:
      return kind;
    case 3: {
      const std::size_t colon = value.find(':');
      const bool whole = colon != 0 && colon != std::string_view::npos && colon + 1 < value.size();
      return whole ? std::optional(kind) : std::nullopt;
    }
    default:
      return std::nullopt;
  }
}

}  // namespace spur
