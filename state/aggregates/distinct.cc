#include "state/aggregates/distinct.h"

#include <algorithm>
#include <vector>

#include "state/aggregates/scalar.h"
#include "state/aggregates/waiting.h"
#include "state/aggregates/window.h"

namespace spur::distinct {
namespace {

using State = Aggregate::State;
using Slot = std::uint16_t;
constexpr Slot kNone = 0xffff;
// Up to here members are found by looking at each.
constexpr std::size_t kScanMax = 8;

// What few aggregates need.
struct Side {
  std::vector<Slot> buckets;  // a power of two of them; each the first of a chain
  Waiting waiting;
  std::uint64_t overflowed = 0;
};
struct Fixed {
  Side* side = nullptr;
  Slot oldest = kNone, newest = kNone;
  std::uint32_t spare = 0;
};
struct Entry {
  std::int64_t time;    // the newest
  Scalar value;         // normalized
  Slot previous, next;  // by (time, value)
  Slot chain;           // the next in its bucket
  std::uint16_t hash;
};
static_assert(sizeof(Entry) == 32);
using DistinctBlock = Block<Layout::kDistinct, Fixed, Entry>;

Fixed& fixed_of(State& state) { return DistinctBlock::fixed(state); }
const Fixed& fixed_of(const State& state) { return DistinctBlock::fixed(state); }
Entry& entry_at(State& state, Slot slot) { return DistinctBlock::base(state)[slot]; }
const Entry& entry_at(const State& state, Slot slot) { return DistinctBlock::entries(state)[slot]; }

Side& side_of(State& state) {
  Side*& side = fixed_of(state).side;
  if (side == nullptr) side = new Side();
  return *side;
}

std::uint16_t short_hash(const Value& value) {
  return static_cast<std::uint16_t>(hash(value) >> 48);
}

bool has_index(const State& state) {
  return fixed_of(state).side != nullptr && !fixed_of(state).side->buckets.empty();
}

Slot& bucket_of(State& state, std::uint16_t hash) {
  std::vector<Slot>& buckets = fixed_of(state).side->buckets;
  return buckets[hash & (buckets.size() - 1)];
}

void chain(State& state, Slot slot) {
  Slot& first = bucket_of(state, entry_at(state, slot).hash);
  entry_at(state, slot).chain = first;
  first = slot;
}

// Whoever points to `from` in its chain points to `to` from now on.
void rechain(State& state, Slot from, Slot to) {
  Slot* at = &bucket_of(state, entry_at(state, from).hash);
  while (*at != from) at = &entry_at(state, *at).chain;
  *at = to;
}

void build_index(State& state) {
  std::size_t size = 16;
  while (size < state.size * std::size_t{2}) size *= 2;
  side_of(state).buckets.assign(std::min<std::size_t>(size, 1u << 16), kNone);
  for (Slot slot = 0; slot < state.size; ++slot) chain(state, slot);
}

Slot find(const State& state, const Value& value, std::uint16_t hash) {
  const auto is_it = [&](const Entry& e) {
    return e.hash == hash && order(view(e.value), value) == 0;
  };
  if (!has_index(state)) {
    for (Slot slot = 0; slot < state.size; ++slot) {
      if (is_it(entry_at(state, slot))) return slot;
    }
    return kNone;
  }
  const std::vector<Slot>& buckets = fixed_of(state).side->buckets;
  Slot slot = buckets[hash & (buckets.size() - 1)];
  while (slot != kNone && !is_it(entry_at(state, slot))) slot = entry_at(state, slot).chain;
  return slot;
}

bool comes_first(const Entry& a, const Entry& b) {
  return a.time != b.time ? a.time < b.time : order(view(a.value), view(b.value)) < 0;
}

void unlink(State& state, Slot slot) {
  Fixed& fixed = fixed_of(state);
  const Entry& entry = entry_at(state, slot);
  (entry.previous == kNone ? fixed.oldest : entry_at(state, entry.previous).next) = entry.next;
  (entry.next == kNone ? fixed.newest : entry_at(state, entry.next).previous) = entry.previous;
}

// Which member is the last before `entry`. Looks from the end that is nearer in time; in order that
// is one step.
Slot predecessor(const State& state, const Entry& entry) {
  const Fixed& fixed = fixed_of(state);
  if (fixed.newest == kNone) return kNone;
  const std::int64_t oldest = entry_at(state, fixed.oldest).time;
  const std::int64_t newest = entry_at(state, fixed.newest).time;
  if (entry.time - oldest >= newest - entry.time) {
    Slot slot = fixed.newest;
    while (slot != kNone && comes_first(entry, entry_at(state, slot)))
      slot = entry_at(state, slot).previous;
    return slot;
  }
  Slot before = kNone;
  for (Slot slot = fixed.oldest; slot != kNone && comes_first(entry_at(state, slot), entry);) {
    before = slot;
    slot = entry_at(state, slot).next;
  }
  return before;
}

void link(State& state, Slot slot) {
  Fixed& fixed = fixed_of(state);
  Entry& entry = entry_at(state, slot);
  entry.previous = predecessor(state, entry);
  Slot& forward = entry.previous == kNone ? fixed.oldest : entry_at(state, entry.previous).next;
  entry.next = forward;
  forward = slot;
  (entry.next == kNone ? fixed.newest : entry_at(state, entry.next).previous) = slot;
}

// Fills the place of a dropped member with the last one, so that slots stay dense.
void fill_hole(State& state, Slot hole) {
  const auto last = static_cast<Slot>(state.size - 1);
  if (hole != last) {
    if (has_index(state)) rechain(state, last, hole);
    Entry& moved = entry_at(state, hole) = entry_at(state, last);
    Fixed& fixed = fixed_of(state);
    (moved.previous == kNone ? fixed.oldest : entry_at(state, moved.previous).next) = hole;
    (moved.next == kNone ? fixed.newest : entry_at(state, moved.next).previous) = hole;
  }
  state.size = last;
}

void drop_oldest(State& state) {
  const Slot slot = fixed_of(state).oldest;
  unlink(state, slot);
  if (has_index(state)) rechain(state, slot, entry_at(state, slot).chain);
  release(entry_at(state, slot).value);
  fill_hole(state, slot);
}

void touch(std::size_t limit, std::int64_t time, const Value& value, StatePtr& state) {
  const std::uint16_t hash = short_hash(value);
  const Slot known = find(*state, value, hash);
  if (known != kNone) {
    if (time <= entry_at(*state, known).time) return;
    unlink(*state, known);
    entry_at(*state, known).time = time;
    return link(*state, known);
  }
  const auto slot = static_cast<Slot>(state->size);
  DistinctBlock::insert(state, slot) = {time, make_scalar(value), kNone, kNone, kNone, hash};
  link(*state, slot);
  if (has_index(*state) && state->size <= side_of(*state).buckets.size()) {
    chain(*state, slot);
  } else if (state->size > kScanMax) {
    build_index(*state);
  }
  if (state->size <= limit) return;
  drop_oldest(*state);
  side_of(*state).overflowed += 1;
}

void slide(const AggregateSpec& spec, const Window& window, StatePtr& state) {
  if (Side* side = fixed_of(*state).side; side != nullptr) {
    while (!side->waiting.empty() && side->waiting.front().time <= window.boundary) {
      const Waiting::Entry& entry = side->waiting.front();
      if (entry.time > window.cutoff)
        touch(members_limit(spec), entry.time, view(entry.value), state);
      side->waiting.pop_front();
    }
  }
  while (state->size > 0 && entry_at(*state, fixed_of(*state).oldest).time <= window.cutoff)
    drop_oldest(*state);
}

// Of what waits, the members that would have entered by now and are not in already.
std::size_t count_entering(const State& state, const Window& window) {
  std::vector<Value> entering;
  fixed_of(state).side->waiting.for_each([&](const Waiting::Entry& entry) {
    if (entry.time > window.boundary) return false;
    if (entry.time <= window.cutoff) return true;
    const Value value = view(entry.value);
    const Slot known = find(state, value, short_hash(value));
    if (known == kNone || entry_at(state, known).time <= window.cutoff) entering.push_back(value);
    return true;
  });
  std::sort(entering.begin(), entering.end(),
            [](const Value& a, const Value& b) { return order(a, b) < 0; });
  const auto end = std::unique(entering.begin(), entering.end(),
                               [](const Value& a, const Value& b) { return order(a, b) == 0; });
  return static_cast<std::size_t>(end - entering.begin());
}

// The oldest member that is still in the window.
Slot first_in(const State& state, const Window& window, std::size_t& left) {
  Slot slot = fixed_of(state).oldest;
  for (left = 0; slot != kNone && entry_at(state, slot).time <= window.cutoff; ++left)
    slot = entry_at(state, slot).next;
  return slot;
}

bool waits(const State& state) {
  return fixed_of(state).side != nullptr && !fixed_of(state).side->waiting.empty();
}

}  // namespace

void add(const AggregateSpec& spec, std::int64_t time, Instant now, const Value& value,
         StatePtr& state) {
  if (!state) state = DistinctBlock::make();
  const Value member = normalized(value);
  if (!has_window(spec)) return touch(members_limit(spec), time, member, state);
  const Window window(spec, now);
  slide(spec, window, state);
  if (time <= window.boundary) return touch(members_limit(spec), time, member, state);
  Side& side = side_of(*state);
  side.overflowed += side.waiting.add(time, member, members_limit(spec));
  slide(spec, window, state);  // what was merged into days may have entered by that
}

Value read(const AggregateSpec& spec, Instant now, const State& state) {
  if (!has_window(spec)) return Value::integer(state.size);
  const Window window(spec, now);
  std::size_t left = 0;
  first_in(state, window, left);
  const std::size_t entering = waits(state) ? count_entering(state, window) : 0;
  return Value::integer(
      static_cast<std::int64_t>(std::min(state.size - left + entering, members_limit(spec))));
}

void advance(const AggregateSpec& spec, Instant now, StatePtr& state) {
  slide(spec, Window(spec, now), state);
  const Side* side = fixed_of(*state).side;
  if (state->size == 0 && !waits(*state) && (side == nullptr || side->overflowed == 0)) {
    state.reset();
    return;
  }
  DistinctBlock::shrink(state);
}

Instant next_change(const AggregateSpec& spec, Instant now, const State& state) {
  const Window window(spec, now);
  Instant next = Instant::never();
  std::size_t left = 0;
  const Slot first = first_in(state, window, left);
  if (first != kNone) next = Window::leaves(spec, entry_at(state, first).time);
  if (!waits(state)) return next;
  const Waiting& waiting = fixed_of(state).side->waiting;
  const std::int64_t leaving = waiting.first_after(window.cutoff);
  if (leaving != Instant::never().ms) next = std::min(next, Window::leaves(spec, leaving));
  const std::int64_t entering = waiting.first_after(window.boundary);
  if (entering != Instant::never().ms) next = std::min(next, Window::enters(spec, entering));
  return next;
}

std::uint64_t overflowed(const State& state) {
  return fixed_of(state).side == nullptr ? 0 : fixed_of(state).side->overflowed;
}

std::size_t side_bytes(const State& state) {
  std::size_t bytes = 0;
  for (const Entry& entry : DistinctBlock::entries(state)) bytes += heap_bytes(entry.value);
  const Side* side = fixed_of(state).side;
  if (side == nullptr) return bytes;
  return bytes + sizeof *side + side->buckets.capacity() * sizeof(Slot) +
         side->waiting.memory_bytes();
}

void clone_side(State& state) {
  for (Entry& entry : DistinctBlock::entries(state)) entry.value = clone(entry.value);
  Side*& side = fixed_of(state).side;
  if (side != nullptr) side = new Side(*side);
}

void destroy_side(State& state) {
  for (Entry& entry : DistinctBlock::entries(state)) release(entry.value);
  delete fixed_of(state).side;
}

void encode(const State& state, ByteWriter& out) {
  out.varint(overflowed(state));
  out.varint(state.size);
  std::int64_t previous = 0;
  for (Slot slot = fixed_of(state).oldest; slot != kNone; slot = entry_at(state, slot).next) {
    const Entry& entry = entry_at(state, slot);
    out.varint(static_cast<std::uint64_t>(entry.time - previous));
    write_scalar(entry.value, out);
    previous = entry.time;
  }
  out.boolean(waits(state));
  if (waits(state)) fixed_of(state).side->waiting.encode(out);
}

StatePtr decode(const AggregateSpec& spec, ByteReader& in) {
  const std::uint64_t overflows = in.varint();
  const std::size_t size = in.count(2);
  if (size > members_limit(spec)) in.fail();
  if (!in.ok()) return nullptr;
  StatePtr state = DistinctBlock::make(std::max<std::size_t>(size, 1));
  if (overflows > 0) side_of(*state).overflowed = overflows;
  std::int64_t time = 0;
  for (std::size_t i = 0; i < size; ++i) {
    time += static_cast<std::int64_t>(in.varint_max(static_cast<std::uint64_t>(kInstantMax.ms)));
    Scalar value = read_scalar(in);
    if (!in.ok()) return nullptr;
    // Ascending by (time, value), each value once and in its normal form: then the newest is the
    // one just put.
    const Value member = view(value);
    if (!is_event_time(time) || order(normalized(member), member) != 0 ||
        find(*state, member, short_hash(member)) != kNone)
      in.fail();
    if (in.ok()) touch(size, time, member, state);
    release(value);
    if (!in.ok() || fixed_of(*state).newest != i) {
      in.fail();
      return nullptr;
    }
  }
  if (in.boolean()) {
    if (!has_window(spec)) in.fail();
    Waiting& waiting = side_of(*state).waiting;
    waiting.decode(in, members_limit(spec));
    if (waiting.empty()) in.fail();
  }
  if (size == 0 && !waits(*state) && overflows == 0) in.fail();
  return in.ok() ? std::move(state) : nullptr;
}

void pack(const State& state, PackedWriter& out) {
  if (fixed_of(state).side != nullptr) return out.give_up();
  out.u8(static_cast<std::uint8_t>(state.size));
  for (Slot slot = fixed_of(state).oldest; slot != kNone; slot = entry_at(state, slot).next) {
    const Entry& entry = entry_at(state, slot);
    out.time(entry.time);
    out.fixed16(entry.hash);
    pack_scalar(entry.value, out);
  }
}

StatePtr unpack(PackedReader& in, Scratch& scratch) {
  StatePtr state = scratch.make<DistinctBlock>();
  const std::uint8_t size = in.u8();
  state->size = size;
  for (Slot slot = 0; slot < size; ++slot) {
    Entry& entry = entry_at(*state, slot);
    entry.time = in.time();
    entry.hash = in.fixed16();
    entry.value = unpack_scalar(in);
    entry.previous = slot == 0 ? kNone : static_cast<Slot>(slot - 1);
    entry.next = slot + 1 == size ? kNone : static_cast<Slot>(slot + 1);
    entry.chain = kNone;
  }
  fixed_of(*state).oldest = size == 0 ? kNone : Slot{0};
  fixed_of(*state).newest = size == 0 ? kNone : static_cast<Slot>(size - 1);
  return state;
}

void settle(StatePtr& state) {
  DistinctBlock::settle(state);
  for (Entry& entry : DistinctBlock::entries(*state)) own(entry.value);
}

}  // namespace spur::distinct
