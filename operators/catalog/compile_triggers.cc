// Triggers: in which order they act, which versions of them are compiled, and what each says. The
// operators that are made of others have a file of their own, compile_operators.cc.
#include <algorithm>
#include <cmath>

#include "fmt/format.h"
#include "operators/catalog/compile_context.h"
#include "operators/catalog/durations.h"
#include "operators/catalog/retire.h"

namespace spur::catalog {
namespace {

using expression::Type;

std::int64_t to_millionths(double value) {
  return static_cast<std::int64_t>(std::llround(value * 1e6));
}

class TriggerCompiler {
 public:
  explicit TriggerCompiler(CompileContext& context)
      : in_(context.in), out_(context.out), c_(context) {}

  void run() {
    struct Version {
      const spur::v1::Trigger* from;
      bool retired;
    };
    std::vector<Version> order;
    for (const spur::v1::Trigger& t : in_.triggers()) order.push_back({&t, false});
    for (const spur::v1::Trigger& t : in_.retired()) order.push_back({&t, true});
    std::stable_sort(order.begin(), order.end(), [](const Version& a, const Version& b) {
      return std::pair(a.from->priority(), std::string_view(a.from->name())) <
             std::pair(b.from->priority(), std::string_view(b.from->name()));
    });
    // On a ladder the higher acts first: its triggers change places among themselves.
    for (int i = 0; in_.policies_size() > 0 && i < in_.policies(0).ladders_size(); ++i) {
      const auto& rungs = in_.policies(0).ladders(i).order();
      const auto rung = [&](const Version& v) {
        return std::find(rungs.begin(), rungs.end(), v.from->name()) - rungs.begin();
      };
      std::vector<std::size_t> places;
      std::vector<Version> members;
      for (std::size_t k = 0; k < order.size(); ++k) {
        if (rung(order[k]) == rungs.size()) continue;
        places.push_back(k);
        members.push_back(order[k]);
      }
      std::stable_sort(members.begin(), members.end(),
                       [&](const Version& a, const Version& b) { return rung(a) < rung(b); });
      for (std::size_t k = 0; k < places.size(); ++k) order[places[k]] = members[k];
    }
    for (const auto& [from, retired] : order) {
      if (from->has_enabled() && !from->enabled()) {
        check_disabled(*from);
        continue;
      }
      Trigger compiled;
      compiled.retired = retired;
      const std::size_t errors = c_.errors.size();
      const std::size_t warnings = c_.warnings.size();
      const std::size_t features = out_.features.size();
      trigger(*from, compiled);
      if (retired) silence_features(features);
      const bool stale = retired && c_.errors.size() > errors;  // it names what is there no more
      if (retired) {
        c_.errors.resize(errors);
        c_.warnings.resize(warnings);
      }
      if (!stale) out_.triggers.push_back(std::move(compiled));
    }
    link_versions();
  }

 private:
  void link_versions() {
    for (std::uint32_t i = 0; i < out_.triggers.size(); ++i) {
      Trigger& t = out_.triggers[i];
      t.current = i;
      if (!t.retired) continue;
      for (std::uint32_t k = 0; k < out_.triggers.size(); ++k) {
        Trigger& in_force = out_.triggers[k];
        if (in_force.retired || in_force.name != t.name) continue;
        t.current = k;
        in_force.earlier.push_back(i);
      }
    }
  }

  // A trigger that is off is still compiled, so that it cannot rot; then forgotten.
  void check_disabled(const spur::v1::Trigger& from) {
    Trigger scratch;
    const std::size_t features = out_.features.size();
    trigger(from, scratch);
    silence_features(features);
  }

  // The hidden Features from `first` on belong to a trigger that asks nothing: they fold nothing,
  // and are not taken for those of the same trigger once it is on.
  void silence_features(std::size_t first) {
    for (std::size_t i = first; i < out_.features.size(); ++i) {
      out_.features[i].patterns.clear();
      out_.features[i].definition ^= hash64("silent");
    }
  }

  void trigger(const spur::v1::Trigger& from, Trigger& t) {
    const std::string path = spec_path("Trigger", from.name());
    t.name = from.name();
    t.name_hash = hash64(from.name());
    t.version = version_of(from);
    t.trigger_class = from.class_() == "service"         ? Class::kService
                      : from.class_() == "transactional" ? Class::kTransactional
                                                         : Class::kMarketing;
    t.priority = from.priority();
    t.shadow = from.shadow();
    if (from.has_from_ms()) t.from = {from.from_ms()};
    if (from.has_to_ms()) t.to = {from.to_ms()};
    Place later{.instance = true,
                .opened = true,
                .why_no_event =
                    "`event` is not visible here, since time may have passed; use instance.opened"};
    Place at_once = later;
    t.backfill = from.backfill() == "once";
    operate(from, t, path, at_once);
    if (t.backfill) compile_backfill(c_, from, t);
    // `item` is what the event that opened or fired it was about, and is kept with it.
    for (const Pattern& p : t.opens) later.item = later.item || p.each.has_value();
    at_once.item = later.item;
    later.record = at_once.record;

    t.condition = c_.program(path + ".if", from.if_(), at_once, Type::boolean());
    t.while_ = c_.program(path + ".while", from.while_(), later, Type::boolean());
    t.exits = c_.patterns(path + ".exit", from.exit(), "", path);
    t.cooldown = {from.cooldown().customer_ms()};
    t.cooldown_key = {from.cooldown().key_ms()};
    t.once_customer = from.once() == "customer";
    t.once_key = from.once() == "key";
    for (int i = 0; i < from.actions_size(); ++i)
      t.steps.push_back(
          step(from.actions(i), path + ".actions[" + std::to_string(i) + "]", at_once));
  }

  Step step(const spur::v1::ActionStep& from, const std::string& path, Place place) {
    Step step;
    step.template_name = from.template_();
    step.after = {from.after_ms()};
    step.expires = {from.expires_ms()};
    place.before = from.after_ms() == 0;
    place.previous = place.previous && from.after_ms() == 0;
    for (const std::string& name : from.channels()) {
      const std::int32_t channel = index_of(in_.channels(), name);
      if (channel == kNone) {
        c_.error(path + ".channel", fmt::format("there is no Channel `{}`", name), "");
      } else {
        step.channels.push_back(static_cast<std::uint32_t>(channel));
      }
    }
    step.condition = c_.program(path + ".if", from.if_(), place, Type::boolean());
    for (int i = 0; i < from.data_size(); ++i) {
      auto program = c_.program(path + ".data[" + std::to_string(i) + "]",
                                from.data(i).expression(), place, Type::dyn());
      if (program) step.data.emplace_back(from.data(i).name(), std::move(*program));
    }
    return step;
  }

  // The operator's own part. `at_once` becomes what `if` and `data` may see.
  void operate(const spur::v1::Trigger& from, Trigger& t, const std::string& path, Place& at_once) {
    const auto keyed = [&] {
      for (const Pattern& p : t.opens) t.keyed = t.keyed || p.key.has_value();
    };
    switch (from.operator_case()) {
      case spur::v1::Trigger::kEvent:
        t.kind = Operator::kEvent;
        t.opens = c_.patterns(path + ".event.patterns", from.event().patterns(), "", path);
        at_once.event = true;
        keyed();
        break;
      case spur::v1::Trigger::kNovelty: {
        t.kind = Operator::kNovelty;
        t.opens = c_.patterns(path + ".novelty.patterns", from.novelty().patterns(), "", path);
        at_once.event = true;
        for (int i = 0; i < from.novelty().patterns_size(); ++i) {
          const std::string& own = from.novelty().patterns(i).of();
          Pattern& pattern = t.opens[static_cast<std::size_t>(i)];
          const Place of{.event = true, .item = pattern.each.has_value()};
          const std::string at = path + ".novelty" +
                                 (own.empty() ? "" : ".patterns[" + std::to_string(i) + "]") +
                                 ".of";
          pattern.of = c_.program(at, own.empty() ? from.novelty().of() : own, of, Type::dyn());
        }
        t.keyed = true;
        t.kth = from.novelty().kth();
        t.after_first = from.novelty().after_first();
        t.limit =
            from.novelty().limit() > 0 ? from.novelty().limit() : AggregateSpec::kMembersDefault;
        break;
      }
      case spur::v1::Trigger::kThreshold: {
        t.kind = Operator::kThreshold;
        const Place place{.why_no_event = kNoEventAtCondition};
        t.when =
            c_.program(path + ".threshold.when", from.threshold().when(), place, Type::boolean());
        t.rearm =
            c_.program(path + ".threshold.rearm", from.threshold().rearm(), place, Type::boolean());
        t.every = {from.threshold().every_ms()};
        break;
      }
      case spur::v1::Trigger::kAbsence: {
        t.kind = Operator::kAbsence;
        const auto& absence = from.absence();
        const std::string inner = path + ".absence";
        t.opens = c_.patterns(inner + ".opens", absence.opens(), absence.key(), inner + ".key");
        t.resets = c_.patterns(inner + ".resets", absence.resets(), absence.key(), inner + ".key");
        t.closes = c_.patterns(inner + ".closes", absence.closes(), absence.key(), inner + ".key");
        Place place{.event = true, .instance = true, .opened = true};
        for (const Pattern& p : t.opens) place.item = place.item || p.each.has_value();
        if (!absence.after().empty()) {
          const std::optional<Millis> plain = parse_duration(absence.after());
          const std::string source =
              plain ? fmt::format("duration('{}ms')", plain->count) : absence.after();
          t.after = c_.program(inner + ".after", source, place, Type::duration());
        }
        t.until = c_.program(inner + ".until", absence.until(), place, Type::timestamp());
        t.grace = {absence.grace_ms()};
        keyed();
        break;
      }
      case spur::v1::Trigger::kSession: {
        t.kind = Operator::kSession;
        t.session = index_of(in_.sessions(), from.session().of());
        if (t.session == kNone) {
          c_.error(path + ".session.of",
                   fmt::format("there is no Session `{}`", from.session().of()), "");
          break;
        }
        t.moment = from.session().on() == "opened"   ? SessionMoment::kOpened
                   : from.session().on() == "closed" ? SessionMoment::kClosed
                                                     : SessionMoment::kIdle;
        t.grace = {from.session().grace_ms()};
        t.keyed = out_.sessions[static_cast<std::size_t>(t.session)].keyed;
        break;
      }
      case spur::v1::Trigger::kSchedule: {
        t.kind = Operator::kSchedule;
        Cron::Parsed cron = Cron::parse(from.schedule().cron());
        if (cron.error) {
          c_.errors.push_back({c_.positions.position(path + ".schedule.cron", cron.error->offset),
                               cron.error->message, cron.error->hint});
        }
        t.cron = cron.cron;
        t.zone = c_.zone_or_customer(path + ".schedule.zone", from.schedule().zone());
        t.when = c_.program(path + ".schedule.when", from.schedule().when(),
                            Place{.why_no_event = kNoEventAtCondition}, Type::boolean());
        t.rising = from.schedule().edge() == "rising";
        break;
      }
      case spur::v1::Trigger::kPrediction:
        t.kind = Operator::kPrediction;
        t.model = index_of(in_.models(), from.prediction().model());
        if (t.model == kNone) {
          c_.error(path + ".prediction.model",
                   fmt::format("there is no Model `{}`", from.prediction().model()), "");
        }
        t.at_least_millionths = to_millionths(from.prediction().at_least());
        t.rearm_below_millionths =
            to_millionths(from.prediction().has_rearm_below() ? from.prediction().rearm_below()
                                                              : from.prediction().at_least());
        t.every = {from.prediction().every_ms()};
        break;
      case spur::v1::Trigger::kRhythm:
        compile_rhythm(c_, from.rhythm(), path + ".rhythm", t, at_once);
        break;
      case spur::v1::Trigger::kSequence:
        compile_sequence(c_, from.sequence(), path + ".sequence", t);
        break;
      case spur::v1::Trigger::kIntent:
        compile_intent(c_, from.intent(), path + ".intent", t);
        break;
      case spur::v1::Trigger::kSegment:
        compile_segment(c_, from.segment(), path + ".segment", t);
        break;
      case spur::v1::Trigger::kBusiness:
        compile_business(c_, from.business(), path + ".business", t, at_once);
        break;
      case spur::v1::Trigger::kDate:
        compile_date(c_, from.date(), path + ".date", t);
        t.zone = c_.zone_or_customer(path + ".date.zone", from.date().zone());
        break;
      default:
        c_.error(path, "a trigger has one operator",
                 "event, threshold, absence, session, novelty, schedule, prediction, rhythm, "
                 "sequence, intent, date, segment or business");
        break;
    }
  }

  const spur::v1::Catalog& in_;
  Compiled& out_;
  CompileContext& c_;
};

}  // namespace

void compile_triggers(CompileContext& context) { TriggerCompiler(context).run(); }

}  // namespace spur::catalog
