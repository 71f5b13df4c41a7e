// A catalog's message taken apart into its fields, as YAML would say them.
#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "spur/v1/catalog.pb.h"
#include "state/time.h"

namespace spur::authoring {

struct FieldText {
  std::string path;  // "spec.actions[0].data.cart"
  std::string text;  // "7d", "21:00", "[Product Viewed, Product Added]"
};

// As people write it: whole days as days, else as short as can be.
std::string duration_text(Millis duration);
std::string instant_text(Instant at);  // "2026-03-01T08:00:00Z"

// What is set, in the order of the schema. Without the name of a resource. `path` leads to the
// message.
std::vector<FieldText> field_texts(const google::protobuf::Message& message,
                                   const std::string& path);

// How to come from a message to one inside it: the fields, each with the place in its list (-1: it
// is no list). Holds in any copy of the message.
using Route = std::vector<std::pair<const google::protobuf::FieldDescriptor*, int>>;
google::protobuf::Message& follow(google::protobuf::Message& from, const Route& route);

// A field that is set, somewhere in a message.
struct FieldPlace {
  std::string path;  // by the names of the schema: "spec.sequence.steps[0].patterns"
  Route route;       // to its owner
  const google::protobuf::Message& owner;
  const google::protobuf::FieldDescriptor& field;
};

// Visits all of them, in the order of the schema, each before what is inside it. `path` leads to
// the message.
void for_each_field(const google::protobuf::Message& message, const std::string& path,
                    const std::function<void(const FieldPlace&)>& visit);

// The field of the trigger's operator; nullptr: it has none.
const google::protobuf::FieldDescriptor* operator_field(const spur::v1::Trigger& trigger);

}  // namespace spur::authoring
