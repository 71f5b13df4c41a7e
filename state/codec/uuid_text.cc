#include "state/codec/uuid_text.h"

#include <array>
#include <cstdint>
#include <cstring>

namespace spur {
namespace {

constexpr std::size_t kText = 36, kNumber = ShortenedUuid::kNumber;
// The first byte says where the text stood, from 1 on; 0: nowhere.
constexpr std::size_t kPlaceMax = 255;

constexpr bool is_dash(std::size_t i) { return i == 8 || i == 13 || i == 18 || i == 23; }

constexpr std::uint8_t kNoDigit = 0xff;
// The value of a digit of a UUID in lower case.
constexpr auto kDigitOf = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(kNoDigit);
  for (std::uint8_t i = 0; i < 16; ++i)
    values[static_cast<std::uint8_t>("0123456789abcdef"[i])] = i;
  return values;
}();
// Where the two digits of each byte stand in the text.
constexpr auto kPlaceOf = [] {
  std::array<std::uint8_t, kNumber> places{};
  std::uint8_t at = 0;
  for (std::uint8_t& place : places) {
    if (is_dash(at)) ++at;
    place = at;
    at += 2;
  }
  return places;
}();

// False if `text` is no UUID in lower case.
bool read_number(const char* text, char* number) {
  if (text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-') return false;
  std::uint8_t wrong = 0;
  for (std::size_t i = 0; i < kNumber; ++i) {
    const std::uint8_t high = kDigitOf[static_cast<std::uint8_t>(text[kPlaceOf[i]])];
    const std::uint8_t low = kDigitOf[static_cast<std::uint8_t>(text[kPlaceOf[i] + 1])];
    wrong |= high | low;
    number[i] = static_cast<char>(high << 4 | low);
  }
  return (wrong & 0xf0) == 0;
}

void write_text(const char* number, char* text) {
  for (const std::size_t dash : {8, 13, 18, 23}) text[dash] = '-';
  for (std::size_t i = 0; i < kNumber; ++i) {
    const auto byte = static_cast<std::uint8_t>(number[i]);
    text[kPlaceOf[i]] = "0123456789abcdef"[byte >> 4];
    text[kPlaceOf[i] + 1] = "0123456789abcdef"[byte & 15];
  }
}

}  // namespace

ShortenedUuid::ShortenedUuid(std::string_view bytes) : bytes_(bytes) {
  for (std::size_t at = 1; at + kText <= bytes.size() && at <= kPlaceMax; ++at) {
    if (bytes[at - 1] != static_cast<char>(kText) || !read_number(bytes.data() + at, number_))
      continue;
    at_ = at;
    return;
  }
}

std::size_t ShortenedUuid::size() const {
  if (bytes_.empty()) return 0;
  return 1 + bytes_.size() - (at_ == 0 ? 0 : kText - kNumber);
}

void ShortenedUuid::write(char* to) const {
  if (bytes_.empty()) return;
  *to++ = static_cast<char>(at_);
  std::memcpy(to, bytes_.data(), at_ == 0 ? bytes_.size() : at_);
  if (at_ == 0) return;
  std::memcpy(to + at_, number_, kNumber);
  std::memcpy(to + at_ + kNumber, bytes_.data() + at_ + kText, bytes_.size() - at_ - kText);
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
