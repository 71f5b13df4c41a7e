#include "operators/consents.h"

#include <algorithm>
#include <memory>

#include "operators/gate.h"
#include "operators/guards/consent.h"
#include "operators/retract.h"
#include "operators/triggers/absence.h"
#include "operators/triggers/business.h"
#include "state/aggregates/key_text.h"
#include "state/text_prefix.h"

namespace spur {
namespace {

std::string text_of(Turn& turn, const std::optional<expression::Program>& program) {
  if (!program) return "";
  const std::optional<std::string_view> text = key_text(turn.evaluate(*program), turn.arena());
  return text ? std::string(text_prefix(*text, kConsentTextBytesMax)) : "";
}

// Answers whether the word counts.
bool take_word(Turn& turn, std::string_view purpose, bool granted) {
  const Instant t = turn.event->time;
  std::vector<Consent>& all = turn.customer.more().consents;
  auto place = std::lower_bound(all.begin(), all.end(), purpose,
                                [](const Consent& c, std::string_view p) { return c.purpose < p; });
  const bool known = place != all.end() && place->purpose == purpose;
  if (known && (t < place->time || (t == place->time && granted && !place->granted))) return false;
  if (purpose.size() > kConsentTextBytesMax || (!known && all.size() >= kConsentsMax)) {
    ++turn.shard.counters.dropped_over_limit;
    return false;
  }
  if (!known) place = all.insert(place, Consent{std::string(purpose), false, t, "", "", ""});
  const catalog::Consent& how = turn.catalog().policy.consent;
  place->granted = granted;
  place->time = t;
  place->source = text_of(turn, how.source);
  place->text_version = text_of(turn, how.text_version);
  place->legal_basis = text_of(turn, how.legal_basis);
  mutate(turn, Tag::kConsent, place->purpose,
         static_cast<std::uint64_t>(t.ms) << 1 | (granted ? 1 : 0));
  return true;
}

// Whether one of the step's channels is still allowed to it.
bool allowed(Turn& turn, std::uint32_t trigger, std::uint32_t step) {
  const std::vector<std::uint32_t>& channels =
      turn.catalog().triggers[trigger].steps[step].channels;
  return channels.empty() ||
         std::any_of(channels.begin(), channels.end(), [&](std::uint32_t channel) {
           return guards::consent(turn, trigger, channel).through();
         });
}

void exit_withdrawn(Turn& turn) {
  const Instant t = turn.event->time;
  for (std::uint32_t i = 0; i < turn.catalog().triggers.size(); ++i) {
    const catalog::Trigger& trigger = turn.catalog().triggers[i];
    if (trigger.trigger_class != catalog::Class::kMarketing || trigger.steps.empty()) continue;
    bool any = false;
    for (std::uint32_t step = 0; step < trigger.steps.size(); ++step)
      any = any || allowed(turn, i, step);
    if (any) continue;
    triggers::drop_instances(turn, i, t);
    drop_pending(
        turn, i, t, [](const std::string&) { return true; }, "consent");
  }
  drop_steps(turn, "consent", [&](const Pending& p) {
    if (p.state == Pending::State::kDeferred)
      return !guards::consent(turn, p.trigger, p.channel).through();
    return !allowed(turn, p.trigger, p.step);
  });
  retract_if(turn, [&](const Retractable& r) {
    return r.at >= t && !guards::consent(turn, r.trigger, r.channel).through();
  });
}

}  // namespace

void fold_consents(Turn& turn) {
  const catalog::Listeners& at = turn.catalog().listeners(turn.event->name_index);
  for (const catalog::Use& use : at.grants) {
    for_each_match(turn, *use.pattern, [&](Value, std::string_view purpose) {
      if (purpose != guards::kAllPurposes) take_word(turn, purpose, true);
    });
  }
  bool withdrawn = false;
  for (const catalog::Use& use : at.withdrawals) {
    for_each_match(turn, *use.pattern, [&](Value, std::string_view purpose) {
      withdrawn = take_word(turn, purpose, false) || withdrawn;
    });
  }
  if (withdrawn) exit_withdrawn(turn);
}

bool erased(Turn& turn) {
  Customer& customer = turn.customer;
  if (customer.is_erased()) return true;
  bool asked = false;
  for (const catalog::Use& use : turn.catalog().listeners(turn.event->name_index).erasures)
    for_each_match(turn, *use.pattern, [&](Value, std::string_view) { asked = true; });
  if (!asked) return false;
  drop_steps(turn, "erased", [](const Pending&) { return true; });
  customer.features = FeatureStates();
  customer.sessions = CompactVector<SessionState>();
  for (const Instances::View& instance : customer.instances) triggers::business_ends(turn, instance);
  customer.instances = Instances();
  customer.triggers = CompactVector<TriggerState>();
  auto rest = std::make_unique<Customer::Rare>();
  rest->erased = turn.event->time;
  if (customer.rare != nullptr) rest->buffered = std::move(customer.rare->buffered);
  customer.rare = std::move(rest);
  mutate(turn, Tag::kErased, static_cast<std::uint64_t>(turn.event->time.ms));
  return true;
}

}  // namespace spur
