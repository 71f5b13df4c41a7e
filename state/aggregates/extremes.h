// min, max, first and last: over all time one value; over a window those that are or can still
// become the reading.
//
// Values are kept by time. Of those that have entered the window only the ones that a newer one
// does not outdo are kept (a maximum falls from the oldest to the newest, the oldest is the
// reading), so that an event costs O(1) amortised and most windows hold a few values. Those that an
// offset still keeps outside are all kept, and sifted when they enter.
#pragma once

#include "state/aggregates/packed.h"
#include "state/codec/byte_io.h"

namespace spur::extremes {

// Requires is_scalar(value), and with a window a time that has not left it.
void add(const AggregateSpec& spec, std::int64_t time, Instant now, const Value& value,
         StatePtr& state);
Value read(const AggregateSpec& spec, Instant now, const Aggregate::State& state, Arena& arena);
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
void pack(const AggregateSpec& spec, const Aggregate::State& state, PackedWriter& out);
StatePtr unpack(const AggregateSpec& spec, PackedReader& in, Scratch& scratch);
void settle(StatePtr& state);

}  // namespace spur::extremes
