#include "state/aggregates/decayed.h"

#include <algorithm>

#include "state/aggregates/decay.h"
#include "state/aggregates/millionths.h"
#include "state/aggregates/window.h"

namespace spur::decayed {
namespace {

using State = Aggregate::State;

constexpr std::int64_t kHalfLives = 8;  // in an epoch
constexpr std::int64_t kEpochs = 9;     // kept
constexpr int kPlaces = 40;             // binary, of an epoch's sum

struct Nothing {};
struct Epoch {
  std::int64_t number;
  Int128 sum;  // in millionths × 2^kPlaces, as of the start of the epoch
};
using DecayedBlock = Block<Layout::kDecayed, Nothing, Epoch>;

// weight × 2^(numerator / denominator + whole) with kPlaces binary places.
int128 grown(std::int64_t weight, std::int64_t whole, std::int64_t rest, std::int64_t half_life) {
  const std::uint64_t power =
      power_of_two(static_cast<std::uint64_t>(rest), static_cast<std::uint64_t>(half_life));
  const std::uint64_t rounded = (power + (std::uint64_t{1} << (62 - kPlaces))) >> (63 - kPlaces);
  return int128{weight} * static_cast<int128>(rounded << whole);
}

}  // namespace

void add(const AggregateSpec& spec, std::int64_t time, std::int64_t weight, StatePtr& state) {
  const std::int64_t half_life = spec.half_life.count;
  SPUR_CHECK(half_life > 0);
  const std::int64_t halvings = time / half_life;
  const std::int64_t number = halvings / kHalfLives;
  const int128 amount = grown(weight, halvings % kHalfLives, time % half_life, half_life);

  if (!state) state = DecayedBlock::make();
  const auto epochs = DecayedBlock::entries(*state);
  if (!epochs.empty() && number <= epochs.back().number - kEpochs) return;
  std::size_t at = epochs.size();
  while (at > 0 && epochs[at - 1].number > number) --at;
  if (at > 0 && epochs[at - 1].number == number) return epochs[at - 1].sum.add(amount);
  Epoch epoch{number, {}};
  epoch.sum.set(amount);
  DecayedBlock::insert(state, at) = epoch;
  while (DecayedBlock::entries(*state)[0].number <=
         DecayedBlock::entries(*state).back().number - kEpochs) {
    DecayedBlock::erase(*state, 0);
  }
}

Value read(const AggregateSpec& spec, Instant now, const State& state) {
  const auto epochs = DecayedBlock::entries(state);
  const std::int64_t newest = epochs.back().number;
  double sum = 0;
  for (const Epoch& epoch : epochs) {
    sum += scaled_down(static_cast<double>(epoch.sum.get()), (newest - epoch.number) * kHalfLives);
  }
  const std::int64_t age = now.ms - newest * kHalfLives * spec.half_life.count;
  return Value::real(scaled_down(sum, kPlaces) / 1e6 * decay_factor(age, spec.half_life.count));
}

void encode(const State& state, ByteWriter& out) {
  out.varint(state.size);
  std::int64_t previous = 0;
  for (const Epoch& epoch : DecayedBlock::entries(state)) {
    out.varint(static_cast<std::uint64_t>(epoch.number - previous));
    write_int128(epoch.sum.get(), out);
    previous = epoch.number;
  }
}

StatePtr decode(const AggregateSpec& spec, ByteReader& in) {
  const std::size_t size = in.varint_max(kEpochs);
  if (size == 0 || spec.half_life.count <= 0) in.fail();
  if (!in.ok()) return nullptr;
  const auto number_max =
      static_cast<std::uint64_t>(kInstantMax.ms / spec.half_life.count / kHalfLives);
  StatePtr state = DecayedBlock::make(size);
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const std::uint64_t step = in.varint_max(i == 0 ? number_max : kEpochs - 1);
    number += step;
    Epoch epoch{static_cast<std::int64_t>(number), {}};
    epoch.sum.set(read_int128(in));
    if ((i > 0 && step == 0) || number > number_max) in.fail();
    if (!in.ok()) return nullptr;
    DecayedBlock::insert(state, i) = epoch;
  }
  const auto epochs = DecayedBlock::entries(*state);
  if (epochs[0].number <= epochs.back().number - kEpochs) in.fail();
  return in.ok() ? std::move(state) : nullptr;
}

void pack(const State& state, PackedWriter& out) {
  out.u8(static_cast<std::uint8_t>(state.size));
  for (const Epoch& epoch : DecayedBlock::entries(state)) {
    out.number(static_cast<std::uint64_t>(epoch.number));
    out.wide(epoch.sum.get());
  }
}

StatePtr unpack(PackedReader& in, Scratch& scratch) {
  StatePtr state = scratch.make<DecayedBlock>();
  state->size = in.u8();
  for (Epoch& epoch : DecayedBlock::entries(*state)) {
    epoch.number = static_cast<std::int64_t>(in.number());
    epoch.sum.set(in.wide());
  }
  return state;
}

void settle(StatePtr& state) { DecayedBlock::settle(state); }

}  // namespace spur::decayed
