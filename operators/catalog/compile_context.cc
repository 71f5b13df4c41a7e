#include "operators/catalog/compile_context.h"

#include <utility>

namespace spur::catalog {
namespace {

using expression::Type;

// The kinds of value that one declared type admits where another is wanted: dyn is checked when
// run, and a measured number may stand for a counted one.
bool fits(const Type& have, const Type& want) {
  if (want.is(Type::Kind::kDyn) || have.is(Type::Kind::kDyn)) return true;
  if (want.is_number() && have.is_number()) return true;
  if (want.is(Type::Kind::kList) && have.is(Type::Kind::kList)) return true;
  return have == want;
}

void declare_record(const Place& place, expression::Environment& env) {
  if (place.record != kNone) {
    env.declare("record", Type::object());
  } else {
    env.declare_unavailable("record", "`record` belongs to the operator business");
  }
  if (place.previous) {
    env.declare("previous", Type::object());
  } else {
    env.declare_unavailable(
        "previous", place.record == kNone
                        ? "`previous` belongs to the operator business"
                        : "`previous` is gone by the time of a later step; put what it needs into "
                          "`when` or `if`");
  }
}

// The name by which a person knows the type.
std::string plain(const Type& type) {
  if (type.is(Type::Kind::kBool)) return "a condition (bool)";
  if (type.is(Type::Kind::kDuration)) return "a duration";
  if (type.is(Type::Kind::kTimestamp)) return "a timestamp";
  if (type.is(Type::Kind::kList)) return "a list";
  return type.to_string();
}

}  // namespace

std::string spec_path(std::string_view kind, std::string_view name, std::string_view field) {
  return resource_path(kind, name) + "/spec" + (field.empty() ? "" : "." + std::string(field));
}

Zone CompileContext::zone(const std::string& path, std::string_view name) {
  if (std::optional<Zone> found = Zone::load(name)) return *std::move(found);
  error(path, "there is no time zone `" + std::string(name) + "`",
        "an IANA name such as Europe/Stockholm");
  return Zone::utc();
}

std::optional<Zone> CompileContext::zone_or_customer(const std::string& path,
                                                     std::string_view name) {
  if (name.empty()) return out.policy.zone;
  if (name == "customer") return std::nullopt;
  return zone(path, name);
}

void CompileContext::error(const std::string& path, std::string message, std::string hint) {
  if (positions.unreadable(path)) {
    unreadable = true;
    return;
  }
  errors.push_back({positions.position(path), std::move(message), std::move(hint)});
}

expression::Environment CompileContext::environment(const Place& place) const {
  expression::Environment env;
  env.declare("now", Type::timestamp());
  for (const spur::v1::Reference& reference : in.references())
    env.declare("reference." + reference.name(), Type::map(Type::string(), Type::dyn()));
  if (in.references().empty())
    env.declare_unavailable("reference", "the catalog has no Reference");
  declare_record(place, env);
  env.declare_unavailable("body", "`body` is known in a Source's `map` and a Reference's `key` and `time` alone");
  if (!place.customer) {
    for (const char* name : {"event", "before", "features", "traits", "segments", "sessions",
                             "models", "item", "instance"})
      env.declare_unavailable(name, "nobody is looked at here yet: this is asked once a change; `if` "
                                    "is asked of each customer");
    return env;
  }
  env.declare("traits", Type::object());
  plans.restrict_traits(env);
  env.declare("segments", Type::map(Type::string(), Type::boolean()));
  std::set<std::string> segments;
  for (const spur::v1::Segment& segment : in.segments()) segments.insert(segment.name());
  env.declare_keys("segments", "Segment", std::move(segments));
  for (int i = 0; i < in.features_size(); ++i) {
    const spur::v1::Feature& feature = in.features(i);
    const auto declare = [&](const std::string& root) {
      const std::string name = root + "." + feature.name();
      const Type value = feature_types[static_cast<std::size_t>(i)];
      if (!feature.by().empty()) {
        env.declare(name, Type::map(Type::string(), value));
      } else if (feature.aggregate() == "gaps") {
        env.declare(name + ".count", Type::integer());
        for (const char* member : {".mean", ".last", ".median", ".p90"}) {
          env.declare(name + member, Type::duration());
        }
      } else {
        env.declare(name, value);
      }
    };
    declare("features");
    if (place.event && place.before) declare("before");
  }
  for (const spur::v1::Session& session : in.sessions()) {
    const std::string name = "sessions." + session.name();
    env.declare(name + ".open", Type::boolean());
    env.declare(name + ".count", Type::integer());
    env.declare(name + ".events", Type::integer());
    env.declare(name + ".started", Type::timestamp());
    env.declare(name + ".last", Type::timestamp());
  }
  for (const spur::v1::Model& model : in.models()) {
    const std::string name = "models." + model.name();
    env.declare(name + ".score", Type::real());
    env.declare(name + ".version", Type::string());
    env.declare(name + ".at", Type::timestamp());
    env.declare(name + ".p_alive", Type::real());
    env.declare(name + ".expected", Type::real());
  }
  if (place.event) {
    env.declare("event.id", Type::string());
    env.declare("event.name", Type::string());
    env.declare("event.type", Type::string());
    env.declare("event.time", Type::timestamp());
    env.declare("event.properties", Type::object());
    env.declare("event.context", Type::object());
    env.declare("event.traits", Type::object());
    plans.restrict_event(env, "event", place.events);
    if (!place.before) {
      env.declare_unavailable(
          "before", "`before` is gone by the time of a later step; put what it needs into `if`");
    }
  } else {
    env.declare_unavailable("event", place.why_no_event);
    env.declare_unavailable("before", "`before` is only known while an event is being taken");
  }
  if (place.item) {
    env.declare("item", Type::dyn());  // an object, a text or a number: whatever the list holds
  } else {
    env.declare_unavailable("item",
                            "`item` is the element of a pattern's `each`, and there is none here");
  }
  if (place.instance) {
    env.declare("instance.key", Type::string());
    env.declare("instance.opened_at", Type::timestamp());
    env.declare("instance.count", Type::integer());
    if (place.opened) {
      env.declare("instance.opened.id", Type::string());
      env.declare("instance.opened.name", Type::string());
      env.declare("instance.opened.type", Type::string());
      env.declare("instance.opened.time", Type::timestamp());
      env.declare("instance.opened.properties", Type::object());
      env.declare("instance.opened.context", Type::object());
      env.declare("instance.opened.traits", Type::object());
      plans.restrict_event(env, "instance.opened", place.events);
    }
    env.declare("instance.last", Type::dyn());  // so that has(instance.last) can be asked
    env.declare("instance.last.at", Type::timestamp());
    env.declare("instance.last.data", Type::object());
  } else {
    env.declare_unavailable("instance", "there is no instance here: nothing has opened or fired");
  }
  return env;
}

expression::Environment CompileContext::body_environment() const {
  expression::Environment env;
  env.declare("body", Type::object());
  for (const char* name : {"event", "features", "traits", "segments", "sessions", "models", "now",
                           "reference", "record", "instance"})
    env.declare_unavailable(name, "only the record itself, `body`, is known here");
  return env;
}

std::optional<Program> CompileContext::program(const std::string& path, std::string_view source,
                                               const Place& place, const Type& type) {
  if (source.empty()) return std::nullopt;
  return program(path, source, environment(place), type);
}

std::optional<Program> CompileContext::program(const std::string& path, std::string_view source,
                                               const expression::Environment& environment,
                                               const Type& type) {
  if (source.empty()) return std::nullopt;
  expression::Compiled compiled = expression::compile(source, environment, out.references);
  for (const expression::Diagnostic& d : compiled.errors) {
    errors.push_back({positions.position(path, d.offset), d.message, d.hint});
  }
  for (const expression::Diagnostic& d : compiled.warnings) {
    warnings.push_back({positions.position(path, d.offset), d.message, d.hint});
  }
  if (!compiled.program) return std::nullopt;
  if (!fits(compiled.program->type(), type)) {
    error(path, "this is " + plain(compiled.program->type()), "wanted here: " + plain(type));
    return std::nullopt;
  }
  return std::move(compiled.program);
}

void CompileContext::restrict_item(expression::Environment& env, std::string_view each,
                                   const std::optional<Program>& list,
                                   const std::vector<std::string>* events) const {
  if (!list || list->slots().size() != 1) return;
  const expression::Reference& reference = out.references[list->slots()[0]];
  if (reference.variable == "event.properties" && !reference.path.empty() &&
      reference.to_string() == each)
    plans.restrict_item(env, reference.path, events);
}

std::vector<Pattern> CompileContext::patterns(
    const std::string& path,
    const google::protobuf::RepeatedPtrField<spur::v1::Pattern>& in_patterns, std::string_view key,
    const std::string& key_path) {
  std::vector<Pattern> compiled;
  for (int i = 0; i < in_patterns.size(); ++i) {
    const spur::v1::Pattern& from = in_patterns.Get(i);
    const std::string at = path + "[" + std::to_string(i) + "]";
    Pattern pattern;
    const std::vector<std::string> names(from.on().begin(), from.on().end());
    for (std::size_t k = 0; k < names.size(); ++k) {
      const std::string& name = names[k];
      if (!plans.has_event(name)) {
        error(at + ".on[" + std::to_string(k) + "]",
              "no tracking plan has the event `" + name + "`", plans.meant(name));
      }
      if (name == "*") {
        pattern.all_names = true;
      } else {
        pattern.names.push_back(out.schema.add_name(name));
      }
    }
    Place place{.event = true, .events = &names};
    const expression::Environment bare = environment(place);
    pattern.each = program(at + ".each", from.each(), bare, Type::list(Type::dyn()));
    place.item = !from.each().empty();
    expression::Environment inner = place.item ? environment(place) : bare;
    restrict_item(inner, from.each(), pattern.each, &names);
    pattern.where = program(at + ".where", from.where(), inner, Type::boolean());
    pattern.key = from.key().empty() ? program(key_path, key, inner, Type::dyn())
                                     : program(at + ".key", from.key(), inner, Type::dyn());
    compiled.push_back(std::move(pattern));
  }
  return compiled;
}

}  // namespace spur::catalog
