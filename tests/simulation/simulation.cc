#include "tests/simulation/simulation.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "operators/catalog/load.h"
#include "state/check.h"
#include "tests/simulation/verdict.h"

namespace spur::simulation {
namespace {

constexpr std::uint32_t kNodesMax = 3;
constexpr std::uint32_t kSettleRoundsMax = 60'000;
constexpr int kCustomers = 7;

// Three versions: the second reads a second topic, the third changes a text.
std::string catalog_text(int version) {
  std::string text = R"(
apiVersion: spur/v1
kind: Source
metadata: {name: shop}
spec: {topic: events.shop, format: segment, deduplicate: 0s}
---
apiVersion: spur/v1
kind: Channel
metadata: {name: email}
spec: {topic: actions.email}
---
apiVersion: spur/v1
kind: Channel
metadata: {name: sms}
spec: {topic: actions.sms}
---
apiVersion: spur/v1
kind: Feature
metadata: {name: orders}
spec: {on: Order Completed, aggregate: count}
---
apiVersion: spur/v1
kind: Trigger
metadata: {name: cart-abandoned}
spec:
  absence:
    opens: {on: Product Added}
    closes: {on: Order Completed}
    after: 10s
  actions: [{channel: sms, template: cart}]
---
)";
  absl::StrAppend(&text, R"(apiVersion: spur/v1
kind: Trigger
metadata: {name: greet}
spec:
  event: {on: Order Completed}
  actions: [{channel: email, template: thanks-)",
                  version >= 2 ? 2 : 1, R"(, data: {orders: features.orders}}]
)");
  if (version >= 1) {
    absl::StrAppend(&text, R"(---
apiVersion: spur/v1
kind: Source
metadata: {name: till}
spec: {topic: events.till, format: segment, deduplicate: 0s}
)");
  }
  return text;
}

std::string rfc3339(Instant time) {
  const std::time_t seconds = time.ms / 1000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  char millis[8];
  std::snprintf(millis, sizeof millis, ".%03dZ", static_cast<int>(time.ms % 1000));
  return absl::StrCat(text, millis);
}

}  // namespace

Setting::Setting() {
  for (int version = 0; version < 3; ++version) {
    catalog::Loaded loaded = catalog::load_text("shop.yaml", catalog_text(version));
    SPUR_CHECK(loaded.errors.empty());
    catalogs.push_back(loaded.catalog.SerializeAsString());
  }
  const auto folder = std::filesystem::temp_directory_path();
  for (std::uint32_t node = 0; node < kNodesMax + 1; ++node) {
    const std::string path = folder / absl::StrCat("spur-simulation-", getpid(), "-", node);
    auto crumb = Breadcrumb::open(path, 8);
    SPUR_CHECK(crumb.ok());
    crumbs.push_back(*std::move(crumb));
    std::filesystem::remove(path);  // the mapping stays
  }
}

Simulation::Simulation(std::uint64_t seed, Setting& setting, bool trace)
    : random_(seed),
      setting_(setting),
      trace_(trace),
      shards_(static_cast<std::uint32_t>(1 + random_.below(3))),
      node_count_(static_cast<std::uint32_t>(1 + random_.below(kNodesMax))),
      broker_(shards_),
      snapshots_(random_.one_in(2)),
      disks_(node_count_),
      nodes_(node_count_),
      owner_(shards_),
      events_left_(static_cast<std::uint32_t>(5 + random_.below(40))),
      steps_left_(static_cast<std::uint32_t>(500 + random_.below(6000))),
      fault_one_in_(static_cast<std::uint32_t>(20 + random_.below(200))),
      customer_one_in_(static_cast<std::uint32_t>(1 + random_.below(8))) {
  // Of the channels one asks for transactions; without them it is a log that knows none.
  if (random_.one_in(2)) broker_.transactional_topic = random_.one_in(2) ? "actions.sms" : "actions.email";
  for (std::vector<Disk>& disks : disks_) disks.resize(shards_);
  for (std::int32_t shard = 0; shard < static_cast<std::int32_t>(shards_); ++shard) {
    for (const std::string topic : {"events.shop", "events.till"})
      broker_.inputs[{topic, shard}].topic_id = topic + "#1";
    broker_.inputs[{kMessageTopic, shard}];
  }
  publish_catalog();
  for (std::uint32_t node = 0; node < node_count_; ++node) start(node);
  for (std::uint32_t shard = 0; shard < shards_; ++shard)
    give(shard, static_cast<std::uint32_t>(random_.below(node_count_)));
}

Simulation::~Simulation() = default;

void Simulation::say(const std::string& what) {
  if (!trace_ || what.empty()) return;
  std::printf("%6llu  %s  %s\n", static_cast<unsigned long long>(steps_),
              rfc3339(broker_.now).substr(11, 12).c_str(), what.c_str());
}

// --- what happens ---

std::optional<std::string> Simulation::run() {
  while (steps_left_ > 0) {
    --steps_left_;
    step();
    if (auto wrong = failed_shard()) return wrong;
  }
  heal();
  if (!settle()) return "it does not come to rest";
  // Timers fire late: time goes on until none is left that could.
  for (int i = 0; i < 20; ++i) {
    pass(Millis{1500});
    if (!settle()) return "it does not come to rest";
  }
  if (auto wrong = failed_shard()) return wrong;
  return verdict();
}

void Simulation::step() {
  ++steps_;
  if (random_.one_in(fault_one_in_)) return fault();
  const auto node = static_cast<std::uint32_t>(random_.below(node_count_));
  switch (random_.below(16)) {
    case 0:
      if (random_.one_in(customer_one_in_)) customer();
      return;
    case 1:
      return pass(Millis{static_cast<std::int64_t>(random_.below(400))});
    case 2:
      if (!notices_.empty() && random_.one_in(2)) deliver(random_.below(notices_.size()));
      return;
    case 3:
      if (random_.one_in(4) && broker_.step_orphans(random_)) say("an orphan's request");
      if (random_.one_in(2) && broker_.step_transactions()) say("a transaction is to be seen");
      return;
    case 4:
    case 5:
    case 6:
    case 7:
    case 8:
      if (nodes_[node] != nullptr) {
        if (const std::string what = nodes_[node]->log().step(); !what.empty())
          say(absl::StrCat("node-", node, ": ", what));
      }
      return;
    default:
      if (nodes_[node] != nullptr && !nodes_[node]->paused) nodes_[node]->step();
  }
}

void Simulation::customer() {
  if (events_left_ == 0) return;
  --events_left_;
  const std::string who = absl::StrCat("c", random_.below(kCustomers));
  const bool order = !random_.one_in(4);
  const std::string topic = random_.one_in(3) ? "events.till" : "events.shop";
  std::uint32_t shard = shard_of(who, shards_);
  if (random_.one_in(4))
    shard = static_cast<std::uint32_t>(random_.below(shards_));  // wrongly keyed
  const std::string event =
      absl::StrCat(R"({"type":"track","event":")", order ? "Order Completed" : "Product Added",
                   R"(","userId":")", who, R"(","messageId":"m-)", ++number_, R"(","timestamp":")",
                   rfc3339(broker_.now), R"("})");
  broker_.append_input(topic, static_cast<std::int32_t>(shard), {0, broker_.now, who, event},
                       random_.one_in(5) ? 1 + random_.below(3) : 0);
  say(absl::StrCat(who, order ? " orders" : " fills a cart", " in ", topic, "/", shard, ", m-",
                   number_));
}

void Simulation::publish_catalog() {
  if (catalogs_published_ == setting_.catalogs.size()) return;
  broker_.catalogs.push_back(
      {kFirstCatalog + broker_.catalogs.size(), broker_.now, setting_.catalogs[catalogs_published_++], ""});
  say(absl::StrCat("catalog version ", catalogs_published_));
}

void Simulation::pass(Millis time) {
  broker_.now = broker_.now + time;
  for (const auto& node : nodes_) {
    if (node != nullptr) node->advance(time);
  }
}

// --- what breaks ---

void Simulation::fault() {
  const auto node = static_cast<std::uint32_t>(random_.below(node_count_));
  const auto shard = static_cast<std::uint32_t>(random_.below(shards_));
  switch (random_.below(10)) {
    case 0:
    case 1:
      return nodes_[node] == nullptr ? start(node) : kill(node);
    case 2:
      if (nodes_[node] == nullptr) return start(node);
      nodes_[node]->paused = !nodes_[node]->paused;  // stays an owner in its own eyes
      return say(absl::StrCat("node-", node, nodes_[node]->paused ? " stops" : " goes on"));
    case 3:
    case 4:
    case 5:
      return give(shard, node);
    case 6:
      return publish_catalog();
    case 7: {
      if (nodes_[node] == nullptr) return;
      const Millis by{static_cast<std::int64_t>(random_.below(120'000)) - 60'000};
      nodes_[node]->jump_wall(by);
      return say(absl::StrCat("node-", node, ": the wall jumps by ", by.count, " ms"));
    }
    case 8:
      if (random_.one_in(3)) {
        if (bucket_.tear(shard))
          say(absl::StrCat("the newest snapshot of shard ", shard, " is torn"));
        return;
      }
      // Not while the process lives: it would read rows that it has not written.
      if (nodes_[node] != nullptr) kill(node);
      if (random_.one_in(2)) {
        disks_[node][shard].lose();
        return say(absl::StrCat("node-", node, " loses its disk of shard ", shard));
      }
      if (disks_[node][shard].tear(random_))
        say(absl::StrCat("node-", node, "'s disk of shard ", shard, " is older again"));
      return;
    default:
      // Retention took the old part of an output: the tail is shorter than what is in doubt.
      for (auto& [destination, outlet] : broker_.outlets) {
        if (random_.one_in(3))
          outlet.begin = outlet.records.size() - random_.below(2) % (outlet.records.size() + 1);
      }
      return say("the outputs' old records are gone");
  }
}

void Simulation::start(std::uint32_t node) {
  const Millis skew{static_cast<std::int64_t>(random_.below(400)) - 200};
  nodes_[node] =
      std::make_unique<Node>(node, broker_, random_, faults_, disks_[node], setting_.compiled,
                             *setting_.crumbs[node], snapshots_ ? &bucket_ : nullptr, skew);
  say(absl::StrCat("node-", node, " starts"));
  for (std::uint32_t shard = 0; shard < shards_; ++shard) {
    if (owner_[shard] == node) notices_.push_back({node, shard, true});
  }
}

void Simulation::kill(std::uint32_t node) {
  say(absl::StrCat("node-", node, " is killed"));
  nodes_[node].reset();
  for (Disk& disk : disks_[node]) disk.crash(random_);
  std::erase_if(notices_, [&](const Notice& notice) { return notice.node == node; });
}

void Simulation::give(std::uint32_t shard, std::uint32_t node) {
  const std::uint32_t before = owner_[shard];
  if (before != node) notices_.push_back({before, shard, false});
  owner_[shard] = node;
  notices_.push_back({node, shard, true});
  say(absl::StrCat("the group gives shard ", shard, " to node-", node));
}

void Simulation::deliver(std::size_t which) {
  // In order for each node; between nodes in any.
  const auto first = std::find_if(notices_.begin(), notices_.end(), [&](const Notice& notice) {
    return notice.node == notices_[which].node;
  });
  const Notice notice = *first;
  notices_.erase(first);
  if (nodes_[notice.node] == nullptr) return;
  nodes_[notice.node]->assign(notice.shard, notice.mine);
  say(absl::StrCat("node-", notice.node, " hears that shard ", notice.shard, " is ",
                   notice.mine ? "its" : "not its"));
}

// --- the end ---

void Simulation::heal() {
  say("the faults are over");
  faults_ = false;
  for (std::uint32_t node = 0; node < node_count_; ++node) {
    if (nodes_[node] == nullptr) start(node);
    nodes_[node]->paused = false;
  }
  while (!notices_.empty()) deliver(0);
  while (broker_.step_orphans(random_)) {
  }
  while (events_left_ > 0) customer();
  while (catalogs_published_ < 2) publish_catalog();  // the second topic is read by then
}

bool Simulation::settle() {
  for (std::uint32_t round = 0; round < kSettleRoundsMax; ++round) {
    ++steps_;
    const auto node = static_cast<std::uint32_t>(random_.below(node_count_));
    nodes_[node]->step();
    broker_.step_transactions();
    for (int i = 0; i < 4; ++i) {
      if (const std::string what = nodes_[node]->log().step(); !what.empty())
        say(absl::StrCat("node-", node, ": ", what));
    }
    if (round % 64 == 63) {
      pass(Millis{50});
      if (failed_shard()) return true;
      if (at_rest()) return true;
    }
  }
  return false;
}

bool Simulation::at_rest() {
  for (const auto& node : nodes_) {
    if (!node->log().idle()) return false;
  }
  for (std::uint32_t shard = 0; shard < shards_; ++shard) {
    const ShardStats stats = nodes_[owner_[shard]]->shard(shard).stats();
    if (stats.phase == ShardPhase::kParked) continue;
    if (stats.phase != ShardPhase::kLive || stats.durable_seq != stats.run_seq ||
        stats.input_end != stats.input_next || stats.catalogs != broker_.catalogs.size()) {
      return false;
    }
  }
  return true;
}

std::optional<std::string> Simulation::failed_shard() {
  for (std::uint32_t node = 0; node < node_count_; ++node) {
    if (nodes_[node] == nullptr) continue;
    if (!nodes_[node]->failure().ok())
      return absl::StrCat("node-", node,
                          " fails: ", std::string(nodes_[node]->failure().message()));
    for (std::uint32_t shard = 0; shard < shards_; ++shard) {
      if (const auto park = nodes_[node]->shard(shard).parked(); park && !parks_expected_) {
        return absl::StrCat("node-", node, " parks shard ", shard, ", ",
                            std::string(to_text(park->reason)), ": ", park->detail);
      }
    }
  }
  return std::nullopt;
}

std::optional<std::string> Simulation::verdict() {
  std::vector<LiveShard*> owners;
  for (std::uint32_t shard = 0; shard < shards_; ++shard) {
    LiveShard& owner = nodes_[owner_[shard]]->shard(shard);
    owners.push_back(owner.phase() == ShardPhase::kParked ? nullptr : &owner);
  }
  return judge(broker_, setting_.compiled, *setting_.crumbs.back(), owners);
}

}  // namespace spur::simulation
