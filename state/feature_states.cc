#include "state/feature_states.h"

#include <cstring>

#include "state/aggregates/packed.h"
#include "state/check.h"

namespace spur {
namespace {

constexpr std::size_t kHead = sizeof(std::uint32_t);  // the count
constexpr std::uint8_t kOwn = 0x80;                   // in a length: a pointer stands there
constexpr std::uint8_t kLength = 0x7f;
// One that has its own block is packed again once it has no more entries than this.
constexpr std::size_t kPackAgain = 8;

// The lengths are added up eight at a time, so there are 8 n of them; those that stand for no
// feature are 0.
constexpr std::size_t lengths_of(std::size_t features) { return (features + 7) / 8 * 8; }

// The sum of the first `count` lengths.
std::size_t sum_of(const char* lengths, std::size_t count) {
  constexpr std::uint64_t kEven = 0x00ff00ff00ff00ff, kLengths = 0x7f7f7f7f7f7f7f7f;
  const auto sum_of_word = [&](std::uint64_t mask) -> std::size_t {
    std::uint64_t word;
    std::memcpy(&word, lengths, sizeof word);
    word &= mask;
    // Four sums of two, then all of them in the top 16 bits.
    return ((word & kEven) + (word >> 8 & kEven)) * 0x0001000100010001 >> 48;
  };
  std::size_t sum = 0;
  for (; count >= 8; count -= 8, lengths += 8) sum += sum_of_word(kLengths);
  return count == 0 ? sum : sum + sum_of_word(kLengths >> (64 - 8 * count));
}

}  // namespace

FeatureStates::~FeatureStates() {
  for (std::size_t i = 0; i < size(); ++i) {
    if (const Place place = place_of(i); place.own) Aggregate::Deleter()(own_at(place));
  }
}

std::size_t FeatureStates::size() const {
  if (bytes_.size() == 0) return 0;
  std::uint32_t count;
  std::memcpy(&count, bytes_.data(), sizeof count);
  return count;
}

void FeatureStates::resize(std::size_t features) {
  const std::size_t before = size();
  if (features <= before) return;
  SPUR_CHECK(features <= 0xffffffff);
  const auto count = static_cast<std::uint32_t>(features);
  char head[kHead];
  std::memcpy(head, &count, sizeof count);
  bytes_.replace(0, before == 0 ? 0 : kHead, {head, kHead});
  bytes_.replace(kHead + lengths_of(before), 0,
                 std::string(lengths_of(features) - lengths_of(before), '\0'));
}

FeatureStates::Place FeatureStates::place_of(std::size_t feature) const {
  const std::size_t count = size();
  if (feature >= count) return {};
  const char* const lengths = bytes_.data() + kHead;
  const auto length = static_cast<std::uint8_t>(lengths[feature]);
  return {kHead + lengths_of(count) + sum_of(lengths, feature),
          static_cast<std::size_t>(length & kLength), (length & kOwn) != 0};
}

bool FeatureStates::empty(std::size_t feature) const {
  return feature >= size() || bytes_.data()[kHead + feature] == 0;
}

Aggregate::State* FeatureStates::own_at(const Place& place) const {
  Aggregate::State* state;
  SPUR_CHECK(place.own && place.length == sizeof state);
  std::memcpy(&state, bytes_.data() + place.at, sizeof state);
  return state;
}

void FeatureStates::put(std::size_t feature, const Place& place, std::string_view packed,
                        bool own) {
  bytes_.replace(place.at, place.length, packed);
  bytes_.data()[kHead + feature] = static_cast<char>(packed.size() | (own ? kOwn : 0));
}

void FeatureStates::store(std::size_t feature, const Place& place, const AggregateSpec& spec,
                          Aggregate aggregate) {
  PackedWriter out;
  if (aggregate.pack(spec, out)) return put(feature, place, out.view(), false);
  aggregate.settle();
  const Aggregate::State* const own = aggregate.state_.release();
  char pointer[sizeof own];
  std::memcpy(pointer, &own, sizeof own);
  put(feature, place, {pointer, sizeof own}, true);
}

template <typename Use>
auto FeatureStates::with(const Place& place, const AggregateSpec& spec, const Use& use) const {
  if (place.length == 0) return use(Aggregate());
  if (place.own) {
    Aggregate aggregate{StatePtr(own_at(place))};
    auto answer = use(aggregate);
    aggregate.state_.release();
    return answer;
  }
  PackedReader in({bytes_.data() + place.at, place.length});
  Scratch scratch;
  return use(Aggregate::unpack(spec, in, scratch));
}

Aggregate::Added FeatureStates::add(std::size_t feature, const AggregateSpec& spec, Instant time,
                                    Instant now, const Value& of, Digest& digest) {
  SPUR_CHECK(feature < size());
  const Place place = place_of(feature);
  if (place.own) {
    Aggregate aggregate{StatePtr(own_at(place))};
    const Aggregate::Added added = aggregate.add(spec, time, now, of, digest);
    if (aggregate.state_->size <= kPackAgain) {
      store(feature, place, spec, std::move(aggregate));
      return added;
    }
    const Aggregate::State* const own = aggregate.state_.release();
    std::memcpy(bytes_.data() + place.at, &own, sizeof own);
    return added;
  }
  PackedReader in =
      place.length == 0 ? PackedReader() : PackedReader({bytes_.data() + place.at, place.length});
  if (Aggregate::is_total(spec)) {
    PackedWriter after;
    const Aggregate::Added added =
        Aggregate::add_packed(spec, in, after, time, now, of, digest);
    if (added == Aggregate::Added::kYes) put(feature, place, after.view(), false);
    return added;
  }
  Scratch scratch;
  const bool begins = place.length == 0 && !Aggregate::begins_empty(spec);
  Aggregate aggregate = begins ? Aggregate() : Aggregate::unpack(spec, in, scratch);
  const Aggregate::Added added = aggregate.add(spec, time, now, of, digest);
  if (added == Aggregate::Added::kYes) store(feature, place, spec, std::move(aggregate));
  return added;
}

Value FeatureStates::read(std::size_t feature, const AggregateSpec& spec, Member member,
                          Instant now, Arena& arena) const {
  const Place place = place_of(feature);
  if (place.length == 0 || place.own)
    return with(place, spec,
                [&](const Aggregate& a) { return a.read(spec, member, now, arena); });
  PackedReader in({bytes_.data() + place.at, place.length});
  return Aggregate::read_packed(spec, in, member, now, arena);
}

Instant FeatureStates::next_change(std::size_t feature, const AggregateSpec& spec,
                                   Instant now) const {
  const Place place = place_of(feature);
  if (place.length == 0) return Instant::never();
  if (place.own)
    return with(place, spec, [&](const Aggregate& a) { return a.next_change(spec, now); });
  PackedReader in({bytes_.data() + place.at, place.length});
  return Aggregate::next_change_packed(spec, in, now);
}

std::uint64_t FeatureStates::overflowed(std::size_t feature, const AggregateSpec& spec) const {
  return with(place_of(feature), spec, [](const Aggregate& a) { return a.overflowed(); });
}

void FeatureStates::clear(std::size_t feature) {
  const Place place = place_of(feature);
  if (place.length == 0) return;
  if (place.own) Aggregate::Deleter()(own_at(place));
  put(feature, place, {}, false);
}

void FeatureStates::encode(std::size_t feature, const AggregateSpec& spec, std::string& out) const {
  with(place_of(feature), spec, [&](const Aggregate& a) {
    a.encode(spec, out);
    return true;
  });
}

bool FeatureStates::decode(std::size_t feature, const AggregateSpec& spec, std::string_view bytes) {
  SPUR_CHECK(feature < size());
  clear(feature);
  Aggregate aggregate;
  if (!aggregate.decode(spec, bytes)) return false;
  if (!aggregate.empty()) store(feature, place_of(feature), spec, std::move(aggregate));
  return true;
}

void FeatureStates::move_to(std::size_t feature, FeatureStates& to, std::size_t place) {
  const Place from = place_of(feature);
  if (from.length == 0) return;
  SPUR_CHECK(to.empty(place) && place < to.size());
  to.put(place, to.place_of(place), {bytes_.data() + from.at, from.length}, from.own);
  put(feature, from, {}, false);
}

std::size_t FeatureStates::own_bytes() const {
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < size(); ++i) {
    const Place place = place_of(i);
    if (!place.own) continue;
    Aggregate aggregate{StatePtr(own_at(place))};
    bytes += aggregate.memory_bytes();
    aggregate.state_.release();
  }
  return bytes;
}

}  // namespace spur
