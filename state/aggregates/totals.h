// count, sum and mean over all time: a number in the pointer itself, or one block of 24 to 40
// bytes.
#pragma once

#include "state/aggregates/aggregate_state.h"
#include "state/codec/byte_io.h"

namespace spur::totals {

// `amount` in millionths; kCount ignores it.
void add(const AggregateSpec& spec, std::int64_t amount, StatePtr& state);
// `state` is not null, and of a count no block at all: hence a pointer.
Value read(const AggregateSpec& spec, const Aggregate::State* state);
void encode(const AggregateSpec& spec, const Aggregate::State* state, ByteWriter& out);
// Fails the reader if the bytes are not valid.
StatePtr decode(const AggregateSpec& spec, ByteReader& in);

}  // namespace spur::totals
