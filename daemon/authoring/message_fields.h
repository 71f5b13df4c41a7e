// A catalog's message taken apart into its fields, as YAML would say them.
#pragma once

#include <google/protobuf/message.h>

#include <string>
#include <utility>
#include <vector>

#include "state/time.h"

namespace spur::authoring {

struct FieldText {
  std::string path;  // "spec.actions[0].data.cart"
  std::string text;  // "7d", "21:00", "[Product Viewed, Product Added]"
};

// As people write it: whole days as days, else as short as can be.
std::string duration_text(Millis duration);

// What is set, in the order of the schema. Without the name of a resource. `path` leads to the
// message.
std::vector<FieldText> field_texts(const google::protobuf::Message& message,
                                   const std::string& path);

}  // namespace spur::authoring
