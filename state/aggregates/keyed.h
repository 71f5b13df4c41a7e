// One aggregate per key: the state behind a feature with `by`, features.spent_by_category['shoes'].
//
// 8 bytes without keys. Keys are texts (key_text.h) in the order of their bytes. Bounded: beyond
// kKeysMax the key whose newest event is oldest goes (of several the one first in order), with all
// it counted, and overflowed() counts it. Within the bound any order of arrival gives the same
// readings.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "state/aggregates/aggregate.h"

namespace spur {

class KeyedAggregates {
 public:
  static constexpr std::size_t kKeysMax = 10'000;

  KeyedAggregates();
  KeyedAggregates(KeyedAggregates&&) noexcept;
  KeyedAggregates& operator=(KeyedAggregates&&) noexcept;
  KeyedAggregates(const KeyedAggregates&);
  KeyedAggregates& operator=(const KeyedAggregates&);
  ~KeyedAggregates();

  // As Aggregate::add, for the aggregate of `key`. A key is kept from its first event that was
  // neither outside nor an error.
  Aggregate::Added add(const AggregateSpec& spec, std::string_view key, Instant time, Instant now,
                       const Value& of, Digest& digest);

  // The aggregate of `key`, or null. Valid until the next call that changes anything.
  const Aggregate* find(std::string_view key) const;
  // As Aggregate::read; of an unseen key as of an aggregate without events.
  Value read(const AggregateSpec& spec, std::string_view key, Member member, Instant now,
             Arena& arena) const;
  // The keys in ascending order, strings in `arena`. A key stays after its window has emptied until
  // advance().
  std::span<const Value> keys(Arena& arena) const;
  std::size_t size() const;
  bool empty() const { return size() == 0; }

  // Drops what has left the window for good, and keys of which nothing is left. This and
  // next_change() visit every key; add() and read() only theirs, and need no advance() before.
  void advance(const AggregateSpec& spec, Instant now);
  // The first instant after `now` at which any reading may differ.
  Instant next_change(const AggregateSpec& spec, Instant now) const;

  void clear();
  // Back to nothing for one key.
  void erase(std::string_view key);
  // Keys dropped because of kKeysMax, and what the aggregates that are there have dropped.
  std::uint64_t overflowed() const;

  void encode(const AggregateSpec& spec, std::string& out) const;
  // False for bytes that are not whole and valid; there are no keys then.
  bool decode(const AggregateSpec& spec, std::string_view bytes);
  std::size_t memory_bytes() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};
static_assert(sizeof(KeyedAggregates) == 8);

}  // namespace spur
