#include "operators/catalog/compiled.h"

namespace spur::catalog {

std::string_view to_text(Class trigger_class) {
  switch (trigger_class) {
    case Class::kMarketing:
      return "marketing";
    case Class::kService:
      return "service";
    case Class::kTransactional:
      return "transactional";
  }
  return "";
}

bool Listeners::nothing() const {
  return session_opens.empty() && session_keeps.empty() && session_closes.empty() &&
         features.empty() && models.empty() && exits.empty() && closes.empty() && resets.empty() &&
         opens.empty() && events.empty() && novelties.empty() && thresholds.empty() &&
         predictions.empty() && silences.empty() && sequences.empty() && dates.empty() &&
         grants.empty() && withdrawals.empty() && erasures.empty() && interests.empty();
}

std::int32_t Compiled::find_source(std::string_view name) const {
  if (name.empty()) return 0;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    if (sources[i].name == name) return static_cast<std::int32_t>(i);
  }
  return kNone;
}

std::int32_t Compiled::find_source_of(std::string_view topic) const {
  for (std::size_t i = 0; i < sources.size(); ++i) {
    if (sources[i].topic == topic) return static_cast<std::int32_t>(i);
  }
  return kNone;
}

std::int32_t Compiled::find_reference(std::string_view name) const {
  for (std::size_t i = 0; i < business_data.size(); ++i) {
    if (business_data[i].name == name) return static_cast<std::int32_t>(i);
  }
  return kNone;
}

std::int32_t Compiled::find_reference_of(std::string_view topic) const {
  for (std::size_t i = 0; i < business_data.size(); ++i) {
    if (business_data[i].topic == topic) return static_cast<std::int32_t>(i);
  }
  return kNone;
}

bool Compiled::has_identity_kind(std::string_view name) const {
  for (const Source& source : sources) {
    if (source.map == nullptr) continue;
    for (const Mapping::Named& named : source.map->named_ids) {
      if (named.name == name) return true;
    }
  }
  return false;
}

}  // namespace spur::catalog
