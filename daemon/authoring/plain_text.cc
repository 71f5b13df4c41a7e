#include "daemon/authoring/plain_text.h"

#include <algorithm>
#include <array>
#include <string>

#include "absl/strings/ascii.h"

namespace spur::authoring {
namespace {

constexpr std::array<std::string_view, 9> kWords = {"true", "false", "yes", "no", "on",
                                                    "off",  "null",  "y",   "n"};

// What a reader may take for a bool or nothing.
bool is_word(std::string_view text) {
  std::string lower(text);
  absl::AsciiStrToLower(&lower);
  return std::find(kWords.begin(), kWords.end(), lower) != kWords.end();
}

}  // namespace

bool is_plain(std::string_view text) {
  if (text.empty() || is_word(text)) return false;
  const char first = text.front();
  const bool letter = (first >= 'a' && first <= 'z') || (first >= 'A' && first <= 'Z') ||
                      first == '_' || (static_cast<unsigned char>(first) & 0x80) != 0;
  if (!letter || text.back() == ' ' || text.back() == ':') return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x20 || c == 0x7f) return false;
    if (std::string_view(",[]{}?").find(text[i]) != std::string_view::npos) return false;
    if (c == ':' && (i + 1 >= text.size() || text[i + 1] == ' ')) return false;
    if (c == '#' && i > 0 && text[i - 1] == ' ') return false;
  }
  return true;
}

}  // namespace spur::authoring
