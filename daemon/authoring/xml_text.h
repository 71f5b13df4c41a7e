// Text in pages and drawings: HTML and SVG.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace spur::authoring {

// Adds `c` so that it stands for itself, between tags and in quotes. Control characters are none of
// XML's and are left out.
void append_xml(std::string& out, char c);
std::string xml_text(std::string_view text);

// At most so many characters; where some are left out, the last is "…".
std::string shortened(std::string_view text, std::size_t characters);

}  // namespace spur::authoring
