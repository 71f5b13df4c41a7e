#include "operators/guards/arbitration.h"

#include <algorithm>

namespace spur::guards {

Answer arbitration(const Turn& turn, catalog::Class trigger_class, std::uint32_t channel) {
  const catalog::Arbitration rule = turn.catalog().policy.arbitration;
  if (rule == catalog::Arbitration::kNone || trigger_class != catalog::Class::kMarketing)
    return Answer::yes();
  const std::vector<std::uint32_t>& gone = turn.gone_on;
  const bool taken = rule == catalog::Arbitration::kCustomer
                         ? !gone.empty()
                         : std::find(gone.begin(), gone.end(), channel) != gone.end();
  return taken ? Answer::no("arbitration", "another goes at this instant") : Answer::yes();
}

void arbitrated(Turn& turn, catalog::Class trigger_class, std::uint32_t channel) {
  if (turn.catalog().policy.arbitration == catalog::Arbitration::kNone ||
      trigger_class != catalog::Class::kMarketing)
    return;
  turn.gone_on.push_back(channel);
}

}  // namespace spur::guards
