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
  kCustomer = 2,  // identity kind, identity value (state/identity.h): spur.v1.CustomerRow
  // instant (8 bytes, big endian), identity kind, identity value: nothing, or a mark: its customer's row names another
  kWake = 3,
  // 4 was an outbox by topic, never written
  kCatalog = 5,   // generation (8, big endian): spur.v1.Catalog
  kUnsent = 6,    // run (8, big endian): spur.v1.UnsentRow
  // Business data; the values are those of reference_codec.h, or nothing.
  kRecord = 7,     // definition of a Reference (8, big endian), key
  kInterest = 8,   // version of a trigger (8), the key's length (2), key, place: nothing
  kChange = 9,     // number (8, big endian)
  kTold = 10,      // number of a change (8, big endian), place: nothing
  kReferences = 11,  // one row
};

std::string position_key();
std::string customer_key(const Identity& identity);
std::string wake_key(Instant wake, const Identity& identity);
std::string catalog_key(std::uint64_t generation);
std::string unsent_key(std::uint64_t run);
// Business data. A place is what orders those who care about one record: since when, and who.
std::string interest_place(Instant since, const Identity& identity);
bool parse_interest_place(std::string_view place, Instant& since, Identity& identity);
std::string record_key(std::uint64_t definition, std::string_view key);
// Of all who care about one record, by one version of a trigger; a place follows. Requires a key of at most 65,535
// bytes.
std::string interest_prefix(std::uint64_t trigger, std::string_view key);
std::string change_key(std::uint64_t number);
bool parse_change_key(std::string_view key, std::uint64_t& number);
// A place follows.
std::string told_prefix(std::uint64_t change);
std::string references_key();
// The prefix of what one definition has of a kind.
std::string definition_prefix(KeyKind kind, std::uint64_t definition);
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
// False for bytes that are no key of an unsent run.
bool parse_unsent_key(std::string_view key, std::uint64_t& run);

}  // namespace spur
