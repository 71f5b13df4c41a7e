// Validation: what can be said about a catalog without compiling its expressions.
//
// Works on the protobuf, so that it holds for catalogs from YAML and from gRPC alike: names and
// their form, what must be there and what must not, ranges, words such as `rising`, cron, zones,
// names of other resources, one Policy, and all that this version does not honour. Unknown keys and
// wrong types are the walk's (walk.h).
#pragma once

#include <cstdint>
#include <vector>

#include "operators/catalog/position.h"
#include "state/time.h"
#include "spur/v1/catalog.pb.h"

namespace spur::catalog {

// Bounds of numbers in a catalog.
inline constexpr std::uint32_t kLimitMax =
    1'000'000;  // of any `limit`: what one customer may make a shard remember
inline constexpr int kSequenceStepsMax = 16;
inline constexpr int kMapExpressionsMax = 256;  // of a Source's map: each is asked of each message
// Of the identities in a Source's map beside user_id and anonymous_id. The name stands in what is
// stored of each customer who is known by it.
inline constexpr int kIdentityKindsMax = 16;
inline constexpr std::size_t kIdentityKindBytesMax = 32;
inline constexpr double kRhythmFactorMax = 1'000;
inline constexpr double kIntentScoreMax = 1e9;
inline constexpr Millis kDateOffsetMax = kDay * 3'660;  // either way

struct Findings {
  std::vector<Error> errors;
  std::vector<Error> warnings;
};

// Whether all documents could be read. If not, a name that is not found may stand in one that could
// not.
enum class Complete { kYes, kNo };

// Not ordered; nothing about what `positions` calls unreadable. `positions` is empty for a catalog
// that came as protobuf.
Findings validate(const spur::v1::Catalog& catalog, const SourceMap& positions,
                  Complete complete = Complete::kYes);

}  // namespace spur::catalog
