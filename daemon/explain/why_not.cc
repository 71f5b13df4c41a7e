#include "daemon/explain/why_not.h"

#include <algorithm>
#include <string_view>

#include "daemon/authoring/message_fields.h"
#include "daemon/authoring/sentences.h"
#include "daemon/explain/conditions.h"
#include "fmt/format.h"

namespace spur::explain {
namespace {

using authoring::instant_text;
using catalog::Operator;
using google::protobuf::RepeatedPtrField;

// What a page shows as code stands between backticks in a sentence.
std::string patterns_text(const RepeatedPtrField<spur::v1::Pattern>& patterns) {
  std::string text = authoring::patterns_text(patterns);
  for (char& c : text) {
    if (c == authoring::kCodeBegin || c == authoring::kCodeEnd) c = '`';
  }
  return text;
}

std::string interest_text(const spur::v1::BusinessOperator& business) {
  std::string out;
  for (const spur::v1::Interest& interest : business.interest())
    out += (out.empty() ? "" : "; or ") + patterns_text(interest.patterns());
  return out;
}

const spur::v1::ConditionValue* condition(const spur::v1::TriggerStanding& standing,
                                          std::string_view name) {
  for (const spur::v1::ConditionValue& c : standing.conditions()) {
    if (c.name() == name) return &c;
  }
  return nullptr;
}

std::string in_time(Instant now, Instant then) {
  const Millis left = then - now;
  return left.count <= 0 ? "now" : "in " + authoring::duration_text(left);
}

std::string with_key(std::string_view key) { return key.empty() ? "" : fmt::format(" [{}]", key); }

// What would have to come for something of the operator to open.
std::string opening(const spur::v1::Trigger& definition, const catalog::Compiled& catalog,
                    const catalog::Trigger& trigger) {
  switch (definition.operator_case()) {
    case spur::v1::Trigger::kEvent:
      return patterns_text(definition.event().patterns());
    case spur::v1::Trigger::kNovelty:
      return patterns_text(definition.novelty().patterns()) + " with a value that is new";
    case spur::v1::Trigger::kAbsence:
      return patterns_text(definition.absence().opens());
    case spur::v1::Trigger::kRhythm:
      return patterns_text(definition.rhythm().patterns());
    case spur::v1::Trigger::kSequence:
      return patterns_text(definition.sequence().steps(0).patterns());
    case spur::v1::Trigger::kSession:
      return fmt::format("an event that opens the session {}",
                         catalog.sessions[static_cast<std::size_t>(trigger.session)].name);
    case spur::v1::Trigger::kBusiness:
      return fmt::format("interest in a record of {}: {}", definition.business().reference(),
                         interest_text(definition.business()));
    default:
      return "";
  }
}

// Of what stays open until its deadline: what would end it before.
std::string enders(const spur::v1::Trigger& definition) {
  std::string out = patterns_text(definition.absence().closes());
  if (definition.has_sequence())
    out = patterns_text(definition.sequence().then_silent().patterns());
  if (definition.has_rhythm()) out = patterns_text(definition.rhythm().patterns());
  if (definition.has_business()) out = patterns_text(definition.business().closes());
  return out;
}

// Of interest in records: one of them has to change while it lasts. `first` is over first.
std::string of_interest(const CustomerReading& reading, const spur::v1::Trigger& definition,
                        const spur::v1::OpenInstance& first, int open_instances) {
  const spur::v1::BusinessOperator& business = definition.business();
  const std::string others =
      open_instances == 1 ? "" : fmt::format(" (or another of {})", open_instances);
  const std::string when =
      business.when().empty() ? "" : fmt::format(", so that `{}`", business.when());
  const std::string ends = enders(definition);
  return fmt::format("the record{} of {}{} has to change by {} ({}){}{}", with_key(first.key()),
                     business.reference(), others, instant_text({first.due_ms()}),
                     in_time(reading.now, {first.due_ms()}), when,
                     ends.empty() ? "" : ", unless there is " + ends);
}

std::string of_open(const CustomerReading& reading, const catalog::Trigger& trigger,
                    const spur::v1::Trigger& definition,
                    const spur::v1::TriggerStanding& standing) {
  const auto first = std::min_element(standing.instances().begin(), standing.instances().end(),
                                      [](const auto& a, const auto& b) {
                                        return (a.due_ms() == 0 ? INT64_MAX : a.due_ms()) <
                                               (b.due_ms() == 0 ? INT64_MAX : b.due_ms());
                                      });
  if (trigger.kind == Operator::kBusiness)
    return of_interest(reading, definition, *first, standing.instances_size());
  const std::uint64_t steps = trigger.later_steps.size() + 1;
  if (trigger.kind == Operator::kSequence && first->count() < steps) {
    const spur::v1::SequenceStep& next =
        definition.sequence().steps(static_cast<int>(first->count()));
    return fmt::format("step {} of {}{} has to come{}: {}", first->count() + 1, steps,
                       with_key(first->key()),
                       first->due_ms() == 0 ? "" : " by " + instant_text({first->due_ms()}),
                       patterns_text(next.patterns()));
  }
  const std::string ends = enders(definition);
  return fmt::format("time has to pass: the wait{} is over at {} ({}){}", with_key(first->key()),
                     instant_text({first->due_ms()}), in_time(reading.now, {first->due_ms()}),
                     ends.empty() ? "" : ", unless there is " + ends);
}

std::string of_session(const CustomerReading& reading, const catalog::Trigger& trigger) {
  const catalog::Session& session =
      reading.catalog.sessions[static_cast<std::size_t>(trigger.session)];
  for (const SessionState& state : reading.customer.sessions) {
    if (static_cast<std::int32_t>(state.session) != trigger.session || !state.open) continue;
    if (trigger.moment == catalog::SessionMoment::kIdle)
      return fmt::format("the session {} has to end by silence: at {}, if nothing keeps it",
                         session.name, instant_text(state.last + session.idle));
    if (trigger.moment == catalog::SessionMoment::kClosed)
      return fmt::format("the session {} has to be closed", session.name);
    return fmt::format("the session {} has to end and open anew", session.name);
  }
  return fmt::format("the session {} has to open", session.name);
}

// What the level of a threshold rests on.
std::string of_level(CustomerReading& reading, const catalog::Trigger& trigger,
                     const spur::v1::Trigger& definition, const TriggerState* state,
                     const spur::v1::TriggerStanding& standing) {
  const bool level = state != nullptr && state->level;
  if (trigger.segment != catalog::kNone) {
    const std::string& name =
        reading.catalog.segments[static_cast<std::size_t>(trigger.segment)].name;
    const bool left = definition.segment().on() == "left";
    return fmt::format(
        "the customer has to {} the segment {} (is {}in it)", left ? "leave" : "enter", name,
        reading.activation.in_segment(static_cast<std::uint32_t>(trigger.segment)) ? "" : "not ");
  }
  const spur::v1::ConditionValue* const when = condition(standing, "when");
  if (level) {
    const spur::v1::ConditionValue* const rearm = condition(standing, "rearm");
    if (rearm != nullptr && rearm->value_json() == "true")
      return "it has fired, and re-arms when it is asked next";
    if (rearm != nullptr && !rearm->expression().empty())
      return fmt::format("it has fired, and has to re-arm first: {}", rearm->deciding());
    return "it has fired, and its condition has to become false before it can fire again";
  }
  if (when == nullptr || when->value_json() == "true") return "";
  if (when->deciding().empty()) return "what it counts has to reach its bound";
  return fmt::format("`when` has to become true: {}", when->deciding());
}

std::string of_schedule(const catalog::Trigger& trigger, const TriggerState* state,
                        const spur::v1::TriggerStanding& standing) {
  const spur::v1::ConditionValue* const when = condition(standing, "when");
  const std::string next = state != nullptr && state->next != Instant::never()
                               ? fmt::format("asked next at {}", instant_text(state->next))
                               : "not asked any more";
  if (when != nullptr && !when->deciding().empty())
    return fmt::format("`when` has to become true: {}; {}", when->deciding(), next);
  if (trigger.rising && state != nullptr && state->level)
    return fmt::format("`when` was true the last time too, and has to be false once before; {}",
                       next);
  return fmt::format("time has to pass: {}", next);
}

std::string of_prediction(const catalog::Trigger& trigger, const TriggerState* state) {
  if (state != nullptr && state->level)
    return fmt::format("it has fired, and the score has to fall below {} first",
                       static_cast<double>(trigger.rearm_below_millionths) / 1e6);
  return fmt::format("the score has to reach {}{}",
                     static_cast<double>(trigger.at_least_millionths) / 1e6,
                     state != nullptr && state->next != Instant::never()
                         ? fmt::format("; asked next at {}", instant_text(state->next))
                         : "");
}

std::string of_operator(CustomerReading& reading, std::uint32_t index,
                        const spur::v1::Trigger& definition,
                        const spur::v1::TriggerStanding& standing) {
  const catalog::Trigger& trigger = reading.catalog.triggers[index];
  const TriggerState* const state = state_of(reading.customer, index);
  if (standing.instances_size() > 0) return of_open(reading, trigger, definition, standing);
  switch (trigger.kind) {
    case Operator::kThreshold:
      return of_level(reading, trigger, definition, state, standing);
    case Operator::kSchedule:
      return of_schedule(trigger, state, standing);
    case Operator::kPrediction:
      return of_prediction(trigger, state);
    case Operator::kSession:
      return of_session(reading, trigger);
    case Operator::kDate:
      return state != nullptr && state->next != Instant::never()
                 ? fmt::format("time has to pass: the date comes at {}", instant_text(state->next))
                 : fmt::format("the customer has to have a date: `{}`", definition.date().of());
    default: {
      const std::string opens = opening(definition, reading.catalog, trigger);
      return opens.empty() ? "" : fmt::format("there has to be {}", opens);
    }
  }
}

// The first guard that would not let it through, though on another channel it may go.
std::string of_guards(const CustomerReading& reading, const spur::v1::TriggerStanding& standing) {
  for (const spur::v1::GuardAnswer& answer : standing.guards()) {
    if (answer.through()) continue;
    std::string out =
        fmt::format("the guard `{}`{} ", answer.guard(),
                    answer.channel().empty() ? "" : fmt::format(" of {}", answer.channel()));
    if (answer.until_ms() != 0)
      out += fmt::format("would defer it to {} ({})", instant_text({answer.until_ms()}),
                         in_time(reading.now, {answer.until_ms()}));
    else
      out += "would silence it";
    return answer.detail().empty() ? out : out + ": " + answer.detail();
  }
  return "";
}

std::string of_pending(const CustomerReading& reading, std::uint32_t index) {
  if (reading.customer.rare == nullptr) return "";
  for (const Pending& pending : reading.customer.rare->pending) {
    if (reading.catalog.triggers[pending.trigger].current != index) continue;
    return fmt::format("it has fired, and step {}{} is {} at {} ({})", pending.step + 1,
                       with_key(pending.key),
                       pending.state == Pending::State::kDeferred ? "let go" : "due",
                       instant_text(pending.release), in_time(reading.now, pending.release));
  }
  return "";
}

}  // namespace

std::string why_not(CustomerReading& reading, std::uint32_t index,
                    const spur::v1::Trigger& definition,
                    const spur::v1::TriggerStanding& standing) {
  const catalog::Trigger& trigger = reading.catalog.triggers[index];
  if (reading.customer.is_erased())
    return fmt::format("the customer was erased at {}: nothing is remembered or sent since",
                       instant_text(reading.customer.rare->erased));
  if (reading.now < trigger.from)
    return fmt::format("the trigger has to begin: `from` is {}", instant_text(trigger.from));
  if (reading.now >= trigger.to)
    return fmt::format("the trigger has ended: `to` is {}", instant_text(trigger.to));
  std::string out = of_operator(reading, index, definition, standing);
  const std::string pending = of_pending(reading, index);
  if (!pending.empty())
    out = out.empty() || standing.instances_size() == 0 ? pending : out + "; " + pending;
  const spur::v1::ConditionValue* const asked = condition(standing, "if");
  // A condition on the event or on a record that changed has none to look at here, and says nothing
  // about the next.
  const bool unknown =
      asked != nullptr && (asked->value_json().find("\"error\"") != std::string::npos ||
                           rests_on_change(reading.catalog, trigger.condition));
  std::string also;
  if (asked != nullptr && !unknown && !asked->deciding().empty())
    also = "`if` says no: " + asked->deciding();
  if (also.empty()) also = of_guards(reading, standing);
  if (also.empty()) return out;
  return out.empty() ? also : fmt::format("{}; then, as things are, {}", out, also);
}

}  // namespace spur::explain
