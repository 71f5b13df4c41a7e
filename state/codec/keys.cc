#include "state/codec/keys.h"

#include <optional>

#include "state/check.h"

namespace spur {
namespace {

// Big endian, with the sign bit turned over: bytes order as the numbers do.
void append_ordered(std::string& out, std::uint64_t number) {
  for (int shift = 56; shift >= 0; shift -= 8)
    out.push_back(static_cast<char>(number >> shift & 0xff));
}

std::uint64_t read_ordered(std::string_view bytes) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < 8; ++i) number = number << 8 | static_cast<std::uint8_t>(bytes[i]);
  return number;
}

std::string with_kind(KeyKind kind) { return std::string(1, static_cast<char>(kind)); }

void append_identity(std::string& out, const Identity& identity) {
  out.push_back(static_cast<char>(identity.kind));
  out.append(identity.value);
}

// What append_identity() has written; of a customer at least one byte.
bool parse_identity(std::string_view bytes, Identity& out) {
  if (bytes.size() < 2) return false;
  const std::string_view value = bytes.substr(1);
  const std::optional<IdentityKind> kind = stored_kind(static_cast<std::uint8_t>(bytes[0]), value);
  if (!kind) return false;
  out = {*kind, value};
  return true;
}

constexpr std::uint64_t kSignBit = std::uint64_t{1} << 63;

}  // namespace

std::string position_key() { return with_kind(KeyKind::kPosition); }

std::string customer_key(const Identity& identity) {
  std::string key = with_kind(KeyKind::kCustomer);
  append_identity(key, identity);
  return key;
}

std::string wake_key(Instant wake, const Identity& identity) {
  std::string key = with_kind(KeyKind::kWake);
  append_ordered(key, static_cast<std::uint64_t>(wake.ms) ^ kSignBit);
  append_identity(key, identity);
  return key;
}

std::string catalog_key(std::uint64_t generation) {
  std::string key = with_kind(KeyKind::kCatalog);
  append_ordered(key, generation);
  return key;
}

std::string unsent_key(std::uint64_t run) {
  std::string key = with_kind(KeyKind::kUnsent);
  append_ordered(key, run);
  return key;
}

std::string kind_prefix(KeyKind kind) { return with_kind(kind); }

std::string interest_place(Instant since, const Identity& identity) {
  std::string place;
  append_ordered(place, static_cast<std::uint64_t>(since.ms) ^ kSignBit);
  append_identity(place, identity);
  return place;
}

bool parse_interest_place(std::string_view place, Instant& since, Identity& identity) {
  if (place.size() < 8 || !parse_identity(place.substr(8), identity)) return false;
  since = {static_cast<std::int64_t>(read_ordered(place.substr(0, 8)) ^ kSignBit)};
  return true;
}

std::string definition_prefix(KeyKind kind, std::uint64_t definition) {
  std::string key = with_kind(kind);
  append_ordered(key, definition);
  return key;
}

std::string record_key(std::uint64_t definition, std::string_view key) {
  return definition_prefix(KeyKind::kRecord, definition).append(key);
}

std::string interest_prefix(std::uint64_t trigger, std::string_view key) {
  SPUR_CHECK(key.size() <= 0xffff);
  std::string prefix = definition_prefix(KeyKind::kInterest, trigger);
  prefix.push_back(static_cast<char>(key.size() >> 8));
  prefix.push_back(static_cast<char>(key.size() & 0xff));
  return prefix.append(key);
}

std::string change_key(std::uint64_t number) { return definition_prefix(KeyKind::kChange, number); }

bool parse_change_key(std::string_view key, std::uint64_t& number) {
  if (key.size() != 9 || key[0] != static_cast<char>(KeyKind::kChange)) return false;
  number = read_ordered(key.substr(1));
  return true;
}

std::string told_prefix(std::uint64_t change) { return definition_prefix(KeyKind::kTold, change); }
std::string references_key() { return with_kind(KeyKind::kReferences); }

bool parse_customer_key(std::string_view key, Identity& out) {
  return !key.empty() && key[0] == static_cast<char>(KeyKind::kCustomer) &&
         parse_identity(key.substr(1), out);
}

bool parse_wake_key(std::string_view key, WakeKey& out) {
  if (key.size() < 9 || key[0] != static_cast<char>(KeyKind::kWake)) return false;
  if (!parse_identity(key.substr(9), out.identity)) return false;
  out.wake = {static_cast<std::int64_t>(read_ordered(key.substr(1, 8)) ^ kSignBit)};
  return true;
}

bool parse_unsent_key(std::string_view key, std::uint64_t& run) {
  if (key.size() != 9 || key[0] != static_cast<char>(KeyKind::kUnsent)) return false;
  run = read_ordered(key.substr(1));
  return true;
}

}  // namespace spur
