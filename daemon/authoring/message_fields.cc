#include "daemon/authoring/message_fields.h"

#include <google/protobuf/reflection.h>

#include "fmt/format.h"
#include "operators/catalog/durations.h"
#include "operators/catalog/field_names.h"
#include "operators/expression/text.h"

namespace spur::authoring {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

std::string scalar_text(const Message& message, const FieldDescriptor& field) {
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  switch (field.type()) {
    case FieldDescriptor::TYPE_BOOL:
      return reflection.GetBool(message, &field) ? "true" : "false";
    case FieldDescriptor::TYPE_DOUBLE:
      return expression::double_text(reflection.GetDouble(message, &field));
    case FieldDescriptor::TYPE_INT32: {
      const int number = reflection.GetInt32(message, &field);
      if (!catalog::is_time_of_day(field)) return std::to_string(number);
      return fmt::format("{:02}:{:02}", number / 60, number % 60);
    }
    case FieldDescriptor::TYPE_UINT32:
      return std::to_string(reflection.GetUInt32(message, &field));
    case FieldDescriptor::TYPE_INT64: {
      const std::int64_t number = reflection.GetInt64(message, &field);
      if (catalog::is_instant(field)) return instant_text(Instant{number});
      if (field.name() == "max_action_age_ms" && number < 0) return "never";
      return duration_text(Millis{number});
    }
    default:
      return reflection.GetString(message, &field);
  }
}

class Taking {
 public:
  std::vector<FieldText> run(const Message& message, const std::string& path) {
    take(message, path);
    return std::move(texts_);
  }

 private:
  void take(const Message& message, const std::string& path) {
    if (const auto* named = dynamic_cast<const spur::v1::NamedExpression*>(&message)) {
      return add(named->name().empty() ? path : path + "." + named->name(), named->expression());
    }
    if (const auto* number = dynamic_cast<const spur::v1::NamedNumber*>(&message)) {
      return add(path + "." + number->name(), expression::double_text(number->value()));
    }
    std::vector<const FieldDescriptor*> fields;
    message.GetReflection()->ListFields(message, &fields);
    const std::size_t before = texts_.size();
    for (const FieldDescriptor* field : fields) take_field(message, *field, path);
    // That it is there at all says something: `exit: {}`.
    if (texts_.size() == before && path.find('.') != std::string::npos) add(path, "{}");
  }

  void take_field(const Message& message, const FieldDescriptor& field, const std::string& path) {
    const google::protobuf::Reflection& reflection = *message.GetReflection();
    if (field.name() == "name" && path.find('.') == std::string::npos) return;
    const std::string here = path + "." + catalog::yaml_name(field);
    if (!field.is_repeated()) {
      if (field.type() != FieldDescriptor::TYPE_MESSAGE)
        return add(here, scalar_text(message, field));
      return take(reflection.GetMessage(message, &field), here);
    }
    if (field.type() != FieldDescriptor::TYPE_MESSAGE) return add(here, list_text(message, field));
    for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
      take(reflection.GetRepeatedMessage(message, &field, i), item_path(field, path, here, i));
    }
  }

  // One pattern stands inside what it belongs to; data go by their names.
  static std::string item_path(const FieldDescriptor& field, const std::string& path,
                               const std::string& here, int i) {
    const std::string& type = field.message_type()->name();
    if (type == "NamedExpression") return here;
    if (type == "NamedNumber") return path;
    if (field.name() != "patterns") return fmt::format("{}[{}]", here, i);
    return i == 0 ? path : fmt::format("{}[{}]", path, i);
  }

  static std::string list_text(const Message& message, const FieldDescriptor& field) {
    const google::protobuf::Reflection& reflection = *message.GetReflection();
    if (reflection.FieldSize(message, &field) == 1)
      return reflection.GetRepeatedString(message, &field, 0);
    const auto texts = reflection.GetRepeatedFieldRef<std::string>(message, &field);
    return fmt::format("[{}]", fmt::join(texts.begin(), texts.end(), ", "));
  }

  void add(std::string path, std::string text) {
    texts_.push_back({std::move(path), std::move(text)});
  }

  std::vector<FieldText> texts_;
};

void walk(const Message& message, const std::string& path, const Route& route,
          const std::function<void(const FieldPlace&)>& visit) {
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    const FieldPlace place{path + "." + field->name(), route, message, *field};
    visit(place);
    if (field->type() != FieldDescriptor::TYPE_MESSAGE) continue;
    Route inner = route;
    inner.emplace_back(field, -1);
    if (!field->is_repeated()) {
      walk(reflection.GetMessage(message, field), place.path, inner, visit);
      continue;
    }
    for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
      inner.back().second = i;
      walk(reflection.GetRepeatedMessage(message, field, i), fmt::format("{}[{}]", place.path, i),
           inner, visit);
    }
  }
}

}  // namespace

std::string instant_text(Instant at) { return expression::to_text(Value::timestamp(at)); }

std::string duration_text(Millis duration) {
  const bool days = duration.count != 0 && duration.count % kDay.count == 0;
  return days ? std::to_string(duration.count / kDay.count) + "d" : catalog::to_text(duration);
}

std::vector<FieldText> field_texts(const Message& message, const std::string& path) {
  return Taking().run(message, path);
}

Message& follow(Message& from, const Route& route) {
  Message* at = &from;
  for (const auto& [field, place] : route) {
    const google::protobuf::Reflection& reflection = *at->GetReflection();
    at = place < 0 ? reflection.MutableMessage(at, field)
                   : reflection.MutableRepeatedMessage(at, field, place);
  }
  return *at;
}

void for_each_field(const Message& message, const std::string& path,
                    const std::function<void(const FieldPlace&)>& visit) {
  walk(message, path, {}, visit);
}

const FieldDescriptor* operator_field(const spur::v1::Trigger& trigger) {
  const auto* const choice = spur::v1::Trigger::descriptor()->FindOneofByName("operator");
  return trigger.GetReflection()->GetOneofFieldDescriptor(trigger, choice);
}

}  // namespace spur::authoring
