// Retire: what a new version of the catalog carries along from the one it replaces.
//
// Open instances keep the trigger version that opened them. A trigger that has changed therefore
// travels on in `retired`: it opens nothing any more, but what it opened is reset, closed,
// concluded and followed up as it says. A trigger that was removed or disabled ends its instances.
// What a retired version names must still be there; one that does not compile any more ends its
// instances too.
#pragma once

#include <cstddef>
#include <cstdint>

#include "spur/v1/catalog.pb.h"

namespace spur::catalog {

// Earlier versions kept of one trigger; the instances of an older one end.
inline constexpr std::size_t kRetiredMax = 8;

// `next` with the earlier versions that `previous`, the version in force, has of its triggers.
spur::v1::Catalog with_retired(spur::v1::Catalog next, const spur::v1::Catalog& previous);

// What tells versions of a trigger apart: a hash of all it says.
std::uint64_t version_of(const spur::v1::Trigger& trigger);

}  // namespace spur::catalog
