// count, sum and mean over a window, and what gaps and decayed keep for one: the single values by
// time, and their total.
//
// An event costs O(1) when it comes in order: it goes to the end, what left the window goes from
// the front, and the running sum follows both. A late one costs a search and a move of what is
// newer. A count and gaps keep 8 bytes a value, the others 16.
#pragma once

#include "state/aggregates/merged.h"
#include "state/aggregates/packed.h"
#include "state/codec/byte_io.h"

namespace spur::window_totals {

// Requires has_window(spec) and a time that has not left the window. `amount` in millionths; kCount
// and kGaps ignore it.
void add(const AggregateSpec& spec, std::int64_t time, Instant now, std::int64_t amount,
         StatePtr& state);
Value read(const AggregateSpec& spec, Member member, Instant now, const Aggregate::State& state);
// May leave `state` null: nothing is left.
void advance(const AggregateSpec& spec, Instant now, StatePtr& state);
Instant next_change(const AggregateSpec& spec, Instant now, const Aggregate::State& state);

std::uint64_t overflowed(const Aggregate::State& state);
// Heap bytes beside the block; what a copy of the block's bytes needs to own them itself; what
// destroys them.
std::size_t side_bytes(const Aggregate::State& state);
void clone_side(Aggregate::State& state);
void destroy_side(Aggregate::State& state);

void encode(const AggregateSpec& spec, const Aggregate::State& state, ByteWriter& out);
StatePtr decode(const AggregateSpec& spec, ByteReader& in);

// The packed form (packed.h). pack() gives up on what it has no room for; settle() moves a state
// out of its scratch.
void pack(const AggregateSpec& spec, const Aggregate::State& state, PackedWriter& out);
StatePtr unpack(const AggregateSpec& spec, PackedReader& in, Scratch& scratch);
void settle(StatePtr& state);
// Of a packed count; the second also of packed gaps, without an offset.
Value count_packed(const AggregateSpec& spec, PackedReader& in, Instant now);
Instant next_leaving_packed(const AggregateSpec& spec, PackedReader& in, Instant now);

}  // namespace spur::window_totals
