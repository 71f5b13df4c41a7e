#include "state/codec/uuid_text.h"

#include <array>
#include <cstdint>

namespace spur {
namespace {

constexpr std::size_t kText = 36, kNumber = 16;
// The first byte says where the text stood, from 1 on; 0: nowhere.
constexpr std::size_t kPlaceMax = 255;

constexpr bool is_dash(std::size_t i) { return i == 8 || i == 13 || i == 18 || i == 23; }

// −1: no digit of a UUID in lower case.
constexpr int digit(char c) {
  return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool is_uuid(const char* text) {
  for (std::size_t i = 0; i < kText; ++i) {
    if (is_dash(i) ? text[i] != '-' : digit(text[i]) < 0) return false;
  }
  return true;
}

// 0: none.
std::size_t find_uuid(std::string_view bytes) {
  for (std::size_t at = 1; at + kText <= bytes.size() && at <= kPlaceMax; ++at) {
    if (bytes[at - 1] == static_cast<char>(kText) && bytes[at + 8] == '-' && is_uuid(bytes.data() + at)) return at;
  }
  return 0;
}

std::array<char, kNumber> number_of(const char* text) {
  std::array<char, kNumber> number{};
  std::size_t n = 0;
  for (std::size_t i = 0; i < kText; ++i) {
    if (is_dash(i)) continue;
    char& byte = number[n++ / 2];
    byte = static_cast<char>(byte << 4 | digit(text[i]));
  }
  return number;
}

void write_text(const char* number, char* text) {
  constexpr const char* kDigits = "0123456789abcdef";
  std::size_t n = 0;
  for (std::size_t i = 0; i < kText; ++i) {
    if (is_dash(i)) {
      text[i] = '-';
      continue;
    }
    const auto byte = static_cast<std::uint8_t>(number[n / 2]);
    text[i] = kDigits[n++ % 2 == 0 ? byte >> 4 : byte & 15];
  }
}

}  // namespace

std::string shorten_uuid(std::string_view bytes) {
  if (bytes.empty()) return {};
  const std::size_t at = find_uuid(bytes);
  std::string shortened(1, static_cast<char>(at));
  if (at == 0) return shortened.append(bytes);
  shortened.reserve(1 + bytes.size() - kText + kNumber);
  shortened.append(bytes.substr(0, at));
  const std::array<char, kNumber> number = number_of(bytes.data() + at);
  shortened.append(number.data(), number.size());
  return shortened.append(bytes.substr(at + kText));
}

std::string_view expand_uuid(std::string_view shortened, Arena& arena) {
  if (shortened.empty()) return {};
  const std::size_t at = static_cast<std::uint8_t>(shortened[0]);
  shortened.remove_prefix(1);
  if (at == 0) return shortened;
  const std::size_t size = shortened.size() - kNumber + kText;
  char* const bytes = static_cast<char*>(arena.allocate(size));
  std::memcpy(bytes, shortened.data(), at);
  write_text(shortened.data() + at, bytes + at);
  std::memcpy(bytes + at + kText, shortened.data() + at + kNumber, shortened.size() - at - kNumber);
  return {bytes, size};
}

}  // namespace spur
