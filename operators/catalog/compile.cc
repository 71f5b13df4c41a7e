// A catalog, compiled: names first, then what each kind of definition says, in an order in which
// each finds what it may name. Triggers, the checks that need all of it, and what is made of the
// whole stand in files of their own (compile_*.cc).
#include "operators/catalog/compile.h"

#include <algorithm>
#include <cmath>

#include "fmt/format.h"
#include "operators/catalog/compile_context.h"
#include "operators/catalog/hash.h"
#include "operators/catalog/names.h"
#include "operators/catalog/validate.h"
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

Format format_of(std::string_view name) {
  if (name == "json") return Format::kJson;
  if (name == "cloudevents") return Format::kCloudEvents;
  return name == "protobuf" ? Format::kProtobuf : Format::kSegment;
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
    compile_references(c_);
    features();
    sessions();
    segments();
    models();
    channels();
    compile_gate(c_);
    compile_triggers(c_);
    compile_ladders(c_);
    resolve_slots(c_);
    order_features(c_);
    check_times(c_);
    if (!complete()) return;
    keep_opened(c_);
    resolve_slots(c_);
    ranks();
    index_listeners(c_);
    lay_out(c_);
    out_.hash = hash_of(in_);
    out_.names = std::make_shared<expression::Environment>(
        c_.environment({.event = true, .item = true, .instance = true, .opened = true}));
  }

  bool complete() const { return c_.errors.empty() && !c_.unreadable; }

 private:
  // Indices are places in the canonical order; triggers act in the order (priority, name).
  void names() {
    for (const auto& f : in_.features()) out_.features.emplace_back().name = f.name();
    for (const auto& r : in_.references()) out_.business_data.emplace_back().name = r.name();
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
      out_.policy.zone = c_.zone(spec_path("Policy", policy.name(), "zone"), policy.zone());
    out_.policy.caps = caps(policy.caps());
    out_.policy.lateness = {policy.lateness_ms()};
    out_.policy.holdout_parts =
        static_cast<std::int32_t>(std::llround(policy.holdout().percent() * 10'000));
    out_.policy.holdout_salt = policy.holdout().salt();
    if (policy.arbitration() == "channel") out_.policy.arbitration = Arbitration::kChannel;
    if (policy.arbitration() == "customer") out_.policy.arbitration = Arbitration::kCustomer;
    if (policy.has_max_action_age_ms()) {
      out_.policy.max_action_age.reset();
      if (policy.max_action_age_ms() >= 0)
        out_.policy.max_action_age = Millis{policy.max_action_age_ms()};
    }
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
      source.topic = topic_of(from);
      source.deduplicate =
          from.has_deduplicate_ms() ? Millis{from.deduplicate_ms()} : kDeduplicateDefault;
      source.format = format_of(from.format());
      source.map = compile_mapping(c_, from);
      for (int i = 0; i < from.order_size(); ++i) {
        if (c_.plans.has_event(from.order(i))) continue;
        c_.error(spec_path("Source", from.name(), "order[" + std::to_string(i) + "]"),
                 "no tracking plan has the event `" + from.order(i) + "`",
                 c_.plans.meant(from.order(i)));
      }
      out_.sources.push_back(std::move(source));
    }
    if (out_.sources.empty()) {  // a catalog need not name its source: there is one then
      out_.sources.push_back(
          {"events", kDeduplicateDefault, {}, hash64("events"), "", Format::kSegment, nullptr});
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
      const std::string path = spec_path("Feature", from.name());
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
      const std::int32_t within = index_of(in_.sessions(), from.within());
      const bool keyed = within != kNone && session_keyed(in_.sessions(within));
      feature.per_session = keyed && from.by().empty();
      feature.patterns = c_.patterns(path + ".patterns", from.patterns(),
                                     feature.per_session ? in_.sessions(within).key() : "",
                                     keyed ? spec_path("Session", from.within(), "key") : path);
      Place place = kEventPlace;
      std::vector<std::string> events;
      for (const auto& pattern : from.patterns()) {
        place.item = place.item || !pattern.each().empty();
        events.insert(events.end(), pattern.on().begin(), pattern.on().end());
      }
      place.events = &events;
      expression::Environment env = c_.environment(place);
      if (from.patterns_size() == 1 && !feature.patterns.empty())
        c_.restrict_item(env, from.patterns(0).each(), feature.patterns[0].each, &events);
      const Type wanted = *kind == AggregateKind::kSum || *kind == AggregateKind::kMean ||
                                  *kind == AggregateKind::kDecayed
                              ? Type::real()
                              : Type::dyn();
      feature.of = c_.program(path + ".of", from.of(), env, wanted);
      feature.by = c_.program(path + ".by", from.by(), env, Type::dyn());
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

  void sessions() {
    for (int i = 0; i < in_.sessions_size(); ++i) {
      const spur::v1::Session& from = in_.sessions(i);
      Session& session = out_.sessions[static_cast<std::size_t>(i)];
      const std::string path = spec_path("Session", from.name());
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
          c_.program(spec_path("Segment", from.name(), "when"), from.when(),
                     Place{.why_no_event = kNoEventAtCondition}, Type::boolean());
    }
  }

  void models() {
    for (int i = 0; i < in_.models_size(); ++i) {
      const spur::v1::Model& from = in_.models(i);
      Model& model = out_.models[static_cast<std::size_t>(i)];
      const std::string path = spec_path("Model", from.name());
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
      const std::string path = spec_path("Channel", from.name());
      channel.topic = topic_of(from);
      channel.json = from.format() == "json";
      channel.reach = c_.program(path + ".reach", from.reach(),
                                 Place{.why_no_event = kNoEventAtCondition}, Type::boolean());
      channel.caps = caps(from.caps());
      channel.purpose = from.purpose();
      channel.name_hash = hash64(from.name());
      if (!from.has_quiet_hours()) continue;
      const spur::v1::QuietHours& quiet = from.quiet_hours();
      channel.quiet_hours = {quiet.from_minute(), quiet.to_minute(),
                             c_.zone_or_customer(path + ".quiet_hours.zone", quiet.zone()),
                             quiet.then() == "drop"};
    }
  }

  const spur::v1::Catalog& in_;
  Compiled& out_;
  CompileContext c_;
};

}  // namespace

CompileResult compile(const spur::v1::Catalog& catalog, const SourceMap& positions) {
  CompileResult result;
  auto compiled = std::make_shared<Compiled>();
  Compiler compiler(catalog, positions, *compiled, result);
  compiler.run();
  if (compiler.complete()) result.compiled = std::move(compiled);
  return result;
}

CompileResult complete_and_compile(spur::v1::Catalog& catalog) {
  write_out_topics(catalog);
  Findings findings = validate(catalog, SourceMap());
  CompileResult result = compile(catalog);
  result.errors = merged(std::move(findings.errors), result.errors);
  result.warnings = merged(std::move(findings.warnings), result.warnings);
  if (!result.errors.empty()) result.compiled = nullptr;
  return result;
}

}  // namespace spur::catalog
