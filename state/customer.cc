#include "state/customer.h"

#include <algorithm>

namespace spur {

std::string_view to_text(IdentityKind kind) {
  return kind == IdentityKind::kUserId ? "user_id" : "anonymous_id";
}

std::string to_text(const Identity& identity) {
  std::string text(to_text(identity.kind));
  text += ':';
  text += identity.value;
  return text;
}

namespace {

// Heap bytes of a string beyond its own object (libstdc++ keeps 15 characters inside).
std::size_t heap(const std::string& s) { return s.capacity() > 15 ? s.capacity() + 1 : 0; }

template <typename T>
std::size_t heap(const std::vector<T>& v) {
  return v.capacity() * sizeof(T);
}

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
  const auto place = std::lower_bound(all.begin(), all.end(), feature,
                                      [](const KeyedFeature& k, std::uint32_t f) { return k.feature < f; });
  if (place != all.end() && place->feature == feature) return place->values;
  return all.insert(place, {feature, {}})->values;
}

std::size_t Customer::memory_bytes() const {
  std::size_t bytes = sizeof(Customer) + heap(identity) + heap(features) + heap(sessions) +
                      heap(instances) + heap(triggers) + heap(seen);
  for (const Aggregate& f : features) bytes += f.memory_bytes();
  for (const SessionState& s : sessions) bytes += heap(s.key) + heap(s.opened);
  for (const Instance& i : instances) bytes += i.key.memory_bytes() + i.opened.memory_bytes();
  for (const TriggerState& t : triggers) {
    if (t.more == nullptr) continue;
    bytes += sizeof(TriggerState::More) + heap(t.more->seen) + heap(t.more->by_key) + heap(t.more->last);
    for (const KeyTime& k : t.more->by_key) bytes += heap(k.key);
    for (const LastData& l : t.more->last) bytes += heap(l.key) + heap(l.data);
  }
  if (rare == nullptr) return bytes;
  bytes += sizeof(Rare) + heap(rare->traits) + heap(rare->pending) + heap(rare->held) +
           heap(rare->sent) + heap(rare->buffered) + heap(rare->models) + heap(rare->keyed);
  for (const KeyedFeature& k : rare->keyed) bytes += k.values.memory_bytes();
  for (const Trait& t : rare->traits) bytes += heap(t.name) + heap(t.value);
  for (const Pending& p : rare->pending) bytes += heap(p.key) + heap(p.opened);
  for (const Held& h : rare->held) bytes += heap(h.key) + heap(h.opened) + heap(h.decisions);
  for (const Sent& s : rare->sent) bytes += heap(s.times);
  for (const Buffered& b : rare->buffered) bytes += heap(b.id) + heap(b.event);
  return bytes;
}

}  // namespace spur
