// The operators that are made of others, turned into them:
//
//     rhythm, drop   an absence that each event closes and opens anew, on a hidden Feature of gaps
//     rhythm, rise   an event whose `where` compares its gap with those before it
//     intent         a threshold on a hidden decayed Feature
//     segment        a threshold on being in a Segment
//
// What a user could have written is compiled with the very same Feature, and shares its state with
// one that the user did write. Sequence and date have parts of their own in operators/triggers/.
#include "fmt/format.h"
#include "operators/catalog/compile_context.h"
#include "operators/catalog/durations.h"
#include "state/digest.h"

namespace spur::catalog {
namespace {

using expression::Environment;
using expression::Type;

// No user can name a Feature so: their names have no capitals.
std::string hidden_name(std::string_view operator_name, const std::string& trigger) {
  std::string name = std::string(operator_name) + "_" + trigger;
  for (char& c : name) {
    if (c == '-') c = '_';
  }
  return name;
}

// The place of a Feature of this definition: one that is there already, or `feature`, added.
std::uint32_t place_of(CompileContext& c, Feature feature) {
  for (std::uint32_t i = 0; i < c.out.features.size(); ++i) {
    const Feature& other = c.out.features[i];
    if (other.definition == feature.definition && other.session == feature.session) return i;
  }
  feature.hidden = true;
  c.out.features.push_back(std::move(feature));
  return static_cast<std::uint32_t>(c.out.features.size() - 1);
}

// A Feature over these patterns as a user would write it.
spur::v1::Feature written(const char* aggregate,
                          const google::protobuf::RepeatedPtrField<spur::v1::Pattern>& patterns) {
  spur::v1::Feature feature;
  feature.set_aggregate(aggregate);
  *feature.mutable_patterns() = patterns;
  return feature;
}

// `a` and what it must fulfil besides.
std::string both(const std::string& a, const std::string& b) {
  return a.empty() ? b : "(" + a + ") && (" + b + ")";
}

// What the conditions of a rhythm are made of.
struct Rhythm {
  std::string gaps, before;  // the readings, now and without this event
  std::string usual;
  double factor = 2;
  int gaps_min = 3;
};

Rhythm rhythm_of(const spur::v1::RhythmOperator& from, const std::string& feature) {
  Rhythm rhythm;
  const std::string& key = from.patterns(0).key();
  const std::string place = feature + (key.empty() ? "" : "[dyn(" + key + ")]");
  rhythm.gaps = "features." + place;
  rhythm.before = "before." + place;
  rhythm.usual = from.usual() == "median" || from.usual() == "p90" ? from.usual() : "mean";
  rhythm.factor = from.has_factor() ? from.factor() : rhythm.usual == "p90" ? 1 : 2;
  if (from.gaps_min() > 0) rhythm.gaps_min = from.gaps_min();
  return rhythm;
}

// An event that has come: it is the newest, and its gap is short beside those before it.
std::string comes_early(const Rhythm& r) {
  return fmt::format(
      "{0}.count > {1}.count && event.time >= {0}.newest && {1}.count >= {2} && "
      "{0}.last * {3} <= {1}.{4}",
      r.gaps, r.before, r.gaps_min, r.factor, r.usual);
}

// The end of the wait: that much after the newest event, also if this one came late.
std::string breaks_at(const Rhythm& r, const std::string& fallback) {
  const std::string own = fmt::format("{}.{}", r.gaps, r.usual);
  const std::string usual = fallback.empty() ? own
                                             : fmt::format("({}.count >= {} ? {} : ({}))", r.gaps,
                                                           r.gaps_min, own, fallback);
  return fmt::format("(event.time > {0}.newest ? event.time : {0}.newest) + {1} * {2}", r.gaps,
                     usual, r.factor);
}

Environment with_gaps(const CompileContext& c, const Place& place, const std::string& feature,
                      bool keyed) {
  Environment env = c.environment(place);
  for (const char* root : {"features.", "before."}) {
    const std::string name = root + feature;
    if (keyed) {
      env.declare(name, Type::map(Type::string(), Type::dyn()));
      continue;
    }
    env.declare(name + ".count", Type::integer());
    env.declare(name + ".newest", Type::timestamp());
    for (const char* member : {".mean", ".last", ".median", ".p90"})
      env.declare(name + member, Type::duration());
  }
  return env;
}

std::uint32_t gaps_feature(CompileContext& c, const spur::v1::RhythmOperator& from,
                           const std::string& path, const std::string& trigger) {
  spur::v1::Feature message = written("gaps", from.patterns());
  message.mutable_patterns(0)->clear_key();
  message.set_by(from.patterns(0).key());
  message.set_distinct_days(from.distinct_days());
  Feature feature;
  feature.name = hidden_name("Rhythm", trigger);
  feature.spec.kind = AggregateKind::kGaps;
  feature.spec.distinct_days = from.distinct_days();
  feature.definition = definition_hash(message, "Feature");
  feature.patterns = c.patterns(path + ".patterns", message.patterns(), "", path);
  const Place place{.event = true, .item = !from.patterns(0).each().empty()};
  feature.by = c.program(path + ".patterns[0].key", message.by(), place, Type::dyn());
  return place_of(c, std::move(feature));
}

}  // namespace

void compile_rhythm(CompileContext& c, const spur::v1::RhythmOperator& from,
                    const std::string& path, Trigger& t, Place& at_once) {
  const bool rise = from.change() == "rise";
  t.kind = rise ? Operator::kEvent : Operator::kAbsence;
  if (from.patterns_size() > 1) c.error(path + ".patterns", "a rhythm has one pattern");
  if (from.patterns_size() != 1) return;
  const std::size_t errors = c.errors.size();
  t.opens = c.patterns(path + ".patterns", from.patterns(), "", path);
  if (!rise) t.closes = c.patterns(path + ".patterns", from.patterns(), "", path);
  const Place place{.event = true, .item = !from.patterns(0).each().empty()};
  const std::optional<Millis> plain = parse_duration(from.fallback());
  const std::string fallback =
      plain ? fmt::format("duration('{}ms')", plain->count) : from.fallback();
  if (!plain) c.program(path + ".fallback", fallback, place, Type::duration());
  if (c.errors.size() > errors) return;  // said once, where it is written
  const std::uint32_t gaps = gaps_feature(c, from, path, t.name);
  const std::string name = c.out.features[gaps].name;
  const Rhythm rhythm = rhythm_of(from, name);
  const Environment env = with_gaps(c, place, name, !from.patterns(0).key().empty());
  const std::string& where = from.patterns(0).where();
  t.keyed = !from.patterns(0).key().empty();
  if (rise) {
    at_once.event = true;
    t.opens[0].where = c.program(path, both(where, comes_early(rhythm)), env, Type::boolean());
    return;
  }
  const std::string some = fmt::format("{}.{} > duration('0s')", rhythm.gaps, rhythm.usual);
  const std::string enough =
      fallback.empty() ? fmt::format("{}.count >= {} && {}", rhythm.gaps, rhythm.gaps_min, some)
                       : fmt::format("{}.count < {} || {}", rhythm.gaps, rhythm.gaps_min, some);
  t.opens[0].where = c.program(path, both(where, enough), env, Type::boolean());
  t.gaps = static_cast<std::int32_t>(gaps);
  if (t.backfill) t.enough = c.program(path, enough, env, Type::boolean());
  t.until = c.program(path, breaks_at(rhythm, fallback), env, Type::timestamp());
  t.grace = {from.grace_ms()};
}

void compile_intent(CompileContext& c, const spur::v1::IntentOperator& from,
                    const std::string& path, Trigger& t) {
  t.kind = Operator::kThreshold;
  Feature feature;
  feature.name = hidden_name("Intent", t.name);
  feature.spec.kind = AggregateKind::kDecayed;
  feature.spec.half_life = {from.half_life_ms()};
  spur::v1::Feature message = written("decayed", {});
  message.set_half_life_ms(from.half_life_ms());
  for (int i = 0; i < from.scores_size(); ++i) {
    const spur::v1::IntentScore& score = from.scores(i);
    const std::string here = path + ".scores[" + std::to_string(i) + "]";
    for (Pattern& pattern : c.patterns(here + ".patterns", score.patterns(), "", here)) {
      const Place place{.event = true, .item = pattern.each.has_value()};
      pattern.of = c.program(here + ".add", score.add(), place, Type::real());
      feature.patterns.push_back(std::move(pattern));
    }
    for (const spur::v1::Pattern& pattern : score.patterns()) {
      spur::v1::Pattern& out = *message.add_patterns();
      out = pattern;
      out.set_of(score.add());
    }
  }
  feature.definition = definition_hash(message, "Feature");
  const std::string name = c.out.features[place_of(c, std::move(feature))].name;
  Environment env = c.environment({.event = true});
  env.declare("features." + name, Type::real());
  env.declare("before." + name, Type::real());
  const double below = from.has_rearm_below() ? from.rearm_below() : from.at_least();
  const auto compare = [&](const char* root, const char* sign, double value) {
    return fmt::format("has({0}.{1}) && {0}.{1} {2} double({3})", root, name, sign, value);
  };
  const auto condition = [&](const std::string& source) {
    return c.program(path, source, env, Type::boolean());
  };
  t.when = condition(compare("features", ">=", from.at_least()));
  t.rearm = condition("!(" + compare("features", ">=", below) + ")");
  t.rearm_before = condition("!(" + compare("before", ">=", below) + ")");
}

void compile_segment(CompileContext& c, const spur::v1::SegmentOperator& from,
                     const std::string& path, Trigger& t) {
  t.kind = Operator::kThreshold;
  t.every = {from.every_ms()};
  for (int i = 0; i < c.in.segments_size(); ++i) {
    if (c.in.segments(i).name() == from.of()) t.segment = i;
  }
  if (t.segment == kNone && from.of().empty()) return;
  if (t.segment == kNone)
    return c.error(path + ".of", fmt::format("there is no Segment `{}`", from.of()));
  t.when = c.program(path,
                     fmt::format("{}('{}' in segments)", from.on() == "left" ? "!" : "", from.of()),
                     c.environment({}), Type::boolean());
}

void compile_sequence(CompileContext& c, const spur::v1::SequenceOperator& from,
                      const std::string& path, Trigger& t) {
  t.kind = Operator::kSequence;
  const std::string key_path = path + ".key";
  for (int i = 0; i < from.steps_size(); ++i) {
    const std::string here = path + ".steps[" + std::to_string(i) + "]";
    std::vector<Pattern> patterns =
        c.patterns(here + ".patterns", from.steps(i).patterns(), from.key(), key_path);
    if (i == 0) {
      t.opens = std::move(patterns);
    } else {
      t.later_steps.push_back({std::move(patterns), {from.steps(i).within_ms()}});
    }
  }
  t.closes = c.patterns(path + ".without", from.without(), from.key(), key_path);
  const std::string silent = path + ".then_silent";
  t.silences =
      c.patterns(silent + ".patterns", from.then_silent().patterns(), from.key(), key_path);
  t.silent_for = {from.then_silent().for_ms()};
  t.grace = {from.then_silent().grace_ms()};
  for (const Pattern& pattern : t.opens) t.keyed = t.keyed || pattern.key.has_value();
}

void compile_date(CompileContext& c, const spur::v1::DateOperator& from, const std::string& path,
                  Trigger& t) {
  t.kind = Operator::kDate;
  t.keyed = true;
  t.date = c.program(
      path + ".of", from.of(),
      Place{.why_no_event = "`event` is not known here: a date is read again at each change; let a "
                            "trait or a Feature keep it"},
      Type::dyn());
  t.date_every = from.every() == "year"    ? Every::kYear
                 : from.every() == "month" ? Every::kMonth
                                           : Every::kNever;
  t.date_offset_days = from.offset_ms() / kDay.count;
  t.date_minute = from.at_minute();
  if (!t.date) return;
  const Type& type = t.date->type();
  if (!type.is(Type::Kind::kDyn) && !type.is(Type::Kind::kString) &&
      !type.is(Type::Kind::kTimestamp))
    c.error(path + ".of", "this is " + type.to_string(),
            "text that begins with a date, or a timestamp");
}

}  // namespace spur::catalog
