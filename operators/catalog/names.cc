#include "operators/catalog/names.h"

#include <algorithm>
#include <array>

namespace spur::catalog {
namespace {

constexpr bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
constexpr bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

constexpr std::array<std::string_view, 21> kCelWords = {
    "as",        "break",   "const",  "continue", "else", "false", "for",
    "function",  "if",      "import", "in",       "let",  "loop",  "null",
    "namespace", "package", "return", "true",     "var",  "void",  "while"};

}  // namespace

bool is_dns_label(std::string_view name) {
  if (name.empty() || name.size() > kNameBytesMax) return false;
  if (name.front() == '-' || name.back() == '-') return false;
  return std::all_of(name.begin(), name.end(),
                     [](char c) { return is_lower(c) || is_digit(c) || c == '-'; });
}

bool is_identifier(std::string_view name) {
  if (name.empty() || name.size() > kNameBytesMax || is_digit(name.front()) || is_cel_word(name))
    return false;
  return std::all_of(name.begin(), name.end(),
                     [](char c) { return is_lower(c) || is_digit(c) || c == '_'; });
}

bool is_cel_word(std::string_view name) {
  return std::find(kCelWords.begin(), kCelWords.end(), name) != kCelWords.end();
}

bool is_topic(std::string_view name) {
  if (name.empty() || name.size() > kTopicBytesMax || name == "." || name == "..") return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return is_lower(c) || is_upper(c) || is_digit(c) || c == '.' || c == '_' || c == '-';
  });
}

std::string topic_of(const spur::v1::Source& source) {
  return source.topic().empty() ? "events." + source.name() : source.topic();
}

std::string topic_of(const spur::v1::Channel& channel) {
  return channel.topic().empty() ? "actions." + channel.name() : channel.topic();
}

void write_out_topics(spur::v1::Catalog& catalog) {
  const auto write_out = [](auto& resource) {
    if (is_dns_label(resource.name())) resource.set_topic(topic_of(resource));
  };
  for (auto& source : *catalog.mutable_sources()) write_out(source);
  for (auto& channel : *catalog.mutable_channels()) write_out(channel);
}

}  // namespace spur::catalog
