// What the language has and this version has not: refused by name, so that nobody takes a typing
// error for it or a setting for honoured.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace spur::catalog {

// "known, not in this version", as all these refusals end.
std::string not_in_this_version(std::string_view what);

struct KnownName {
  std::string_view name;
  std::string_view hint;  // what does the same here; may be empty
};

std::span<const KnownName> unsupported_kinds();   // Journey, Offer, …
std::span<const KnownName> unsupported_models();  // xgboost, …

// A setting of a kind, by its key in `spec`.
struct KnownSetting {
  std::string_view kind;  // "Policy"
  std::string_view key;   // "holdout"
  std::string_view hint;
};
std::span<const KnownSetting> unsupported_settings();

// The entry of that name, or nullptr.
const KnownName* find_name(std::span<const KnownName> names, std::string_view name);
const KnownSetting* find_setting(std::string_view kind, std::string_view key);

}  // namespace spur::catalog
