#include "state/customer.h"

#include <algorithm>

namespace spur {

namespace {

// What the allocator takes for a block: 8 bytes in front, in all a multiple of 16 (glibc). A
// quarter of a customer.
constexpr std::size_t block(std::size_t bytes) {
  return bytes == 0 ? 0 : std::max<std::size_t>(32, (bytes + 8 + 15) / 16 * 16);
}

// Heap bytes of a string beyond its own object (libstdc++ keeps 15 characters inside).
std::size_t heap(const std::string& s) { return s.capacity() > 15 ? block(s.capacity() + 1) : 0; }
std::size_t heap(const CompactText& t) { return block(t.memory_bytes()); }

template <typename T>
std::size_t heap(const CompactVector<T>& v) {
  return block(v.heap_bytes());
}

template <typename T>
std::size_t heap(const std::vector<T>& v) {
  return block(v.capacity() * sizeof(T));
}

// Its place in the table and its plan in the wake index, both a little over half full.
constexpr std::size_t kPlaceBytes = 28 + 22;

}  // namespace

const KeyedAggregates* Customer::keyed(std::uint32_t feature) const {
  if (rare == nullptr) return nullptr;
  for (const KeyedFeature& k : rare->keyed) {
    if (k.feature == feature) return &k.values;
  }
  return nullptr;
}

KeyedAggregates& Customer::keyed_or_new(std::uint32_t feature) {
  std::vector<KeyedFeature>& all = more().keyed;
  const auto place =
      std::lower_bound(all.begin(), all.end(), feature,
                       [](const KeyedFeature& k, std::uint32_t f) { return k.feature < f; });
  if (place != all.end() && place->feature == feature) return place->values;
  return all.insert(place, {feature, {}})->values;
}

std::size_t Customer::memory_bytes() const {
  std::size_t bytes = kPlaceBytes + block(sizeof(Customer)) + heap(identity) +
                      block(features.block_bytes()) + features.own_bytes() + heap(sessions) +
                      block(instances.heap_bytes()) + heap(triggers) + heap(seen);
  for (const SessionState& s : sessions) bytes += heap(s.key) + heap(s.opened);
  for (const TriggerState& t : triggers) {
    if (t.more == nullptr) continue;
    bytes += block(sizeof(TriggerState::More)) + heap(t.more->seen) + heap(t.more->by_key) +
             heap(t.more->last);
    for (const KeyTime& k : t.more->by_key) bytes += heap(k.key);
    for (const LastData& l : t.more->last) bytes += heap(l.key) + heap(l.data);
  }
  if (rare == nullptr) return bytes;
  bytes += block(sizeof(Rare)) + heap(rare->traits) + heap(rare->pending) + heap(rare->held) +
           heap(rare->sent) + heap(rare->buffered) + heap(rare->models) + heap(rare->keyed) +
           heap(rare->consents) + heap(rare->retractable);
  for (const Consent& c : rare->consents)
    bytes += heap(c.purpose) + heap(c.source) + heap(c.text_version) + heap(c.legal_basis);
  for (const Retractable& r : rare->retractable) bytes += heap(r.key) + heap(r.opened);
  for (const KeyedFeature& k : rare->keyed) bytes += k.values.memory_bytes();
  for (const Trait& t : rare->traits) bytes += heap(t.name) + heap(t.value);
  for (const Pending& p : rare->pending) bytes += heap(p.key) + heap(p.opened) + heap(p.previous);
  for (const Held& h : rare->held) bytes += heap(h.key) + heap(h.opened) + heap(h.decisions);
  for (const Sent& s : rare->sent) bytes += heap(s.times);
  for (const Buffered& b : rare->buffered) bytes += heap(b.id) + heap(b.event);
  return bytes;
}

}  // namespace spur
