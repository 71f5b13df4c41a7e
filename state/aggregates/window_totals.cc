#include "state/aggregates/window_totals.h"

#include <algorithm>
#include <utility>

#include "state/aggregates/decay.h"
#include "state/aggregates/gap_statistics.h"
#include "state/aggregates/millionths.h"

namespace spur::window_totals {
namespace {

using State = Aggregate::State;

// The two kinds of single entry, and beside each what the block keeps once. A sum is of the entries
// that have entered; it is absent where only times are kept.
struct Time {
  std::int64_t time;
  std::int64_t amount() const { return 0; }
};
struct Amount {
  std::int64_t time;
  std::int64_t millionths;
  std::int64_t amount() const { return millionths; }
};
struct TimesFixed {
  Merged* merged = nullptr;
  void add(int128) {}
  int128 sum() const { return 0; }
};
struct AmountsFixed {
  Merged* merged = nullptr;
  Int128 total;
  void add(int128 amount) { total.add(amount); }
  int128 sum() const { return total.get(); }
};
using TimesBlock = Block<Layout::kTimes, TimesFixed, Time>;
using AmountsBlock = Block<Layout::kAmounts, AmountsFixed, Amount>;

template <typename B>
struct EntryOf;
template <Layout kLayout, typename F, typename E>
struct EntryOf<Block<kLayout, F, E>> {
  using Type = E;
};

bool before(const Time& a, const Time& b) { return a.time < b.time; }
bool before(const Amount& a, const Amount& b) {
  return a.time != b.time ? a.time < b.time : a.millionths < b.millionths;
}
void set(Time& entry, std::int64_t time, std::int64_t) { entry = {time}; }
void set(Amount& entry, std::int64_t time, std::int64_t amount) { entry = {time, amount}; }

// The first place, from `from` on, whose time is after `instant`. In order it is one of the next
// few, so those are looked at first; after a long silence it is far.
template <typename Entry>
std::size_t after(std::span<const Entry> entries, std::int64_t instant, std::size_t from) {
  const std::size_t near = std::min(entries.size(), from + 4);
  for (; from < near; ++from) {
    if (entries[from].time > instant) return from;
  }
  const auto at =
      std::partition_point(entries.begin() + static_cast<std::ptrdiff_t>(from), entries.end(),
                           [&](const Entry& e) { return e.time <= instant; });
  return static_cast<std::size_t>(at - entries.begin());
}

template <typename Entry>
int128 sum_of(std::span<const Entry> entries, std::size_t from, std::size_t to) {
  int128 sum = 0;
  for (std::size_t i = from; i < to; ++i) sum += entries[i].amount();
  return sum;
}

// The single entries [first, end) that are in the window, and their sum.
struct Range {
  std::size_t first = 0, end = 0;
  int128 sum = 0;
};

template <typename B>
Range range_in(const State& state, const Window& window) {
  const auto entries = B::entries(state);
  const std::size_t entered = state.entered;
  Range range;
  range.first = after(entries, window.cutoff, 0);
  range.end = after(entries, window.boundary, std::max(entered, range.first));
  range.sum = B::fixed(state).sum();
  if constexpr (std::is_same_v<B, AmountsBlock>) {
    range.sum = wrapping_subtract(range.sum, sum_of(entries, 0, std::min(range.first, entered)));
    range.sum = wrapping_add(range.sum, sum_of(entries, std::max(range.first, entered), range.end));
  }
  return range;
}

template <typename B>
void slide(State& state, const Window& window) {
  const Range range = range_in<B>(state, window);
  auto& fixed = B::fixed(state);
  if constexpr (std::is_same_v<B, AmountsBlock>) fixed.total.set(range.sum);
  state.entered = static_cast<std::uint16_t>(range.end - range.first);
  if (range.first > 0) B::erase(state, 0, range.first);
  if (fixed.merged != nullptr) fixed.merged->slide(window);
}

template <typename B>
void merge_oldest(const AggregateSpec& spec, State& state, const Window& window) {
  auto& fixed = B::fixed(state);
  if (fixed.merged == nullptr) fixed.merged = new Merged(window);
  const auto oldest = B::entries(state)[0];
  if (state.entered > 0) {
    fixed.add(-int128{oldest.amount()});
    state.entered -= 1;
  }
  B::erase(state, 0);
  fixed.merged->take(oldest.time, oldest.amount(), values_limit(spec));
}

template <typename B>
void add_to(const AggregateSpec& spec, std::int64_t time, Instant now, std::int64_t amount,
            StatePtr& state) {
  const Window window(spec, now);
  if (!state) {
    state = B::make();
  } else {
    slide<B>(*state, window);
  }
  typename EntryOf<B>::Type entry;
  set(entry, time, amount);
  const auto entries = B::entries(std::as_const(*state));
  std::size_t at = entries.size();
  if (at > 0 && before(entry, entries.back())) {
    at = static_cast<std::size_t>(
        std::upper_bound(entries.begin(), entries.end(), entry,
                         [](const auto& a, const auto& b) { return before(a, b); }) -
        entries.begin());
  }
  B::insert(state, at) = entry;
  if (time <= window.boundary) {
    state->entered += 1;
    B::fixed(*state).add(amount);
  }
  if (state->size > values_limit(spec)) merge_oldest<B>(spec, *state, window);
}

Merged::Totals merged_totals(const Merged* merged, const Window& window) {
  return merged == nullptr ? Merged::Totals{} : merged->totals(window);
}

Value read_gaps(const AggregateSpec& spec, Member member, const Window& window,
                const State& state) {
  const Range range = range_in<TimesBlock>(state, window);
  const auto entries = TimesBlock::entries(state);
  const Merged* merged = TimesBlock::fixed(state).merged;
  GapStatistics gaps(spec.distinct_days);
  std::size_t from = range.first;
  if (merged == nullptr && !spec.distinct_days && range.end - from > GapStatistics::kTimes) {
    // Only the newest are looked at one by one; to count days all have to be.
    from = range.end - GapStatistics::kTimes;
  } else if (merged != nullptr) {
    merged->for_each_in(
        window, [&](std::int64_t start, std::uint64_t count, int128) { gaps.add(start, count); });
  }
  for (std::size_t i = from; i < range.end; ++i) gaps.add(entries[i].time, 1);
  if (from > range.first) gaps.add_earlier(entries[range.first].time, from - range.first);
  return gaps.read(member);
}

Value read_decayed(const AggregateSpec& spec, const Window& window, const State& state) {
  const Range range = range_in<AmountsBlock>(state, window);
  bool any = range.end > range.first;
  double sum = 0;  // added from the oldest to the newest, so always in the same order
  const auto add = [&](std::int64_t time, int128 millionths) {
    sum += from_millionths(millionths) * decay_factor(window.boundary - time, spec.half_life.count);
  };
  if (const Merged* merged = AmountsBlock::fixed(state).merged; merged != nullptr) {
    merged->for_each_in(window, [&](std::int64_t start, std::uint64_t, int128 total) {
      any = true;
      add(start, total);
    });
  }
  const auto entries = AmountsBlock::entries(state);
  for (std::size_t i = range.first; i < range.end; ++i) add(entries[i].time, entries[i].millionths);
  return any ? Value::real(sum) : Value::absent();
}

template <typename B>
Value read_totals(const AggregateSpec& spec, const Window& window, const State& state) {
  const Range range = range_in<B>(state, window);
  const Merged::Totals merged = merged_totals(B::fixed(state).merged, window);
  const std::uint64_t count = range.end - range.first + merged.count;
  if (spec.kind == AggregateKind::kCount) return Value::integer(static_cast<std::int64_t>(count));
  const int128 sum = wrapping_add(range.sum, merged.sum);
  if (spec.kind == AggregateKind::kSum) return Value::real(from_millionths(sum));
  return count == 0 ? Value::absent() : Value::real(mean_of_millionths(sum, count));
}

template <typename B>
Instant next_change_of(const AggregateSpec& spec, const Window& window, const State& state) {
  const auto entries = B::entries(state);
  const Merged* merged = B::fixed(state).merged;
  const auto first_after = [&](std::int64_t instant) {
    const std::size_t at = after(entries, instant, 0);
    const std::int64_t single = at < entries.size() ? entries[at].time : Instant::never().ms;
    return merged == nullptr ? single : std::min(single, merged->first_after(instant));
  };
  Instant next = Instant::never();
  const std::int64_t leaving = first_after(window.cutoff);
  if (leaving != Instant::never().ms) next = Window::leaves(spec, leaving);
  const std::int64_t entering =
      spec.offset.count > 0 ? first_after(window.boundary) : Instant::never().ms;
  if (entering != Instant::never().ms) next = std::min(next, Window::enters(spec, entering));
  return next;
}

template <typename B>
void advance_to(const AggregateSpec& spec, Instant now, StatePtr& state) {
  slide<B>(*state, Window(spec, now));
  // What was merged stays counted, so a block that has merged something stays too.
  if (state->size == 0 && B::fixed(*state).merged == nullptr) {
    state.reset();
    return;
  }
  B::shrink(state);
}

template <typename B>
void encode_from(const State& state, ByteWriter& out) {
  const Merged* merged = B::fixed(state).merged;
  out.varint(state.size);
  out.varint(state.entered);
  std::int64_t previous = 0;
  for (const auto& entry : B::entries(state)) {
    out.varint(static_cast<std::uint64_t>(entry.time - previous));
    if constexpr (std::is_same_v<B, AmountsBlock>) out.zigzag(entry.millionths);
    previous = entry.time;
  }
  out.boolean(merged != nullptr);
  if (merged != nullptr) merged->encode(out);
}

template <typename B>
StatePtr decode_to(const AggregateSpec& spec, ByteReader& in) {
  using Entry = typename EntryOf<B>::Type;
  const std::size_t size = in.count();
  const std::size_t entered = in.varint_max(size);
  if (size > values_limit(spec)) in.fail();
  if (!in.ok()) return nullptr;
  StatePtr state = B::make(std::max<std::size_t>(size, 1));
  Entry previous{};
  for (std::size_t i = 0; i < size; ++i) {
    const std::uint64_t step = in.varint_max(static_cast<std::uint64_t>(kInstantMax.ms));
    Entry entry;
    set(entry, previous.time + static_cast<std::int64_t>(step), 0);
    if constexpr (std::is_same_v<B, AmountsBlock>) entry.millionths = in.zigzag();
    if (!is_event_time(entry.time) || (i > 0 && before(entry, previous))) in.fail();
    if (!in.ok()) return nullptr;
    B::insert(state, i) = entry;
    if (i < entered) B::fixed(*state).add(entry.amount());
    previous = entry;
  }
  state->entered = static_cast<std::uint16_t>(entered);
  if (in.boolean()) B::fixed(*state).merged = Merged::decode(spec, in).release();
  if (in.ok() && size == 0 && B::fixed(*state).merged == nullptr) in.fail();
  return in.ok() ? std::move(state) : nullptr;
}

template <typename B>
void pack_from(const State& state, PackedWriter& out) {
  if (B::fixed(state).merged != nullptr || state.size > kPackedMax) return out.give_up();
  out.u8(static_cast<std::uint8_t>(state.size));
  out.u8(static_cast<std::uint8_t>(state.entered));
  for (const auto& entry : B::entries(state)) {
    out.time(entry.time);
    if constexpr (std::is_same_v<B, AmountsBlock>) out.signed_number(entry.millionths);
  }
}

template <typename B>
StatePtr unpack_to(PackedReader& in, Scratch& scratch) {
  StatePtr state = scratch.make<B>();
  state->size = in.u8();
  state->entered = in.u8();
  std::size_t i = 0;
  for (auto& entry : B::entries(*state)) {
    entry.time = in.time();
    if constexpr (std::is_same_v<B, AmountsBlock>) entry.millionths = in.signed_number();
    if (i++ < state->entered) B::fixed(*state).add(entry.amount());
  }
  return state;
}

bool keeps_times(const AggregateSpec& spec) {
  return spec.kind == AggregateKind::kCount || spec.kind == AggregateKind::kGaps;
}

Merged*& merged_of(State& state) {
  return state.layout == Layout::kTimes ? TimesBlock::fixed(state).merged
                                        : AmountsBlock::fixed(state).merged;
}
const Merged* merged_of(const State& state) { return merged_of(const_cast<State&>(state)); }

}  // namespace

void add(const AggregateSpec& spec, std::int64_t time, Instant now, std::int64_t amount,
         StatePtr& state) {
  if (keeps_times(spec)) return add_to<TimesBlock>(spec, time, now, amount, state);
  add_to<AmountsBlock>(spec, time, now, amount, state);
}

Value read(const AggregateSpec& spec, Member member, Instant now, const State& state) {
  const Window window(spec, now);
  switch (spec.kind) {
    case AggregateKind::kCount:
      return read_totals<TimesBlock>(spec, window, state);
    case AggregateKind::kGaps:
      return read_gaps(spec, member, window, state);
    case AggregateKind::kDecayed:
      return read_decayed(spec, window, state);
    default:
      return read_totals<AmountsBlock>(spec, window, state);
  }
}

void advance(const AggregateSpec& spec, Instant now, StatePtr& state) {
  if (keeps_times(spec)) return advance_to<TimesBlock>(spec, now, state);
  advance_to<AmountsBlock>(spec, now, state);
}

Instant next_change(const AggregateSpec& spec, Instant now, const State& state) {
  const Window window(spec, now);
  return keeps_times(spec) ? next_change_of<TimesBlock>(spec, window, state)
                           : next_change_of<AmountsBlock>(spec, window, state);
}

std::uint64_t overflowed(const State& state) {
  const Merged* merged = merged_of(state);
  return merged == nullptr ? 0 : merged->overflowed();
}

std::size_t side_bytes(const State& state) {
  const Merged* merged = merged_of(state);
  return merged == nullptr ? 0 : merged->memory_bytes();
}

void clone_side(State& state) {
  Merged*& merged = merged_of(state);
  if (merged != nullptr) merged = new Merged(*merged);
}

void destroy_side(State& state) { delete merged_of(state); }

void encode(const AggregateSpec& spec, const State& state, ByteWriter& out) {
  if (keeps_times(spec)) return encode_from<TimesBlock>(state, out);
  encode_from<AmountsBlock>(state, out);
}

StatePtr decode(const AggregateSpec& spec, ByteReader& in) {
  return keeps_times(spec) ? decode_to<TimesBlock>(spec, in) : decode_to<AmountsBlock>(spec, in);
}

void pack(const AggregateSpec& spec, const State& state, PackedWriter& out) {
  if (keeps_times(spec)) return pack_from<TimesBlock>(state, out);
  pack_from<AmountsBlock>(state, out);
}

StatePtr unpack(const AggregateSpec& spec, PackedReader& in, Scratch& scratch) {
  return keeps_times(spec) ? unpack_to<TimesBlock>(in, scratch)
                           : unpack_to<AmountsBlock>(in, scratch);
}

Value count_packed(const AggregateSpec& spec, PackedReader& in, Instant now) {
  const Window window(spec, now);
  const std::uint8_t size = in.u8();
  in.u8();
  std::int64_t count = 0;
  for (std::uint8_t i = 0; i < size; ++i) {
    const std::int64_t time = in.time();
    count += time > window.cutoff && time <= window.boundary ? 1 : 0;
  }
  return Value::integer(count);
}

Instant next_leaving_packed(const AggregateSpec& spec, PackedReader& in, Instant now) {
  const Window window(spec, now);
  const std::uint8_t size = in.u8();
  in.u8();
  for (std::uint8_t i = 0; i < size; ++i) {
    if (const std::int64_t time = in.time(); time > window.cutoff)
      return Window::leaves(spec, time);
  }
  return Instant::never();
}

void settle(StatePtr& state) {
  if (state->layout == Layout::kTimes) return TimesBlock::settle(state);
  AmountsBlock::settle(state);
}

}  // namespace spur::window_totals
