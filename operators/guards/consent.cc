#include "operators/guards/consent.h"

#include <algorithm>

#include "fmt/format.h"

namespace spur::guards {
namespace {

const Consent* find(const Customer& customer, std::string_view purpose) {
  if (customer.rare == nullptr) return nullptr;
  for (const Consent& c : customer.rare->consents) {
    if (c.purpose == purpose) return &c;
  }
  return nullptr;
}

}  // namespace

Answer consent(const Turn& turn, std::uint32_t trigger, std::uint32_t channel) {
  const std::string& purpose = turn.catalog().channels[channel].purpose;
  if (purpose.empty() ||
      turn.catalog().triggers[trigger].trigger_class != catalog::Class::kMarketing)
    return Answer::yes();
  const Consent* const said = find(turn.customer, purpose);
  const Consent* const all = find(turn.customer, kAllPurposes);
  const bool all_withdrawn = all != nullptr && (said == nullptr || all->time >= said->time);
  if (all_withdrawn || (said != nullptr && !said->granted))
    return Answer::no("consent", fmt::format("consent for {} was withdrawn", purpose));
  if (said != nullptr) return Answer::yes();
  const std::vector<std::string>& assumed = turn.shard.assumed.consents;
  if (std::find(assumed.begin(), assumed.end(), purpose) != assumed.end()) return Answer::yes();
  return Answer::no("consent", fmt::format("no consent for {} was given", purpose));
}

}  // namespace spur::guards
