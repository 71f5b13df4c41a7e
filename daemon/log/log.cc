#include "daemon/log/log.h"

#include "absl/strings/str_cat.h"
#include "daemon/reason.h"

namespace spur {

std::size_t bytes_of(const RunEffects& effects) {
  std::size_t bytes = 0;
  for (const RunEffects::Action& action : effects.actions)
    bytes += sizeof action + action.topic.size() + action.key.size() + action.bytes.size();
  for (const RunEffects::Decision& decision : effects.decisions)
    bytes += sizeof decision + decision.customer.size() + decision.bytes.size();
  for (const std::string& letter : effects.dead_letters) bytes += sizeof letter + letter.size();
  for (const RunEffects::Message& message : effects.messages)
    bytes += sizeof message + message.bytes.size();
  return bytes;
}

absl::Status too_many_catalogs() {
  return with_reason(
      absl::ResourceExhaustedError(absl::StrCat(
          "this deployment has had ", kCatalogVersionsMax,
          " versions of its catalog, and keeps them all; a new deployment begins with none")),
      "CATALOGS_TOO_MANY");
}

absl::Status too_many_cursors() {
  return with_reason(
      absl::ResourceExhaustedError(
          absl::StrCat("cursors of ", kCursorsMax,
                       " named subscribers are kept, and this one is new; take a name that is "
                       "used no longer, or keep the cursor yourself")),
      "SUBSCRIBERS_TOO_MANY");
}

}  // namespace spur
