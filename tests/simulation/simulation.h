// Simulation: a deployment of some processes, a broker and customers who order, in one thread, from
// one seed: what happens when, what breaks, and for how long. When the faults are over and all has
// come to rest, the verdict is given.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/simulation/broker.h"
#include "tests/simulation/disk.h"
#include "tests/simulation/node.h"
#include "tests/simulation/random.h"

namespace spur::simulation {

// What does not change between seeds, made once.
struct Setting {
  Setting();
  std::vector<std::string> catalogs;  // spur.v1.Catalog, each a change of the one before
  Catalogs compiled;
  std::vector<std::unique_ptr<Breadcrumb>> crumbs;  // one a node
};

class Simulation {
 public:
  Simulation(std::uint64_t seed, Setting& setting, bool trace);
  ~Simulation();

  // What went wrong, or nullopt.
  std::optional<std::string> run();
  std::uint64_t steps() const { return steps_; }

 private:
  struct Notice {
    std::uint32_t node = 0, shard = 0;
    bool mine = false;
  };

  void step();
  void fault();
  void customer();
  void publish_catalog();
  void start(std::uint32_t node);
  void kill(std::uint32_t node);
  void give(std::uint32_t shard, std::uint32_t node);
  void deliver(std::size_t notice);
  void pass(Millis time);
  void heal();
  // False: it does not come to rest.
  bool settle();
  bool at_rest();
  std::optional<std::string> failed_shard();
  std::optional<std::string> verdict();
  void say(const std::string& what);

  Random random_;
  Setting& setting_;
  const bool trace_;
  const std::uint32_t shards_;
  const std::uint32_t node_count_;
  bool faults_ = true;
  Broker broker_;
  Bucket bucket_;
  bool snapshots_;
  std::vector<std::vector<Disk>> disks_;  // by node, by shard
  std::vector<std::unique_ptr<Node>> nodes_;
  std::vector<std::uint32_t> owner_;  // by shard, as the group sees it
  std::vector<Notice> notices_;       // what the group has to tell, in order per node
  std::uint32_t events_left_;
  std::uint32_t steps_left_;
  std::uint32_t fault_one_in_, customer_one_in_;
  int number_ = 0;
  std::size_t catalogs_published_ = 0;
  bool parks_expected_ = false;
  std::uint64_t steps_ = 0;
};

}  // namespace spur::simulation
