// FeatureStates: the aggregates of all features of a customer, in one block.
//
//     +-------+----------------+-----+----------- - - -+
//     | count | length by      | to  | packed, in the  |
//     | 4     | feature, 1 each| 8 n | same order      |
//     +-------+----------------+-----+----------- - - -+
//
// A customer has some twenty features that each keep one to five values. In a block of its own each
// of them cost more than it kept (aggregates/packed.h), and reading several of a customer that no
// cache holds waited for each. Small ones stand here packed, by length and without a place table,
// which is found by adding up: features are tens, not thousands. One that is too large, or has what
// few have, keeps a block of its own, and here its pointer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "state/aggregates/aggregate.h"
#include "state/compact_bytes.h"

namespace spur {

class FeatureStates {
 public:
  FeatureStates() = default;
  FeatureStates(FeatureStates&&) noexcept = default;
  FeatureStates& operator=(FeatureStates&&) noexcept = default;
  FeatureStates(const FeatureStates&) = delete;
  FeatureStates& operator=(const FeatureStates&) = delete;
  ~FeatureStates();

  std::size_t size() const;
  // Only grows; the new ones are empty.
  void resize(std::size_t features);
  // Beyond size() everything reads as empty.
  bool empty(std::size_t feature) const;

  // As those of Aggregate, for the one at `feature`, whose spec is the same in every call. add()
  // requires feature < size().
  Aggregate::Added add(std::size_t feature, const AggregateSpec& spec, Instant time, Instant now,
                       const Value& of, Digest& digest);
  Value read(std::size_t feature, const AggregateSpec& spec, Member member, Instant now,
             Arena& arena) const;
  Instant next_change(std::size_t feature, const AggregateSpec& spec, Instant now) const;
  std::uint64_t overflowed(std::size_t feature, const AggregateSpec& spec) const;
  void clear(std::size_t feature);
  void encode(std::size_t feature, const AggregateSpec& spec, std::string& out) const;
  bool decode(std::size_t feature, const AggregateSpec& spec, std::string_view bytes);

  // Moves the state of `feature` to `place` of `to`, which is empty there: what a change of catalog
  // does.
  void move_to(std::size_t feature, FeatureStates& to, std::size_t place);

  // The block behind it, for prefetching.
  const void* block() const { return bytes_.block(); }
  // Heap bytes: the block's, and those of the aggregates that have their own.
  std::size_t block_bytes() const { return bytes_.heap_bytes(); }
  std::size_t own_bytes() const;

 private:
  // Where a packed state stands.
  struct Place {
    std::size_t at = 0;
    std::size_t length = 0;
    bool own = false;  // it is the pointer to a block of its own
  };
  Place place_of(std::size_t feature) const;
  Aggregate::State* own_at(const Place& place) const;
  void put(std::size_t feature, const Place& place, std::string_view packed, bool own);
  void store(std::size_t feature, const Place& place, const AggregateSpec& spec,
             Aggregate aggregate);
  template <typename Use>
  auto with(const Place& place, const AggregateSpec& spec, const Use& use) const;

  CompactBytes bytes_;
};
static_assert(sizeof(FeatureStates) == 8);

}  // namespace spur
