#include "operators/catalog/validate.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/unknown_field_set.h>

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "operators/catalog/checker.h"
#include "operators/catalog/known.h"
#include "operators/catalog/names.h"
#include "operators/catalog/nearest.h"
#include "state/event.h"

namespace spur::catalog {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// What `of` means to each aggregate.
enum class Of { kNeeded, kAllowed, kRefused };
const std::map<std::string, Of>& aggregates() {
  static const auto* all = new std::map<std::string, Of>{
      {"count", Of::kRefused},  {"sum", Of::kNeeded},  {"mean", Of::kNeeded},
      {"min", Of::kNeeded},     {"max", Of::kNeeded},  {"distinct", Of::kNeeded},
      {"first", Of::kNeeded},   {"last", Of::kNeeded}, {"gaps", Of::kRefused},
      {"decayed", Of::kAllowed}};
  return *all;
}

void check_aggregate(Checker& check, const std::string& path, const spur::v1::Feature& feature) {
  const std::string& name = feature.aggregate();
  if (name.empty())
    return check.missing(path, "aggregate",
                         "count, sum, mean, min, max, distinct, first, last, gaps or decayed");
  const auto known = aggregates().find(name);
  if (known == aggregates().end()) {
    return check.word(
        path + ".aggregate", name,
        {"count", "sum", "mean", "min", "max", "distinct", "first", "last", "gaps", "decayed"});
  }
  if (known->second == Of::kNeeded)
    check.required(path, "of", feature.of(), name + " needs the value to aggregate");
  if (known->second == Of::kRefused && !feature.of().empty()) {
    check.fail_key(path + ".of", name + " takes no `of`",
                   name == "count" ? "remove it, or use sum or distinct" : "remove it");
  }
  if (name == "decayed" && feature.half_life_ms() == 0 && !check.written(path + ".half_life")) {
    check.missing(path, "half_life",
                  "decayed needs the time in which a weight halves, such as 20m");
  }
  if (name != "decayed" && feature.half_life_ms() != 0) {
    check.fail_key(path + ".half_life", name + " takes no `half_life`", "only decayed does");
  }
  if (name == "decayed" && feature.window_ms() != 0) {
    check.fail_key(path + ".window", "decayed takes no `window`", "it forgets by `half_life`");
  }
  if (name != "gaps" && feature.distinct_days()) {
    check.fail_key(path + ".distinct_days", name + " takes no `distinct_days`", "only gaps does");
  }
}

void check_feature(Checker& check, const std::string& path, const spur::v1::Feature& feature) {
  if (feature.patterns().empty())
    check.missing(path, "on", "an event name, a list of them, or \"*\"");
  check.patterns(path + ".patterns", feature.patterns());
  check_aggregate(check, path, feature);
  check.positive(path + ".window", feature.window_ms());
  check.positive(path + ".half_life", feature.half_life_ms());
  check.not_negative(path + ".offset", feature.offset_ms());
  check.limit(path + ".limit", feature.limit());
  if (!feature.within().empty()) {
    check.reference(path + ".within", "Session", feature.within(), check.names().sessions);
    if (feature.window_ms() != 0) {
      check.fail_key(path + ".window", "`within` and `window` exclude each other", "keep one");
    }
  }
  if (feature.offset_ms() > 0 && feature.window_ms() == 0 && !check.unreadable(path + ".window")) {
    check.fail_key(path + ".offset", "`offset` without `window`",
                   "an offset moves a window back; add one");
  }
}

void check_session(Checker& check, const std::string& path, const spur::v1::Session& session) {
  if (session.opens().empty() && session.keeps().empty() && !check.unreadable(path + ".opens")) {
    check.missing(path, "keeps", "the patterns that keep it open, or `opens`");
  }
  check.patterns(path + ".opens", session.opens());
  check.patterns(path + ".keeps", session.keeps());
  check.patterns(path + ".closes", session.closes());
  check.positive(path + ".idle", session.idle_ms());
  const bool unknown = check.unreadable(path + ".idle") || check.unreadable(path + ".closes");
  if (session.idle_ms() == 0 && session.closes().empty() && !unknown &&
      !check.written(path + ".idle")) {
    check.warn(path, "the session never ends", "give it `idle` or `closes`");
  }
}

void check_topic(Checker& check, const std::string& path, const std::string& name,
                 const std::string& topic) {
  if (topic.empty() && !is_dns_label(name))
    return;  // would have been the default, but for the name
  if (topic.empty()) return check.missing(path, "topic", "the name of a topic");
  if (!is_topic(topic)) {
    check.fail(path + ".topic", in_quotes(topic) + " cannot be a topic",
               "letters, digits, `.`, `_` and `-`, at most 249");
  }
}

// user_id, anonymous_id, and kinds of one's own.
void check_identities(Checker& check, const std::string& path, const spur::v1::Mapping& map) {
  check.named_expressions(path, map.identities());
  const std::set<std::string> usual = {std::string(kUserIdName), std::string(kAnonymousIdName)};
  int kinds = 0;
  for (int i = 0; i < map.identities_size(); ++i) {
    const std::string& name = map.identities(i).name();
    if (name.empty() || usual.contains(name)) continue;
    ++kinds;
    const std::string near = did_you_mean(name, usual);
    if (!is_identifier(name) || name.size() > kIdentityKindBytesMax) {
      const std::string wanted =
          "loyalty_id, at most " + std::to_string(kIdentityKindBytesMax) + " of a-z, 0-9, _";
      check.fail_key(at(path, i), in_quotes(name) + " cannot name an identity",
                     is_cel_word(name) ? "it is a word of CEL"
                     : near.empty()    ? wanted
                                       : near);
    } else if (!near.empty()) {
      check.warn(at(path, i), in_quotes(name) + " is an identity of its own", near);
    }
  }
  if (kinds > kIdentityKindsMax)
    check.fail_key(path,
                   std::to_string(kinds) + " kinds of identity beside user_id and anonymous_id",
                   "at most " + std::to_string(kIdentityKindsMax));
}

// What an event needs must be said of any JSON; of a CloudEvent there is what its attributes say.
void check_map(Checker& check, const std::string& path, const spur::v1::Source& source) {
  const std::string here = path + ".map";
  const bool json = source.format() == "json";
  if (!source.has_map()) {
    if (json)
      check.missing(path, "map", "what makes an event of the JSON: {name, time, identities, …}");
    return;
  }
  if (!json && source.format() != "cloudevents") {
    if (source.format().empty() || source.format() == "segment" || source.format() == "protobuf")
      check.fail_key(here, "a call in the Segment shape takes no `map`",
                     "remove it, or use format json or cloudevents");
    return;
  }
  const spur::v1::Mapping& map = source.map();
  if (json) {
    check.required(here, "name", map.name(), "CEL, such as body.event or \"'Order Completed'\"");
    check.required(here, "time", map.time(), "CEL, such as timestamp(body.closed_at)");
    if (map.identities().empty())
      check.missing(here, "identities", "whom it is about: {user_id: body.customer}");
  }
  check_identities(check, here + ".identities", map);
  for (const auto& [key, all] :
       {std::pair{".properties", &map.properties()}, std::pair{".traits", &map.traits()}}) {
    const bool whole = all->size() == 1 && all->Get(0).name().empty();
    if (!whole) check.named_expressions(here + key, *all);
  }
  const int expressions = map.identities_size() + map.properties_size() + map.traits_size();
  if (expressions > kMapExpressionsMax)
    check.fail_key(here, std::to_string(expressions) + " expressions in one map",
                   "at most " + std::to_string(kMapExpressionsMax));
}

void check_source(Checker& check, const std::string& path, const spur::v1::Source& source) {
  check_topic(check, path, source.name(), source.topic());
  check.word(path + ".format", source.format(), {"segment", "json", "cloudevents", "protobuf"});
  check_map(check, path, source);
  check.not_negative(path + ".deduplicate", source.deduplicate_ms());
  std::set<std::string> names;
  for (int i = 0; i < source.order_size(); ++i) {
    const std::string here = at(path + ".order", i);
    if (source.order(i).empty()) check.fail(here, "an event name is empty");
    if (!names.insert(source.order(i)).second)
      check.fail(here, in_quotes(source.order(i)) + " stands here twice");
  }
}

void check_tracking_plan(Checker& check, const std::string& path,
                         const spur::v1::TrackingPlan& plan) {
  const auto dotted = [&](const std::string& at, const std::string& name) {
    const bool bad = name.empty() || name.front() == '.' || name.back() == '.' ||
                     name.find("..") != std::string::npos;
    if (bad)
      check.fail(at, in_quotes(name) + " is no name",
                 "with a dot before what lies below: products.price");
  };
  if (plan.events().empty() && plan.traits().empty() && !check.unreadable(path + ".events"))
    check.missing(path, "events", "a mapping of events to their properties, or `traits`");
  std::map<std::string, std::string> names;
  for (int i = 0; i < plan.events_size(); ++i) {
    const spur::v1::PlannedEvent& event = plan.events(i);
    const std::string here = at(path + ".events", i);
    const auto [first, is_new] = names.emplace(normalized_event_name(event.name()), event.name());
    if (event.name().empty()) check.fail_key(here, "an event name is empty");
    if (!is_new)
      check.fail_key(
          here, in_quotes(event.name()) + " and " + in_quotes(first->second) + " are one event",
          "names are compared without case, `_` is a space");
    for (int k = 0; k < event.properties_size(); ++k)
      dotted(at(here + ".properties", k), event.properties(k));
  }
  for (int i = 0; i < plan.traits_size(); ++i) dotted(at(path + ".traits", i), plan.traits(i));
}

void check_reference(Checker& check, const std::string& path,
                     const spur::v1::Reference& reference) {
  if (reference.topic().empty()) {
    check.missing(path, "topic", "the name of a topic");
  } else {
    check_topic(check, path, reference.name(), reference.topic());
  }
  check.word(path + ".format", reference.format(), {"json"});
  check.required(path, "key", reference.key(), "the key of a record, such as body.product_id");
}

void check_channel(Checker& check, const std::string& path, const spur::v1::Channel& channel) {
  check_topic(check, path, channel.name(), channel.topic());
  check.word(path + ".format", channel.format(), {"protobuf", "json"});
  check.word(path + ".delivery", channel.delivery(), {"transactional"});
  check.caps(path + ".caps", channel.caps());
  if (channel.has_rate()) check.rate(path + ".rate", channel.rate());
  if (!channel.purpose().empty() && !is_dns_label(channel.purpose())) {
    check.fail(path + ".purpose", in_quotes(channel.purpose()) + " cannot name a purpose",
               "marketing-email, at most 63 of a-z, 0-9, -");
  }
  if (!channel.has_quiet_hours()) return;
  const std::string quiet_at = path + ".quiet_hours";
  const spur::v1::QuietHours& quiet = channel.quiet_hours();
  const auto minute = [&](const std::string& key, int value) {
    if (check.written(quiet_at) && !check.written(quiet_at + "." + key)) {
      check.missing(quiet_at, key, "a time of day such as \"21:00\"");
    } else if (value < 0 || value >= 24 * 60) {
      check.fail(quiet_at + "." + key, in_quotes(key) + " is not a minute of the day", "0 to 1439");
    }
  };
  minute("from", quiet.from_minute());
  minute("to", quiet.to_minute());
  const bool both = !check.written(quiet_at) ||
                    (check.written(quiet_at + ".from") && check.written(quiet_at + ".to"));
  if (both && quiet.from_minute() == quiet.to_minute() && !check.unreadable(quiet_at + ".from")) {
    check.fail(quiet_at + ".to", "`from` and `to` are the same",
               "two times of day, or leave quiet_hours out");
  }
  check.zone(quiet_at + ".zone", quiet.zone(), true);
  check.word(quiet_at + ".then", quiet.then(), {"defer", "drop"});
}

void check_ladders(Checker& check, const std::string& path, const spur::v1::Policy& policy) {
  std::map<std::string, std::string> ladder_of;
  for (int i = 0; i < policy.ladders_size(); ++i) {
    const spur::v1::Ladder& ladder = policy.ladders(i);
    const std::string here = at(path + ".ladders", i);
    if (ladder.order_size() < 2 && !check.unreadable(here + ".order"))
      check.fail_key(here, "a ladder needs two triggers",
                     "order: [checkout-abandoned, cart-abandoned]");
    for (int k = 0; k < ladder.order_size(); ++k) {
      const std::string rung = at(here + ".order", k);
      check.reference(rung, "Trigger", ladder.order(k), check.names().triggers);
      const auto [other, is_new] = ladder_of.emplace(ladder.order(k), ladder.name());
      if (!is_new) {
        check.fail(
            rung,
            in_quotes(ladder.order(k)) + " stands on " + in_quotes(other->second) + " already",
            "a trigger stands on one ladder, once");
      }
    }
    check.not_negative(here + ".for", ladder.for_ms());
  }
}

// What the gate asks of all: ladders, holdout, consent, erasure, arbitration.
void check_gate(Checker& check, const std::string& path, const spur::v1::Policy& policy) {
  check_ladders(check, path, policy);
  if (policy.has_holdout()) {
    const std::string here = path + ".holdout";
    const double percent = policy.holdout().percent();
    if (!check.unreadable(here + ".percent") && !(percent > 0 && percent <= 100))
      check.fail(check.written(here + ".percent") ? here + ".percent" : here,
                 "`percent` is out of range", "more than 0, at most 100, or leave the holdout out");
    check.required(here, "salt", policy.holdout().salt(),
                   "a text that stays the same as long as the same customers are to be held out");
  }
  const auto purposes = [&](const std::string& key,
                            const google::protobuf::RepeatedPtrField<spur::v1::Pattern>& patterns) {
    const std::string here = path + ".consent." + key;
    check.patterns(here, patterns);
    for (int i = 0; i < patterns.size(); ++i)
      check.required(at(here, i), "key", patterns[i].key(),
                     "the purpose, such as event.properties.purpose");
  };
  purposes("granted", policy.consent().granted());
  purposes("withdrawn", policy.consent().withdrawn());
  check.patterns(path + ".erasure", policy.erasure());
  check.word(path + ".arbitration", policy.arbitration(), {"channel", "customer"});
}

void check_policy(Checker& check, const std::string& path, const spur::v1::Policy& policy) {
  check.zone(path + ".zone", policy.zone(), false);
  check.caps(path + ".caps", policy.caps());
  if (policy.max_action_age_ms() != -1)
    check.not_negative(path + ".max_action_age", policy.max_action_age_ms());
  check.not_negative(path + ".lateness", policy.lateness_ms());
  check_gate(check, path, policy);
}

void check_parameters(Checker& check, const std::string& path,
                      const spur::v1::Parameters& parameters) {
  static const std::set<std::string> names = {"r", "alpha", "a", "b"};
  std::set<std::string> given;
  for (int i = 0; i < parameters.values_size(); ++i) {
    const spur::v1::NamedNumber& value = parameters.values(i);
    const std::string here = at(path + ".values", i);
    if (!given.insert(value.name()).second)
      check.fail_key(here, in_quotes(value.name()) + " stands here twice");
    if (!names.contains(value.name())) {
      check.fail_key(here, "bg_nbd has no parameter " + in_quotes(value.name()),
                     "r, alpha, a, b and unit");
    } else if (!(value.value() > 0)) {
      check.fail(here, in_quotes(value.name()) + " is not positive", "more than 0");
    }
  }
  for (const std::string& name : names) {
    if (!given.contains(name))
      check.missing(path, name, "all of r, alpha, a and b are given, or none");
  }
  if (parameters.unit_ms() == 0 && !check.written(path + ".unit")) {
    check.missing(path, "unit", "the time that the parameters are in, such as 1w");
  }
  check.positive(path + ".unit", parameters.unit_ms());
}

void check_model(Checker& check, const std::string& path, const spur::v1::Model& model) {
  if (model.kind_case() == spur::v1::Model::kUnsupported) {
    return check.fail(path + ".kind",
                      not_in_this_version("model " + in_quotes(model.unsupported().name())));
  }
  if (!model.has_bg_nbd()) {
    if (check.unreadable(path + ".kind")) return;  // that has been said
    return check.missing(path, "bg_nbd",
                         "the pattern of its events, such as {on: Order Completed}");
  }
  const std::string here = path + ".bg_nbd";
  if (model.bg_nbd().patterns().empty())
    check.missing(here, "on", "an event name, a list of them, or \"*\"");
  check.patterns(here + ".patterns", model.bg_nbd().patterns());
  check.positive(here + ".horizon", model.bg_nbd().horizon_ms());
  if (model.has_parameters()) check_parameters(check, path + ".parameters", model.parameters());
}

// Whether the message or one inside it has fields that this version does not know: they would be
// ignored.
bool has_unknown_fields(const Message& message) {
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  if (!reflection.GetUnknownFields(message).empty()) return true;
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (!field->is_repeated()) {
      if (has_unknown_fields(reflection.GetMessage(message, field))) return true;
      continue;
    }
    for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
      if (has_unknown_fields(reflection.GetRepeatedMessage(message, field, i))) return true;
    }
  }
  return false;
}

void check_settings(Checker& check, const std::string& path, std::string_view kind,
                    const Message& resource) {
  if (has_unknown_fields(resource)) {
    check.fail(path, "it has fields that this version does not know",
               "apply it with a tool of the same version");
  }
  const google::protobuf::Reflection& reflection = *resource.GetReflection();
  for (const KnownSetting& setting : unsupported_settings()) {
    const FieldDescriptor* field =
        resource.GetDescriptor()->FindFieldByName(std::string(setting.key));
    if (setting.kind != kind || field == nullptr) continue;
    const bool set = field->is_repeated() ? reflection.FieldSize(resource, field) > 0
                                          : reflection.HasField(resource, field);
    if (set) {
      check.fail(path + "." + std::string(setting.key), not_in_this_version(in_quotes(setting.key)),
                 std::string(setting.hint));
    }
  }
}

// What CEL names is an identifier, a Session may be either, all else is a DNS label.
void check_name(Checker& check, const std::string& path, std::string_view kind,
                const std::string& name) {
  if (name.empty()) return check.missing(path + "/metadata", "name", "every resource has one");
  const std::string here = path + "/metadata.name";
  if (kind == "Feature" || kind == "Model" || kind == "Reference") {
    if (is_identifier(name)) return;
    return check.fail(here, in_quotes(name) + " cannot name a " + std::string(kind),
                      is_cel_word(name)
                          ? "it is a word of CEL"
                          : "CEL must be able to say it: orders_30d, at most 63 of a-z, 0-9, _");
  }
  if (is_dns_label(name) && !(kind == "Session" && is_cel_word(name))) return;
  if (kind == "Session" && is_identifier(name)) return;
  check.fail(here, in_quotes(name) + " cannot name a " + std::string(kind),
             kind == "Session" ? "an identifier or DNS label: cart, web_visit"
                               : "a DNS label: cart-abandoned, at most 63 of a-z, 0-9, -");
}

template <typename Resource>
using Check = void (*)(Checker&, const std::string&, const Resource&);

template <typename Resource>
void check_all(Checker& check, std::string_view kind,
               const google::protobuf::RepeatedPtrField<Resource>& resources,
               Check<Resource> check_one) {
  std::map<std::string, int> occurrences;
  for (const Resource& resource : resources) {
    const int occurrence = ++occurrences[resource.name()];
    const std::string path = resource_path(kind, resource.name(), occurrence);
    check_name(check, path, kind, resource.name());
    // A second Policy is told as such, whatever its name.
    if (occurrence > 1 && !resource.name().empty() && kind != "Policy") {
      check.fail(path + "/metadata.name",
                 "there are two " + std::string(kind) + "s named " + in_quotes(resource.name()),
                 "names are unique per kind");
    }
    check_settings(check, path + "/spec", kind, resource);
    check_one(check, path + "/spec", resource);
  }
}

void check_one_policy(Checker& check, const spur::v1::Catalog& catalog) {
  std::map<std::string, int> occurrences;
  for (int i = 0; i < catalog.policies_size(); ++i) {
    const std::string& name = catalog.policies(i).name();
    const int occurrence = ++occurrences[name];
    if (i > 0)
      check.fail(resource_path("Policy", name, occurrence), "a second Policy", "a catalog has one");
  }
}

// What comes is known by its topic or its name: events and business data share neither.
void check_topics_apart(Checker& check, const spur::v1::Catalog& catalog) {
  std::map<std::string, std::string> owner_of;
  for (const auto& source : catalog.sources())
    owner_of[source.topic()] = "Source " + in_quotes(source.name());
  for (const auto& reference : catalog.references()) {
    const std::string path = resource_path("Reference", reference.name()) + "/spec";
    if (reference.topic().empty()) continue;
    const auto [other, is_new] =
        owner_of.emplace(reference.topic(), "Reference " + in_quotes(reference.name()));
    if (!is_new)
      check.fail(path + ".topic", "the topic is that of " + other->second,
                 "each has a topic of its own");
    for (const auto& source : catalog.sources()) {
      if (source.name() == reference.name())
        check.fail(resource_path("Reference", reference.name()) + "/metadata.name",
                   "a Source has this name too", "what is published is known by it");
    }
  }
}

// Who writes a partition writes all of it in one way, and at one pace.
void check_one_delivery(Checker& check, const spur::v1::Catalog& catalog) {
  std::map<std::string, const spur::v1::Channel*> first;  // by topic
  for (const spur::v1::Channel& channel : catalog.channels()) {
    if (channel.topic().empty()) continue;
    const spur::v1::Channel& other = *first.try_emplace(channel.topic(), &channel).first->second;
    const auto same = [&](bool so, std::string_view what) {
      if (so) return;
      check.fail(resource_path("Channel", channel.name()) + "/spec",
                 "Channel " + in_quotes(other.name()) + " has the same topic and another `" +
                     std::string(what) + "`",
                 "give both the same, or topics of their own");
    };
    same(other.delivery() == channel.delivery(), "delivery");
    same(other.rate().max() == channel.rate().max() &&
             other.rate().per_ms() == channel.rate().per_ms(),
         "rate");
  }
}

Names names_of(const spur::v1::Catalog& catalog) {
  Names names;
  for (const auto& session : catalog.sessions()) names.sessions.insert(session.name());
  for (const auto& channel : catalog.channels()) names.channels.insert(channel.name());
  for (const auto& model : catalog.models()) names.models.insert(model.name());
  for (const auto& segment : catalog.segments()) names.segments.insert(segment.name());
  for (const auto& trigger : catalog.triggers()) names.triggers.insert(trigger.name());
  for (const auto& reference : catalog.references()) names.references.insert(reference.name());
  return names;
}

}  // namespace

Findings validate(const spur::v1::Catalog& catalog, const SourceMap& positions, Complete complete) {
  Findings findings;
  Checker check(positions, complete, names_of(catalog), findings);
  check_all<spur::v1::Source>(check, "Source", catalog.sources(), check_source);
  check_all<spur::v1::Reference>(check, "Reference", catalog.references(), check_reference);
  check_all<spur::v1::Feature>(check, "Feature", catalog.features(), check_feature);
  check_all<spur::v1::Session>(check, "Session", catalog.sessions(), check_session);
  check_all<spur::v1::Segment>(check, "Segment", catalog.segments(),
                               [](Checker& c, const std::string& path, const spur::v1::Segment& s) {
                                 c.required(path, "when", s.when(),
                                            "a condition, such as features.revenue_365d >= 1000");
                               });
  check_all<spur::v1::Trigger>(check, "Trigger", catalog.triggers(), check_trigger);
  check_all<spur::v1::Channel>(check, "Channel", catalog.channels(), check_channel);
  check_all<spur::v1::Policy>(check, "Policy", catalog.policies(), check_policy);
  check_all<spur::v1::Model>(check, "Model", catalog.models(), check_model);
  check_all<spur::v1::TrackingPlan>(check, "TrackingPlan", catalog.tracking_plans(),
                                    check_tracking_plan);
  check_one_policy(check, catalog);
  check_topics_apart(check, catalog);
  check_one_delivery(check, catalog);
  return findings;
}

}  // namespace spur::catalog
