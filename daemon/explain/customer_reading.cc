#include "daemon/explain/customer_reading.h"

#include <algorithm>
#include <utility>

#include "daemon/explain/conditions.h"
#include "fmt/format.h"
#include "operators/expression/text.h"
#include "operators/opened.h"

namespace spur::explain {
namespace {

constexpr std::size_t kKeysShownMax = 100;  // of a feature with `by`

// `read(member)` as JSON: an object of its members for gaps, else its one value.
template <typename Read>
std::string members_json(const AggregateSpec& spec, Read read) {
  if (spec.kind != AggregateKind::kGaps) return json_of(read(Member::kValue));
  std::string out;
  const std::pair<Member, std::string_view> members[] = {{Member::kCount, "count"},
                                                         {Member::kMean, "mean"},
                                                         {Member::kLast, "last"},
                                                         {Member::kMedian, "median"},
                                                         {Member::kP90, "p90"}};
  for (const auto& [member, name] : members) {
    const Value value = read(member);
    if (!value.is_absent())
      out += fmt::format("{}\"{}\":{}", out.empty() ? "" : ",", name, json_of(value));
  }
  return "{" + out + "}";
}

std::string keyed_json(const AggregateSpec& spec, const KeyedAggregates& keyed, Instant now,
                       Arena& arena) {
  std::string out;
  std::size_t shown = 0;
  for (const Value& key : keyed.keys(arena)) {
    if (shown++ == kKeysShownMax) break;
    if (!out.empty()) out += ',';
    expression::append_json_string(&out, key.as_text());
    out += ':';
    out += members_json(
        spec, [&](Member member) { return keyed.read(spec, key.as_text(), member, now, arena); });
  }
  return "{" + out + "}";
}

}  // namespace

CustomerReading::CustomerReading(const catalog::Compiled& compiled, const Customer& customer,
                                 Instant now, References* references)
    : catalog(compiled),
      customer(customer),
      now(std::max(now, customer.newest)),
      activation(arena, references) {
  activation.use(&catalog);
  activation.begin(customer, this->now, nullptr, &scores);
}

std::string feature_json(const catalog::Compiled& catalog, const Customer& customer,
                         std::uint32_t feature, Instant now, Arena& arena) {
  static const KeyedAggregates no_keys;
  const catalog::Feature& of = catalog.features[feature];
  if (catalog::Compiled::is_keyed(of)) {
    const KeyedAggregates* const keyed = customer.keyed(feature);
    return keyed_json(of.spec, keyed != nullptr ? *keyed : no_keys, now, arena);
  }
  return members_json(of.spec, [&](Member member) {
    return customer.features.read(feature, of.spec, member, now, arena);
  });
}

void fill(const Instances::View& instance, const catalog::Compiled& catalog, Arena& arena,
          spur::v1::OpenInstance& out) {
  const catalog::Trigger& trigger = catalog.triggers[instance.trigger];
  out.set_trigger(trigger.name);
  out.set_key(std::string(instance.key));
  Instant opened_at = instance.opened_at;
  if (trigger.kind ==
      catalog::Operator::kSequence) {  // which keeps the time of its last step there
    const auto opened = decode_opened(Instances::opened(instance, arena), catalog.schema, arena);
    if (opened) opened_at = opened->event->time;
  }
  out.set_opened_at_ms(opened_at.ms);
  if (instance.due != Instant::never()) out.set_due_ms(instance.due.ms);
  out.set_count(instance.count);
}

bool rests_on_change(const catalog::Compiled& catalog,
                     const std::optional<expression::Program>& condition) {
  if (!condition) return false;
  return std::any_of(condition->slots().begin(), condition->slots().end(), [&](std::uint32_t slot) {
    const catalog::SlotKind kind = catalog.slots[slot].kind;
    return kind == catalog::SlotKind::kRecord || kind == catalog::SlotKind::kPrevious;
  });
}

const TriggerState* state_of(const Customer& customer, std::uint32_t trigger) {
  const auto found =
      std::find_if(customer.triggers.begin(), customer.triggers.end(),
                   [&](const TriggerState& state) { return state.trigger == trigger; });
  return found == customer.triggers.end() ? nullptr : &*found;
}

const spur::v1::Trigger* definition_of(const spur::v1::Catalog& definitions,
                                       std::string_view name) {
  for (const spur::v1::Trigger& trigger : definitions.triggers()) {
    if (trigger.name() == name) return &trigger;
  }
  return nullptr;
}

}  // namespace spur::explain
