// catalog.proto as it was written: its messages with their comments, which the generated classes do
// not carry.
#pragma once

#include <google/protobuf/descriptor.h>

#include <string>

namespace spur::authoring {

// The message spur.v1.Catalog, from a pool of its own: its descriptors are not those of the
// generated classes, and their comments can be asked for.
const google::protobuf::Descriptor& catalog_with_comments();

// What the comment before and behind the field or message says, on one line; empty if there is
// none.
std::string comment_of(const google::protobuf::FieldDescriptor& field);
std::string comment_of(const google::protobuf::Descriptor& message);

}  // namespace spur::authoring
