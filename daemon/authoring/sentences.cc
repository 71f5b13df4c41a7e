#include "daemon/authoring/sentences.h"

#include <cstdlib>

#include "daemon/authoring/message_fields.h"
#include "fmt/format.h"

namespace spur::authoring {
namespace {

using google::protobuf::RepeatedPtrField;
using spur::v1::Trigger;

std::string names_text(const RepeatedPtrField<spur::v1::Pattern>& patterns) {
  std::string text;
  for (const spur::v1::Pattern& pattern : patterns) {
    for (const std::string& name : pattern.on()) {
      text += (text.empty() ? "" : " or ") + (name == "*" ? std::string("any event") : name);
    }
  }
  return text;
}

using Sentences = std::vector<std::string>;

Sentences absence(const spur::v1::AbsenceOperator& o) {
  Sentences said;
  said.push_back("Waits from " + patterns_text(o.opens()) +
                 (o.key().empty() ? "." : ", one wait for each " + code(o.key()) + "."));
  if (!o.resets().empty())
    said.push_back("The time begins again at " + patterns_text(o.resets()) + ".");
  if (!o.closes().empty())
    said.push_back("The wait is over, and nothing happens, at " + patterns_text(o.closes()) + ".");
  said.push_back(o.after().empty()
                     ? "Fires at " + code(o.until()) + " if the wait is still open."
                     : "Fires if the wait is still open after " + code(o.after()) + ".");
  return said;
}

Sentences session(const spur::v1::SessionOperator& o, const spur::v1::Catalog& catalog) {
  std::string silence;
  for (const spur::v1::Session& one : catalog.sessions()) {
    if (one.name() == o.of() && one.idle_ms() > 0)
      silence = duration_text(Millis{one.idle_ms()}) + " of ";
  }
  const std::string what = o.on() == "opened" ? "opens"
                           : o.on() == "idle" ? "ends by " + silence + "silence"
                                              : "is closed";
  return {"Fires when the session " + code(o.of()) + " " + what + "."};
}

Sentences threshold(const spur::v1::ThresholdOperator& o) {
  Sentences said{"Fires when this becomes true: " + code(o.when()) + ".",
                 o.rearm().empty()
                     ? "Fires again only after it was false."
                     : "Fires again only after this was true: " + code(o.rearm()) + "."};
  if (o.every_ms() > 0)
    said.push_back("Is also asked every " + duration_text(Millis{o.every_ms()}) + ".");
  return said;
}

Sentences novelty(const spur::v1::NoveltyOperator& o) {
  std::string of = o.of().empty() && o.patterns_size() > 0 ? o.patterns(0).of() : o.of();
  Sentences said{(o.kth() > 0 ? fmt::format("Fires at different value {} of ", o.kth())
                              : std::string("Fires at each value not seen before of ")) +
                 code(of) + " at " + patterns_text(o.patterns()) + "."};
  if (o.after_first()) said.push_back("The very first such event does not fire.");
  return said;
}

std::string zone_text(const std::string& zone) {
  if (zone.empty()) return "the Policy's zone";
  return zone == "customer" ? "the customer's zone" : zone;
}

Sentences schedule(const spur::v1::ScheduleOperator& o) {
  Sentences said{"Is asked at each time of " + code(o.cron()) + " (" + zone_text(o.zone()) + ")."};
  if (o.when().empty()) {
    said.push_back("Fires each time.");
  } else {
    said.push_back((o.edge() == "rising" ? "Fires when this is true and was not the time before: "
                                         : "Fires each time that this is true: ") +
                   code(o.when()) + ".");
  }
  return said;
}

Sentences prediction(const spur::v1::PredictionOperator& o) {
  Sentences said{fmt::format("Fires when the score of the model {} reaches {}.", code(o.model()),
                             o.at_least())};
  if (o.has_rearm_below())
    said.push_back(fmt::format("Fires again only after it was below {}.", o.rearm_below()));
  if (o.every_ms() > 0)
    said.push_back("Is asked at the model's events and every " +
                   duration_text(Millis{o.every_ms()}) + ".");
  return said;
}

Sentences rhythm(const spur::v1::RhythmOperator& o) {
  const bool p90 = o.usual() == "p90";
  const std::string usual = p90 ? "90th percentile" : o.usual() == "median" ? "median" : "mean";
  const double factor = o.has_factor() ? o.factor() : p90 ? 1 : 2;
  const std::string times = factor == 1 ? "" : fmt::format("{} times ", factor);
  const std::string what = patterns_text(o.patterns());
  Sentences said{o.change() == "rise"
                     ? fmt::format("Fires at {} when it comes early: {}its gap is at most the {} "
                                   "of the customer's own gaps before it.",
                                   what, times, usual)
                     : fmt::format("Fires when {} stays away for {}the {} of the customer's own "
                                   "gaps.",
                                   what, times, usual)};
  const std::string needed = fmt::format("Needs {} gaps", o.gaps_min() > 0 ? o.gaps_min() : 3);
  said.push_back(needed + (o.fallback().empty()
                               ? "."
                               : "; with fewer, the usual gap is " + code(o.fallback()) + "."));
  if (o.distinct_days()) said.push_back("Several such events of a day are one.");
  return said;
}

Sentences sequence(const spur::v1::SequenceOperator& o) {
  Sentences said;
  for (const spur::v1::SequenceStep& step : o.steps()) {
    said.push_back(
        (said.empty() ? "First " : "Then ") + patterns_text(step.patterns()) +
        (step.within_ms() > 0 ? ", within " + code(duration_text(Millis{step.within_ms()})) : "") +
        ".");
  }
  if (!o.key().empty()) said.push_back("One sequence for each " + code(o.key()) + ".");
  if (!o.without().empty())
    said.push_back("It is over, and nothing happens, at " + patterns_text(o.without()) + ".");
  said.push_back(o.has_then_silent() ? "Fires if after the last of them nothing comes for " +
                                           code(duration_text(Millis{o.then_silent().for_ms()})) +
                                           " of: " + patterns_text(o.then_silent().patterns()) + "."
                                     : "Fires at the last of them.");
  return said;
}

Sentences intent(const spur::v1::IntentOperator& o) {
  Sentences said;
  for (const spur::v1::IntentScore& score : o.scores())
    said.push_back(patterns_text(score.patterns()) + " adds " + code(score.add()) + ".");
  said.push_back("The sum halves every " + code(duration_text(Millis{o.half_life_ms()})) + ".");
  said.push_back(fmt::format("Fires when it reaches {}.", o.at_least()));
  said.push_back(fmt::format("Fires again only after it was below {}.",
                             o.has_rearm_below() ? o.rearm_below() : o.at_least()));
  return said;
}

Sentences business(const spur::v1::BusinessOperator& o) {
  Sentences said{"Fires when a record of " + code(o.reference()) + " changes" +
                 (o.when().empty() ? "" : " and " + code(o.when())) +
                 ", for each customer who cares about it."};
  for (const spur::v1::Interest& interest : o.interest()) {
    said.push_back("A customer cares for " + code(duration_text(Millis{interest.within_ms()})) +
                   " from " + patterns_text(interest.patterns()) + ".");
  }
  if (!o.key().empty()) said.push_back("The record is that of " + code(o.key()) + ".");
  if (!o.closes().empty()) said.push_back("That is over at " + patterns_text(o.closes()) + ".");
  if (o.has_rate()) {
    said.push_back(fmt::format("At most {} in {}, who has cared longest first.", o.rate().max(),
                               duration_text(Millis{o.rate().per_ms()})));
  }
  return said;
}

// "3 days before "; empty on the day itself.
std::string offset_text(const spur::v1::DateOperator& o) {
  const std::int64_t days = o.offset_ms() / kDay.count, count = std::abs(days);
  if (days == 0) return "";
  return fmt::format("{} day{} {} ", count, count == 1 ? "" : "s", days < 0 ? "before" : "after");
}

Sentences date(const spur::v1::DateOperator& o) {
  const std::string offset = offset_text(o);
  return {fmt::format("Fires {}the date {}{}, at {:02}:{:02} ({}).",
                      offset.empty() ? "on " : offset, code(o.of()),
                      o.every().empty() ? "" : ", and so again each " + o.every(),
                      o.at_minute() / 60, o.at_minute() % 60, zone_text(o.zone()))};
}

Sentences segment(const spur::v1::SegmentOperator& o) {
  Sentences said{"Fires when the customer " + std::string(o.on() == "left" ? "leaves" : "enters") +
                 " the segment " + code(o.of()) + "."};
  if (o.every_ms() > 0)
    said.push_back("Is also asked every " + duration_text(Millis{o.every_ms()}) + ".");
  return said;
}

}  // namespace

std::string pattern_text(const spur::v1::Pattern& pattern) {
  std::string text;
  for (const std::string& name : pattern.on()) {
    text += (text.empty() ? "" : " or ") + (name == "*" ? std::string("any event") : name);
  }
  if (!pattern.each().empty()) text += ", each of " + code(pattern.each());
  if (!pattern.where().empty()) text += " where " + code(pattern.where());
  if (!pattern.key().empty()) text += " with the key " + code(pattern.key());
  return text;
}

std::string patterns_text(const RepeatedPtrField<spur::v1::Pattern>& patterns) {
  std::string text;
  for (const spur::v1::Pattern& pattern : patterns) {
    text += (text.empty() ? "" : "; or ") + pattern_text(pattern);
  }
  return text;
}

std::string cap_text(const spur::v1::Cap& cap) {
  return fmt::format("at most {} in {}", cap.max(), duration_text(Millis{cap.per_ms()}));
}

std::string operator_name(const Trigger& trigger) {
  const auto* const field = operator_field(trigger);
  return field == nullptr ? "" : field->name();
}

std::vector<std::string> operator_sentences(const Trigger& trigger,
                                            const spur::v1::Catalog& catalog) {
  if (trigger.has_event()) return {"Fires at " + patterns_text(trigger.event().patterns()) + "."};
  if (trigger.has_absence()) return absence(trigger.absence());
  if (trigger.has_session()) return session(trigger.session(), catalog);
  if (trigger.has_threshold()) return threshold(trigger.threshold());
  if (trigger.has_novelty()) return novelty(trigger.novelty());
  if (trigger.has_schedule()) return schedule(trigger.schedule());
  if (trigger.has_prediction()) return prediction(trigger.prediction());
  if (trigger.has_rhythm()) return rhythm(trigger.rhythm());
  if (trigger.has_sequence()) return sequence(trigger.sequence());
  if (trigger.has_intent()) return intent(trigger.intent());
  if (trigger.has_date()) return date(trigger.date());
  if (trigger.has_segment()) return segment(trigger.segment());
  if (trigger.has_business()) return business(trigger.business());
  return {};
}

std::vector<Point> opening_points(const Trigger& trigger) {
  using Points = std::vector<Point>;
  if (trigger.has_absence()) {
    const spur::v1::AbsenceOperator& o = trigger.absence();
    return {{names_text(o.opens()), ""},
            {"fires", o.after().empty() ? "until " + o.until() : o.after()}};
  }
  if (trigger.has_rhythm()) {
    Points points{{names_text(trigger.rhythm().patterns()), ""}};
    if (trigger.rhythm().change() != "rise") points.push_back({"fires", ""});
    return points;
  }
  if (trigger.has_sequence()) {
    Points points;
    for (const spur::v1::SequenceStep& step : trigger.sequence().steps())
      points.push_back({names_text(step.patterns()), ""});
    if (trigger.sequence().has_then_silent())
      points.push_back({"fires", duration_text(Millis{trigger.sequence().then_silent().for_ms()})});
    return points;
  }
  if (trigger.has_date()) return {{offset_text(trigger.date()) + trigger.date().of(), ""}};
  if (trigger.has_segment()) return {{trigger.segment().of() + " " + trigger.segment().on(), ""}};
  if (trigger.has_business()) return {{trigger.business().reference() + " change", ""}};
  if (trigger.has_event()) return {{names_text(trigger.event().patterns()), ""}};
  if (trigger.has_novelty()) return {{names_text(trigger.novelty().patterns()), ""}};
  if (trigger.has_schedule()) return {{trigger.schedule().cron(), ""}};
  if (trigger.has_session()) return {{trigger.session().of() + " " + trigger.session().on(), ""}};
  return {{"fires", ""}};
}

}  // namespace spur::authoring
