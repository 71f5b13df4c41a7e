#include "state/aggregates/gaps.h"

#include <algorithm>
#include <vector>

#include "state/aggregates/gap_statistics.h"
#include "state/aggregates/millionths.h"
#include "state/aggregates/window.h"

namespace spur::gaps {
namespace {

using State = Aggregate::State;

constexpr std::size_t kOlderDaysMax = 10'000;
constexpr std::uint8_t kFirstApart = 0x80;  // packed: the first of all is none of those kept

struct OlderDays {
  std::vector<std::uint32_t> days;  // ascending, all before the day of the oldest time kept
  std::uint64_t forgotten = 0;
};
struct Fixed {
  std::int64_t first = 0;   // the earliest of all times
  std::uint64_t count = 0;  // of events, or days
  OlderDays* older = nullptr;
};
using GapsBlock = Block<Layout::kGaps, Fixed, std::int64_t>;

std::uint32_t day_of(std::int64_t time) { return static_cast<std::uint32_t>(utc_day({time})); }

void add_event(std::int64_t time, StatePtr& state) {
  GapsBlock::fixed(*state).count += 1;
  const auto times = GapsBlock::entries(*state);
  const auto at =
      static_cast<std::size_t>(std::upper_bound(times.begin(), times.end(), time) - times.begin());
  if (at == 0 && times.size() == GapStatistics::kTimes) return;
  GapsBlock::insert(state, at) = time;
  if (state->size > GapStatistics::kTimes) GapsBlock::erase(*state, 0);
}

// Whether the day was not there before.
bool add_older_day(std::uint32_t day, Fixed& fixed) {
  if (fixed.older == nullptr) fixed.older = new OlderDays();
  std::vector<std::uint32_t>& days = fixed.older->days;
  const auto at = std::lower_bound(days.begin(), days.end(), day);
  if (at != days.end() && *at == day) return false;
  if (days.size() == kOlderDaysMax && at == days.begin()) return false;
  days.insert(at, day);
  if (days.size() > kOlderDaysMax) {
    days.erase(days.begin());
    fixed.older->forgotten += 1;
  }
  return true;
}

void add_day(std::int64_t time, StatePtr& state) {
  const std::uint32_t day = day_of(time);
  const auto times = GapsBlock::entries(*state);
  const auto at = static_cast<std::size_t>(
      std::lower_bound(times.begin(), times.end(), day,
                       [](std::int64_t t, std::uint32_t d) { return day_of(t) < d; }) -
      times.begin());
  if (at < times.size() && day_of(times[at]) == day) {
    times[at] = std::min(times[at], time);
    return;
  }
  if (at == 0 && times.size() == GapStatistics::kTimes) {
    if (add_older_day(day, GapsBlock::fixed(*state))) GapsBlock::fixed(*state).count += 1;
    return;
  }
  GapsBlock::fixed(*state).count += 1;
  GapsBlock::insert(state, at) = time;
  if (state->size <= GapStatistics::kTimes) return;
  add_older_day(day_of(GapsBlock::entries(*state)[0]), GapsBlock::fixed(*state));
  GapsBlock::erase(*state, 0);
}

void encode_older(const OlderDays* older, ByteWriter& out) {
  out.varint(older == nullptr ? 0 : older->days.size());
  if (older == nullptr) return;
  out.varint(older->forgotten);
  std::uint32_t previous = 0;
  for (const std::uint32_t day : older->days) {
    out.varint(day - previous);
    previous = day;
  }
}

void decode_older(ByteReader& in, Fixed& fixed, std::int64_t oldest_time) {
  const std::size_t size = in.count();
  if (size > kOlderDaysMax) in.fail();
  if (size == 0 || !in.ok()) return;
  fixed.older = new OlderDays();
  fixed.older->forgotten = in.varint();
  std::uint64_t day = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const std::uint64_t step = in.varint_max(day_of(kInstantMax.ms));
    day += step;
    if ((i > 0 && step == 0) || day >= day_of(oldest_time)) in.fail();
    fixed.older->days.push_back(static_cast<std::uint32_t>(day));
  }
}

}  // namespace

void add(const AggregateSpec& spec, std::int64_t time, StatePtr& state) {
  if (!state) {
    state = GapsBlock::make();
    GapsBlock::fixed(*state).first = time;
  }
  GapsBlock::fixed(*state).first = std::min(GapsBlock::fixed(*state).first, time);
  if (spec.distinct_days) return add_day(time, state);
  add_event(time, state);
}

Value read(Member member, const State& state) {
  const Fixed& fixed = GapsBlock::fixed(state);
  GapStatistics gaps(false);  // one of a day is all that was kept
  for (const std::int64_t time : GapsBlock::entries(state)) gaps.add(time, 1);
  gaps.add_earlier(fixed.first, fixed.count - state.size);
  return gaps.read(member);
}

std::uint64_t overflowed(const State& state) {
  const OlderDays* older = GapsBlock::fixed(state).older;
  return older == nullptr ? 0 : older->forgotten;
}

std::size_t side_bytes(const State& state) {
  const OlderDays* older = GapsBlock::fixed(state).older;
  return older == nullptr ? 0 : sizeof *older + older->days.capacity() * sizeof(std::uint32_t);
}

void clone_side(State& state) {
  OlderDays*& older = GapsBlock::fixed(state).older;
  if (older != nullptr) older = new OlderDays(*older);
}

void destroy_side(State& state) { delete GapsBlock::fixed(state).older; }

void encode(const State& state, ByteWriter& out) {
  const Fixed& fixed = GapsBlock::fixed(state);
  out.varint(fixed.count);
  out.varint(static_cast<std::uint64_t>(fixed.first));
  out.varint(state.size);
  std::int64_t previous = 0;
  for (const std::int64_t time : GapsBlock::entries(state)) {
    out.varint(static_cast<std::uint64_t>(time - previous));
    previous = time;
  }
  encode_older(fixed.older, out);
}

StatePtr decode(const AggregateSpec& spec, ByteReader& in) {
  const std::uint64_t count = in.varint_max(kCountMax);
  const auto first =
      static_cast<std::int64_t>(in.varint_max(static_cast<std::uint64_t>(kInstantMax.ms)));
  const std::size_t size = in.varint_max(GapStatistics::kTimes);
  // All times are kept while they are few.
  if (size == 0 || size != std::min<std::uint64_t>(count, GapStatistics::kTimes)) in.fail();
  if (!in.ok()) return nullptr;
  StatePtr state = GapsBlock::make(size);
  Fixed& fixed = GapsBlock::fixed(*state);
  fixed.count = count;
  fixed.first = first;
  std::int64_t time = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const std::int64_t previous = time;
    time += static_cast<std::int64_t>(in.varint_max(static_cast<std::uint64_t>(kInstantMax.ms)));
    const bool same_day = spec.distinct_days && i > 0 && day_of(previous) == day_of(time);
    if (!is_event_time(time) || time < first || same_day) in.fail();
    if (!in.ok()) return nullptr;
    GapsBlock::insert(state, i) = time;
  }
  decode_older(in, GapsBlock::fixed(*state), GapsBlock::entries(*state)[0]);
  const OlderDays* older = GapsBlock::fixed(*state).older;
  if (older != nullptr && (!spec.distinct_days || size < GapStatistics::kTimes)) in.fail();
  return in.ok() ? std::move(state) : nullptr;
}

void pack(const State& state, PackedWriter& out) {
  const Fixed& fixed = GapsBlock::fixed(state);
  if (fixed.older != nullptr) return out.give_up();
  const bool first_is_kept = fixed.first == GapsBlock::entries(state)[0];
  out.number(fixed.count);
  out.u8(static_cast<std::uint8_t>(state.size | (first_is_kept ? 0 : kFirstApart)));
  if (!first_is_kept) out.time(fixed.first);
  for (const std::int64_t time : GapsBlock::entries(state)) out.time(time);
}

StatePtr unpack(PackedReader& in, Scratch& scratch) {
  StatePtr state = scratch.make<GapsBlock>();
  Fixed& fixed = GapsBlock::fixed(*state);
  fixed.count = in.number();
  const std::uint8_t size = in.u8();
  state->size = size & ~kFirstApart;
  if ((size & kFirstApart) != 0) fixed.first = in.time();
  for (std::int64_t& time : GapsBlock::entries(*state)) time = in.time();
  if ((size & kFirstApart) == 0) fixed.first = GapsBlock::entries(*state)[0];
  return state;
}

void settle(StatePtr& state) { GapsBlock::settle(state); }

}  // namespace spur::gaps
