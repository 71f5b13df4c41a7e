#include "state/layout.h"

#include <algorithm>

namespace spur {
namespace {

// Rewrites the index of each element and drops those that the new version has not; keeps the vector ordered by `less`.
template <typename Elements, typename Index, typename Less>
void remap_all(Elements& elements, Index index, const std::vector<std::uint64_t>& from,
               const std::vector<std::uint64_t>& to, Less less) {
  using T = typename Elements::value_type;
  Elements kept;
  kept.reserve(elements.size());
  for (T& element : elements) {
    const std::int32_t place = find_hash(to, from[index(element)]);
    if (place < 0) continue;
    index(element) = static_cast<std::uint32_t>(place);
    kept.push_back(std::move(element));
  }
  std::stable_sort(kept.begin(), kept.end(), less);
  std::swap(elements, kept);
}

template <typename T>
std::uint32_t& trigger_index(T& element) {
  return element.trigger;
}

}  // namespace

std::int32_t find_hash(const std::vector<std::uint64_t>& hashes, std::uint64_t hash) {
  const auto it = std::find(hashes.begin(), hashes.end(), hash);
  return it == hashes.end() ? -1 : static_cast<std::int32_t>(it - hashes.begin());
}

std::int32_t Layout::find_feature(std::uint64_t definition) const {
  for (std::size_t i = 0; i < features.size(); ++i) {
    if (features[i].definition == definition) return static_cast<std::int32_t>(i);
  }
  return -1;
}

void remap(Customer& customer, const Layout& from, const Layout& to) {
  FeatureStates features;
  features.resize(to.features.size());
  for (std::size_t i = 0; i < customer.features.size(); ++i) {
    const std::int32_t place = to.find_feature(from.features[i].definition);
    if (place >= 0) customer.features.move_to(i, features, static_cast<std::size_t>(place));
  }
  customer.features = std::move(features);

  remap_all(customer.sessions, [](SessionState& s) -> std::uint32_t& { return s.session; },
            from.sessions, to.sessions, [](const SessionState& a, const SessionState& b) {
              return a.session != b.session ? a.session < b.session : a.key < b.key;
            });
  Arena arena;
  std::vector<Instances::Fresh> waits;
  for (const Instances::View& wait : customer.instances) {
    const std::int32_t place = find_hash(to.versions, from.versions[wait.trigger]);
    if (place < 0) continue;
    waits.push_back({static_cast<std::uint32_t>(place), wait.count, wait.opened_at, wait.due,
                     wait.key, Instances::opened(wait, arena)});
  }
  customer.instances = Instances::of(std::move(waits));
  remap_all(customer.triggers, trigger_index<TriggerState>, from.triggers, to.triggers,
            [](const TriggerState& a, const TriggerState& b) { return a.trigger < b.trigger; });
  if (customer.rare == nullptr) return;
  Customer::Rare& rare = *customer.rare;
  std::vector<KeyedFeature> keyed;
  for (KeyedFeature& k : rare.keyed) {
    const std::int32_t place = to.find_feature(from.features[k.feature].definition);
    if (place >= 0) keyed.push_back({static_cast<std::uint32_t>(place), std::move(k.values)});
  }
  std::sort(keyed.begin(), keyed.end(),
            [](const KeyedFeature& a, const KeyedFeature& b) { return a.feature < b.feature; });
  rare.keyed = std::move(keyed);
  const auto any_order = [](const auto&, const auto&) { return false; };
  remap_all(rare.pending, trigger_index<Pending>, from.versions, to.versions, any_order);
  // Only a deferred step has chosen its channel already.
  std::erase_if(rare.pending, [&](Pending& p) {
    if (p.state != Pending::State::kDeferred) return false;
    const std::int32_t place = find_hash(to.channels, from.channels[p.channel]);
    if (place >= 0) p.channel = static_cast<std::uint32_t>(place);
    return place < 0;
  });
  remap_all(rare.retractable, trigger_index<Retractable>, from.versions, to.versions, any_order);
  std::erase_if(rare.retractable, [&](Retractable& r) {
    const std::int32_t place = find_hash(to.channels, from.channels[r.channel]);
    if (place >= 0) r.channel = static_cast<std::uint32_t>(place);
    return place < 0;
  });
  remap_all(rare.held, trigger_index<Held>, from.versions, to.versions, any_order);
  remap_all(rare.sent, [](Sent& s) -> std::uint32_t& { return s.channel; }, from.channels,
            to.channels, [](const Sent& a, const Sent& b) {
              return a.channel != b.channel ? a.channel < b.channel
                                            : a.trigger_class < b.trigger_class;
            });
  remap_all(rare.models, [](ModelState& m) -> std::uint32_t& { return m.model; }, from.models,
            to.models, [](const ModelState& a, const ModelState& b) { return a.model < b.model; });
}

}  // namespace spur
