// Recording: what happens on one customer's time line, instant by instant, taken down while a shard
// folds: a replay of the journal, or a backtest. The fold goes the same way with and without it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "operators/catalog/compiled.h"
#include "operators/turn.h"
#include "operators/watcher.h"
#include "spur/v1/catalog.pb.h"
#include "spur/v1/service.pb.h"
#include "state/arena.h"

namespace spur::explain {

inline constexpr std::size_t kMomentsKept =
    10'000;  // of one recording; then the oldest go, counted

class Recording final : public Watcher {
 public:
  struct Options {
    Identity customer;                 // its text outlives the recording
    std::string trigger;               // what concerns it alone; empty: everything
    Instant until = Instant::never();  // what comes later is not taken down
    std::size_t moments_max = kMomentsKept;
    // The source of the catalog that the shard has in force, asked for when that changes.
    std::function<spur::v1::Catalog()> definitions;
    // Called once, with the customer as it was at `until`, before the first later instant is taken.
    // May be empty.
    std::function<void(const Customer&)> passed;
  };
  explicit Recording(Options options) : options_(std::move(options)) {}

  void begins(Turn& turn) override;
  void asked(Turn& turn, std::uint32_t trigger, const expression::Program& condition,
             const Value& answer) override;
  void decided(const Decision& decision) override;
  void ends(Turn& turn) override;

  // The newest, as many as may be kept, in their order.
  const std::vector<spur::v1::Moment>& moments();
  std::uint64_t dropped() const { return dropped_; }

 private:
  // Of a customer, what is compared.
  struct State {
    std::vector<std::string> features;                             // JSON, by index
    std::map<std::pair<std::string, std::string>, bool> sessions;  // open, by name and key
    std::map<std::pair<std::string, std::string>, Instant> waits;  // due, by trigger and key
    std::map<std::string, bool> levels;                            // by trigger
    std::map<std::pair<std::string, std::string>, Instant> steps;  // due, by trigger and what it is
  };
  State state_of(const Turn& turn);
  void compare(const State& before, const State& after);
  void ask_patterns(Turn& turn);
  void ask_pattern(Turn& turn, const catalog::Use& use);
  bool concerns(std::string_view trigger) const {
    return options_.trigger.empty() || options_.trigger == trigger;
  }
  spur::v1::Change& change(std::string_view kind, std::string_view name, std::string_view key = {});
  // The instant without an event that was taken at `time`; made, in its place, if there is none.
  spur::v1::Moment& moment_at(Instant time);
  void keep(spur::v1::Moment moment);
  void drop_oldest();
  void use_catalog(const Turn& turn);

  const Options options_;
  std::shared_ptr<const catalog::Compiled> catalog_;
  spur::v1::Catalog definitions_;
  std::vector<bool> shown_;  // features, by index
  Arena arena_;
  bool active_ = false;
  bool passed_ = false;
  State before_;
  spur::v1::Moment moment_;
  std::vector<spur::v1::Moment> moments_;
  std::uint64_t dropped_ = 0;
};

}  // namespace spur::explain
