#include "daemon/authoring/schema.h"

#include <set>
#include <string_view>
#include <vector>

#include "daemon/authoring/json_writer.h"
#include "daemon/authoring/proto_comments.h"
#include "daemon/authoring/words.h"
#include "operators/catalog/field_names.h"
#include "operators/catalog/known.h"
#include "operators/catalog/names.h"
#include "operators/catalog/validate.h"

namespace spur::authoring {
namespace {

using catalog::FieldName;
using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

constexpr std::string_view kDuration =
    "^-?(?=[0-9])([0-9]+w)?([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$";
constexpr std::string_view kInstant =
    "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,3})?(Z|[+-][0-9]{2}:[0-9]{2}"
    ")$";
constexpr std::string_view kTimeOfDay = "^([01][0-9]|2[0-3]):[0-5][0-9]$";
constexpr std::string_view kIdentifier = "^[a-z_][a-z0-9_]{0,62}$";
constexpr std::string_view kLabel = "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$";
constexpr std::string_view kIdentifierOrLabel =
    "^([a-z_][a-z0-9_]{0,62}|[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)$";
static_assert(catalog::kNameBytesMax == 63);

// The kinds of resources that can be written, by their messages.
std::vector<const Descriptor*> kinds() {
  std::vector<const Descriptor*> kinds;
  const Descriptor& catalog = catalog_with_comments();
  for (int i = 0; i < catalog.field_count(); ++i) {
    const Descriptor& kind = *catalog.field(i)->message_type();
    // `retired` holds triggers, which come first.
    if (!kinds.empty() && catalog.field(i)->name() == "retired") continue;
    if (catalog::find_name(catalog::unsupported_kinds(), kind.name()) == nullptr) {
      kinds.push_back(&kind);
    }
  }
  return kinds;
}

// How a resource of the kind is named.
std::string_view name_pattern(std::string_view kind) {
  if (kind == "Feature" || kind == "Model" || kind == "Reference") return kIdentifier;
  return kind == "Session" ? kIdentifierOrLabel : kLabel;
}

bool is_in_this_version(const Descriptor& message, const FieldName& name) {
  if (catalog::find_setting(message.name(), name.key) != nullptr) return false;
  const bool model = message.name() == "Model" && name.field->real_containing_oneof() != nullptr;
  return !model || catalog::find_name(catalog::unsupported_models(), name.key) == nullptr;
}

class Writer {
 public:
  std::string run() {
    json_.begin('{');
    json_.member("$schema", "http://json-schema.org/draft-07/schema#");
    json_.member("title", "A document of a Spur catalog");
    json_.member("type", "object");
    json_.key("required").begin('[');
    for (const char* key : {"apiVersion", "kind", "metadata", "spec"}) json_.text(key);
    json_.end(']');
    json_.key("additionalProperties").raw("false");
    head();
    json_.key("allOf").begin('[');
    for (const Descriptor* kind : kinds()) choose(*kind);
    json_.end(']');
    json_.key("definitions").begin('{');
    constants();
    for (const Descriptor* kind : kinds()) wanted_.insert(kind);
    // Writing one may want others.
    while (!wanted_.empty()) {
      const Descriptor* const next = *wanted_.begin();
      wanted_.erase(wanted_.begin());
      if (written_.insert(next).second) definition(*next);
    }
    json_.end('}').end('}');
    return json_.take();
  }

 private:
  struct ByName {
    bool operator()(const Descriptor* a, const Descriptor* b) const {
      return a->name() < b->name();
    }
  };
  using Messages = std::set<const Descriptor*, ByName>;

  void head() {
    json_.key("properties").begin('{');
    json_.key("apiVersion").begin('{').member("const", "spur/v1").end('}');
    json_.key("kind").begin('{').key("enum").begin('[');
    for (const Descriptor* kind : kinds()) json_.text(kind->name());
    json_.end(']').end('}');
    json_.key("metadata").begin('{').member("type", "object");
    json_.key("required").begin('[').text("name").end(']');
    json_.key("additionalProperties").raw("false");
    json_.key("properties").begin('{').key("name").begin('{').member("type", "string");
    json_.end('}').end('}').end('}');
    json_.key("spec").begin('{').member("type", "object").end('}');
    json_.end('}');
  }

  void choose(const Descriptor& kind) {
    json_.begin('{');
    json_.key("if").begin('{').key("properties").begin('{').key("kind").begin('{');
    json_.member("const", kind.name()).end('}').end('}');
    json_.key("required").begin('[').text("kind").end(']').end('}');
    json_.key("then").begin('{').key("properties").begin('{');
    json_.key("metadata").begin('{').key("properties").begin('{').key("name").begin('{');
    json_.member("pattern", name_pattern(kind.name())).end('}').end('}').end('}');
    json_.key("spec");
    reference(kind.name());
    json_.end('}').end('}').end('}');
  }

  // Forms that many fields share.
  void constants() {
    json_.key("text").begin('{').key("type").begin('[');
    for (const char* type : {"string", "number", "boolean"}) json_.text(type);
    json_.end(']').end('}');
    const auto form = [&](const char* name, std::string_view pattern, const char* example) {
      json_.key(name).begin('{').member("type", "string").member("pattern", pattern);
      json_.key("examples").begin('[').text(example).end(']').end('}');
    };
    form("duration", kDuration, "7d");
    form("instant", kInstant, "2026-03-01T08:00:00Z");
    form("timeOfDay", kTimeOfDay, "21:00");
  }

  void reference(std::string_view definition) {
    json_.begin('{').member("$ref", "#/definitions/" + std::string(definition)).end('}');
  }

  void definition(const Descriptor& message) {
    json_.key(message.name()).begin('{').member("type", "object");
    if (const std::string comment = comment_of(message); !comment.empty()) {
      json_.member("description", comment);
    }
    json_.key("additionalProperties").raw("false");
    json_.key("properties").begin('{');
    bool has_on = false;
    for (const FieldName& name : catalog::field_names(message)) {
      if (!is_in_this_version(message, name)) continue;
      has_on = has_on || (name.key == "on" && name.field->is_repeated());
      json_.key(name.key);
      property(message, *name.field);
    }
    json_.end('}');
    if (has_on) {  // a reader of YAML 1.1 takes the key `on` for true
      json_.key("patternProperties").begin('{').key("^true$");
      json_.begin('{').end('}').end('}');
    }
    choices(message);
    json_.end('}');
  }

  // One of a oneof's fields, and only one.
  void choices(const Descriptor& message) {
    if (message.real_oneof_decl_count() == 0) return;
    const google::protobuf::OneofDescriptor& choice = *message.oneof_decl(0);
    json_.key("oneOf").begin('[');
    for (int i = 0; i < choice.field_count(); ++i) {
      const FieldDescriptor& field = *choice.field(i);
      if (field.name() == "unsupported") continue;
      json_.begin('{').key("required").begin('[').text(catalog::yaml_name(field)).end(']').end('}');
    }
    json_.end(']');
  }

  void property(const Descriptor& message, const FieldDescriptor& field) {
    json_.begin('{');
    if (const std::string comment = comment_of(field); !comment.empty()) {
      json_.member("description", comment);
    }
    const bool mapped = message.name() == "Mapping" && field.name() != "identities";
    if (mapped && field.type() == FieldDescriptor::TYPE_MESSAGE) {  // or CEL that gives the mapping
      json_.key("anyOf").begin('[').begin('{');
      message_forms(*field.message_type(), field.is_repeated());
      json_.end('}');
      reference("text");
      json_.end(']');
    } else if (field.type() == FieldDescriptor::TYPE_MESSAGE) {
      message_forms(*field.message_type(), field.is_repeated());
    } else if (field.is_repeated()) {
      texts();
    } else {
      scalar(message, field);
    }
    json_.end('}');
  }

  // One text or a list of texts.
  void texts() {
    json_.key("anyOf").begin('[');
    reference("text");
    json_.begin('{').member("type", "array").key("items");
    reference("text");
    json_.end('}').end(']');
  }

  void message_forms(const Descriptor& type, bool repeated) {
    if (type.name() == "NamedExpression") {
      json_.member("type", "object").key("additionalProperties");
      return reference("text");
    }
    if (type.name() == "Parameters") {
      json_.member("type", "object").key("properties").begin('{').key("unit");
      reference("duration");
      json_.end('}').key("additionalProperties").begin('{').member("type", "number").end('}');
      return;
    }
    if (type.name() == "PlannedEvent") {  // by name, its properties
      json_.member("type", "object").key("additionalProperties").begin('{');
      texts();
      json_.end('}');
      return;
    }
    wanted_.insert(&type);
    if (type.name() == "Ladder") {  // by name
      json_.member("type", "object").key("additionalProperties");
      return reference(type.name());
    }
    // One thing or a list of things; an operator that is a pattern may be several.
    const auto names = catalog::field_names(type);
    const bool only_patterns = type.field_count() == 1 && type.field(0)->name() == "patterns";
    const bool list = repeated || only_patterns || type.name() == "NoveltyOperator";
    json_.key("anyOf").begin('[');
    reference(type.name());
    if (list) {
      json_.begin('{').member("type", "array").key("items");
      reference(type.name());
      json_.end('}');
    }
    if (type.name() == "Cooldown") reference("duration");
    json_.end(']');
  }

  void scalar(const Descriptor& message, const FieldDescriptor& field) {
    const std::span<const std::string_view> words = words_of(message.name(), field.name());
    if (!words.empty()) {
      json_.key("enum").begin('[');
      for (const std::string_view word : words) json_.text(word);
      json_.end(']');
      return;
    }
    if (catalog::is_time_of_day(field)) return one_of("timeOfDay");
    if (catalog::is_instant(field)) return one_of("instant");
    if (catalog::is_duration(field)) return one_of("duration", field.name() == "max_action_age_ms");
    switch (field.type()) {
      case FieldDescriptor::TYPE_BOOL:
        json_.member("type", "boolean");
        return;
      case FieldDescriptor::TYPE_DOUBLE:
        json_.member("type", "number");
        return;
      case FieldDescriptor::TYPE_UINT32:
        json_.member("type", "integer").key("minimum").raw("1");
        json_.key("maximum").raw(std::to_string(catalog::kLimitMax));
        return;
      case FieldDescriptor::TYPE_INT32:
      case FieldDescriptor::TYPE_INT64:
        json_.member("type", "integer");
        return;
      default:
        return one_of("text");
    }
  }

  // Draft 7 sees nothing beside a $ref, so that stands in a list.
  void one_of(std::string_view definition, bool or_never = false) {
    json_.key("anyOf").begin('[');
    reference(definition);
    if (or_never) json_.begin('{').member("const", "never").end('}');
    json_.end(']');
  }

  JsonWriter json_;
  Messages wanted_;
  Messages written_;
};

}  // namespace

std::string catalog_schema() { return Writer().run(); }

}  // namespace spur::authoring
