#include "operators/guards/holdout.h"

#include <string>

#include "state/digest.h"

namespace spur::guards {

std::uint32_t holdout_place(std::string_view salt, std::string_view customer) {
  std::string text(salt);
  text += '\0';
  text += customer;
  return static_cast<std::uint32_t>(hash64(text) % 1'000'000);
}

Answer holdout(const Turn& turn, catalog::Class trigger_class) {
  const catalog::Policy& policy = turn.catalog().policy;
  if (policy.holdout_parts == 0 || !turn.shard.assumed.holdout ||
      trigger_class != catalog::Class::kMarketing)
    return Answer::yes();
  const std::uint32_t place = holdout_place(policy.holdout_salt, to_text(turn.customer.id()));
  return place < static_cast<std::uint32_t>(policy.holdout_parts) ? Answer::held_out()
                                                                  : Answer::yes();
}

}  // namespace spur::guards
