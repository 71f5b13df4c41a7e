// Layout: which definition stands at which index of a customer's vectors, under one version of the catalog.
//
// In memory a customer is laid out by index, for speed; stored rows carry hashes of definitions, so that an unchanged
// definition keeps its state across versions of the catalog and a changed one starts anew. A Layout is the dictionary
// between the two.
#pragma once

#include <cstdint>
#include <vector>

#include "state/aggregates/aggregate.h"
#include "state/customer.h"

namespace spur {

struct Layout {
  struct Feature {
    std::uint64_t definition = 0;
    AggregateSpec spec;
    bool keyed = false;
  };
  std::vector<Feature> features;
  std::vector<std::uint64_t> sessions;  // by index: hash of the definition
  std::vector<std::uint64_t>
      triggers;  // hash of the name: what is remembered of a trigger beyond its instances
  std::vector<std::uint64_t>
      versions;  // of the same triggers, hash of the definition: waits, steps and what is held
  std::vector<std::uint64_t> channels;  // hash of the name
  std::vector<std::uint64_t> models;    // hash of the definition

  std::int32_t find_feature(std::uint64_t definition) const;  // −1: not in this version
};

// The place of `hash` in `hashes`, −1 if it is not there.
std::int32_t find_hash(const std::vector<std::uint64_t>& hashes, std::uint64_t hash);

// Moves a customer from one version to another: what both have keeps its state, what only `from` has is dropped.
void remap(Customer& customer, const Layout& from, const Layout& to);

}  // namespace spur
