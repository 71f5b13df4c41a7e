#include "daemon/log/log.h"

#include "absl/strings/str_cat.h"
#include "daemon/reason.h"

namespace spur {

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
