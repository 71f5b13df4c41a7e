#include "daemon/authoring/xml_text.h"

#include "operators/expression/utf8.h"

namespace spur::authoring {

void append_xml(std::string& out, char c) {
  switch (c) {
    case '&':
      out += "&amp;";
      return;
    case '<':
      out += "&lt;";
      return;
    case '>':
      out += "&gt;";
      return;
    case '"':
      out += "&quot;";
      return;
    default:
      if (static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t') out += c;
  }
}

std::string xml_text(std::string_view text) {
  std::string out;
  for (const char c : text) append_xml(out, c);
  return out;
}

std::string shortened(std::string_view text, std::size_t characters) {
  if (expression::code_points(text) <= characters) return std::string(text);
  return std::string(text.substr(0, expression::byte_offset(text, characters - 1))) + "…";
}

}  // namespace spur::authoring
