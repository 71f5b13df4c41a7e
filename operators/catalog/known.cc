#include "operators/catalog/known.h"

#include <algorithm>

namespace spur::catalog {
namespace {

constexpr KnownName kKinds[] = {
    {"IdentityRule", ""}, {"Journey", ""}, {"Offer", ""}, {"Experiment", ""}};

constexpr KnownName kModels[] = {
    {"gamma_gamma", "use bg_nbd"}, {"xgboost", "use bg_nbd"}, {"logistic", "use bg_nbd"}};

constexpr KnownSetting kSettings[] = {
    {"Model", "inputs", "remove it: bg_nbd takes its inputs from its pattern"},
};

}  // namespace

std::string not_in_this_version(std::string_view what) {
  return std::string(what) + " is known, not in this version";
}

std::span<const KnownName> unsupported_kinds() { return kKinds; }
std::span<const KnownName> unsupported_models() { return kModels; }
std::span<const KnownSetting> unsupported_settings() { return kSettings; }

const KnownName* find_name(std::span<const KnownName> names, std::string_view name) {
  const auto found =
      std::find_if(names.begin(), names.end(), [&](const KnownName& n) { return n.name == name; });
  return found == names.end() ? nullptr : &*found;
}

const KnownSetting* find_setting(std::string_view kind, std::string_view key) {
  const auto found =
      std::find_if(std::begin(kSettings), std::end(kSettings),
                   [&](const KnownSetting& s) { return s.kind == kind && s.key == key; });
  return found == std::end(kSettings) ? nullptr : found;
}

}  // namespace spur::catalog
