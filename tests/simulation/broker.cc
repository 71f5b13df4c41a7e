#include "tests/simulation/broker.h"

#include <utility>

#include "daemon/plant.h"

namespace spur::simulation {

Offset Broker::append_journal(std::uint32_t shard, std::string entry) {
  journals[shard].entries.push_back(std::move(entry));
  return journals[shard].entries.size() - 1;
}

void Broker::append_input(const std::string& topic, std::int32_t partition, Record record,
                          Offset hole) {
  Partition& to = inputs[{topic, partition}];
  record.offset = to.end + hole;
  to.end = record.offset + 1;
  to.records.push_back(std::move(record));
}

void Broker::append_effect(const Destination& destination, std::int32_t to, const Effect& effect) {
  outlets[destination].records.push_back(effect);
  if (to >= 0) append_input(kMessageTopic, to, {0, now, "", effect.bytes}, 0);
}

std::uint64_t Broker::init(const Destination& destination, std::uint64_t id) {
  return ++coordinators[destination].epochs[id];
}

bool Broker::commit(const Destination& destination, std::uint64_t id, std::uint64_t epoch,
                    std::vector<Effect> effects) {
  Coordinator& coordinator = coordinators[destination];
  if (coordinator.epochs[id] != epoch) return false;
  coordinator.deciding.push_back(std::move(effects));
  return true;
}

bool Broker::step_transactions() {
  for (auto& [destination, coordinator] : coordinators) {
    if (coordinator.deciding.empty()) continue;
    for (const Effect& effect : coordinator.deciding.front())
      append_effect(destination, -1, effect);
    if (!planted(Plant::kMarkNotInTransaction))
      coordinator.mark = coordinator.deciding.front().back().id;
    coordinator.deciding.pop_front();
    return true;
  }
  return false;
}

void Broker::orphan(Requests requests, bool with_holes) {
  if (!requests.empty()) orphans_.push_back({std::move(requests), with_holes});
}

bool Broker::step_orphans(Random& random) {
  if (orphans_.empty()) return false;
  const std::size_t which = random.below(orphans_.size());
  Requests& requests = orphans_[which].requests;
  if (random.one_in(3)) {
    // A session gives up one record and lets none later in (rule 10).
    if (orphans_[which].with_holes || planted(Plant::kLaterRecordLetIn))
      requests.pop_front();
    else
      requests.clear();
  } else {
    requests.front()();
    requests.pop_front();
  }
  if (requests.empty()) orphans_.erase(orphans_.begin() + static_cast<std::ptrdiff_t>(which));
  return true;
}

}  // namespace spur::simulation
