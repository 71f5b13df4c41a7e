#include "operators/catalog/field_names.h"

#include <string_view>

namespace spur::catalog {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

bool is_duration(const FieldDescriptor& field) {
  return field.type() == FieldDescriptor::TYPE_INT64 && field.name().ends_with("_ms") &&
         !is_instant(field);
}

bool is_instant(const FieldDescriptor& field) {
  return field.name() == "from_ms" || field.name() == "to_ms";
}

bool is_time_of_day(const FieldDescriptor& field) { return field.name().ends_with("_minute"); }

std::string yaml_name(const FieldDescriptor& field) {
  std::string_view name = field.name();
  if (name == "channels") return "channel";
  if (name.ends_with("_ms")) name.remove_suffix(3);
  if (name.ends_with("_minute")) name.remove_suffix(7);
  return std::string(name);
}

std::vector<FieldName> field_names(const Descriptor& type) {
  std::vector<FieldName> names;
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    // `unsupported` is how operators of another version are noted, not a key. The name of a Mapping
    // is no resource's, but what it makes.
    const bool of_resource = field.name() == "name" && type.name() != "Mapping";
    if (of_resource || field.name() == "unsupported") continue;
    // Of an operator that is a list of patterns; its key there is the operator's own.
    if (field.name() == "of" && type.name() == "Pattern") continue;
    if (field.name() != "patterns") {
      names.push_back({yaml_name(field), &field, false});
      continue;
    }
    const Descriptor& pattern = *field.message_type();
    for (int k = 0; k < pattern.field_count(); ++k) {
      const FieldDescriptor& inner = *pattern.field(k);
      if (inner.name() != "of") names.push_back({inner.name(), &inner, true});
    }
  }
  return names;
}

}  // namespace spur::catalog
