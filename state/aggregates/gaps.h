// gaps over all time: how many events (or days with events), the first, and the newest 33 times.
//
// That is all any order of arrival agrees on at a fixed size: the count, the smallest time and the
// 33 largest are each independent of order, also when an event is older than the 33. With
// `distinct_days` such an event counts only if its day is new, so the days older than the newest 33
// are kept too, 4 bytes each; of those the newest 10,000 (27 years without a day off), counted in
// overflowed(), and an event older than all of them is passed over but for the first time.
#pragma once

#include "state/aggregates/packed.h"
#include "state/codec/byte_io.h"

namespace spur::gaps {

void add(const AggregateSpec& spec, std::int64_t time, StatePtr& state);
Value read(Member member, const Aggregate::State& state);

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

}  // namespace spur::gaps
