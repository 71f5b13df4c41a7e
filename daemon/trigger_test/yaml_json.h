// YAML values as JSON, and compared with it: what is not in quotes and reads as a JSON number,
// true, false or null is that; all else is text.
#pragma once

#include <string>
#include <string_view>

#include "operators/catalog/yaml.h"

namespace spur::trigger_test {

void append_json(std::string* out, const catalog::YamlNode& node);
std::string to_json(const catalog::YamlNode& node);

// Whether the value written in YAML is this JSON: numbers as numbers (1 and 1.0 are one), the order
// of keys does not matter, that of lists does.
bool is_json(const catalog::YamlNode& expected, std::string_view json);

// Whether the text is a number as JSON writes it.
bool is_json_number(std::string_view text);

}  // namespace spur::trigger_test
