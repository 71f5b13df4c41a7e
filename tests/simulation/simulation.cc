#include "tests/simulation/simulation.h"

#include <algorithm>
#include <cstdio>
#include <ctime>

#include "absl/strings/str_cat.h"
#include "daemon/log/journal_codec.h"
#include "operators/catalog/compile.h"
#include "operators/catalog/load.h"
#include "spur/v1/catalog.pb.h"
#include "spur/v1/state.pb.h"
#include "state/check.h"
#include "state/codec/keys.h"
#include "tests/simulation/poison.h"

namespace spur::simulation {
namespace {

constexpr std::uint32_t kNodesMax = 3;
constexpr std::uint32_t kShardsMax = 3;
// An input of business data that kills does so twice in every shard, each time with all of a
// recovery before the next: seed 15714 takes 70,000.
constexpr std::uint32_t kSettleRoundsMax = 200'000;
constexpr int kCustomers = 7;
constexpr std::int32_t kProductPartitions = 2;
constexpr std::uint64_t kProducts = 3;

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
  actions:
  - channel: sms
    template: cart
    data:
      price: "instance.opened.properties.product in reference.products ?
        reference.products[instance.opened.properties.product].price : 0"
---
apiVersion: spur/v1
kind: Reference
metadata: {name: products}
spec: {topic: business.products, key: body.id}
---
apiVersion: spur/v1
kind: Trigger
metadata: {name: cheaper}
spec:
  business:
    reference: products
    interest: {on: Product Added, key: event.properties.product, within: 5m}
    when: has(previous.price) && record.price < previous.price
  actions: [{channel: email, template: cheaper, data: {price: record.price, was: previous.price}}]
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

catalog::CompileResult compile_newer(const spur::v1::Catalog& catalog) {
  spur::v1::Catalog newer = catalog;
  for (spur::v1::Trigger& trigger : *newer.mutable_triggers()) {
    if (trigger.name() != "greet") continue;
    for (spur::v1::ActionStep& action : *trigger.mutable_actions())
      action.set_template_(action.template_() + "-newer");
  }
  return catalog::compile(newer);
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

Setting::Setting() : compiled_newer(compile_newer) {
  for (int version = 0; version < 3; ++version) {
    catalog::Loaded loaded = catalog::load_text("shop.yaml", catalog_text(version));
    SPUR_CHECK(loaded.errors.empty());
    catalogs.push_back(loaded.catalog.SerializeAsString());
  }
  for (std::uint32_t node = 0; node < kNodesMax; ++node)
    crumbs.push_back(std::make_unique<CrumbFile>(kShardsMax));
  nobodys_crumb = CrumbFile(kShardsMax).open();  // the mapping stays
}

Simulation::Simulation(std::uint64_t seed, Setting& setting, bool trace)
    : random_(seed),
      setting_(setting),
      trace_(trace),
      shards_(static_cast<std::uint32_t>(1 + random_.below(kShardsMax))),
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
  if (random_.one_in(2))
    broker_.transactional_topic = random_.one_in(2) ? "actions.sms" : "actions.email";
  bucket_lost_.resize(shards_);
  versions_.resize(node_count_, kFoldVersion);
  one_by_one_ = random_.one_in(2);
  upgrades_ = random_.one_in(4);
  if (random_.one_in(3)) poison_one_in_ = static_cast<std::uint32_t>(4 + random_.below(12));
  for (const auto& crumb : setting_.crumbs) crumb->clear();
  for (std::vector<Disk>& disks : disks_) disks.resize(shards_);
  for (std::int32_t shard = 0; shard < static_cast<std::int32_t>(shards_); ++shard) {
    for (const std::string topic : {"events.shop", "events.till"}) {
      broker_.inputs[{topic, shard}].topic = topic;
      broker_.inputs[{topic, shard}].topic_id = topic + "#1";
    }
    broker_.inputs[{kMessageTopic, shard}].topic = kMessageTopic;
  }
  for (std::int32_t partition = 0; partition < kProductPartitions; ++partition) {
    broker_.inputs[{"business.products", partition}].topic = "business.products";
    broker_.inputs[{"business.products", partition}].topic_id = "business.products#1";
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
  if (!heal() || !settle()) return "it does not come to rest";
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
  if (upgrades_) roll();
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
      if (nodes_[node] == nullptr || nodes_[node]->paused) return;
      nodes_[node]->step();
      if (nodes_[node]->dying()) bury(node);
  }
}

void Simulation::customer() {
  if (events_left_ == 0) return;
  --events_left_;
  if (random_.one_in(5)) return product();
  const std::string who = absl::StrCat("c", random_.below(kCustomers));
  const bool order = !random_.one_in(4);
  const std::string topic = random_.one_in(3) ? "events.till" : "events.shop";
  std::uint32_t shard = shard_of(who, shards_);
  if (random_.one_in(4))
    shard = static_cast<std::uint32_t>(random_.below(shards_));  // wrongly keyed
  std::string harm;
  if (poison_one_in_ > 0 && random_.one_in(poison_one_in_)) {
    const std::uint32_t at = random_.one_in(3) ? shard : shard_of(who, shards_);
    harm = random_.one_in(4) ? brittle_at(at) : poison_at(at);
  }
  const std::string event =
      absl::StrCat(R"({"type":"track","event":")", order ? "Order Completed" : "Product Added",
                   R"(","userId":")", who, R"(","messageId":"m-)", ++number_, R"(","timestamp":")",
                   rfc3339(broker_.now), R"(","properties":{"product":"p)",
                   random_.below(kProducts), R"(")", harm.empty() ? "" : ",", harm, "}}");
  broker_.append_input(topic, static_cast<std::int32_t>(shard), {0, broker_.now, who, event},
                       random_.one_in(5) ? 1 + random_.below(3) : 0);
  say(absl::StrCat(who, order ? " orders" : " fills a cart", " in ", topic, "/", shard, ", m-",
                   number_, harm.empty() ? "" : ", which kills: ", harm));
}

// Business data: a price, which its producer may repeat, or the end of a product.
void Simulation::product() {
  const std::uint64_t product = random_.below(kProducts);
  const std::string key = absl::StrCat("p", product);
  const std::string record =
      random_.one_in(8) ? ""
                        : absl::StrCat(R"({"id":")", key, R"(","price":)", random_.below(100), "}");
  for (int times = random_.one_in(4) ? 2 : 1; times > 0; --times) {
    broker_.append_input("business.products",
                         static_cast<std::int32_t>(product % kProductPartitions),
                         {0, broker_.now, key, record}, 0);
  }
  say(absl::StrCat("product ", key, ": ", record.empty() ? "is gone" : record));
}

void Simulation::publish_catalog() {
  if (catalogs_published_ == setting_.catalogs.size()) return;
  broker_.catalogs.push_back({kFirstCatalog + broker_.catalogs.size(), broker_.now,
                              setting_.catalogs[catalogs_published_++], ""});
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
        if (random_.one_in(8)) {
          bucket_.lose(shard);
          bucket_lost_[shard] = true;
          return say(absl::StrCat("all snapshots of shard ", shard, " are torn"));
        }
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
  const CrumbFile& file = *setting_.crumbs[node];
  std::unique_ptr<Breadcrumb> crumb = file.open();
  for (std::uint32_t shard = 0; shard < shards_; ++shard) {
    const auto died = crumb->found(shard);
    if (!died) continue;
    ++deaths_[{shard, died->source, died->offset}];
    say(absl::StrCat("node-", node, " died in input ", died->offset, " of source ", died->source,
                     " of shard ", shard,
                     died->phase == Breadcrumb::Phase::kReplay ? ", replaying" : ""));
  }
  if (faults_ && random_.one_in(8)) {
    crumb.reset();
    file.clear();
    crumb = file.open();
    say(absl::StrCat("node-", node, ": its breadcrumb is gone"));
  }
  nodes_[node] = std::make_unique<Node>(
      NodeSetup{node, broker_, random_, faults_, disks_[node],
                versions_[node] == kFoldVersion ? setting_.compiled : setting_.compiled_newer, file,
                std::move(crumb), snapshots_ ? &bucket_ : nullptr, skew, versions_[node]});
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

void Simulation::bury(std::uint32_t node) {
  kill(node);
  if (!faults_ || random_.one_in(2)) start(node);
  if (!faults_) deliver_all();
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

void Simulation::deliver_all() {
  while (!notices_.empty()) deliver(0);
}

// --- another fold version ---

void Simulation::drain_all() {
  for (const auto& node : nodes_) {
    if (node != nullptr && node->fold_version() == kFoldVersion) node->drain();
  }
}

bool Simulation::all_drained() const {
  return std::all_of(nodes_.begin(), nodes_.end(),
                     [](const auto& node) { return node == nullptr || node->drained(); });
}

// What it is given is live, so that it can be stopped cleanly.
bool Simulation::knows_its_shards(std::uint32_t node) {
  for (std::uint32_t shard = 0; shard < shards_; ++shard) {
    const ShardPhase phase = nodes_[node]->shard(shard).phase();
    if (owner_[shard] == node &&
        (phase == ShardPhase::kRecovering || phase == ShardPhase::kUnassigned)) {
      return false;
    }
  }
  return true;
}

void Simulation::start_all(std::uint32_t version) {
  for (std::uint32_t node = 0; node < node_count_; ++node) {
    if (nodes_[node] != nullptr) kill(node);
  }
  versions_.assign(node_count_, version);
  draining_ = false;
  newer_started_ |= version != kFoldVersion;
  say(absl::StrCat("all are started in fold version ", version));
  for (std::uint32_t node = 0; node < node_count_; ++node) start(node);
}

void Simulation::roll() {
  if (draining_) {
    // Who was killed meanwhile, and started again, is told again.
    if (random_.one_in(100)) drain_all();
    if (one_by_one_) return renew_drained();
    if (all_drained()) start_all(kFoldVersion + 1);
    return;
  }
  if (!random_.one_in(1000)) return;
  if (versions_[0] == kFoldVersion) {
    draining_ = true;
    say("all are to stop");
    return drain_all();
  }
  const bool unclean = std::any_of(nodes_.begin(), nodes_.end(), [&](const auto& node) {
    for (std::uint32_t shard = 0; node != nullptr && shard < shards_; ++shard) {
      const auto park = node->shard(shard).parked();
      if (park && park->reason == ParkReason::kFoldVersion) return true;
    }
    return false;
  });
  if (unclean) start_all(kFoldVersion);
}

// Against what operations.md says: one is started while others still are of the old version.
void Simulation::renew_drained() {
  for (std::uint32_t node = 0; node < node_count_; ++node) {
    if (versions_[node] != kFoldVersion || nodes_[node] == nullptr || !nodes_[node]->drained())
      continue;
    kill(node);
    versions_[node] = kFoldVersion + 1;
    newer_started_ = true;
    start(node);
  }
  draining_ = std::any_of(versions_.begin(), versions_.end(),
                          [](std::uint32_t version) { return version == kFoldVersion; });
}

bool Simulation::finish_upgrade() {
  start_all(kFoldVersion);
  place();
  if (!settle()) return false;
  const auto stop = [this] {
    for (std::uint32_t node = 0; node < node_count_; ++node) {
      if (knows_its_shards(node)) nodes_[node]->drain();
    }
    return all_drained();
  };
  if (!settle_until(stop)) return false;
  if (failed_shard()) return true;
  start_all(kFoldVersion + 1);
  place();
  return true;
}

bool Simulation::has_base(std::uint32_t node, std::uint32_t shard) {
  const std::uint32_t version = versions_[node];
  spur::v1::Position stored;
  const Disk::Rows& rows = disks_[node][shard].rows();
  const auto row = rows.find(position_key());
  const bool any = row != rows.end() && stored.ParseFromString(row->second);
  if (any && stands_behind(&stored, shard, version)) return true;
  if (snapshots_) {
    for (const Bucket::Copy& copy : bucket_.shards[shard]) {
      if (copy.whole) return stands_behind(&copy.position, shard, version);
    }
  }
  return !any && stands_behind(nullptr, shard, version);
}

// Rule 3, and H18: nothing that is to be replayed is gone, or was folded by another version.
bool Simulation::stands_behind(const spur::v1::Position* position, std::uint32_t shard,
                               std::uint32_t version) {
  const Broker::Journal& journal = broker_.journals[shard];
  const Offset from = position == nullptr ? 0 : position->journal_offset() + 1;
  const Log::Trim below = position == nullptr ? Log::Trim() : trim_below(*position);
  const Offset messages = broker_.inputs[{kMessageTopic, static_cast<std::int32_t>(shard)}].begin;
  if (from < journal.begin || below.messages_below < messages) return false;
  std::uint64_t epoch = position == nullptr ? 0 : position->epoch();
  std::uint64_t seq = position == nullptr ? 0 : position->seq();
  std::uint32_t in_force = position == nullptr ? version : position->fold_version();
  for (Offset at = from; at < journal.entries.size(); ++at) {
    const auto entry = decode_entry(journal.entries[at]);
    if (entry->has_owner()) {
      if (entry->epoch() != epoch + 1) continue;
      epoch = entry->epoch();
      if (epoch == 1) in_force = entry->owner().fold_version();
    } else if (entry->epoch() == epoch && entry->seq() == seq + 1) {
      ++seq;
      if (entry->has_barrier()) in_force = entry->barrier().to_fold_version();
      if ((entry->has_run() || entry->has_quarantine()) && in_force != version) return false;
    }
  }
  return in_force <= version;
}

// --- the end ---

bool Simulation::heal() {
  say("the faults are over");
  faults_ = false;
  for (std::uint32_t node = 0; node < node_count_; ++node) {
    // A build that died in what it replayed is mended; its parked shards need a start, as does what
    // would park.
    const auto in_the_way = [&] {
      for (std::uint32_t shard = 0; shard < shards_; ++shard) {
        if (nodes_[node]->shard(shard).parked() || gave_up(node, shard)) return true;
      }
      return false;
    };
    while (nodes_[node] == nullptr || in_the_way()) {
      if (nodes_[node] != nullptr) kill(node);
      start(node);
    }
    nodes_[node]->paused = false;
  }
  place();
  while (broker_.step_orphans(random_)) {
  }
  const bool finished = (!newer_started_ && !draining_) || finish_upgrade();
  while (events_left_ > 0) customer();
  while (catalogs_published_ < 2) publish_catalog();  // the second topic is read by then
  return finished;
}

// Each shard to where it can begin.
void Simulation::place() {
  for (std::uint32_t shard = 0; shard < shards_; ++shard) {
    for (std::uint32_t node = 0; node < node_count_ && !has_base(owner_[shard], shard); ++node) {
      if (has_base(node, shard)) give(shard, node);
    }
  }
  deliver_all();
}

bool Simulation::settle_until(const std::function<bool()>& settled) {
  for (std::uint32_t round = 0; round < kSettleRoundsMax; ++round) {
    ++steps_;
    const auto node = static_cast<std::uint32_t>(random_.below(node_count_));
    nodes_[node]->step();
    if (nodes_[node]->dying()) bury(node);
    broker_.step_transactions();
    for (int i = 0; i < 4; ++i) {
      if (const std::string what = nodes_[node]->log().step(); !what.empty())
        say(absl::StrCat("node-", node, ": ", what));
    }
    if (round % 64 == 63) {
      pass(Millis{50});
      if (failed_shard()) return true;
      if (settled()) return true;
    }
  }
  for (std::uint32_t shard = 0; shard < shards_; ++shard) {
    const ShardStats stats = nodes_[owner_[shard]]->shard(shard).stats();
    say(absl::StrCat("shard ", shard, " is ", std::string(to_text(stats.phase)), ", run ",
                     stats.durable_seq, " of ", stats.run_seq, ", input ", stats.input_next, " of ",
                     stats.input_end, ", catalog ", stats.catalogs, " of ",
                     broker_.catalogs.size()));
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

// It has died so often in one input that it replays, that it would park.
bool Simulation::gave_up(std::uint32_t node, std::uint32_t shard) const {
  const auto found = nodes_[node]->crumb().found(shard);
  return found && found->phase == Breadcrumb::Phase::kReplay && found->crashes >= 3;
}

bool Simulation::expected(const Park& park, std::uint32_t node, std::uint32_t shard) {
  switch (park.reason) {
    case ParkReason::kDiverged:
      return faults_ && gave_up(node, shard);
    case ParkReason::kFoldVersion:
      return newer_started_ && (faults_ || !has_base(node, shard));
    case ParkReason::kTrimmed:
      return bucket_lost_[shard] && (faults_ || !has_base(node, shard));
    default:
      return false;
  }
}

std::optional<std::string> Simulation::failed_shard() {
  for (std::uint32_t node = 0; node < node_count_; ++node) {
    if (nodes_[node] == nullptr) continue;
    if (!nodes_[node]->failure().ok())
      return absl::StrCat("node-", node,
                          " fails: ", std::string(nodes_[node]->failure().message()));
    for (std::uint32_t shard = 0; shard < shards_; ++shard) {
      if (const auto park = nodes_[node]->shard(shard).parked();
          park && !expected(*park, node, shard)) {
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
  return judge(
      {broker_, setting_.compiled, setting_.compiled_newer, *setting_.nobodys_crumb, deaths_},
      owners);
}

}  // namespace spur::simulation
