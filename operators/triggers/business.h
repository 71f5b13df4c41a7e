// The operator business: a record of business data has changed, and is told to the customers who
// care about it (operators/changes.h). What shows interest opens an instance of the record's key,
// and a place in the index; it ends with its time, with `closes`, or with the trigger.
#pragma once

#include "operators/changes.h"
#include "operators/turn.h"

namespace spur::triggers {

// The turn's event shows interest. Changes before `heard` are no news to it: who cares has been
// told, or is being told.
void business_interests(Turn& turn, Instant heard);
// The instance is about to go: so does its place in the index. Nothing for one of another operator.
void business_ends(Turn& turn, const Instances::View& instance);
// The time of this interest is over. Answers the instance behind it.
Instances::Iterator business_expires(Turn& turn, Instances::Iterator interest);
// Puts what the customer cares about into the index, where another catalog may have taken it out.
void business_indexed(Turn& turn);

// The earliest change with at < `limit` that the customer has to be told of out of turn; never():
// none.
Instant business_next(const ShardState& shard, const Customer& customer, Instant limit);
// Tells the customer of those at `at`.
void business_told(Turn& turn, Instant at);
// Whether the customer still cares about what is told to `place`.
bool business_cares(const Customer& customer, const Changes::Telling& telling,
                    std::string_view place);
// Tells one that does of this change, in its turn.
void business_turn(Turn& turn, const Changes::Telling& telling);

}  // namespace spur::triggers
