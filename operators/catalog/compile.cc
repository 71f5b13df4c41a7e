#include "operators/catalog/compile.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

#include "fmt/format.h"
#include "operators/catalog/compile_context.h"
#include "operators/catalog/durations.h"
#include "operators/catalog/hash.h"
#include "operators/catalog/retire.h"
#include "state/digest.h"

namespace spur::catalog {
namespace {

using expression::Type;

// The e-commerce funnel: the order of events of one instant where a Source names none.
constexpr const char* kFunnel[] = {
    "Product Viewed",   "Product Added to Wishlist", "Product Added", "Product Removed",
    "Checkout Started", "Order Completed",           "Order Refunded"};
constexpr Millis kDeduplicateDefault = kDay;
constexpr Millis kMaxActionAgeDefault = kHour * 6;

constexpr Place kEventPlace{.event = true};
constexpr const char* kNoEventAtCondition =
    "`event` is not known here, since time alone can make this true; write a Feature for what it "
    "needs";

std::optional<AggregateKind> aggregate_kind(std::string_view name) {
  constexpr std::pair<std::string_view, AggregateKind> kKinds[] = {
      {"count", AggregateKind::kCount}, {"sum", AggregateKind::kSum},
      {"mean", AggregateKind::kMean},   {"min", AggregateKind::kMin},
      {"max", AggregateKind::kMax},     {"distinct", AggregateKind::kDistinct},
      {"first", AggregateKind::kFirst}, {"last", AggregateKind::kLast},
      {"gaps", AggregateKind::kGaps},   {"decayed", AggregateKind::kDecayed}};
  for (const auto& [text, kind] : kKinds) {
    if (text == name) return kind;
  }
  return std::nullopt;
}

// The type of features.x; `of` is that of its expression.
Type feature_type(AggregateKind kind, const Type& of) {
  switch (kind) {
    case AggregateKind::kCount:
    case AggregateKind::kDistinct:
      return Type::integer();
    case AggregateKind::kSum:
    case AggregateKind::kMean:
    case AggregateKind::kDecayed:
      return Type::real();
    case AggregateKind::kGaps:
      return Type::dyn();  // its members are declared one by one
    default:
      return of;
  }
}

std::int64_t to_millionths(double value) {
  return static_cast<std::int64_t>(std::llround(value * 1e6));
}

class Compiler {
 public:
  Compiler(const spur::v1::Catalog& in, const SourceMap& positions, Compiled& out,
           CompileResult& result)
      : in_(in), out_(out), c_{in, positions, out, result.errors, result.warnings, {}} {}

  void run() {
    names();
    policy();
    type_features();
    sources();
    features();
    sessions();
    segments();
    models();
    channels();
    compile_gate(c_);
    triggers();
    compile_ladders(c_);
    resolve_slots(c_);
    circles();
    check_threshold_times();
    if (!c_.errors.empty()) return;
    keep_opened();
    resolve_slots(c_);
    ranks();
    index_listeners(c_);
    layout();
    out_.hash = hash_of(in_);
  }

 private:
  static std::string at(std::string_view kind, std::string_view name, std::string_view field = "") {
    return resource_path(kind, name) + "/spec" + (field.empty() ? "" : "." + std::string(field));
  }

  // Indices are places in the canonical order; triggers act in the order (priority, name).
  void names() {
    for (const auto& f : in_.features()) out_.features.emplace_back().name = f.name();
    for (const auto& s : in_.sessions()) out_.sessions.emplace_back().name = s.name();
    for (const auto& s : in_.segments()) out_.segments.emplace_back().name = s.name();
    for (const auto& m : in_.models()) out_.models.emplace_back().name = m.name();
    for (const auto& ch : in_.channels()) out_.channels.emplace_back().name = ch.name();
    c_.feature_types.assign(out_.features.size(), Type::dyn());
  }

  void policy() {
    out_.policy.max_action_age = kMaxActionAgeDefault;
    if (in_.policies().empty()) return;
    const spur::v1::Policy& policy = in_.policies(0);
    if (!policy.zone().empty())
      out_.policy.zone = *zone(at("Policy", policy.name(), "zone"), policy.zone());
    out_.policy.caps = caps(policy.caps());
    out_.policy.lateness = {policy.lateness_ms()};
    out_.policy.holdout_parts = static_cast<std::int32_t>(std::llround(policy.holdout().percent() * 10'000));
    out_.policy.holdout_salt = policy.holdout().salt();
    if (policy.arbitration() == "channel") out_.policy.arbitration = Arbitration::kChannel;
    if (policy.arbitration() == "customer") out_.policy.arbitration = Arbitration::kCustomer;
    if (policy.has_max_action_age_ms()) {
      out_.policy.max_action_age.reset();
      if (policy.max_action_age_ms() >= 0)
        out_.policy.max_action_age = Millis{policy.max_action_age_ms()};
    }
  }

  // A named zone; an unknown one is reported and read as UTC.
  std::optional<Zone> zone(const std::string& path, std::string_view name) {
    if (std::optional<Zone> found = Zone::load(name)) return found;
    c_.error(path, fmt::format("there is no time zone `{}`", name),
             "an IANA name such as Europe/Stockholm");
    return Zone::utc();
  }

  static std::vector<Cap> caps(const google::protobuf::RepeatedPtrField<spur::v1::Cap>& in) {
    std::vector<Cap> caps;
    for (const spur::v1::Cap& cap : in) caps.push_back({cap.max(), {cap.per_ms()}});
    return caps;
  }

  // What features.x is must be known before anything that reads it. Only min, max, first and last
  // depend on their `of`, and that may read another such feature: as many passes as such a chain is
  // long settle all, three are plenty.
  void type_features() {
    for (int pass = 0; pass < 3; ++pass) {
      std::vector<Type> types;
      for (int i = 0; i < in_.features_size(); ++i) {
        const spur::v1::Feature& feature = in_.features(i);
        const AggregateKind kind =
            aggregate_kind(feature.aggregate()).value_or(AggregateKind::kCount);
        Type of = Type::dyn();
        if (feature_type(kind, Type::string()).is(Type::Kind::kString) && !feature.of().empty()) {
          Place place = kEventPlace;
          for (const auto& pattern : feature.patterns())
            place.item = place.item || !pattern.each().empty();
          const auto compiled =
              expression::compile(feature.of(), c_.environment(place), out_.references);
          if (compiled.program) of = compiled.program->type();
        }
        types.push_back(feature_type(kind, of));
      }
      c_.feature_types = std::move(types);
    }
  }

  void sources() {
    for (const spur::v1::Source& from : in_.sources()) {
      Source source;
      source.name = from.name();
      source.name_hash = hash64(from.name());
      source.topic = from.topic().empty() ? "events." + from.name() : from.topic();
      source.deduplicate =
          from.has_deduplicate_ms() ? Millis{from.deduplicate_ms()} : kDeduplicateDefault;
      out_.sources.push_back(std::move(source));
    }
    if (out_.sources.empty()) {  // a catalog need not name its source: there is one then
      out_.sources.push_back({"events", kDeduplicateDefault, {}, hash64("events"), ""});
    }
  }

  // After all names are known.
  void ranks() {
    for (std::size_t i = 0; i < out_.sources.size(); ++i) {
      std::vector<std::string> order;
      if (i < static_cast<std::size_t>(in_.sources_size())) {
        order.assign(in_.sources(static_cast<int>(i)).order().begin(),
                     in_.sources(static_cast<int>(i)).order().end());
      }
      if (order.empty()) order.assign(std::begin(kFunnel), std::end(kFunnel));
      for (const std::string& name : order) out_.schema.add_name(name);
      std::vector<std::uint16_t>& rank = out_.sources[i].rank;
      rank.assign(out_.schema.name_count(), 0);
      for (std::size_t place = 0; place < order.size(); ++place) {
        rank[out_.schema.find_name(order[place])] = static_cast<std::uint16_t>(place + 1);
      }
    }
    for (Source& source : out_.sources) source.rank.resize(out_.schema.name_count(), 0);
  }

  void features() {
    for (int i = 0; i < in_.features_size(); ++i) {
      const spur::v1::Feature& from = in_.features(i);
      Feature& feature = out_.features[static_cast<std::size_t>(i)];
      const std::string path = at("Feature", from.name());
      const std::optional<AggregateKind> kind = aggregate_kind(from.aggregate());
      if (!kind) {
        c_.error(path + ".aggregate", fmt::format("`{}` is no aggregate", from.aggregate()),
                 "count, sum, mean, min, max, distinct, first, last, gaps or decayed");
        continue;
      }
      feature.spec = {*kind,
                      {from.window_ms()},
                      {from.offset_ms()},
                      {from.half_life_ms()},
                      from.distinct_days(),
                      from.limit()};
      // Within a Session its key tells which one an event is about, as in the Session's own
      // patterns.
      const std::int32_t within = find(in_.sessions(), from.within());
      const bool keyed = within != kNone && session_keyed(in_.sessions(within));
      feature.per_session = keyed && from.by().empty();
      feature.patterns = c_.patterns(path + ".patterns", from.patterns(),
                                     feature.per_session ? in_.sessions(within).key() : "",
                                     keyed ? at("Session", from.within(), "key") : path);
      Place place = kEventPlace;
      for (const auto& pattern : from.patterns())
        place.item = place.item || !pattern.each().empty();
      const Type wanted = *kind == AggregateKind::kSum || *kind == AggregateKind::kMean ||
                                  *kind == AggregateKind::kDecayed
                              ? Type::real()
                              : Type::dyn();
      feature.of = c_.program(path + ".of", from.of(), place, wanted);
      feature.by = c_.program(path + ".by", from.by(), place, Type::dyn());
      feature.definition = definition_hash(from, "Feature");
      if (from.within().empty()) continue;
      feature.session = within;
      if (feature.session == kNone) {
        c_.error(path + ".within", fmt::format("there is no Session `{}`", from.within()), "");
        continue;
      }
      out_.sessions[static_cast<std::size_t>(feature.session)].features.push_back(
          static_cast<std::uint32_t>(i));
      // Another session is another thing to count within.
      feature.definition ^= definition_hash(in_.sessions(feature.session), "within");
    }
  }

  // Whether several of the session may be open at once.
  static bool session_keyed(const spur::v1::Session& session) {
    const auto has_key = [](const spur::v1::Pattern& p) { return !p.key().empty(); };
    return !session.key().empty() ||
           std::any_of(session.opens().begin(), session.opens().end(), has_key) ||
           std::any_of(session.keeps().begin(), session.keeps().end(), has_key);
  }

  template <typename Messages>
  static std::int32_t find(const Messages& all, std::string_view name) {
    for (int i = 0; i < all.size(); ++i) {
      if (all.Get(i).name() == name) return i;
    }
    return kNone;
  }

  void sessions() {
    for (int i = 0; i < in_.sessions_size(); ++i) {
      const spur::v1::Session& from = in_.sessions(i);
      Session& session = out_.sessions[static_cast<std::size_t>(i)];
      const std::string path = at("Session", from.name());
      const std::string key_path = path + ".key";
      session.opens = c_.patterns(path + ".opens", from.opens(), from.key(), key_path);
      session.keeps = c_.patterns(path + ".keeps", from.keeps(), from.key(), key_path);
      session.closes = c_.patterns(path + ".closes", from.closes(), from.key(), key_path);
      session.keyed = session_keyed(from);
      session.idle = {from.idle_ms()};
      session.definition = definition_hash(from, "Session");
    }
  }

  void segments() {
    for (int i = 0; i < in_.segments_size(); ++i) {
      const spur::v1::Segment& from = in_.segments(i);
      out_.segments[static_cast<std::size_t>(i)].when =
          c_.program(at("Segment", from.name(), "when"), from.when(),
                     Place{.why_no_event = kNoEventAtCondition}, Type::boolean());
    }
  }

  void models() {
    for (int i = 0; i < in_.models_size(); ++i) {
      const spur::v1::Model& from = in_.models(i);
      Model& model = out_.models[static_cast<std::size_t>(i)];
      const std::string path = at("Model", from.name());
      model.patterns = c_.patterns(path + ".bg_nbd.patterns", from.bg_nbd().patterns(), "", path);
      model.distinct_days = from.bg_nbd().distinct_days();
      model.horizon =
          from.bg_nbd().horizon_ms() > 0 ? Millis{from.bg_nbd().horizon_ms()} : kWeek * 52;
      model.unit = {from.parameters().unit_ms() > 0 ? from.parameters().unit_ms() : kWeek.count};
      for (const auto& [name, target] : {std::pair{"r", &model.r}, std::pair{"alpha", &model.alpha},
                                         std::pair{"a", &model.a}, std::pair{"b", &model.b}}) {
        for (const auto& value : from.parameters().values()) {
          if (value.name() == name) *target = value.value();
        }
        if (!(*target > 0)) {
          c_.error(path + ".parameters",
                   fmt::format("the parameter `{}` of BG/NBD is missing or not above 0", name),
                   "parameters: {r: …, alpha: …, a: …, b: …, unit: 1w}; this version does not fit "
                   "them itself");
        }
      }
      spur::v1::Model fold = from;  // parameters and horizon do not change what is remembered
      fold.clear_parameters();
      fold.mutable_bg_nbd()->clear_horizon_ms();
      model.definition = definition_hash(fold, "Model");
      model.version = fmt::format("{:016x}", definition_hash(from, "Model"));
    }
  }

  void channels() {
    for (int i = 0; i < in_.channels_size(); ++i) {
      const spur::v1::Channel& from = in_.channels(i);
      Channel& channel = out_.channels[static_cast<std::size_t>(i)];
      const std::string path = at("Channel", from.name());
      channel.topic = from.topic().empty() ? "actions." + from.name() : from.topic();
      channel.json = from.format() == "json";
      channel.reach = c_.program(path + ".reach", from.reach(),
                                 Place{.why_no_event = kNoEventAtCondition}, Type::boolean());
      channel.caps = caps(from.caps());
      channel.purpose = from.purpose();
      channel.name_hash = hash64(from.name());
      if (!from.has_quiet_hours()) continue;
      QuietHours quiet{from.quiet_hours().from_minute(), from.quiet_hours().to_minute(),
                       std::nullopt, from.quiet_hours().then() == "drop"};
      const std::string& name = from.quiet_hours().zone();
      if (name.empty()) {
        quiet.zone = out_.policy.zone;
      } else if (name != "customer") {
        quiet.zone = zone(path + ".quiet_hours.zone", name);
      }
      channel.quiet_hours = quiet;
    }
  }

  void triggers() {
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

  // The hidden Features from `first` on belong to a trigger that asks nothing: they fold nothing, and are not taken for
  // those of the same trigger once it is on.
  void silence_features(std::size_t first) {
    for (std::size_t i = first; i < out_.features.size(); ++i) {
      out_.features[i].patterns.clear();
      out_.features[i].definition ^= hash64("silent");
    }
  }

  void trigger(const spur::v1::Trigger& from, Trigger& t) {
    const std::string path = at("Trigger", from.name());
    t.name = from.name();
    t.name_hash = hash64(from.name());
    t.version = version_of(from);
    t.trigger_class = from.class_() == "service"         ? Class::kService
                      : from.class_() == "transactional" ? Class::kTransactional
                                                         : Class::kMarketing;
    t.priority = from.priority();
    if (from.has_from_ms()) t.from = {from.from_ms()};
    if (from.has_to_ms()) t.to = {from.to_ms()};
    Place later{.instance = true,
                .opened = true,
                .why_no_event =
                    "`event` is not visible here, since time may have passed; use instance.opened"};
    Place at_once = later;
    operate(from, t, path, at_once);
    // `item` is what the event that opened or fired it was about, and is kept with it.
    for (const Pattern& p : t.opens) later.item = later.item || p.each.has_value();
    at_once.item = later.item;

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
    for (const std::string& name : from.channels()) {
      const std::int32_t channel = find(in_.channels(), name);
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
        t.session = find(in_.sessions(), from.session().of());
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
        if (from.schedule().zone().empty()) {
          t.zone = out_.policy.zone;
        } else if (from.schedule().zone() != "customer") {
          t.zone = zone(path + ".schedule.zone", from.schedule().zone());
        }
        t.when = c_.program(path + ".schedule.when", from.schedule().when(),
                            Place{.why_no_event = kNoEventAtCondition}, Type::boolean());
        t.rising = from.schedule().edge() == "rising";
        break;
      }
      case spur::v1::Trigger::kPrediction:
        t.kind = Operator::kPrediction;
        t.model = find(in_.models(), from.prediction().model());
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
      case spur::v1::Trigger::kDate:
        compile_date(c_, from.date(), path + ".date", t);
        if (from.date().zone().empty()) {
          t.zone = out_.policy.zone;
        } else if (from.date().zone() != "customer") {
          t.zone = zone(path + ".date.zone", from.date().zone());
        }
        break;
      default:
        c_.error(path, "a trigger has one operator",
                 "event, threshold, absence, session, novelty, schedule, prediction, rhythm, sequence, intent, date "
                 "or segment");
        break;
    }
  }

  // Features and segments may read one another, but not in a circle.
  void circles() {
    // 0 … features, then segments.
    const std::size_t features = out_.features.size();
    const auto name = [&](std::size_t n) {
      return n < features ? "features." + out_.features[n].name
                          : "segments['" + out_.segments[n - features].name + "']";
    };
    std::vector<std::set<std::size_t>> reads(features + out_.segments.size());
    const auto add = [&](std::size_t n, const std::optional<Program>& program,
                         std::string_view source) {
      if (!program) return;
      for (const std::uint32_t s : program->slots()) {
        const SlotSource& slot = out_.slots[s];
        if (slot.kind == SlotKind::kFeature || slot.kind == SlotKind::kFeatureByKey ||
            slot.kind == SlotKind::kFeatureOfSession)
          reads[n].insert(slot.index);
        if (slot.kind != SlotKind::kSegments) continue;
        for (std::size_t i = 0; i < out_.segments.size();
             ++i) {  // those that the source names in quotes
          const std::string& segment = out_.segments[i].name;
          if (source.empty() || source.find("'" + segment + "'") != std::string_view::npos ||
              source.find('"' + segment + '"') != std::string_view::npos) {
            reads[n].insert(features + i);
          }
        }
      }
    };
    for (std::size_t i = 0; i < features; ++i) {
      if (out_.features[i].hidden) {  // made of several expressions; nothing can read it, so it closes no circle
        add(i, out_.features[i].by, "");
        for (const Pattern& pattern : out_.features[i].patterns) {
          for (const auto* program : {&pattern.where, &pattern.each, &pattern.key, &pattern.of})
            add(i, *program, "");
        }
        continue;
      }
      const spur::v1::Feature& from = in_.features(static_cast<int>(i));
      add(i, out_.features[i].of, from.of());
      add(i, out_.features[i].by, from.by());
      for (std::size_t p = 0; p < out_.features[i].patterns.size(); ++p) {
        const Pattern& pattern = out_.features[i].patterns[p];
        add(i, pattern.where, from.patterns(static_cast<int>(p)).where());
        add(i, pattern.each, from.patterns(static_cast<int>(p)).each());
        add(i, pattern.key, from.patterns(static_cast<int>(p)).key());
      }
    }
    for (std::size_t i = 0; i < out_.segments.size(); ++i) {
      add(features + i, out_.segments[i].when, in_.segments(static_cast<int>(i)).when());
    }
    enum class Mark : std::uint8_t { kNew, kOpen, kDone };
    std::vector<Mark> marks(reads.size(), Mark::kNew);
    std::vector<std::size_t> trail;
    const std::function<void(std::size_t)> visit = [&](std::size_t n) {
      marks[n] = Mark::kOpen;
      trail.push_back(n);
      for (const std::size_t next : reads[n]) {
        if (marks[next] == Mark::kNew) visit(next);
        if (marks[next] != Mark::kOpen) continue;
        std::string circle;
        for (auto it = std::find(trail.begin(), trail.end(), next); it != trail.end(); ++it)
          circle += name(*it) + " → ";
        const bool feature = next < features;
        c_.error(feature ? at("Feature", out_.features[next].name)
                         : at("Segment", out_.segments[next - features].name),
                 "a circle of definitions: " + circle + name(next),
                 "one of them must do without the others");
      }
      trail.pop_back();
      marks[n] = Mark::kDone;
      order_.push_back(n);
    };
    for (std::size_t n = 0; n < reads.size(); ++n) {
      if (marks[n] == Mark::kNew) visit(n);
    }
    // Features are folded after those they read.
    out_.feature_order.clear();
    for (const std::size_t n : order_) {
      if (n < features) out_.feature_order.push_back(static_cast<std::uint32_t>(n));
    }
  }

  // What changes with time alone and not at instants that can be computed must be asked for at
  // intervals.
  void check_threshold_times() {
    for (const Trigger& t : out_.triggers) {
      check_date_times(t);
      if (t.retired || t.kind != Operator::kThreshold || t.every.count > 0) continue;
      if (t.rearm_before) continue;  // an intent: its score only falls with time, and that is asked for
      const Reach reach = reach_of_level(out_, t);
      if (reach.now || reach.decayed || !reach.models.empty()) {
        c_.error(at("Trigger", t.name, t.segment == kNone ? "threshold.when" : "segment"),
                 std::string("this changes with time alone (") +
                     (reach.now       ? "`now`"
                      : reach.decayed ? "a decayed feature"
                                      : "a model") +
                     ")",
                 "say how often to ask: `every: 1h`");
      }
    }
  }

  // A date is read again when something changes it, and nothing tells of what time alone changes.
  void check_date_times(const Trigger& t) {
    if (t.retired || t.kind != Operator::kDate || !t.date) return;
    Reach reach;
    reach_of(out_, *t.date, reach);
    bool moves = reach.now || reach.decayed || !reach.models.empty() || !reach.segments.empty();
    for (const std::uint32_t f : reach.features) moves = moves || out_.features[f].spec.window.count > 0;
    if (moves)
      c_.error(at("Trigger", t.name, "date.of"), "this changes with time alone",
               "a trait, or a Feature without `window`, such as one with aggregate first and `of: event.time`");
  }

  // Which fields of the event that opened or fired an instance keeps: what is read of it later.
  void keep_opened() {
    for (Trigger& t : out_.triggers) {
      std::set<EventSchema::FieldIndex> fields;
      const auto keep = [&](const Program& program, bool event_too) {
        for (const std::uint32_t s : program.slots()) {
          const SlotSource& slot = out_.slots[s];
          if (slot.kind == SlotKind::kOpenedField ||
              (event_too && slot.kind == SlotKind::kEventField))
            fields.insert(slot.index);
          if (slot.kind == SlotKind::kItem) t.keeps_item = true;
          if (slot.kind == SlotKind::kLastAt || slot.kind == SlotKind::kLastData)
            t.keeps_last_data = true;
        }
      };
      if (t.after) keep(*t.after, false);
      if (t.until) keep(*t.until, false);
      if (t.condition) keep(*t.condition, false);
      if (t.while_) keep(*t.while_, false);
      for (const Step& step : t.steps) {
        if (step.condition) keep(*step.condition, true);
        for (const auto& [name, program] : step.data) keep(program, true);
      }
      t.opened_fields.assign(fields.begin(), fields.end());
      t.retractable = t.kind == Operator::kAbsence || t.kind == Operator::kNovelty || t.kind == Operator::kSequence ||
                      (t.kind == Operator::kSession && t.moment == SessionMoment::kIdle) || !t.exits.empty();
      if (t.kind == Operator::kSession) {
        Session& session = out_.sessions[static_cast<std::size_t>(t.session)];
        fields.insert(session.opened_fields.begin(), session.opened_fields.end());
        session.opened_fields.assign(fields.begin(), fields.end());
      }
      Reach reach;
      if (t.segment != kNone) reach = reach_of_level(out_, t);
      for (const auto* program : {&t.when, &t.rearm, &t.condition, &t.while_, &t.after, &t.until, &t.date}) {
        if (*program && !(t.segment != kNone && program == &t.when)) reach_of(out_, **program, reach);
      }
      const auto reach_patterns = [&](const std::vector<Pattern>& patterns) {
        for (const Pattern& p : patterns) {
          if (p.where) reach_of(out_, *p.where, reach);
          if (p.of) reach_of(out_, *p.of, reach);
        }
      };
      for (const auto* patterns : {&t.opens, &t.resets, &t.closes, &t.silences}) reach_patterns(*patterns);
      for (const SequenceStep& step : t.later_steps) reach_patterns(step.patterns);
      for (const Step& step : t.steps) {
        if (step.condition) reach_of(out_, *step.condition, reach);
        for (const auto& [name, program] : step.data) reach_of(out_, program, reach);
      }
      t.features.assign(reach.features.begin(), reach.features.end());
    }
  }

  void layout() {
    auto layout = std::make_shared<Layout>();
    for (const Feature& f : out_.features)
      layout->features.push_back({f.definition, f.spec, Compiled::is_keyed(f)});
    for (const Session& s : out_.sessions) layout->sessions.push_back(s.definition);
    for (const Trigger& t : out_.triggers) {
      layout->triggers.push_back(t.retired ? t.version
                                           : t.name_hash);  // a retired one has no state of its own
      layout->versions.push_back(t.version);
    }
    for (const Channel& ch : out_.channels) layout->channels.push_back(ch.name_hash);
    for (const Model& m : out_.models) layout->models.push_back(m.definition);
    out_.layout = std::move(layout);
  }

  const spur::v1::Catalog& in_;
  Compiled& out_;
  CompileContext c_;
  std::vector<std::size_t> order_;
};

}  // namespace

CompileResult compile(const spur::v1::Catalog& catalog, const SourceMap& positions) {
  CompileResult result;
  auto compiled = std::make_shared<Compiled>();
  Compiler(catalog, positions, *compiled, result).run();
  if (result.errors.empty()) result.compiled = std::move(compiled);
  return result;
}

}  // namespace spur::catalog
