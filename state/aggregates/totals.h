// count, sum and mean over all time: a number in the pointer itself, or one block of 24 to 40
// bytes.
#pragma once

#include "state/aggregates/packed.h"
#include "state/codec/byte_io.h"

namespace spur::totals {

// `amount` in millionths; kCount ignores it.
void add(const AggregateSpec& spec, std::int64_t amount, StatePtr& state);
// `state` is not null, and of a count no block at all: hence a pointer.
Value read(const AggregateSpec& spec, const Aggregate::State* state);
void encode(const AggregateSpec& spec, const Aggregate::State* state, ByteWriter& out);
// Fails the reader if the bytes are not valid.
StatePtr decode(const AggregateSpec& spec, ByteReader& in);

// The packed form (packed.h). pack() gives up on what it has no room for; settle() moves a state
// out of its scratch.
void pack(const AggregateSpec& spec, const Aggregate::State* state, PackedWriter& out);
StatePtr unpack(const AggregateSpec& spec, PackedReader& in, Scratch& scratch);
void settle(StatePtr& state);
// As add() and read() of what unpack() gives.
void add_packed(const AggregateSpec& spec, std::int64_t amount, PackedReader& before,
                PackedWriter& after);
Value read_packed(const AggregateSpec& spec, PackedReader& in);

}  // namespace spur::totals
