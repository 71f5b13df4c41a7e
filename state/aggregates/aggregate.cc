// The lid: checks what comes in, and hands it to the files that keep each kind.
//
//                all time     window
//   count        totals       window_totals
//   sum, mean    totals       window_totals
//   gaps         gaps         window_totals
//   decayed      decayed      window_totals
//   min … last   extremes     extremes
//   distinct     distinct     distinct
#include "state/aggregates/aggregate.h"

#include "state/aggregates/aggregate_state.h"
#include "state/aggregates/decayed.h"
#include "state/aggregates/distinct.h"
#include "state/aggregates/extremes.h"
#include "state/aggregates/gaps.h"
#include "state/aggregates/millionths.h"
#include "state/aggregates/scalar.h"
#include "state/aggregates/totals.h"
#include "state/aggregates/window.h"
#include "state/aggregates/window_totals.h"

namespace spur {
namespace {

using State = Aggregate::State;

constexpr std::uint8_t kVersion = 1;
// How the spec shows in stored bytes: kind, and what else changes the layout. 0: empty.
constexpr std::uint8_t kWindowed = 0x80, kByDay = 0x40;

std::uint8_t stored_kind(const AggregateSpec& spec) {
  return static_cast<std::uint8_t>(
      static_cast<std::uint8_t>(spec.kind) | (has_window(spec) ? kWindowed : 0) |
      (spec.kind == AggregateKind::kGaps && spec.distinct_days ? kByDay : 0));
}

Layout layout_of(const AggregateSpec& spec) {
  switch (spec.kind) {
    case AggregateKind::kMin:
    case AggregateKind::kMax:
    case AggregateKind::kFirst:
    case AggregateKind::kLast:
      return Layout::kExtremes;
    case AggregateKind::kDistinct:
      return Layout::kDistinct;
    case AggregateKind::kCount:
      return has_window(spec) ? Layout::kTimes : Layout::kTotals;
    case AggregateKind::kGaps:
      return has_window(spec) ? Layout::kTimes : Layout::kGaps;
    case AggregateKind::kDecayed:
      return has_window(spec) ? Layout::kAmounts : Layout::kDecayed;
    case AggregateKind::kSum:
    case AggregateKind::kMean:
      break;
  }
  return has_window(spec) ? Layout::kAmounts : Layout::kTotals;
}

bool keeps_scalars(Layout layout) {
  return layout == Layout::kExtremes || layout == Layout::kDistinct;
}

bool needs_amount(AggregateKind kind) {
  return kind == AggregateKind::kSum || kind == AggregateKind::kMean ||
         kind == AggregateKind::kDecayed;
}

// What the digest says of an event beside its value.
std::uint64_t tag_of(const AggregateSpec& spec, Instant time) {
  return static_cast<std::uint64_t>(spec.kind) << 56 ^ static_cast<std::uint64_t>(time.ms);
}

// In millionths; 1 where only the event counts.
std::optional<std::int64_t> amount_of(const AggregateSpec& spec, const Value& of) {
  return needs_amount(spec.kind) ? to_millionths(of) : 1;
}

void add_amount(const AggregateSpec& spec, Layout layout, Instant time, Instant now,
                std::int64_t amount, StatePtr& state) {
  switch (layout) {
    case Layout::kTotals:
      return totals::add(spec, amount, state);
    case Layout::kGaps:
      return gaps::add(spec, time.ms, state);
    case Layout::kDecayed:
      return decayed::add(spec, time.ms, amount, state);
    default:
      return window_totals::add(spec, time.ms, now, amount, state);
  }
}

void clone_side(State& state) {
  switch (state.layout) {
    case Layout::kTimes:
    case Layout::kAmounts:
      return window_totals::clone_side(state);
    case Layout::kExtremes:
      return extremes::clone_side(state);
    case Layout::kDistinct:
      return distinct::clone_side(state);
    case Layout::kGaps:
      return gaps::clone_side(state);
    case Layout::kTotals:
    case Layout::kDecayed:
      return;
  }
}

void destroy_side(State& state) {
  switch (state.layout) {
    case Layout::kTimes:
    case Layout::kAmounts:
      return window_totals::destroy_side(state);
    case Layout::kExtremes:
      return extremes::destroy_side(state);
    case Layout::kDistinct:
      return distinct::destroy_side(state);
    case Layout::kGaps:
      return gaps::destroy_side(state);
    case Layout::kTotals:
    case Layout::kDecayed:
      return;
  }
}

std::size_t side_bytes(const State& state) {
  switch (state.layout) {
    case Layout::kTimes:
    case Layout::kAmounts:
      return window_totals::side_bytes(state);
    case Layout::kExtremes:
      return extremes::side_bytes(state);
    case Layout::kDistinct:
      return distinct::side_bytes(state);
    case Layout::kGaps:
      return gaps::side_bytes(state);
    case Layout::kTotals:
    case Layout::kDecayed:
      return 0;
  }
  return 0;
}

StatePtr clone(const State* state) {
  if (state == nullptr) return nullptr;
  if (is_tagged(state)) return StatePtr(const_cast<State*>(state));
  const std::size_t bytes = block_bytes(*state);
  StatePtr copy = new_state(state->layout, bytes);
  std::memcpy(static_cast<void*>(copy.get()), state, bytes);
  clone_side(*copy);
  return copy;
}

Value nothing(const AggregateSpec& spec, Member member) {
  switch (spec.kind) {
    case AggregateKind::kCount:
    case AggregateKind::kDistinct:
      return Value::integer(0);
    case AggregateKind::kSum:
      return Value::real(0);
    case AggregateKind::kGaps:
      return member == Member::kCount ? Value::integer(0) : Value::absent();
    default:
      return Value::absent();
  }
}

// To the nearest whole millionth, so that weights that add up to 5 read as 5 and not as a last
// digit below it.
Value in_millionths(const Value& value) {
  const std::optional<std::int64_t> millionths = to_millionths(value);
  return millionths ? Value::real(from_millionths(*millionths)) : value;
}

}  // namespace

void Aggregate::Deleter::operator()(State* state) const {
  if (is_tagged(state)) return;
  destroy_side(*state);
  free_block(state);
}

Aggregate::Aggregate(const Aggregate& other) : state_(clone(other.state_.get())) {}
Aggregate& Aggregate::operator=(const Aggregate& other) {
  if (this != &other) state_ = clone(other.state_.get());
  return *this;
}
Aggregate::~Aggregate() = default;

Aggregate::Added Aggregate::add(const AggregateSpec& spec, Instant time, Instant now,
                                const Value& of, Digest& digest) {
  SPUR_CHECK(is_event_time(time.ms) && time <= now);
  if (has_window(spec) && time.ms <= Window(spec, now).cutoff) return Added::kOutside;
  const Layout layout = layout_of(spec);
  const std::uint64_t tag = tag_of(spec, time);
  if (keeps_scalars(layout)) {
    if (!is_scalar(of)) return Added::kError;
    digest.add(tag, hash(of));
    layout == Layout::kDistinct ? distinct::add(spec, time.ms, now, of, state_)
                                : extremes::add(spec, time.ms, now, of, state_);
    return Added::kYes;
  }
  const std::optional<std::int64_t> amount = amount_of(spec, of);
  if (!amount) return Added::kError;
  digest.add(tag, static_cast<std::uint64_t>(*amount));
  add_amount(spec, layout, time, now, *amount, state_);
  return Added::kYes;
}

Value Aggregate::read(const AggregateSpec& spec, Member member, Instant now, Arena& arena) const {
  if (!state_) return nothing(spec, member);
  switch (layout_of(spec)) {
    case Layout::kTotals:
      return totals::read(spec, state_.get());
    case Layout::kGaps:
      return gaps::read(member, *state_);
    case Layout::kDecayed:
      return in_millionths(decayed::read(spec, now, *state_));
    case Layout::kExtremes:
      return extremes::read(spec, now, *state_, arena);
    case Layout::kDistinct:
      return distinct::read(spec, now, *state_);
    default:
      return spec.kind == AggregateKind::kDecayed
                 ? in_millionths(window_totals::read(spec, member, now, *state_))
                 : window_totals::read(spec, member, now, *state_);
  }
}

void Aggregate::advance(const AggregateSpec& spec, Instant now) {
  if (!state_ || !has_window(spec)) return;
  switch (layout_of(spec)) {
    case Layout::kExtremes:
      return extremes::advance(spec, now, state_);
    case Layout::kDistinct:
      return distinct::advance(spec, now, state_);
    default:
      return window_totals::advance(spec, now, state_);
  }
}

Instant Aggregate::next_change(const AggregateSpec& spec, Instant now) const {
  if (!state_ || !has_window(spec) || spec.kind == AggregateKind::kDecayed) return Instant::never();
  switch (layout_of(spec)) {
    case Layout::kExtremes:
      return extremes::next_change(spec, now, *state_);
    case Layout::kDistinct:
      return distinct::next_change(spec, now, *state_);
    default:
      return window_totals::next_change(spec, now, *state_);
  }
}

std::uint64_t Aggregate::overflowed() const {
  if (!state_ || is_tagged(state_.get())) return 0;
  switch (state_->layout) {
    case Layout::kTimes:
    case Layout::kAmounts:
      return window_totals::overflowed(*state_);
    case Layout::kExtremes:
      return extremes::overflowed(*state_);
    case Layout::kDistinct:
      return distinct::overflowed(*state_);
    case Layout::kGaps:
      return gaps::overflowed(*state_);
    case Layout::kTotals:
    case Layout::kDecayed:
      return 0;
  }
  return 0;
}

void Aggregate::encode(const AggregateSpec& spec, std::string& out) const {
  ByteWriter writer(out);
  writer.u8(kVersion);
  writer.u8(state_ ? stored_kind(spec) : 0);
  if (!state_) return;
  switch (layout_of(spec)) {
    case Layout::kTotals:
      return totals::encode(spec, state_.get(), writer);
    case Layout::kGaps:
      return gaps::encode(*state_, writer);
    case Layout::kDecayed:
      return decayed::encode(*state_, writer);
    case Layout::kExtremes:
      return extremes::encode(*state_, writer);
    case Layout::kDistinct:
      return distinct::encode(*state_, writer);
    default:
      return window_totals::encode(spec, *state_, writer);
  }
}

bool Aggregate::decode(const AggregateSpec& spec, std::string_view bytes) {
  state_.reset();
  ByteReader in(bytes);
  if (in.u8() != kVersion) return false;
  const std::uint8_t kind = in.u8();
  if (kind == 0) return in.done();
  if (kind != stored_kind(spec)) return false;
  StatePtr state;
  switch (layout_of(spec)) {
    case Layout::kTotals:
      state = totals::decode(spec, in);
      break;
    case Layout::kGaps:
      state = gaps::decode(spec, in);
      break;
    case Layout::kDecayed:
      state = decayed::decode(spec, in);
      break;
    case Layout::kExtremes:
      state = extremes::decode(spec, in);
      break;
    case Layout::kDistinct:
      state = distinct::decode(spec, in);
      break;
    default:
      state = window_totals::decode(spec, in);
      break;
  }
  if (!in.done() || !state) return false;
  state_ = std::move(state);
  return true;
}

bool Aggregate::pack(const AggregateSpec& spec, PackedWriter& out) const {
  switch (layout_of(spec)) {
    case Layout::kTotals:
      totals::pack(spec, state_.get(), out);
      break;
    case Layout::kGaps:
      gaps::pack(*state_, out);
      break;
    case Layout::kDecayed:
      decayed::pack(*state_, out);
      break;
    case Layout::kExtremes:
      extremes::pack(spec, *state_, out);
      break;
    case Layout::kDistinct:
      distinct::pack(*state_, out);
      break;
    default:
      window_totals::pack(spec, *state_, out);
      break;
  }
  return out.fits();
}

Aggregate Aggregate::unpack(const AggregateSpec& spec, PackedReader& in, Scratch& scratch) {
  switch (layout_of(spec)) {
    case Layout::kTotals:
      return Aggregate(totals::unpack(spec, in, scratch));
    case Layout::kGaps:
      return Aggregate(gaps::unpack(in, scratch));
    case Layout::kDecayed:
      return Aggregate(decayed::unpack(in, scratch));
    case Layout::kExtremes:
      return Aggregate(extremes::unpack(spec, in, scratch));
    case Layout::kDistinct:
      return Aggregate(distinct::unpack(in, scratch));
    default:
      return Aggregate(window_totals::unpack(spec, in, scratch));
  }
}

bool Aggregate::begins_empty(const AggregateSpec& spec) {
  const Layout layout = layout_of(spec);
  return layout != Layout::kGaps && (layout != Layout::kExtremes || has_window(spec));
}

bool Aggregate::is_total(const AggregateSpec& spec) { return layout_of(spec) == Layout::kTotals; }

Aggregate::Added Aggregate::add_packed(const AggregateSpec& spec, PackedReader& before,
                                       PackedWriter& after, Instant time, Instant now,
                                       const Value& of, Digest& digest) {
  SPUR_CHECK(is_event_time(time.ms) && time <= now);
  const std::optional<std::int64_t> amount = amount_of(spec, of);
  if (!amount) return Added::kError;
  digest.add(tag_of(spec, time), static_cast<std::uint64_t>(*amount));
  totals::add_packed(spec, *amount, before, after);
  return Added::kYes;
}

// Counts and sums, which conditions mostly ask for, are read where they stand.
Value Aggregate::read_packed(const AggregateSpec& spec, PackedReader& in, Member member,
                             Instant now, Arena& arena) {
  const Layout layout = layout_of(spec);
  if (layout == Layout::kTotals) return totals::read_packed(spec, in);
  if (layout == Layout::kTimes && spec.kind == AggregateKind::kCount)
    return window_totals::count_packed(spec, in, now);
  Scratch scratch;
  return unpack(spec, in, scratch).read(spec, member, now, arena);
}

Instant Aggregate::next_change_packed(const AggregateSpec& spec, PackedReader& in, Instant now) {
  const Layout layout = layout_of(spec);
  if (layout == Layout::kTotals) return Instant::never();
  if (layout == Layout::kTimes && spec.offset.count == 0)
    return window_totals::next_leaving_packed(spec, in, now);
  Scratch scratch;
  return unpack(spec, in, scratch).next_change(spec, now);
}

void Aggregate::settle() {
  if (!state_ || is_tagged(state_.get())) return;
  switch (state_->layout) {
    case Layout::kTotals:
      return totals::settle(state_);
    case Layout::kTimes:
    case Layout::kAmounts:
      return window_totals::settle(state_);
    case Layout::kExtremes:
      return extremes::settle(state_);
    case Layout::kDistinct:
      return distinct::settle(state_);
    case Layout::kGaps:
      return gaps::settle(state_);
    case Layout::kDecayed:
      return decayed::settle(state_);
  }
}

std::size_t Aggregate::memory_bytes() const {
  if (!state_ || is_tagged(state_.get())) return 0;
  return block_bytes(*state_) + side_bytes(*state_);
}

}  // namespace spur
