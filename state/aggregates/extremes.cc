#include "state/aggregates/extremes.h"

#include <algorithm>
#include <utility>

#include "state/aggregates/scalar.h"
#include "state/aggregates/window.h"

namespace spur::extremes {
namespace {

using State = Aggregate::State;

struct Fixed {
  std::uint64_t overflowed = 0;
};
struct Entry {
  std::int64_t time;
  Scalar value;  // its `unit` says to what the time is exact

  Unit unit() const { return static_cast<Unit>(value.unit); }
  // When it counts as having happened.
  std::int64_t start() const { return start_of(unit(), time); }
};
using ExtremesBlock = Block<Layout::kExtremes, Fixed, Entry>;

// Over all time min and max have none.
bool keeps_time(const AggregateSpec& spec) {
  return has_window(spec) || spec.kind == AggregateKind::kFirst ||
         spec.kind == AggregateKind::kLast;
}

std::span<const Entry> entries_of(const State& state) { return ExtremesBlock::entries(state); }

// Entries are in the order of (time, value), values of one instant so that the one to be read is
// the last of them.
int signed_order(AggregateKind kind, const Value& a, const Value& b) {
  const bool rising = kind == AggregateKind::kMax || kind == AggregateKind::kLast;
  return rising ? order(a, b) : order(b, a);
}

struct Candidate {
  std::int64_t time;
  Value value;
};
Candidate candidate(const Entry& entry) { return {entry.time, view(entry.value)}; }

// Whether the later of two, by that order, means that the earlier one will never be read again.
bool outdoes(AggregateKind kind, const Candidate& later, const Candidate& earlier) {
  switch (kind) {
    case AggregateKind::kLast:
      return true;
    case AggregateKind::kFirst:
      return later.time == earlier.time;
    default:
      return signed_order(kind, later.value, earlier.value) >= 0;
  }
}

// The first place whose entry comes after `added`.
std::size_t place_of(AggregateKind kind, std::span<const Entry> entries, const Candidate& added) {
  const auto comes_first = [&](const Entry& e) {
    return e.time != added.time ? e.time < added.time
                                : signed_order(kind, view(e.value), added.value) <= 0;
  };
  if (entries.empty() || comes_first(entries.back())) return entries.size();
  return static_cast<std::size_t>(
      std::partition_point(entries.begin(), entries.end(), comes_first) - entries.begin());
}

// The first place that counts as after `instant`.
std::size_t after(std::span<const Entry> entries, std::int64_t instant) {
  const auto at = std::partition_point(entries.begin(), entries.end(),
                                       [&](const Entry& e) { return e.start() <= instant; });
  return static_cast<std::size_t>(at - entries.begin());
}

void drop(State& state, std::size_t at, std::size_t count = 1) {
  if (count == 0) return;
  const auto entries = ExtremesBlock::entries(state);
  std::size_t entered = 0;
  for (std::size_t i = at; i < at + count; ++i) {
    release(entries[i].value);
    entered += i < state.entered ? 1 : 0;
  }
  state.entered = static_cast<std::uint16_t>(state.entered - entered);
  ExtremesBlock::erase(state, at, count);
}

// Moves entries into the window that have reached it, sifting out what they outdo.
void enter(const AggregateSpec& spec, State& state, std::int64_t boundary) {
  const auto entries = ExtremesBlock::entries(state);
  std::size_t kept = state.entered;
  std::size_t next = kept;
  for (; next < entries.size() && entries[next].start() <= boundary; ++next) {
    const Candidate entering = candidate(entries[next]);
    while (kept > 0 && outdoes(spec.kind, entering, candidate(entries[kept - 1]))) {
      release(entries[--kept].value);
    }
    entries[kept++] = entries[next];
  }
  // The few that were kept move up to those that wait, not the other way round.
  const std::size_t gap = next - kept;
  if (gap > 0 && kept > 0)
    std::memmove(static_cast<void*>(entries.data() + gap), entries.data(), kept * sizeof(Entry));
  state.head = static_cast<std::uint16_t>(state.head + gap);
  state.size = static_cast<std::uint16_t>(state.size - gap);
  state.entered = static_cast<std::uint16_t>(kept);
}

void slide(const AggregateSpec& spec, State& state, const Window& window) {
  const auto entries = entries_of(state);
  std::size_t left = 0;
  while (left < entries.size() && entries[left].start() <= window.cutoff) ++left;
  drop(state, 0, left);
  enter(spec, state, window.boundary);
}

// Of two neighbours in one unit, removes the one that is not to be read.
void join_with_next(AggregateKind kind, State& state, std::size_t at) {
  const auto entries = entries_of(state);
  if (at + 1 >= entries.size() || entries[at].unit() == Unit::kMillisecond) return;
  if (entries[at].unit() != entries[at + 1].unit() ||
      entries[at].start() != entries[at + 1].start())
    return;
  bool keep_earlier = kind == AggregateKind::kFirst;
  if (kind == AggregateKind::kMin || kind == AggregateKind::kMax) {
    keep_earlier = signed_order(kind, view(entries[at].value), view(entries[at + 1].value)) > 0;
  }
  drop(state, keep_earlier ? at + 1 : at);
}

void join_neighbours(AggregateKind kind, State& state, std::size_t at) {
  join_with_next(kind, state, at);
  if (at > 0 && at < state.size) join_with_next(kind, state, at - 1);
}

// Makes the oldest of those exact to `unit` exact to the next larger one only, if there are too
// many.
void coarsen(const AggregateSpec& spec, State& state, Unit unit, const Window& window) {
  const auto entries = ExtremesBlock::entries(state);
  const auto from = std::partition_point(entries.begin(), entries.end(),
                                         [&](const Entry& e) { return e.unit() > unit; });
  const auto to =
      std::partition_point(from, entries.end(), [&](const Entry& e) { return e.unit() == unit; });
  const bool days = unit == Unit::kDay;
  if (static_cast<std::size_t>(to - from) <= (days ? kDaysMax : values_limit(spec))) return;
  if (unit == Unit::kMillisecond) ExtremesBlock::fixed(state).overflowed += 1;
  if (days) return drop(state, 0);
  const auto at = static_cast<std::size_t>(from - entries.begin());
  entries[at].value.unit += 1;
  join_neighbours(spec.kind, state, at);
  slide(spec, state, window);  // the start of its unit may have entered, or even left
}

void put(const Candidate& added, std::uint8_t unit, std::size_t at, bool enters, StatePtr& state) {
  Scalar scalar = make_scalar(added.value);
  scalar.unit = unit;
  ExtremesBlock::insert(state, at) = {added.time, scalar};
  if (enters) state->entered += 1;
}

// Among those in the window: what the new one outdoes goes; or it is itself outdone. Whether it was
// put, and where.
bool put_entered(AggregateKind kind, const Candidate& added, std::uint8_t unit, std::size_t& at,
                 StatePtr& state) {
  const auto entries = entries_of(*state);
  if (at < state->entered && outdoes(kind, candidate(entries[at]), added)) return false;
  std::size_t from = at;
  while (from > 0 && outdoes(kind, added, candidate(entries[from - 1]))) --from;
  drop(*state, from, at - from);
  at = from;
  put(added, unit, at, true, state);
  return true;
}

// Among those that wait all are kept, but only one of each instant: they enter together.
bool put_waiting(const Candidate& added, std::uint8_t unit, std::size_t& at, StatePtr& state) {
  const auto entries = entries_of(*state);
  if (at < entries.size() && entries[at].time == added.time) return false;
  if (at > state->entered && entries[at - 1].time == added.time) drop(*state, --at);
  put(added, unit, at, false, state);
  return true;
}

void add_to_window(const AggregateSpec& spec, const Candidate& added, Instant now,
                   StatePtr& state) {
  const Window window(spec, now);
  if (!state) {
    state = ExtremesBlock::make();
  } else {
    slide(spec, *state, window);
  }
  const auto entries = entries_of(*state);
  std::size_t at = place_of(spec.kind, entries, added);
  // What is older than merged values is merged like them.
  const std::uint8_t unit = at < entries.size() ? entries[at].value.unit : 0;
  const std::int64_t start = start_of(static_cast<Unit>(unit), added.time);
  if (start <= window.cutoff) return;
  const bool put = start <= window.boundary ? put_entered(spec.kind, added, unit, at, state)
                                            : put_waiting(added, unit, at, state);
  if (!put) return;
  join_neighbours(spec.kind, *state, at);
  if (state->size <= values_limit(spec)) return;
  for (const Unit each : {Unit::kMillisecond, Unit::kMinute, Unit::kHour, Unit::kDay})
    coarsen(spec, *state, each, window);
}

void add_to_all_time(AggregateKind kind, const Candidate& added, StatePtr& state) {
  // Of min and max the time does not matter, and is not kept.
  const bool by_time = kind == AggregateKind::kFirst || kind == AggregateKind::kLast;
  const std::int64_t time = by_time ? added.time : 0;
  if (!state) {
    state = ExtremesBlock::make();
    return put({time, added.value}, 0, 0, true, state);
  }
  Entry& kept = ExtremesBlock::entries(*state)[0];
  if (time != kept.time && (time > kept.time) == (kind == AggregateKind::kFirst)) return;
  if (time == kept.time && signed_order(kind, added.value, view(kept.value)) <= 0) return;
  release(kept.value);
  kept = {time, make_scalar(added.value)};
}

const Entry* read_min_or_max(const AggregateSpec& spec, const Window& window, const State& state) {
  const auto entries = entries_of(state);
  const std::size_t first = after(entries, window.cutoff);
  const Entry* best = first < state.entered ? &entries[first] : nullptr;
  for (std::size_t i = std::max<std::size_t>(first, state.entered); i < entries.size(); ++i) {
    if (entries[i].start() > window.boundary) break;
    if (best == nullptr || signed_order(spec.kind, view(entries[i].value), view(best->value)) > 0)
      best = &entries[i];
  }
  return best;
}

const Entry* read_window(const AggregateSpec& spec, const Window& window, const State& state) {
  const auto entries = entries_of(state);
  if (spec.kind == AggregateKind::kMin || spec.kind == AggregateKind::kMax)
    return read_min_or_max(spec, window, state);
  const std::size_t first = after(entries, window.cutoff);
  const std::size_t end = after(entries, window.boundary);
  if (first >= end) return nullptr;
  return &entries[spec.kind == AggregateKind::kFirst ? first : end - 1];
}

bool too_many(const AggregateSpec& spec, std::span<const Entry> entries) {
  std::size_t count[4] = {};
  for (const Entry& entry : entries) count[entry.value.unit] += 1;
  const std::size_t limit = values_limit(spec);
  return count[0] > limit || count[1] > limit || count[2] > limit || count[3] > kDaysMax;
}

// Whether `entry` may follow what is there.
bool follows(AggregateKind kind, std::span<const Entry> entries, const Entry& entry) {
  if (entries.empty()) return true;
  const Entry& last = entries.back();
  if (entry.time < last.time) return false;
  return entry.time > last.time || signed_order(kind, view(entry.value), view(last.value)) > 0;
}

}  // namespace

void add(const AggregateSpec& spec, std::int64_t time, Instant now, const Value& value,
         StatePtr& state) {
  if (has_window(spec)) return add_to_window(spec, {time, value}, now, state);
  add_to_all_time(spec.kind, {time, value}, state);
}

Value read(const AggregateSpec& spec, Instant now, const State& state, Arena& arena) {
  if (!has_window(spec)) return to_value(entries_of(state)[0].value, arena);
  const Entry* entry = read_window(spec, Window(spec, now), state);
  return entry == nullptr ? Value::absent() : to_value(entry->value, arena);
}

void advance(const AggregateSpec& spec, Instant now, StatePtr& state) {
  slide(spec, *state, Window(spec, now));
  if (state->size == 0 && overflowed(*state) == 0) {
    state.reset();
    return;
  }
  ExtremesBlock::shrink(state);
}

Instant next_change(const AggregateSpec& spec, Instant now, const State& state) {
  const Window window(spec, now);
  const auto entries = entries_of(state);
  Instant next = Instant::never();
  const std::size_t leaving = after(entries, window.cutoff);
  if (leaving < entries.size()) next = Window::leaves(spec, entries[leaving].start());
  const std::size_t entering = after(entries, window.boundary);
  if (entering < entries.size())
    next = std::min(next, Window::enters(spec, entries[entering].start()));
  return next;
}

std::uint64_t overflowed(const State& state) { return ExtremesBlock::fixed(state).overflowed; }

std::size_t side_bytes(const State& state) {
  std::size_t bytes = 0;
  for (const Entry& entry : entries_of(state)) bytes += heap_bytes(entry.value);
  return bytes;
}

void clone_side(State& state) {
  for (Entry& entry : ExtremesBlock::entries(state)) entry.value = clone(entry.value);
}

void destroy_side(State& state) {
  for (Entry& entry : ExtremesBlock::entries(state)) release(entry.value);
}

void encode(const State& state, ByteWriter& out) {
  out.varint(overflowed(state));
  out.varint(state.size);
  out.varint(state.entered);
  std::int64_t previous = 0;
  for (const Entry& entry : entries_of(state)) {
    out.varint(static_cast<std::uint64_t>(entry.time - previous));
    out.u8(entry.value.unit);
    write_scalar(entry.value, out);
    previous = entry.time;
  }
}

StatePtr decode(const AggregateSpec& spec, ByteReader& in) {
  const std::uint64_t overflows = in.varint();
  const std::size_t size = in.count(3);
  const std::size_t entered = in.varint_max(size);
  const bool valid_size =
      has_window(spec) ? size > 0 || overflows > 0 : size == 1 && entered == 1 && overflows == 0;
  if (!in.ok() || !valid_size || size > 3 * values_limit(spec) + kDaysMax) {
    in.fail();
    return nullptr;
  }
  StatePtr state = ExtremesBlock::make(std::max<std::size_t>(size, 1));
  ExtremesBlock::fixed(*state).overflowed = overflows;
  std::int64_t time = 0;
  for (std::size_t i = 0; i < size; ++i) {
    time += static_cast<std::int64_t>(in.varint_max(static_cast<std::uint64_t>(kInstantMax.ms)));
    const auto unit = static_cast<std::uint8_t>(in.varint_max(has_window(spec) ? 3 : 0));
    const Entry entry{time, read_scalar(in)};
    if (!in.ok()) return nullptr;
    const bool valid = is_event_time(time) && follows(spec.kind, entries_of(*state), entry);
    ExtremesBlock::insert(state, i) = entry;
    ExtremesBlock::entries(*state)[i].value.unit = unit;
    if (valid && (i == 0 || unit <= entries_of(*state)[i - 1].value.unit)) continue;
    in.fail();
    return nullptr;
  }
  state->entered = static_cast<std::uint16_t>(entered);
  if (too_many(spec, entries_of(*state))) in.fail();
  return in.ok() ? std::move(state) : nullptr;
}

void pack(const AggregateSpec& spec, const State& state, PackedWriter& out) {
  if (overflowed(state) > 0 || state.size > kPackedMax) return out.give_up();
  if (has_window(spec)) {  // else it is one, and in
    out.u8(static_cast<std::uint8_t>(state.size));
    out.u8(static_cast<std::uint8_t>(state.entered));
  }
  for (const Entry& entry : entries_of(state)) {
    if (keeps_time(spec)) out.time(entry.time);
    pack_scalar(entry.value, out);
  }
}

StatePtr unpack(const AggregateSpec& spec, PackedReader& in, Scratch& scratch) {
  StatePtr state = scratch.make<ExtremesBlock>();
  state->size = state->entered = 1;
  if (has_window(spec)) {
    state->size = in.u8();
    state->entered = in.u8();
  }
  for (Entry& entry : ExtremesBlock::entries(*state)) {
    entry.time = keeps_time(spec) ? in.time() : 0;
    entry.value = unpack_scalar(in);
  }
  return state;
}

void settle(StatePtr& state) {
  ExtremesBlock::settle(state);
  for (Entry& entry : ExtremesBlock::entries(*state)) own(entry.value);
}

}  // namespace spur::extremes
