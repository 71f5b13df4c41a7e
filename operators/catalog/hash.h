// The canonical form of a catalog and its hash, by which actions and decisions name it.
//
// Canonical: the resources of each kind ordered by name, everything else as it was given; what was
// left out stays left out. So the hash does not see the order of files and documents, formatting,
// comments, or quotes; it does see the order of `data:`, of patterns and of steps, which have
// meaning. The bytes hashed are protobuf's deterministic serialization; catalog.proto has no maps,
// so these are the same for every build. Frozen: another way to hash would make every running
// catalog look changed.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "spur/v1/catalog.pb.h"

namespace spur::catalog {

using Hash = std::array<std::uint8_t, 16>;

// Puts the resources in order. Of resources with one name (an error) the order stays.
void canonicalize(spur::v1::Catalog& catalog);

// The serialized canonical form.
std::string canonical_bytes(const spur::v1::Catalog& catalog);

// xxh3-128 of canonical_bytes, big-endian.
Hash hash_of(const spur::v1::Catalog& catalog);

// 32 lower-case hex digits.
std::string to_text(const Hash& hash);

}  // namespace spur::catalog
