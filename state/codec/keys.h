// The keys of a shard's rows: one byte for the kind, then what orders the rows of that kind. A kind's byte is for ever:
// to change a layout, add a kind.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "state/customer.h"

namespace spur {

enum class KeyKind : std::uint8_t {
  kPosition = 1,  // one row: spur.v1.Position
  kCustomer = 2,  // identity kind, identity value: spur.v1.CustomerRow
  kWake = 3,      // instant (8 bytes, big endian), identity kind, identity value: nothing
  kOutbox = 4,    // topic hash (8), spurseq (8, big endian): an effect not yet acknowledged
  kCatalog = 5,   // generation (8, big endian): spur.v1.Catalog
};

std::string position_key();
std::string customer_key(const Identity& identity);
std::string wake_key(Instant wake, const Identity& identity);
std::string catalog_key(std::uint64_t generation);
// The prefix of all rows of a kind.
std::string kind_prefix(KeyKind kind);

// False for bytes that are no customer key. The identity points into the key.
bool parse_customer_key(std::string_view key, Identity& out);

struct WakeKey {
  Instant wake;
  Identity identity;  // points into the key
};
// False for bytes that are no wake key.
bool parse_wake_key(std::string_view key, WakeKey& out);

}  // namespace spur
