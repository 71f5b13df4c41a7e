#include "operators/catalog/retire.h"

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "state/digest.h"

namespace spur::catalog {

std::uint64_t version_of(const spur::v1::Trigger& trigger) {
  return hash64("Trigger" + std::string(1, '\0') + trigger.SerializeAsString());
}

spur::v1::Catalog with_retired(spur::v1::Catalog next, const spur::v1::Catalog& previous) {
  next.clear_retired();
  std::map<std::string_view, std::set<std::uint64_t>>
      versions;  // of each trigger that is on: those there already
  for (const spur::v1::Trigger& t : next.triggers()) {
    if (!t.has_enabled() || t.enabled()) versions[t.name()].insert(version_of(t));
  }
  const auto retire = [&](const spur::v1::Trigger& earlier) {
    const auto current = versions.find(earlier.name());
    if (current == versions.end() || current->second.size() > kRetiredMax) return;
    if (earlier.has_enabled() && !earlier.enabled()) return;  // it had nothing open
    if (current->second.insert(version_of(earlier)).second) *next.add_retired() = earlier;
  };
  for (const spur::v1::Trigger& t : previous.triggers()) retire(t);
  for (const spur::v1::Trigger& t : previous.retired()) retire(t);
  return next;
}

}  // namespace spur::catalog
