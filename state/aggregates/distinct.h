// distinct: how many different values there were.
//
// Each member is kept with the newest instant it was seen at, and the members are linked in that
// order: the window's trailing edge takes them from the front, an event moves its member to the
// end, and beyond the limit the front goes. More than a few are found through a hash index (fixed
// hash, never iterated, so no order depends on it). Events that an offset keeps outside wait in a
// queue by time and are merged into days beyond the limit.
#pragma once

#include "state/aggregates/packed.h"
#include "state/codec/byte_io.h"

namespace spur::distinct {

// Requires is_scalar(value), and with a window a time that has not left it.
void add(const AggregateSpec& spec, std::int64_t time, Instant now, const Value& value,
         StatePtr& state);
Value read(const AggregateSpec& spec, Instant now, const Aggregate::State& state);
// The next two require a window. advance() may leave `state` null.
void advance(const AggregateSpec& spec, Instant now, StatePtr& state);
Instant next_change(const AggregateSpec& spec, Instant now, const Aggregate::State& state);

std::uint64_t overflowed(const Aggregate::State& state);
std::size_t side_bytes(const Aggregate::State& state);
void clone_side(Aggregate::State& state);
void destroy_side(Aggregate::State& state);

void encode(const Aggregate::State& state, ByteWriter& out);
StatePtr decode(const AggregateSpec& spec, ByteReader& in);

// The packed form (packed.h). pack() gives up on what it has no room for; settle() moves a state
// out of its scratch.
void pack(const Aggregate::State& state, PackedWriter& out);
StatePtr unpack(PackedReader& in, Scratch& scratch);
void settle(StatePtr& state);

}  // namespace spur::distinct
