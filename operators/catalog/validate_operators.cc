// What the operators that are made of others must and must not say: rhythm, sequence, intent, date,
// segment; and business.
#include <cmath>
#include <optional>

#include "operators/catalog/checker.h"
#include "operators/catalog/durations.h"
#include "operators/catalog/validate.h"

namespace spur::catalog {
namespace {

using spur::v1::Trigger;

constexpr const char* kOnHint = "an event name, a list of them, or \"*\"";

void check_rhythm(Checker& check, const std::string& path, const spur::v1::RhythmOperator& rhythm) {
  if (rhythm.patterns().empty()) check.missing(path, "on", kOnHint);
  if (rhythm.patterns_size() > 1)
    check.fail(path + ".patterns", "a rhythm has one pattern", "its `on` may be a list of names");
  check.patterns(path + ".patterns", rhythm.patterns());
  check.required(path, "change", rhythm.change(), "drop (stays away) or rise (comes early)");
  check.word(path + ".change", rhythm.change(), {"drop", "rise"});
  check.word(path + ".usual", rhythm.usual(), {"mean", "median", "p90"});
  if (rhythm.has_factor() && !(rhythm.factor() > 0 && rhythm.factor() <= kRhythmFactorMax)) {
    check.fail(path + ".factor", "`factor` is out of range",
               "more than 0, at most 1000: how many times the usual gap");
  }
  if (rhythm.gaps_min() < 0 || (rhythm.gaps_min() == 0 && check.written(path + ".gaps_min")))
    check.fail(path + ".gaps_min", "`gaps_min` is " + std::to_string(rhythm.gaps_min()),
               "1 or more");
  const bool rise = rhythm.change() == "rise";
  if (rise && !rhythm.fallback().empty()) {
    check.fail_key(path + ".fallback", "a rise takes no `fallback`",
                   "what comes early is told from the customer's own gaps");
  }
  if (rise && rhythm.grace_ms() != 0) {
    check.fail_key(path + ".grace", "a rise takes no `grace`",
                   "it is told by an event and not by silence");
  }
  const std::optional<Millis> plain = parse_duration(rhythm.fallback());
  if (plain && plain->count <= 0)
    check.fail(path + ".fallback", "`fallback` is not positive", "a duration such as 30d");
  check.not_negative(path + ".grace", rhythm.grace_ms());
}

void check_sequence(Checker& check, const std::string& path,
                    const spur::v1::SequenceOperator& sequence) {
  if (sequence.steps().empty())
    check.missing(path, "steps", "the events in order, such as [{on: A}, {on: B, within: 30m}]");
  if (sequence.steps_size() > kSequenceStepsMax) {
    check.fail(path + ".steps", "more than " + std::to_string(kSequenceStepsMax) + " steps",
               "a feature can count what a long sequence only repeats");
  }
  for (int i = 0; i < sequence.steps_size(); ++i) {
    const std::string here = at(path + ".steps", i);
    if (sequence.steps(i).patterns().empty()) check.missing(here, "on", kOnHint);
    check.patterns(here + ".patterns", sequence.steps(i).patterns());
    check.positive(here + ".within", sequence.steps(i).within_ms());
    if (i == 0 && sequence.steps(i).within_ms() != 0) {
      check.fail_key(here + ".within", "the first step takes no `within`",
                     "it is counted from the step before");
    }
  }
  check.patterns(path + ".without", sequence.without());
  const std::string silent = path + ".then_silent";
  if (sequence.has_then_silent()) {
    const spur::v1::ThenSilent& then = sequence.then_silent();
    if (then.patterns().empty()) check.missing(silent, "on", "what must not come");
    check.patterns(silent + ".patterns", then.patterns());
    if (then.for_ms() == 0 && !check.unreadable(silent + ".for") && !check.written(silent + ".for"))
      check.missing(silent, "for", "how long it stays away, such as 3m");
    check.positive(silent + ".for", then.for_ms());
    check.not_negative(silent + ".grace", then.grace_ms());
  } else if (sequence.steps_size() == 1 && !check.unreadable(silent)) {
    check.fail_key(path + ".steps", "one step is no sequence",
                   "add a step or `then_silent`, or use the operator event");
  }
}

void check_intent(Checker& check, const std::string& path, const spur::v1::IntentOperator& intent) {
  if (intent.scores().empty())
    check.missing(path, "scores", "what adds to it, such as [{on: Product Viewed, add: 1}]");
  for (int i = 0; i < intent.scores_size(); ++i) {
    const std::string here = at(path + ".scores", i);
    if (intent.scores(i).patterns().empty()) check.missing(here, "on", kOnHint);
    check.patterns(here + ".patterns", intent.scores(i).patterns());
    check.required(here, "add", intent.scores(i).add(), "what it adds, such as 5");
  }
  if (intent.half_life_ms() == 0 && !check.written(path + ".half_life"))
    check.missing(path, "half_life", "the time in which the score halves, such as 20m");
  check.positive(path + ".half_life", intent.half_life_ms());
  if (!intent.has_at_least() && !check.unreadable(path + ".at_least"))
    check.missing(path, "at_least", "the score from which it fires, such as 15");
  const auto above_zero = [&](const std::string& key, double value) {
    if (!(value > 0 && value <= kIntentScoreMax))
      check.fail(path + "." + key, in_quotes(key) + " is out of range", "more than 0, at most 1e9");
  };
  if (intent.has_at_least()) above_zero("at_least", intent.at_least());
  if (intent.has_rearm_below()) above_zero("rearm_below", intent.rearm_below());
  if (intent.has_at_least() && intent.has_rearm_below() && intent.rearm_below() > intent.at_least())
    check.fail(path + ".rearm_below", "`rearm_below` is above `at_least`", "at_least or less");
}

void check_date(Checker& check, const std::string& path, const spur::v1::DateOperator& date) {
  check.required(path, "of", date.of(), "the date, such as traits.birthday");
  check.word(path + ".every", date.every(), {"year", "month"});
  check.zone(path + ".zone", date.zone(), true);
  if (date.offset_ms() % kDay.count != 0) {
    check.fail(path + ".offset", "`offset` is not a number of whole days",
               "such as -3d; `at` is the time of day");
  } else if (std::abs(date.offset_ms()) > kDateOffsetMax.count) {
    check.fail(path + ".offset", "`offset` is out of range", "at most 3660d either way");
  }
  if (date.at_minute() < 0 || date.at_minute() >= 24 * 60)
    check.fail(path + ".at", "`at` is not a minute of the day", "0 to 1439");
}

void check_segment(Checker& check, const std::string& path,
                   const spur::v1::SegmentOperator& segment) {
  if (segment.of().empty()) {
    check.missing(path, "of", "the name of a Segment");
  } else {
    check.reference(path + ".of", "Segment", segment.of(), check.names().segments);
  }
  check.required(path, "on", segment.on(), "entered or left");
  check.word(path + ".on", segment.on(), {"entered", "left"});
  check.every(path + ".every", segment.every_ms());
}

void check_business(Checker& check, const std::string& path,
                    const spur::v1::BusinessOperator& business) {
  if (business.reference().empty()) {
    check.missing(path, "reference", "the name of a Reference");
  } else {
    check.reference(path + ".reference", "Reference", business.reference(),
                    check.names().references);
  }
  if (business.interest().empty())
    check.missing(path, "interest",
                  "what shows that a customer cares, such as {on: Product Viewed, within: 30d}");
  for (int i = 0; i < business.interest_size(); ++i) {
    const spur::v1::Interest& interest = business.interest(i);
    const std::string here = at(path + ".interest", i);
    if (interest.patterns().empty()) check.missing(here, "on", kOnHint);
    check.patterns(here + ".patterns", interest.patterns());
    if (interest.within_ms() == 0 && !check.written(here + ".within"))
      check.missing(here, "within", "how long the customer cares, such as 30d");
    check.positive(here + ".within", interest.within_ms());
    if (business.key().empty() && !interest.patterns().empty())
      check.required(here, "key", interest.patterns(0).key(),
                     "the key of the record that it is about, such as event.properties.product_id");
  }
  check.patterns(path + ".closes", business.closes());
  if (business.has_rate()) check.rate(path + ".rate", business.rate());
}

}  // namespace

void check_derived_operator(Checker& check, const std::string& path, const Trigger& trigger) {
  switch (trigger.operator_case()) {
    case Trigger::kRhythm:
      return check_rhythm(check, path + ".rhythm", trigger.rhythm());
    case Trigger::kSequence:
      return check_sequence(check, path + ".sequence", trigger.sequence());
    case Trigger::kIntent:
      return check_intent(check, path + ".intent", trigger.intent());
    case Trigger::kDate:
      return check_date(check, path + ".date", trigger.date());
    case Trigger::kSegment:
      return check_segment(check, path + ".segment", trigger.segment());
    case Trigger::kBusiness:
      return check_business(check, path + ".business", trigger.business());
    default:
      return;
  }
}

}  // namespace spur::catalog
