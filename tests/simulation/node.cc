#include "tests/simulation/node.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/simulation/poison.h"

namespace spur::simulation {

// The helper: one job after the other, in a fiber of its own.
class Node::Flushes final : public FlushQueue {
 public:
  void submit(FlushJob job) override { jobs_.push_back(std::move(job)); }
  bool any() const { return !jobs_.empty(); }
  FlushJob take() {
    FlushJob job = std::move(jobs_.front());
    jobs_.pop_front();
    return job;
  }

 private:
  std::deque<FlushJob> jobs_;
};

Node::Node(NodeSetup setup)
    : random_(setup.random),
      faults_(setup.faults),
      crumb_file_(setup.crumb_file),
      crumb_(std::move(setup.crumb)),
      clock_(setup.broker.now + setup.skew),
      log_(setup.broker, setup.random, clock_, setup.faults),
      aside_(fibers_),
      flushes_(std::make_unique<Flushes>()) {
  std::vector<Disk>& disks = setup.disks;
  options_.state_memory_bytes_max = 4'000 * disks.size();  // a few customers: some are read back
  options_.flush_interval = std::chrono::seconds(3);
  options_.run_inputs_max = static_cast<std::uint32_t>(1 + random_.below(4));
  options_.run_timers_max = static_cast<std::uint32_t>(1 + random_.below(4));
  options_.faults.before_input = [this](std::uint32_t shard, const InputRecord& record) {
    before_input(shard, record);
  };
  host_.reset(new ShardHost{options_, log_, clock_, setup.catalogs, *flushes_, *crumb_, aside_,
                            aside_, aside_});
  host_->exclusive = false;
  host_->fold_version = setup.fold_version;
  if (setup.bucket != nullptr) {
    snapshots_ = std::make_unique<SimulatedSnapshots>(*setup.bucket, dead_);
    host_->snapshots = snapshots_.get();
    host_->snapshot_interval = std::chrono::seconds(4);
  }
  host_->node = absl::StrCat("node-", setup.index);
  host_->make_nonce = [this] { return absl::StrCat(random_.next()); };
  host_->event_clock_moved = [] {};
  host_->health_changed = [] {};
  host_->failed = [this](absl::Status why) {
    if (!dead_) failure_ = std::move(why);
  };
  host_->crash = [] {};
  worker_ = std::make_unique<Worker>(clock_);
  for (std::uint32_t shard = 0; shard < disks.size(); ++shard) {
    auto live = std::make_unique<LiveShard>(
        shard, *host_, std::make_unique<SimulatedStore>(disks[shard], dead_),
        [this](std::function<void()> task) { worker_->post(std::move(task)); });
    shards_.push_back(live.get());
    worker_->add(std::move(live));
  }
  Log::Watcher watcher;
  watcher.acked = [this](std::uint32_t shard, std::uint64_t seq) {
    shards_[shard]->effects_acked(seq);
  };
  watcher.wanted = [this](std::uint32_t shard) {
    LiveShard* const live = shards_[shard];
    worker_->post([live] { live->refill(); });
  };
  log_.watch(std::move(watcher));
  aside_.run([this] {
    while (!dead_) {
      worker_->turn();
      Fiber::give_way();
    }
  });
  aside_.run([this] {
    while (!dead_) {
      Fiber::wait_until([this] { return dead_ || flushes_->any(); });
      if (!dead_) flushes_->take().run(log_);
    }
  });
}

Node::~Node() {
  kill();
  worker_.reset();
}

void Node::step() {
  // The worker has most to do.
  const std::size_t which = random_.one_in(2) ? 0 : random_.below(fibers_.size());
  Fiber& fiber = *fibers_[which];
  if (!fiber.ready()) return;
  fiber.resume();
  if (fiber.ended()) fibers_.erase(fibers_.begin() + static_cast<std::ptrdiff_t>(which));
}

void Node::before_input(std::uint32_t shard, const InputRecord& record) {
  if (dead_) return;
  if (faults_ && random_.one_in(8)) Fiber::give_way();  // it may be killed within a fold
  const bool replay = shards_[shard]->phase() != ShardPhase::kLive;
  if (!dead_ && kills(record.value, shard, replay && faults_)) {
    dying_ = true;
    Fiber::wait_until([this] { return dead_; });
  }
}

void Node::kill() {
  if (dead_) return;
  dead_ = true;
  const std::string crumb = crumb_file_.bytes();
  log_.kill();
  host_->stopping = true;
  while (!fibers_.empty()) {
    while (!fibers_.front()->ended()) fibers_.front()->resume();
    fibers_.pop_front();
  }
  crumb_file_.put(crumb);
}

bool Node::drained() const {
  return std::all_of(shards_.begin(), shards_.end(),
                     [](const LiveShard* shard) { return shard->finished(); });
}

void Node::assign(std::uint32_t shard, bool mine) {
  LiveShard* const live = shards_[shard];
  worker_->post([live, mine] { mine ? live->assign() : live->revoke(); });
}

}  // namespace spur::simulation
