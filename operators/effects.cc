#include "operators/effects.h"

#include "fmt/format.h"

namespace spur {

std::string to_text(const ActionId& id) {
  return fmt::format("{:x}-{:x}-{:x}-{:x}", id.shard, id.run, id.input, id.ordinal);
}

std::string_view to_text(Verdict verdict) {
  switch (verdict) {
    case Verdict::kSent: return "sent";
    case Verdict::kSuppressed: return "suppressed";
    case Verdict::kHeldOut: return "held_out";
    case Verdict::kDeferred: return "deferred";
    case Verdict::kRetracted: return "retracted";
  }
  return "";
}

}  // namespace spur
