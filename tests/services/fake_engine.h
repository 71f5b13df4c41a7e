// An Engine without a disk or a shard: what the services' own logic is tested against. Publishing completes when the
// test says so, actions are put in by hand, cursors are the number of actions read.
#pragma once

#include <charconv>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "daemon/engine.h"

namespace spur {

class FakeEngine final : public Engine {
 public:
  // --- what tests do ---
  void add_action(const std::string& template_name) {
    std::vector<std::function<void()>> watchers;
    {
      const std::lock_guard lock(mutex_);
      spur::v1::Action action;
      action.set_channel("email");
      action.set_template_(template_name);
      actions_.push_back(action);
      for (const auto& [id, changed] : watches_) watchers.push_back(changed);
    }
    for (const auto& changed : watchers) changed();
  }
  // Until now publishes complete at once; from now on only in complete_publish().
  void hold_publishes() {
    const std::lock_guard lock(mutex_);
    holding_ = true;
  }
  // Completes the `index`-th held publish.
  void complete_publish(std::size_t index) {
    std::function<void()> done;
    {
      const std::lock_guard lock(mutex_);
      done = std::move(held_.at(index));
    }
    done();
  }
  std::size_t held() const {
    const std::lock_guard lock(mutex_);
    return held_.size();
  }
  // The next `times` publishes are refused with `status`.
  void refuse_publishes(absl::Status status, int times) {
    const std::lock_guard lock(mutex_);
    refusal_ = std::move(status);
    refusals_ = times;
  }
  // Where the actions end cannot be asked.
  void lose_end(absl::Status status) {
    const std::lock_guard lock(mutex_);
    end_unknown_ = std::move(status);
  }
  void forget_actions_before(std::size_t kept) {
    const std::lock_guard lock(mutex_);
    first_kept_ = kept;
  }
  std::size_t watches() const {
    const std::lock_guard lock(mutex_);
    return watches_.size();
  }
  std::size_t published() const {
    const std::lock_guard lock(mutex_);
    return published_;
  }
  void set_health(Health health) {
    const std::lock_guard lock(mutex_);
    health_ = std::move(health);
  }
  void set_stats(EngineStats stats) {
    const std::lock_guard lock(mutex_);
    stats_ = std::move(stats);
  }
  void set_stored(const std::string& subscriber, const std::string& cursor) {
    const std::lock_guard lock(mutex_);
    stored_[subscriber] = cursor;
  }
  std::string stored(const std::string& subscriber) const {
    const std::lock_guard lock(mutex_);
    const auto found = stored_.find(subscriber);
    return found == stored_.end() ? "" : found->second;
  }

  // --- Engine ---
  bool wait_started(std::chrono::milliseconds) override { return true; }
  void publish(std::span<const EventToPublish> events, PublishDone done) override {
    std::vector<Published> results(events.size());
    absl::Status refusal;
    bool held = false;
    {
      const std::lock_guard lock(mutex_);
      if (refusals_ > 0) {
        --refusals_;
        refusal = refusal_;
      } else {
        for (std::size_t i = 0; i < events.size(); ++i) {
          results[i].offset = published_++;
          if (events[i].bytes == "bad") results[i].dead_letter_reason = "NOT_JSON";
        }
        held = holding_;
        if (held) held_.push_back([done, results] { done(results); });
      }
    }
    if (!refusal.ok()) done(refusal);
    else if (!held) done(std::move(results));
  }
  // Given out so far, to whomever.
  std::size_t actions_read() const {
    const std::lock_guard lock(mutex_);
    return actions_read_;
  }
  absl::StatusOr<std::string> topic_of(std::string_view channel) const override {
    if (channel == "email") return std::string("actions.email");
    return absl::NotFoundError("no channel of that name in the catalog in force");
  }
  absl::StatusOr<std::vector<ActionDelivery>> read_actions(std::string_view, std::string_view cursor,
                                                           std::uint32_t max) override {
    const std::lock_guard lock(mutex_);
    std::size_t at = first_kept_;
    if (!cursor.empty()) {
      const auto [end, error] = std::from_chars(cursor.data(), cursor.data() + cursor.size(), at);
      if (error != std::errc() || end != cursor.data() + cursor.size()) {
        return absl::InvalidArgumentError("those bytes are no cursor of this deployment");
      }
      if (at < first_kept_) return absl::OutOfRangeError("what follows the cursor is no longer kept");
    }
    std::vector<ActionDelivery> out;
    for (; at < actions_.size() && out.size() < max; ++at) out.push_back({actions_[at], std::to_string(at + 1)});
    actions_read_ += out.size();
    return out;
  }
  absl::StatusOr<std::string> end_cursor(std::string_view) const override {
    const std::lock_guard lock(mutex_);
    if (!end_unknown_.ok()) return end_unknown_;
    return std::to_string(actions_.size());
  }
  std::unique_ptr<ActionWatch> watch_actions(std::string_view, std::function<void()> changed) override {
    const std::lock_guard lock(mutex_);
    watches_[++next_watch_] = std::move(changed);
    return std::make_unique<Watch>(*this, next_watch_);
  }
  void store_cursor(std::string_view subscriber, std::string_view, std::string_view cursor,
                    std::function<void(absl::Status)> done) override {
    if (cursor.find_first_not_of("0123456789") != std::string_view::npos)
      return done(absl::InvalidArgumentError("those bytes are no cursor of this deployment"));
    {
      const std::lock_guard lock(mutex_);
      stored_[std::string(subscriber)] = std::string(cursor);
    }
    done(absl::OkStatus());
  }
  absl::StatusOr<std::string> stored_cursor(std::string_view subscriber, std::string_view) const override {
    return stored(std::string(subscriber));
  }
  std::uint32_t shards() const override { return 1; }
  void with_shard(std::uint32_t, std::function<void(const ShardView&)>,
                  std::function<void(absl::Status)> answered) override {
    answered(absl::UnavailableError("no shard here"));
  }
  void ask_history(HistoryQuestion, std::function<void(absl::Status)> answered) override {
    answered(absl::UnavailableError("no shard here"));
  }
  absl::StatusOr<std::vector<spur::v1::Decision>> decisions_of(std::string_view, std::uint32_t) override {
    return std::vector<spur::v1::Decision>();
  }
  absl::StatusOr<std::vector<spur::v1::Decision>> decisions(std::uint32_t, std::uint64_t, std::uint32_t) override {
    return std::vector<spur::v1::Decision>();
  }
  absl::StatusOr<std::vector<spur::v1::DeadLetter>> dead_letters(std::uint32_t, std::uint32_t) override {
    return std::vector<spur::v1::DeadLetter>();
  }
  void apply_catalog(const spur::v1::Catalog&, std::string_view,
                     std::function<void(absl::StatusOr<CatalogApplied>)> done) override {
    done(CatalogApplied{});
  }
  std::shared_ptr<const CatalogInForce> current_catalog() const override { return nullptr; }
  Health health() const override {
    const std::lock_guard lock(mutex_);
    return health_;
  }
  EngineStats stats() const override {
    const std::lock_guard lock(mutex_);
    return stats_;
  }
  void on_health_change(std::function<void()>) override {}
  absl::Status shutdown() override { return absl::OkStatus(); }

 private:
  class Watch final : public ActionWatch {
   public:
    Watch(FakeEngine& engine, int id) : engine_(engine), id_(id) {}
    ~Watch() override {
      const std::lock_guard lock(engine_.mutex_);
      engine_.watches_.erase(id_);
    }

   private:
    FakeEngine& engine_;
    const int id_;
  };

  mutable std::mutex mutex_;
  std::vector<spur::v1::Action> actions_;
  std::size_t actions_read_ = 0;
  std::size_t first_kept_ = 0;
  std::map<int, std::function<void()>> watches_;
  int next_watch_ = 0;
  std::map<std::string, std::string> stored_;
  bool holding_ = false;
  std::vector<std::function<void()>> held_;
  absl::Status refusal_, end_unknown_;
  int refusals_ = 0;
  std::size_t published_ = 0;
  Health health_;
  EngineStats stats_;
};

}  // namespace spur
