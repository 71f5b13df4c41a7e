// What a Source's `map` makes of a body: programs of their own, which see nothing but `body`.
#include "operators/catalog/compile_context.h"

namespace spur::catalog {
namespace {

using expression::Type;

expression::Environment body_alone() {
  expression::Environment env;
  env.declare("body", Type::object());
  for (const char* name : {"event", "features", "before", "traits", "segments", "sessions",
                           "models", "instance", "item", "now"}) {
    env.declare_unavailable(
        name,
        "`" + std::string(name) + "` is not known here: a map sees `body`, the JSON as it came");
  }
  return env;
}

class MappingCompiler {
 public:
  MappingCompiler(CompileContext& context, std::string path, Mapping& mapping)
      : c_(context), path_(std::move(path)), mapping_(mapping) {}

  void run(const spur::v1::Mapping& from) {
    mapping_.id = program("id", from.id());
    mapping_.name = program("name", from.name(), {Type::Kind::kString});
    mapping_.time = program("time", from.time(), {Type::Kind::kTimestamp, Type::Kind::kString});
    identities(from);
    named("properties", from.properties(), mapping_.properties);
    check_plan(from);
    named("traits", from.traits(), mapping_.traits);
    for (std::uint32_t slot = 0; slot < references_.size(); ++slot) {
      const expression::Reference& reference = references_[slot];
      std::vector<std::string> path{reference.variable};
      path.insert(path.end(), reference.path.begin(), reference.path.end());
      mapping_.slots.push_back(mapping_.body.add_field(path));
    }
  }

 private:
  // What the map makes is what a tracking plan has: of the one event it makes, or of any.
  void check_plan(const spur::v1::Mapping& from) {
    std::vector<std::string> events;
    if (mapping_.name && mapping_.name->constant()) {
      events.emplace_back(mapping_.name->constant()->as_text());
      if (!c_.plans.has_event(events[0]))
        c_.error(path_ + ".name", "no tracking plan has the event `" + events[0] + "`",
                 c_.plans.meant(events[0]));
    }
    for (int i = 0; i < from.properties_size(); ++i) {
      if (from.properties(i).name().empty()) continue;
      if (auto none = c_.plans.no_property(from.properties(i).name(), &events)) {
        c_.errors.push_back(
            {c_.positions.key_position(path_ + ".properties[" + std::to_string(i) + "]"),
             std::move(none->message), std::move(none->hint)});
      }
    }
  }

  void identities(const spur::v1::Mapping& from) {
    for (int i = 0; i < from.identities_size(); ++i) {
      const std::string& name = from.identities(i).name();
      auto compiled =
          program("identities[" + std::to_string(i) + "]", from.identities(i).expression());
      if (name == kUserIdName)
        mapping_.user_id = std::move(compiled);
      else if (name == kAnonymousIdName)
        mapping_.anonymous_id = std::move(compiled);
      else if (compiled)
        mapping_.named_ids.push_back({name, *std::move(compiled)});
    }
  }

  void named(const std::string& field,
             const google::protobuf::RepeatedPtrField<spur::v1::NamedExpression>& from,
             std::vector<Mapping::Named>& kept) {
    for (int i = 0; i < from.size(); ++i) {
      const bool whole = from[i].name().empty();
      const std::string at = whole ? field : field + "[" + std::to_string(i) + "]";
      auto compiled = whole ? program(at, from[i].expression(), {Type::Kind::kMap})
                            : program(at, from[i].expression());
      if (compiled) kept.push_back({from[i].name(), *std::move(compiled)});
    }
  }

  // `kinds`: what it may be, where that is known when loaded; empty: anything.
  std::optional<Program> program(const std::string& field, const std::string& source,
                                 std::initializer_list<Type::Kind> kinds = {}) {
    if (source.empty()) return std::nullopt;
    const std::string path = path_ + "." + field;
    expression::Compiled compiled = expression::compile(source, environment_, references_);
    for (const expression::Diagnostic& d : compiled.errors)
      c_.errors.push_back({c_.positions.position(path, d.offset), d.message, d.hint});
    for (const expression::Diagnostic& d : compiled.warnings)
      c_.warnings.push_back({c_.positions.position(path, d.offset), d.message, d.hint});
    if (!compiled.program) return std::nullopt;
    Type type = compiled.program->type();
    if (type.is(Type::Kind::kOptional)) type = type.element();  // none is not there
    bool fits = kinds.size() == 0 || type.is(Type::Kind::kDyn);
    for (const Type::Kind kind : kinds) fits = fits || type.is(kind);
    if (!fits) {
      c_.error(path, "this is " + type.to_string(), wanted(*kinds.begin()));
      return std::nullopt;
    }
    return std::move(compiled.program);
  }

  static std::string wanted(Type::Kind kind) {
    if (kind == Type::Kind::kTimestamp) return "a timestamp, such as timestamp(body.closed_at)";
    return kind == Type::Kind::kMap ? "a map, or a mapping of names to CEL" : "a text";
  }

  CompileContext& c_;
  const std::string path_;
  Mapping& mapping_;
  const expression::Environment environment_ = body_alone();
  expression::References references_;
};

}  // namespace

std::shared_ptr<const Mapping> compile_mapping(CompileContext& context,
                                               const spur::v1::Source& from) {
  if (!from.has_map()) return nullptr;
  auto mapping = std::make_shared<Mapping>();
  MappingCompiler(context, spec_path("Source", from.name(), "map"), *mapping).run(from.map());
  return mapping;
}

}  // namespace spur::catalog
