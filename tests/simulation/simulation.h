// Simulation: a deployment of some processes, a broker and customers who order, in one thread, from
// one seed: what happens when, what breaks, and for how long. When the faults are over and all has
// come to rest, the verdict is given.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/simulation/broker.h"
#include "tests/simulation/disk.h"
#include "tests/simulation/node.h"
#include "tests/simulation/random.h"
#include "tests/simulation/verdict.h"

namespace spur::simulation {

// What does not change between seeds, made once.
struct Setting {
  Setting();
  std::vector<std::string> catalogs;  // spur.v1.Catalog, each a change of the one before
  Catalogs compiled;
  Catalogs compiled_newer;  // as the next fold version has them: it greets in other words
  std::vector<std::unique_ptr<CrumbFile>> crumbs;  // one a node
  std::unique_ptr<Breadcrumb> nobodys_crumb;
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
  void product();
  void publish_catalog();
  void start(std::uint32_t node);
  void kill(std::uint32_t node);
  // One that an input has killed, and that its supervisor starts again.
  void bury(std::uint32_t node);
  void give(std::uint32_t shard, std::uint32_t node);
  void deliver(std::size_t notice);
  void deliver_all();
  void pass(Millis time);
  // An operator who exchanges the fold version: all are stopped cleanly, then all are started;
  // where one was not clean, back to the old version, and once more.
  void roll();
  void drain_all();
  bool all_drained() const;
  bool knows_its_shards(std::uint32_t node);
  void start_all(std::uint32_t version);
  bool finish_upgrade();
  void place();
  void renew_drained();
  // Whether a process there could begin with what the node and the bucket have.
  bool has_base(std::uint32_t node, std::uint32_t shard);
  bool stands_behind(const spur::v1::Position* position, std::uint32_t shard,
                     std::uint32_t version);
  bool heal();
  // False: it does not come to rest.
  bool settle() {
    return settle_until([this] { return at_rest(); });
  }
  bool settle_until(const std::function<bool()>& settled);
  bool at_rest();
  bool gave_up(std::uint32_t node, std::uint32_t shard) const;
  // What a park of this node is for is what happened to it.
  bool expected(const Park& park, std::uint32_t node, std::uint32_t shard);
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
  bool upgrades_ = false;                // the fold version is exchanged
  bool newer_started_ = false;           // and has been, by some process
  bool one_by_one_ = false;              // or all at once
  std::vector<std::uint32_t> versions_;  // by node: what is started there
  bool draining_ = false;
  std::vector<bool> bucket_lost_;    // by shard: at some time all its snapshots were torn
  std::uint32_t poison_one_in_ = 0;  // of the events; 0: none
  Deaths deaths_;
  int number_ = 0;
  std::size_t catalogs_published_ = 0;
  std::uint64_t steps_ = 0;
};

}  // namespace spur::simulation
