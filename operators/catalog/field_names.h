// How YAML names the fields of a catalog's messages: what may stand in a mapping, in the order of
// the schema.
//
// The one place that knows the difference between catalog.proto's names and those that people
// write; the reader, the editor's schema and the formatter all ask here.
#pragma once

#include <google/protobuf/descriptor.h>

#include <string>
#include <vector>

namespace spur::catalog {

// Written 90s, 30m, 2h, 7d, 4w; kept in milliseconds.
bool is_duration(const google::protobuf::FieldDescriptor& field);
// Written in RFC 3339; kept in milliseconds.
bool is_instant(const google::protobuf::FieldDescriptor& field);
// Written "21:00"; kept in minutes.
bool is_time_of_day(const google::protobuf::FieldDescriptor& field);

// How YAML writes the field's key.
std::string yaml_name(const google::protobuf::FieldDescriptor& field);

struct FieldName {
  std::string key;
  const google::protobuf::FieldDescriptor* field = nullptr;
  // `field` is Pattern's: the keys of one pattern may stand inside what they belong to.
  bool in_pattern = false;
};

// The keys of a mapping for the message, in the order of its fields. Without a resource's name,
// which is its metadata's.
std::vector<FieldName> field_names(const google::protobuf::Descriptor& type);

}  // namespace spur::catalog
