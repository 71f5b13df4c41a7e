// Fields: a YAML mapping into a protobuf message, by the message's schema; and YAML's liberties,
// read by hand.
#include <google/protobuf/descriptor.h>

#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <tuple>

#include "operators/catalog/durations.h"
#include "operators/catalog/field_names.h"
#include "operators/catalog/known.h"
#include "operators/catalog/reader.h"
#include "operators/catalog/validate.h"
#include "spur/v1/catalog.pb.h"

namespace spur::catalog {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr std::string_view kDurationHint = "a duration is written 90s, 30m, 2h, 7d, 4w or 1h30m";

bool is_message(const FieldDescriptor& field, std::string_view name) {
  return field.type() == FieldDescriptor::TYPE_MESSAGE && field.message_type()->name() == name;
}

// What keys a mapping for a message may have, and where each goes.
using Targets = std::map<std::string, FieldName>;

Targets targets_of(const Descriptor& type) {
  Targets targets;
  for (FieldName& name : field_names(type)) targets.emplace(name.key, name);
  return targets;
}

std::set<std::string> keys_of(const Targets& targets) {
  std::set<std::string> keys;
  for (const auto& [key, target] : targets) keys.insert(key);
  return keys;
}

class FieldReader {
 public:
  explicit FieldReader(Reader& reader) : reader_(reader) {}

  // The keys of `node` into `message`. `where` names the mapping for people.
  void read_mapping(const YamlNode& node, Message& message, const std::string& path,
                    const std::string& where) {
    const Targets targets = targets_of(*message.GetDescriptor());
    for (const YamlEntry& entry : node.entries) {
      const std::string here = path + "." + entry.key;
      reader_.note(here, entry.key_offset, *entry.value);
      const auto target = targets.find(entry.key);
      if (refuse_known(entry, message, here)) continue;
      if (target == targets.end()) {
        const std::string meant = reader_.unknown_key(entry, node, keys_of(targets), where);
        if (!meant.empty()) reader_.unreadable(path + "." + meant);  // so it is not missing as well
      } else if (target->second.in_pattern) {
        read_field(entry, inline_pattern(message), *target->second.field, here);
      } else if (may_be_set(entry, message, *target->second.field, here)) {
        read_field(entry, message, *target->second.field, here);
      }
    }
  }

 private:
  static Message& inline_pattern(Message& message) {
    const FieldDescriptor* patterns = message.GetDescriptor()->FindFieldByName("patterns");
    const google::protobuf::Reflection& reflection = *message.GetReflection();
    if (reflection.FieldSize(message, patterns) == 0) reflection.AddMessage(&message, patterns);
    return *reflection.MutableRepeatedMessage(&message, patterns, 0);
  }

  // Settings and models that the language has and this version has not.
  bool refuse_known(const YamlEntry& entry, Message& message, const std::string& path) {
    const std::string& type = message.GetDescriptor()->name();
    if (const KnownSetting* setting = find_setting(type, entry.key)) {
      reader_.fail(entry.key_offset, not_in_this_version(quoted(entry.key)),
                   std::string(setting->hint));
      return true;
    }
    if (type != "Model") return false;
    const KnownName* name = find_name(unsupported_models(), entry.key);
    if (name == nullptr) return false;
    reader_.fail(entry.key_offset, not_in_this_version("model " + quoted(entry.key)),
                 std::string(name->hint));
    reader_.unreadable(path.substr(0, path.rfind('.')) + ".kind");
    return true;
  }

  // One operator a trigger, one kind a model.
  bool may_be_set(const YamlEntry& entry, const Message& message, const FieldDescriptor& field,
                  const std::string& path) {
    const auto* choice = field.real_containing_oneof();
    if (choice == nullptr || !message.GetReflection()->HasOneof(message, choice)) return true;
    const FieldDescriptor* earlier =
        message.GetReflection()->GetOneofFieldDescriptor(message, choice);
    reader_.fail(entry.key_offset,
                 "two " + std::string(choice->name() == "kind" ? "models" : "operators") + ", " +
                     quoted(yaml_name(*earlier)) + " and " + quoted(entry.key),
                 choice->name() == "kind" ? "one a Model" : "one a Trigger");
    reader_.unreadable(path);
    return false;
  }

  void wrong_type(const YamlEntry& entry, const std::string& path, std::string needed) {
    reader_.fail(offset_of(entry), quoted(entry.key) + " is " + kind_of(*entry.value),
                 std::move(needed));
    reader_.unreadable(path);
  }

  void bad_value(const YamlEntry& entry, const std::string& path, const std::string& what,
                 std::string hint) {
    reader_.fail(entry.value->offset,
                 quoted(entry.key) + " is " + quoted(entry.value->text) + ", " + what,
                 std::move(hint));
    reader_.unreadable(path);
  }

  bool is_scalar(const YamlEntry& entry, const std::string& path, std::string_view needed) {
    if (entry.value->kind == YamlNode::Kind::kScalar) return true;
    wrong_type(entry, path, std::string(needed));
    return false;
  }

  void read_field(const YamlEntry& entry, Message& message, const FieldDescriptor& field,
                  const std::string& path) {
    if (is_message(field, "NamedExpression"))
      return read_named_expressions(entry, message, field, path);
    if (is_message(field, "Cooldown")) return read_cooldown(entry, message, field, path);
    if (is_message(field, "Parameters")) return read_parameters(entry, message, field, path);
    if (is_message(field, "Ladder")) return read_ladders(entry, message, field, path);
    if (is_message(field, "PlannedEvent")) return read_planned(entry, message, field, path);
    if (field.type() == FieldDescriptor::TYPE_MESSAGE) {
      return field.is_repeated() ? read_messages(entry, message, field, path)
                                 : read_message(entry, message, field, path);
    }
    if (field.is_repeated()) return read_texts(entry, message, field, path);
    read_scalar(entry, message, field, path);
  }

  void read_message(const YamlEntry& entry, Message& message, const FieldDescriptor& field,
                    const std::string& path) {
    const YamlNode& value = *entry.value;
    Message& inner = *message.GetReflection()->MutableMessage(&message, &field);
    // An operator that is a pattern may be several.
    const bool only_patterns = field.message_type()->field_count() == 1 &&
                               field.message_type()->field(0)->name() == "patterns";
    if (only_patterns && value.kind == YamlNode::Kind::kList) {
      return read_messages(entry, inner, *field.message_type()->field(0), path);
    }
    if (is_message(field, "NoveltyOperator") && value.kind == YamlNode::Kind::kList) {
      return read_novelties(entry, inner, path);
    }
    if (value.kind != YamlNode::Kind::kMap) {
      return wrong_type(entry, path,
                        "write a mapping of " + joined(keys_of(targets_of(*field.message_type()))));
    }
    read_mapping(value, inner, path, "`" + entry.key + "`");
  }

  // A novelty of several patterns: each entry a pattern with its own `of`. What is said of the
  // whole may stand in any of them, once.
  void read_novelties(const YamlEntry& entry, Message& message, const std::string& path) {
    auto& whole = static_cast<spur::v1::NoveltyOperator&>(message);
    for (std::size_t i = 0; i < entry.value->items.size(); ++i) {
      const YamlNode& item = *entry.value->items[i];
      const std::string here = path + "[" + std::to_string(i) + "]";
      reader_.note(here, item.offset, item);
      spur::v1::NoveltyOperator one;
      if (item.kind == YamlNode::Kind::kMap) {
        read_mapping(item, one, here, "`" + entry.key + "`");
      } else {
        reader_.fail(item.offset, "an entry of " + quoted(entry.key) + " is " + kind_of(item),
                     "write a mapping of " + joined(keys_of(targets_of(*one.GetDescriptor()))));
        reader_.unreadable(here);
      }
      spur::v1::Pattern& pattern = *whole.add_patterns();
      if (one.patterns_size() > 0) pattern = one.patterns(0);
      pattern.set_of(one.of());
      for (const auto& [name, said, stands] :
           {std::tuple{"kth", one.kth() != 0, whole.kth() != 0 && whole.kth() != one.kth()},
            std::tuple{"limit", one.limit() != 0,
                       whole.limit() != 0 && whole.limit() != one.limit()}}) {
        if (said && stands)
          reader_.fail(item.offset, "two values of " + quoted(name), "one for all patterns");
      }
      if (one.kth() != 0) whole.set_kth(one.kth());
      if (one.limit() != 0) whole.set_limit(one.limit());
      if (one.after_first()) whole.set_after_first(true);
    }
  }

  // A list of mappings, or one without the list.
  void read_messages(const YamlEntry& entry, Message& message, const FieldDescriptor& field,
                     const std::string& path) {
    const YamlNode& value = *entry.value;
    const google::protobuf::Reflection& reflection = *message.GetReflection();
    const std::string needed = "write a mapping of " +
                               joined(keys_of(targets_of(*field.message_type()))) +
                               ", or a list of them";
    if (value.kind == YamlNode::Kind::kMap) {
      return read_mapping(value, *reflection.AddMessage(&message, &field), path,
                          "`" + entry.key + "`");
    }
    if (value.kind != YamlNode::Kind::kList) return wrong_type(entry, path, needed);
    for (std::size_t i = 0; i < value.items.size(); ++i) {
      const YamlNode& item = *value.items[i];
      const std::string here = path + "[" + std::to_string(i) + "]";
      reader_.note(here, item.offset, item);
      Message& inner = *reflection.AddMessage(&message, &field);
      if (item.kind == YamlNode::Kind::kMap) {
        read_mapping(item, inner, here, "`" + entry.key + "`");
      } else {
        reader_.fail(item.offset, "an entry of " + quoted(entry.key) + " is " + kind_of(item),
                     needed);
        reader_.unreadable(here);
      }
    }
  }

  // A list of texts, or one without the list.
  void read_texts(const YamlEntry& entry, Message& message, const FieldDescriptor& field,
                  const std::string& path) {
    const YamlNode& value = *entry.value;
    const google::protobuf::Reflection& reflection = *message.GetReflection();
    if (value.kind == YamlNode::Kind::kScalar)
      return reflection.AddString(&message, &field, value.text);
    if (value.kind != YamlNode::Kind::kList)
      return wrong_type(entry, path, "write one text, or a list of texts");
    for (std::size_t i = 0; i < value.items.size(); ++i) {
      const YamlNode& item = *value.items[i];
      const std::string here = path + "[" + std::to_string(i) + "]";
      reader_.note(here, item.offset, item);
      if (item.kind == YamlNode::Kind::kScalar) {
        reflection.AddString(&message, &field, item.text);
        continue;
      }
      reader_.fail(item.offset, "an entry of " + quoted(entry.key) + " is " + kind_of(item),
                   "each is one text");
      reflection.AddString(&message, &field, "");  // so that the others keep their places
      reader_.unreadable(here);
    }
  }

  // A mapping of names to CEL, in the order written. Each stands under its name and under its
  // place. What a Source maps may be CEL for all of it, too: one without a name.
  void read_named_expressions(const YamlEntry& entry, Message& message,
                              const FieldDescriptor& field, const std::string& path) {
    const bool may_be_whole =
        message.GetDescriptor()->name() == "Mapping" && field.name() != "identities";
    if (may_be_whole && entry.value->kind == YamlNode::Kind::kScalar) {
      if (entry.value->text.empty()) {
        reader_.fail(entry.value->offset, quoted(entry.key) + " is empty",
                     "write it or remove the key");
        return reader_.unreadable(path);
      }
      auto& whole = static_cast<spur::v1::NamedExpression&>(
          *message.GetReflection()->AddMessage(&message, &field));
      return whole.set_expression(entry.value->text);
    }
    if (entry.value->kind != YamlNode::Kind::kMap)
      return wrong_type(entry, path,
                        may_be_whole ? "write a mapping of names to CEL, or CEL that gives one"
                                     : "write a mapping of names to CEL");
    std::size_t place = 0;
    for (const YamlEntry& named : entry.value->entries) {
      const std::string here = path + "[" + std::to_string(place++) + "]";
      reader_.note(here, named.key_offset, *named.value);
      reader_.note(path + "." + named.key, named.key_offset, *named.value);
      auto& expression = static_cast<spur::v1::NamedExpression&>(
          *message.GetReflection()->AddMessage(&message, &field));
      expression.set_name(named.key);
      if (is_scalar(named, here,
                    "write CEL: text in CEL's own quotes, a number, or an expression")) {
        expression.set_expression(named.value->text);
      }
    }
  }

  // `7d`, or `{key: 7d}`.
  void read_cooldown(const YamlEntry& entry, Message& message, const FieldDescriptor& field,
                     const std::string& path) {
    if (entry.value->kind == YamlNode::Kind::kMap) return read_message(entry, message, field, path);
    auto& cooldown = static_cast<spur::v1::Cooldown&>(
        *message.GetReflection()->MutableMessage(&message, &field));
    if (!is_scalar(entry, path, "write a duration such as 7d, or {key: 7d}")) return;
    if (const auto duration = parse_duration(entry.value->text)) {
      cooldown.set_customer_ms(duration->count);
    } else {
      bad_value(entry, path, "not a duration", std::string(kDurationHint));
    }
  }

  // A mapping of names to numbers, and the unit of time they are in.
  void read_parameters(const YamlEntry& entry, Message& message, const FieldDescriptor& field,
                       const std::string& path) {
    if (entry.value->kind != YamlNode::Kind::kMap) {
      return wrong_type(entry, path, "write a mapping of names to numbers, and `unit: 1w`");
    }
    auto& parameters = static_cast<spur::v1::Parameters&>(
        *message.GetReflection()->MutableMessage(&message, &field));
    for (const YamlEntry& named : entry.value->entries) {
      const std::string here = path + "." + named.key;
      reader_.note(here, named.key_offset, *named.value);
      if (named.key == "unit") {
        read_scalar(named, parameters, *parameters.GetDescriptor()->FindFieldByName("unit_ms"),
                    here);
      } else if (is_scalar(named, here, "write a number")) {
        // Also under its place, as the message has it; a value that is no number keeps its place.
        const std::string place = path + "[" + std::to_string(parameters.values_size()) + "]";
        reader_.note(place, named.key_offset, *named.value);
        const std::optional<double> number = read_number(named, place);
        spur::v1::NamedNumber& value = *parameters.add_values();
        value.set_name(named.key);
        value.set_value(number.value_or(0));
      }
    }
  }

  // A mapping of names to ladders. Each stands under its name and under its place.
  void read_ladders(const YamlEntry& entry, Message& message, const FieldDescriptor& field,
                    const std::string& path) {
    const std::string needed = "write a mapping of " + joined(keys_of(targets_of(*field.message_type())));
    if (entry.value->kind != YamlNode::Kind::kMap)
      return wrong_type(entry, path, "write a mapping of names to ladders");
    std::size_t place = 0;
    for (const YamlEntry& named : entry.value->entries) {
      const std::string here = path + "[" + std::to_string(place++) + "]";
      reader_.note(here, named.key_offset, *named.value);
      auto& ladder = static_cast<spur::v1::Ladder&>(*message.GetReflection()->AddMessage(&message, &field));
      ladder.set_name(named.key);
      if (named.value->kind != YamlNode::Kind::kMap) {
        wrong_type(named, here, needed);
      } else {
        read_mapping(*named.value, ladder, here, "`" + named.key + "`");
      }
    }
  }

  // A mapping of events to the names of their properties. Each stands under its place.
  void read_planned(const YamlEntry& entry, Message& message, const FieldDescriptor& field,
                    const std::string& path) {
    if (entry.value->kind != YamlNode::Kind::kMap)
      return wrong_type(entry, path, "write a mapping of events to lists of their properties");
    const FieldDescriptor& properties = *field.message_type()->FindFieldByName("properties");
    std::size_t place = 0;
    for (const YamlEntry& named : entry.value->entries) {
      const std::string here = path + "[" + std::to_string(place++) + "]";
      reader_.note(here, named.key_offset, *named.value);
      auto& event = static_cast<spur::v1::PlannedEvent&>(
          *message.GetReflection()->AddMessage(&message, &field));
      event.set_name(named.key);
      read_texts(named, event, properties, here + ".properties");
    }
  }

  std::optional<double> read_number(const YamlEntry& entry, const std::string& path) {
    const std::string& text = entry.value->text;
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (!entry.value->quoted && error == std::errc() && end == text.data() + text.size() &&
        std::isfinite(number)) {
      return number;
    }
    bad_value(entry, path, "not a number",
              entry.value->quoted ? "write it without quotes" : "write it as 20 or 0.6");
    return std::nullopt;
  }

  std::optional<std::int64_t> read_integer(const YamlEntry& entry, const std::string& path,
                                           std::int64_t min, std::int64_t max) {
    const std::string& text = entry.value->text;
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool is_number =
        end == text.data() + text.size() && !text.empty() && error != std::errc::invalid_argument;
    if (entry.value->quoted || !is_number) {
      bad_value(entry, path, "not a whole number",
                entry.value->quoted ? "write it without quotes" : "write it as 3");
    } else if (error != std::errc() || number < min || number > max) {
      bad_value(entry, path, "out of range", std::to_string(min) + " to " + std::to_string(max));
    } else {
      return number;
    }
    return std::nullopt;
  }

  void read_scalar(const YamlEntry& entry, Message& message, const FieldDescriptor& field,
                   const std::string& path) {
    if (!is_scalar(entry, path, needed_for(field))) return;
    const google::protobuf::Reflection& reflection = *message.GetReflection();
    switch (field.type()) {
      case FieldDescriptor::TYPE_STRING:
        if (entry.value->text.empty()) {
          reader_.fail(entry.value->offset, quoted(entry.key) + " is empty",
                       "write it or remove the key");
          reader_.unreadable(path);
        } else {
          reflection.SetString(&message, &field, entry.value->text);
        }
        return;
      case FieldDescriptor::TYPE_BOOL:
        return read_bool(entry, message, field, path);
      case FieldDescriptor::TYPE_DOUBLE:
        if (const auto number = read_number(entry, path))
          reflection.SetDouble(&message, &field, *number);
        return;
      case FieldDescriptor::TYPE_INT32:
        if (is_time_of_day(field)) return read_time_of_day(entry, message, field, path);
        if (const auto number = read_integer(entry, path, std::numeric_limits<std::int32_t>::min(),
                                             std::numeric_limits<std::int32_t>::max())) {
          reflection.SetInt32(&message, &field, static_cast<std::int32_t>(*number));
        }
        return;
      case FieldDescriptor::TYPE_UINT32:
        if (const auto number = read_integer(entry, path, 1, kLimitMax)) {
          reflection.SetUInt32(&message, &field, static_cast<std::uint32_t>(*number));
        }
        return;
      default:
        return read_time(entry, message, field, path);
    }
  }

  static std::string needed_for(const FieldDescriptor& field) {
    if (is_instant(field)) return "write an instant such as 2026-03-01T08:00:00Z";
    if (is_duration(field)) return "write a duration such as 7d";
    if (is_time_of_day(field)) return "write a time such as \"21:00\"";
    switch (field.type()) {
      case FieldDescriptor::TYPE_STRING:
        return "write one text";
      case FieldDescriptor::TYPE_BOOL:
        return "write true or false";
      default:
        return "write a number";
    }
  }

  void read_bool(const YamlEntry& entry, Message& message, const FieldDescriptor& field,
                 const std::string& path) {
    const std::string& text = entry.value->text;
    if (entry.value->quoted || (text != "true" && text != "false")) {
      return bad_value(entry, path, "not a yes or no", "write true or false");
    }
    message.GetReflection()->SetBool(&message, &field, text == "true");
  }

  void read_time_of_day(const YamlEntry& entry, Message& message, const FieldDescriptor& field,
                        const std::string& path) {
    const std::optional<int> minute = parse_time_of_day(entry.value->text);
    if (!minute) return bad_value(entry, path, "not a time of day", "\"00:00\" to \"23:59\"");
    message.GetReflection()->SetInt32(&message, &field, *minute);
  }

  // Durations, and the two instants between which a trigger is active.
  void read_time(const YamlEntry& entry, Message& message, const FieldDescriptor& field,
                 const std::string& path) {
    const google::protobuf::Reflection& reflection = *message.GetReflection();
    const std::string& text = entry.value->text;
    if (is_instant(field)) {
      const std::optional<Instant> instant = parse_instant(text);
      if (!instant)
        return bad_value(entry, path, "not an instant", "write it as 2026-03-01T08:00:00Z");
      return reflection.SetInt64(&message, &field, instant->ms);
    }
    const bool may_be_never = field.name() == "max_action_age_ms";
    if (may_be_never && text == "never") return reflection.SetInt64(&message, &field, -1);
    const std::optional<Millis> duration = parse_duration(text);
    if (!duration) {
      return bad_value(entry, path, "not a duration",
                       std::string(kDurationHint) + (may_be_never ? ", or never" : ""));
    }
    if (may_be_never && duration->count < 0) {  // −1 would be read as never
      return bad_value(entry, path, "negative", "a duration from 0s on, or never");
    }
    reflection.SetInt64(&message, &field, duration->count);
  }

  Reader& reader_;
};

}  // namespace

void read_fields(Reader& reader, const YamlNode& node, Message& message, const std::string& path,
                 const std::string& where) {
  FieldReader(reader).read_mapping(node, message, path, where);
}

}  // namespace spur::catalog
