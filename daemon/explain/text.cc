#include "daemon/explain/text.h"

#include "fmt/format.h"
#include "operators/effects.h"
#include "operators/expression/text.h"

namespace spur::explain {
namespace {

std::string short_json(const std::string& json) { return json.empty() ? "-" : json; }

std::string condition_text(const spur::v1::ConditionValue& condition, std::string_view indent) {
  std::string out = fmt::format(
      "{}{}: {} = {}\n", indent, condition.name(),
      condition.expression().empty() ? "(made by the operator)" : condition.expression(),
      condition.value_json());
  if (condition.parts().empty()) {
    for (const spur::v1::NamedJson& input : condition.inputs())
      out += fmt::format("{}    {} = {}\n", indent, input.name(), short_json(input.json()));
  }
  for (const spur::v1::ConditionPart& part : condition.parts()) {
    out += fmt::format("{}  {}{}{} = {}\n", indent, part.deciding() ? "> " : "  ",
                       std::string(2 * (part.depth() - 1), ' '), part.expression(),
                       short_json(part.value_json()));
  }
  return out;
}

std::string standing_text(const spur::v1::TriggerStanding& standing) {
  std::string out = fmt::format("\n{}: {}\n", standing.trigger(), standing.summary());
  if (!standing.why_not().empty())
    out += fmt::format("  to fire and go out: {}\n", standing.why_not());
  for (const spur::v1::ConditionValue& condition : standing.conditions())
    out += condition_text(condition, "  ");
  for (const spur::v1::OpenInstance& wait : standing.instances()) {
    out += fmt::format("  waits since {} until {}{}{}\n", time_text(wait.opened_at_ms()),
                       wait.due_ms() == 0 ? "its next step" : time_text(wait.due_ms()),
                       wait.key().empty() ? "" : ", key ", wait.key());
  }
  for (const spur::v1::GuardAnswer& guard : standing.guards()) {
    if (guard.through()) continue;
    out +=
        fmt::format("  guard {}{}: {}{}{}\n", guard.guard(),
                    guard.channel().empty() ? "" : " of " + guard.channel(),
                    guard.until_ms() != 0 ? "defers to " + time_text(guard.until_ms()) : "silences",
                    guard.detail().empty() ? "" : ", ", guard.detail());
  }
  return out;
}

// In full what was asked; of anything else a few words do.
std::string change_text(const spur::v1::Change& change) {
  if (change.kind() != "asked") return fmt::format("    {}\n", words_of(change));
  return fmt::format("    {} asked\n{}", change.name(),
                     condition_text(change.condition(), "      "));
}

}  // namespace

std::string time_text(std::int64_t ms) {
  if (ms <= 0) return "-";
  std::string text = expression::timestamp_text(ms / 1000, 0);
  text.pop_back();
  return fmt::format("{}.{:03}Z", text, ms % 1000);
}

std::string decision_text(const spur::v1::Decision& d) {
  std::string out = d.trigger();
  if (!d.instance().empty()) out += fmt::format(" [{}]", d.instance());
  out += fmt::format("  {}", d.channel().empty() ? "(no channel)" : d.channel());
  if (!d.template_().empty()) out += " " + d.template_();
  out += fmt::format("  {}", spur::to_text(static_cast<Verdict>(d.verdict())));
  if (!d.reason().empty()) out += ": " + d.reason();
  if (!d.detail().empty()) out += fmt::format(" ({})", d.detail());
  return out;
}

std::string words_of(const spur::v1::Change& change) {
  const std::string of = change.name() + (change.key().empty() ? "" : " [" + change.key() + "]");
  const std::string until = change.due_ms() == 0 ? "" : " until " + time_text(change.due_ms());
  const std::string& kind = change.kind();
  if (kind == "feature")
    return fmt::format("{} {} → {}", of, short_json(change.before()), short_json(change.after()));
  if (kind == "session")
    return fmt::format("session {} {}", of, change.after() == "open" ? "opens" : "ends");
  if (kind == "wait" && change.after() != "open") return fmt::format("{}: its wait is over", of);
  if (kind == "wait")
    return fmt::format("{} {}{}", of, change.before().empty() ? "waits" : "goes on waiting", until);
  if (kind == "step" && change.after() != "open")
    return fmt::format("{} {}: over", change.name(), change.key());
  if (kind == "step")
    return fmt::format("{} {} is due at {}", change.name(), change.key(),
                       time_text(change.due_ms()));
  if (kind == "level")
    return fmt::format("{} {}", of, change.after() == "true" ? "crosses" : "re-arms");
  if (kind == "decided") return decision_text(change.decision());
  const spur::v1::ConditionValue& condition = change.condition();
  if (condition.deciding().empty())
    return fmt::format("{}: `{}` {} = {}", of, condition.name(), condition.expression(),
                       condition.value_json());
  return fmt::format("{}: `{}` says no: {}", of, condition.name(), condition.deciding());
}

std::string to_text(const spur::v1::ExplainResponse& response) {
  std::string out =
      fmt::format("decisions, newest first{}\n", response.decisions().empty() ? ": none" : "");
  for (const spur::v1::Decision& decision : response.decisions())
    out += fmt::format("  {}  {}\n", time_text(decision.time_ms()), decision_text(decision));
  if (!response.not_replayed().empty())
    out += fmt::format("\nas of now, {}, not of the time asked for: {}\n",
                       time_text(response.as_of_ms()), response.not_replayed());
  if (response.replayed())
    out += fmt::format("\nas of {}, from the journal\n", time_text(response.as_of_ms()));
  for (const spur::v1::Moment& moment : response.moments()) {
    out += fmt::format(
        "  {}  {}{}\n", time_text(moment.time_ms()),
        moment.event().empty() ? "time" : moment.event(),
        moment.late() ? fmt::format(" (late, of {})", time_text(moment.event_time_ms())) : "");
    for (const spur::v1::Change& change : moment.changes()) out += change_text(change);
  }
  for (const spur::v1::TriggerStanding& standing : response.triggers())
    out += standing_text(standing);
  return out;
}

}  // namespace spur::explain
