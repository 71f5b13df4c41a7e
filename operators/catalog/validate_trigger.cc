// What a Trigger must and must not say: one operator with its parts, and the settings common to
// all.
#include <optional>
#include <string_view>

#include "operators/catalog/checker.h"
#include "operators/catalog/durations.h"
#include "operators/catalog/known.h"
#include "operators/cron.h"

namespace spur::catalog {
namespace {

using spur::v1::Trigger;

void check_absence(Checker& check, const std::string& path,
                   const spur::v1::AbsenceOperator& absence) {
  if (absence.opens().empty())
    check.missing(path, "opens", "the pattern that starts the wait, such as {on: Product Added}");
  check.patterns(path + ".opens", absence.opens());
  check.patterns(path + ".resets", absence.resets());
  check.patterns(path + ".closes", absence.closes());
  check.not_negative(path + ".grace", absence.grace_ms());
  if (!absence.after().empty() && !absence.until().empty()) {
    check.fail_key(path + ".until", "`after` and `until` exclude each other", "keep one");
  } else if (absence.after().empty() && absence.until().empty() &&
             !check.unreadable(path + ".until")) {
    check.missing(path, "after", "a duration such as 1h, or `until` with a timestamp");
  }
  const std::optional<Millis> plain = parse_duration(absence.after());
  if (plain) check.not_negative(path + ".after", plain->count);
}

void check_session(Checker& check, const std::string& path,
                   const spur::v1::SessionOperator& session) {
  if (session.of().empty()) {
    check.missing(path, "of", "the name of a Session");
  } else {
    check.reference(path + ".of", "Session", session.of(), check.names().sessions);
  }
  check.required(path, "on", session.on(), "opened, idle or closed");
  check.word(path + ".on", session.on(), {"opened", "idle", "closed"});
  check.not_negative(path + ".grace", session.grace_ms());
}

void check_schedule(Checker& check, const std::string& path,
                    const spur::v1::ScheduleOperator& schedule) {
  check.zone(path + ".zone", schedule.zone(), true);
  check.word(path + ".edge", schedule.edge(), {"rising"});
  if (!schedule.edge().empty() && schedule.when().empty()) {
    check.missing(path, "when", "`edge` needs a condition to become true");
  }
  if (schedule.cron().empty())
    return check.missing(path, "cron", "five fields, such as \"0 9 * * MON\"");
  const Cron::Parsed parsed = Cron::parse(schedule.cron());
  if (parsed.error) {
    check.fail_in(path + ".cron", parsed.error->offset, parsed.error->message, parsed.error->hint);
  } else if (parsed.cron->next(Instant{0}, Zone::utc()) == Instant::never()) {
    check.fail(path + ".cron", "cron " + in_quotes(schedule.cron()) + " never comes",
               "no month has that day");
  }
}

void check_novelty(Checker& check, const std::string& path,
                   const spur::v1::NoveltyOperator& novelty) {
  if (novelty.patterns().empty())
    check.missing(path, "on", "an event name, a list of them, or \"*\"");
  check.patterns(path + ".patterns", novelty.patterns());
  constexpr const char* kOf = "the value that is new, such as item.category";
  if (novelty.patterns().empty()) check.required(path, "of", novelty.of(), kOf);
  for (int i = 0; i < novelty.patterns_size(); ++i) {
    const std::string& own = novelty.patterns(i).of();
    check.required(at(path, i), "of", own.empty() ? novelty.of() : own, kOf);
  }
  check.limit(path + ".limit", novelty.limit());
  if (novelty.kth() < 0 || (novelty.kth() == 0 && check.written(path + ".kth"))) {
    check.fail(path + ".kth", "`kth` is " + std::to_string(novelty.kth()), "1 or more");
  }
}

void check_event(Checker& check, const std::string& path, const spur::v1::EventOperator& event) {
  if (event.patterns().empty())
    check.missing(path, "on", "an event name, a list of them, or \"*\"");
  check.patterns(path + ".patterns", event.patterns());
}

void check_prediction(Checker& check, const std::string& path,
                      const spur::v1::PredictionOperator& prediction) {
  if (prediction.model().empty()) {
    check.missing(path, "model", "the name of a Model");
  } else {
    check.reference(path + ".model", "Model", prediction.model(), check.names().models);
  }
  const auto probability = [&](const std::string& key, double value) {
    if (!(value >= 0 && value <= 1))
      check.fail(path + "." + key, in_quotes(key) + " is out of range", "0 to 1");
  };
  if (!prediction.has_at_least())
    check.missing(path, "at_least", "the score from which it fires, such as 0.6");
  if (prediction.has_at_least()) probability("at_least", prediction.at_least());
  if (prediction.has_rearm_below()) probability("rearm_below", prediction.rearm_below());
  if (prediction.has_at_least() && prediction.has_rearm_below() &&
      prediction.rearm_below() > prediction.at_least()) {
    check.fail(path + ".rearm_below", "`rearm_below` is above `at_least`", "at_least or less");
  }
  check.every(path + ".every", prediction.every_ms());
}

void check_operator(Checker& check, const std::string& path, const Trigger& trigger) {
  switch (trigger.operator_case()) {
    case Trigger::kEvent:
      return check_event(check, path + ".event", trigger.event());
    case Trigger::kThreshold:
      check.required(path + ".threshold", "when", trigger.threshold().when(),
                     "a condition, such as features.revenue_30d >= 500");
      return check.every(path + ".threshold.every", trigger.threshold().every_ms());
    case Trigger::kAbsence:
      return check_absence(check, path + ".absence", trigger.absence());
    case Trigger::kSession:
      return check_session(check, path + ".session", trigger.session());
    case Trigger::kNovelty:
      return check_novelty(check, path + ".novelty", trigger.novelty());
    case Trigger::kSchedule:
      return check_schedule(check, path + ".schedule", trigger.schedule());
    case Trigger::kPrediction:
      return check_prediction(check, path + ".prediction", trigger.prediction());
    case Trigger::kRhythm:
    case Trigger::kSequence:
    case Trigger::kIntent:
    case Trigger::kDate:
    case Trigger::kSegment:
    case Trigger::kBusiness:
      return check_derived_operator(check, path, trigger);
    case Trigger::kUnsupported:
      return check.fail(path + ".operator",
                        not_in_this_version("operator " + in_quotes(trigger.unsupported().name())));
    case Trigger::OPERATOR_NOT_SET:
      break;
  }
  // Nothing is missing where an operator was mistyped or is known and refused: that has been said.
  const auto* operators = Trigger::descriptor()->FindOneofByName("operator");
  for (int i = 0; i < operators->field_count(); ++i) {
    if (check.unreadable(path + "." + operators->field(i)->name())) return;
  }
  check.fail_key(path, "the trigger has no operator",
                 "one of event, threshold, absence, session, novelty, schedule, prediction, rhythm, "
                 "sequence, intent, date, segment, business");
}

// Why an operator has nothing that could be over when its trigger becomes active; empty: it has.
std::string_view why_no_backfill(const Trigger& trigger) {
  switch (trigger.operator_case()) {
    case Trigger::kEvent:
    case Trigger::kNovelty:
      return "it fires at an event, and waits for nothing";
    case Trigger::kSession:
      return "a session ends whether the trigger is there or not; write an absence";
    case Trigger::kSchedule:
      return "a time of the cron that has passed is none to wait for";
    case Trigger::kDate:
      return "a date that lies behind is over";
    case Trigger::kIntent:
      return "nothing is known of the score before the trigger came";
    case Trigger::kBusiness:
      return "a change is told when it comes";
    case Trigger::kRhythm:
      return trigger.rhythm().change() == "rise" ? "a rise is told by an event" : "";
    case Trigger::kSequence:
      return trigger.sequence().then_silent().for_ms() > 0
                 ? ""
                 : "without `then_silent` it fires at its last step";
    case Trigger::kSegment:
      return trigger.segment().on() == "left" ? "who is not in a Segment has not left it" : "";
    default:
      return "";
  }
}

void check_backfill(Checker& check, const std::string& path, const Trigger& trigger) {
  check.word(path + ".backfill", trigger.backfill(), {"once"});
  if (trigger.backfill() != "once") return;
  if (const std::string_view why = why_no_backfill(trigger); !why.empty())
    check.fail_key(path + ".backfill", "there is nothing to `backfill`", std::string(why));
}

void check_action(Checker& check, const std::string& path, const spur::v1::ActionStep& step) {
  if (step.channels().empty())
    check.missing(path, "channel", "the name of a Channel, or a list of them");
  for (int i = 0; i < step.channels_size(); ++i) {
    check.reference(at(path + ".channels", i), "Channel", step.channels(i), check.names().channels);
  }
  check.required(path, "template", step.template_(), "the name of what the channel sends");
  check.named_expressions(path + ".data", step.data());
  check.not_negative(path + ".after", step.after_ms());
  check.positive(path + ".expires", step.expires_ms());
}

}  // namespace

void check_trigger(Checker& check, const std::string& path, const Trigger& trigger) {
  check.word(path + ".class", trigger.class_(), {"marketing", "service", "transactional"});
  if (trigger.has_from_ms() && trigger.has_to_ms() && trigger.from_ms() >= trigger.to_ms()) {
    check.fail(path + ".to", "`to` is not after `from`",
               "the trigger is active from `from` until just before `to`");
  }
  check_operator(check, path, trigger);
  check_backfill(check, path, trigger);
  check.patterns(path + ".exit", trigger.exit());
  if (trigger.has_cooldown()) {
    const spur::v1::Cooldown& cooldown = trigger.cooldown();
    const std::string here = path + ".cooldown";
    const bool unknown = check.unreadable(here + ".customer") || check.unreadable(here + ".key");
    if (cooldown.customer_ms() == 0 && cooldown.key_ms() == 0 && !unknown) {
      check.fail(here, "`cooldown` is zero or empty", "7d, or {key: 7d}, or leave it out");
    }
    check.not_negative(check.written(here + ".customer") ? here + ".customer" : here,
                       cooldown.customer_ms());
    check.not_negative(here + ".key", cooldown.key_ms());
  }
  check.word(path + ".once", trigger.once(), {"customer", "key"});
  if (trigger.actions().empty() && !check.unreadable(path + ".actions")) {
    check.warn(path, "the trigger has no actions", "it will fire without sending anything");
  }
  for (int i = 0; i < trigger.actions_size(); ++i)
    check_action(check, at(path + ".actions", i), trigger.actions(i));
}

}  // namespace spur::catalog
