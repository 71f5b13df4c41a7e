// decayed over all time: a sum of weights of which each halves every half_life.
//
// Exactly commutative, by whole numbers only. Time is cut into epochs of 8 half-lives from 1970 on.
// A weight, in millionths, that came f half-lives after the start of its epoch adds weight × 2^f,
// as an integer with 40 binary places, to the sum of that epoch. The sums of different epochs are
// put together only when read, always from the oldest to the newest: since epochs are whole
// half-lives long, that is a shift, and one factor brings the total to the instant asked for.
//
// The newest 9 epochs are kept. What is older has halved more than 64 times at the newest event, so
// that even the largest weight that can be given (2^63 millionths) is worth less than half a
// millionth; and since the rule depends on the largest time alone, any order of arrival drops the
// same events. The reading is right to 12 digits (2^f is rounded to 2^-40). A late weight older
// than those epochs adds nothing.
//
// Over a window the single weights are kept instead (window_totals.h).
#pragma once

#include "state/aggregates/packed.h"
#include "state/codec/byte_io.h"

namespace spur::decayed {

// `weight` in millionths.
void add(const AggregateSpec& spec, std::int64_t time, std::int64_t weight, StatePtr& state);
Value read(const AggregateSpec& spec, Instant now, const Aggregate::State& state);

void encode(const Aggregate::State& state, ByteWriter& out);
StatePtr decode(const AggregateSpec& spec, ByteReader& in);

// The packed form (packed.h). pack() gives up on what it has no room for; settle() moves a state
// out of its scratch.
void pack(const Aggregate::State& state, PackedWriter& out);
StatePtr unpack(PackedReader& in, Scratch& scratch);
void settle(StatePtr& state);

}  // namespace spur::decayed
