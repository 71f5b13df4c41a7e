// What a shard does with business data: takes a record, and tells of its change those who care.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "operators/business_data.h"
#include "operators/visits.h"

namespace spur {

// Since when `body` holds by its own account; nullopt: it does not say.
std::optional<Instant> record_time(const catalog::Compiled& catalog,
                                   const catalog::Reference& reference, const Value& body,
                                   Arena& arena);

// What a record says of itself.
struct RecordRead {
  std::string_view key;  // in the arena, or in the body
  Instant since;
  std::string value;  // encoded; empty: deleted
  // Why it is none, with a detail for people; "": it is one.
  std::string_view reason, detail;
};
// `body`: what came, absent if the record is deleted, which is then `key`. `received`: when the log
// took it, which decides `since` alone: whether it is a record can be asked before.
RecordRead read_record(const catalog::Compiled& catalog, Arena& arena,
                       const catalog::Reference& reference, const Value& body, std::string_view key,
                       Instant received);

// Takes a record, which may be a change to tell of. False: its Reference is full.
bool take_record(ShardState& shard, Activation& slots, std::uint32_t reference,
                 const RecordRead& record);

// Tells up to `max` customers of the change that is next, those whose turn comes before `limit`.
// Answers how many steps it took, one at least: a customer is one, and so is the end of a change.
std::uint32_t tell_next(ShardState& shard, Timeline& timeline, Customers& customers,
                        std::uint32_t max, Instant limit, Effects& effects);

}  // namespace spur
