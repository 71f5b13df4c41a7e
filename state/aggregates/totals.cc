#include "state/aggregates/totals.h"

#include "state/aggregates/millionths.h"

namespace spur::totals {
namespace {

// Of a sum and a mean; the count of a mean is the one entry, so that a sum does not pay for it.
struct Total {
  Int128 millionths;
};
using TotalBlock = Block<Layout::kTotals, Total, std::uint64_t>;

std::uint64_t& count_of(Aggregate::State& state) { return TotalBlock::base(state)[0]; }
std::uint64_t count_of(const Aggregate::State& state) { return TotalBlock::entries(state)[0]; }

StatePtr make(const AggregateSpec& spec) {
  if (spec.kind == AggregateKind::kSum) return TotalBlock::make(0);
  StatePtr state = TotalBlock::make(1);
  state->size = 1;
  count_of(*state) = 0;
  return state;
}

StatePtr counted(std::uint64_t count) { return StatePtr(tag_count(count)); }

}  // namespace

void add(const AggregateSpec& spec, std::int64_t amount, StatePtr& state) {
  if (spec.kind == AggregateKind::kCount) {
    const std::uint64_t before = state ? tagged_count(state.release()) : 0;
    state = counted(before + 1);
    return;
  }
  if (!state) state = make(spec);
  TotalBlock::fixed(*state).millionths.add(amount);
  if (spec.kind == AggregateKind::kMean) count_of(*state) += 1;
}

Value read(const AggregateSpec& spec, const Aggregate::State* state) {
  if (spec.kind == AggregateKind::kCount)
    return Value::integer(static_cast<std::int64_t>(tagged_count(state)));
  const int128 total = TotalBlock::fixed(*state).millionths.get();
  if (spec.kind == AggregateKind::kSum) return Value::real(from_millionths(total));
  return Value::real(mean_of_millionths(total, count_of(*state)));
}

void encode(const AggregateSpec& spec, const Aggregate::State* state, ByteWriter& out) {
  if (spec.kind == AggregateKind::kCount) return out.varint(tagged_count(state));
  const Int128& total = TotalBlock::fixed(*state).millionths;
  write_int128(total.get(), out);
  if (spec.kind == AggregateKind::kMean) out.varint(count_of(*state));
}

StatePtr decode(const AggregateSpec& spec, ByteReader& in) {
  if (spec.kind == AggregateKind::kCount) {
    const std::uint64_t count = in.varint_max(kCountMax);
    if (count == 0) in.fail();
    return in.ok() ? counted(count) : nullptr;
  }
  StatePtr state = make(spec);
  TotalBlock::fixed(*state).millionths.set(read_int128(in));
  if (spec.kind == AggregateKind::kMean) {
    count_of(*state) = in.varint_max(kCountMax);
    if (count_of(*state) == 0) in.fail();
  }
  return in.ok() ? std::move(state) : nullptr;
}

void pack(const AggregateSpec& spec, const Aggregate::State* state, PackedWriter& out) {
  if (spec.kind == AggregateKind::kCount) return out.number(tagged_count(state));
  out.wide(TotalBlock::fixed(*state).millionths.get());
  if (spec.kind == AggregateKind::kMean) out.number(count_of(*state));
}

StatePtr unpack(const AggregateSpec& spec, PackedReader& in, Scratch& scratch) {
  if (spec.kind == AggregateKind::kCount) return counted(in.number());
  StatePtr state = scratch.make<TotalBlock>();
  TotalBlock::fixed(*state).millionths.set(in.wide());
  if (spec.kind == AggregateKind::kMean) {
    state->size = 1;
    count_of(*state) = in.number();
  }
  return state;
}

void add_packed(const AggregateSpec& spec, std::int64_t amount, PackedReader& before,
                PackedWriter& after) {
  if (spec.kind == AggregateKind::kCount) return after.number(before.number() + 1);
  after.wide(wrapping_add(before.wide(), amount));
  if (spec.kind == AggregateKind::kMean) after.number(before.number() + 1);
}

Value read_packed(const AggregateSpec& spec, PackedReader& in) {
  if (spec.kind == AggregateKind::kCount)
    return Value::integer(static_cast<std::int64_t>(in.number()));
  const int128 total = in.wide();
  if (spec.kind == AggregateKind::kSum) return Value::real(from_millionths(total));
  return Value::real(mean_of_millionths(total, in.number()));
}

void settle(StatePtr& state) {
  if (!is_tagged(state.get())) TotalBlock::settle(state);
}

}  // namespace spur::totals
