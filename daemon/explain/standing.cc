#include "daemon/explain/standing.h"

#include <algorithm>
#include <optional>

#include "daemon/authoring/message_fields.h"
#include "daemon/explain/conditions.h"
#include "daemon/explain/customer_reading.h"
#include "daemon/explain/why_not.h"
#include "fmt/format.h"
#include "operators/instance_view.h"

namespace spur::explain {
namespace {

using authoring::instant_text;
using expression::Program;

void add_condition(CustomerReading& reading, std::string_view name, const std::string& source,
                   const std::optional<Program>& program, spur::v1::TriggerStanding& out) {
  if (!program) return;
  explain_condition(reading.catalog, name, source, *program, reading.activation, reading.arena,
                    *out.add_conditions());
}

std::string summary_of(const CustomerReading& reading, const catalog::Trigger& trigger,
                       const TriggerState* state, int open_instances) {
  if (reading.now < trigger.from) return fmt::format("begins at {}", instant_text(trigger.from));
  if (reading.now >= trigger.to) return fmt::format("ended at {}", instant_text(trigger.to));
  if (state != nullptr && state->fired && trigger.once_customer) {
    return fmt::format("fired at {}, and fires once a customer", instant_text(state->last_fired));
  }
  const Instant cooled = state != nullptr && state->fired ? state->last_fired + trigger.cooldown
                                                          : Instant::distant_past();
  if (reading.now < cooled) return fmt::format("in cooldown until {}", instant_text(cooled));
  if (open_instances > 0)
    return fmt::format(
        "{} open, waiting for {}", open_instances,
        trigger.kind == catalog::Operator::kBusiness ? "a record to change" : "time to pass");
  if (state != nullptr && state->level) return "fired; fires again after it has re-armed";
  if (state != nullptr && state->next != Instant::never()) {
    return fmt::format("waits; asked again at {}", instant_text(state->next));
  }
  return state != nullptr && state->fired
             ? fmt::format("last fired at {}", instant_text(state->last_fired))
             : "waits";
}

// Whether the guard asked about a record that the firing will have and nothing has now.
bool asks_the_change(const catalog::Compiled& catalog, std::uint32_t trigger,
                     const GuardSaid& said) {
  if (said.guard == "while") return rests_on_change(catalog, catalog.triggers[trigger].while_);
  if (said.guard != "reachable") return false;
  return std::any_of(catalog.channels.begin(), catalog.channels.end(), [&](const auto& channel) {
    return channel.name == said.channel && rests_on_change(catalog, channel.reach);
  });
}

void add_guards(CustomerSnapshot& of, Instant now, std::uint32_t trigger, std::string_view key,
                spur::v1::TriggerStanding& out) {
  for (const GuardSaid& said : of.ask_guards(now, trigger, key)) {
    if (said.unknown || asks_the_change(*of.catalog(), trigger, said)) continue;
    spur::v1::GuardAnswer& answer = *out.add_guards();
    answer.set_guard(said.guard);
    answer.set_channel(said.channel);
    answer.set_through(said.through);
    answer.set_detail(said.held_out ? "held out" : said.detail);
    if (said.until != Instant::never()) answer.set_until_ms(said.until.ms);
  }
}

// The instance that the conditions are about: the one that is due first.
std::optional<Instances::View> first_due(const CustomerReading& reading, std::uint32_t trigger) {
  std::optional<Instances::View> first;
  for (const Instances::View& instance : reading.customer.instances) {
    if (reading.catalog.triggers[instance.trigger].current != trigger) continue;
    if (!first || instance.due < first->due) first = instance;
  }
  return first;
}

void read_standing(CustomerReading& reading, std::uint32_t index,
                   const spur::v1::Trigger& definition, CustomerSnapshot& of,
                   spur::v1::TriggerStanding& out) {
  const catalog::Trigger& trigger = reading.catalog.triggers[index];
  out.set_trigger(trigger.name);
  for (const Instances::View& instance : reading.customer.instances) {
    // Those that an earlier version opened too.
    if (reading.catalog.triggers[instance.trigger].current == index)
      fill(instance, reading.catalog, reading.arena, *out.add_instances());
  }
  out.set_summary(
      summary_of(reading, trigger, state_of(reading.customer, index), out.instances_size()));
  const std::optional<Instances::View> about = first_due(reading, index);
  InstanceView view;
  if (about) {
    view = view_of(reading.catalog, reading.customer, *about, reading.arena);
    reading.activation.set_instance(&view);
  }
  add_condition(
      reading, "when",
      definition.has_schedule() ? definition.schedule().when() : definition.threshold().when(),
      trigger.when, out);
  add_condition(reading, "rearm", definition.threshold().rearm(), trigger.rearm, out);
  add_condition(reading, "if", definition.if_(), trigger.condition, out);
  add_condition(reading, "while", definition.while_(), trigger.while_, out);
  add_guards(of, reading.now, index, about ? about->key : std::string_view(), out);
  out.set_why_not(why_not(reading, index, definition, out));
  reading.activation.set_instance(nullptr);
}

}  // namespace

Instant add_standings(CustomerSnapshot& of, Instant now, const spur::v1::Catalog& definitions,
                      std::string_view trigger,
                      google::protobuf::RepeatedPtrField<spur::v1::TriggerStanding>& out) {
  CustomerReading reading(*of.catalog(), of.customer(), now, &of.references());
  static const spur::v1::Trigger unknown;
  for (std::uint32_t i = 0; i < reading.catalog.triggers.size(); ++i) {
    const catalog::Trigger& own = reading.catalog.triggers[i];
    if ((!trigger.empty() && trigger != own.name) || own.retired) continue;
    const spur::v1::Trigger* const definition = definition_of(definitions, own.name);
    read_standing(reading, i, definition == nullptr ? unknown : *definition, of, *out.Add());
  }
  for (const spur::v1::Trigger& off :
       definitions.triggers()) {  // the compiled catalog does not have it
    if ((!trigger.empty() && trigger != off.name()) || !off.has_enabled() || off.enabled())
      continue;
    spur::v1::TriggerStanding& standing = *out.Add();
    standing.set_trigger(off.name());
    standing.set_summary("switched off");
    standing.set_why_not("the trigger is switched off: `enabled: false`");
  }
  return reading.now;
}

}  // namespace spur::explain
