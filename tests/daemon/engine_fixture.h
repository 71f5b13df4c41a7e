// An engine on real RocksDB in a temporary folder, on a clock that the test moves. The catalog: a
// greeting for each order at once (event), a reminder an hour after an abandoned cart (absence),
// both by e-mail; purchases count.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "daemon/engine.h"
#include "operators/catalog/load.h"
#include "tests/daemon/temporary_folder.h"

namespace spur::testing {

inline constexpr Instant kNoon{1'772'366'400'000};  // 2026-03-01T12:00:00Z
inline constexpr std::string_view kTopic = "actions.email";
inline constexpr std::chrono::seconds kPatience{
    60};  // against hanging for ever; no test waits for it to pass

inline spur::v1::Catalog shop_catalog(const std::string& greeting = "thanks") {
  catalog::Loaded loaded =
      catalog::load_text("shop.yaml", absl::StrCat(R"(
apiVersion: spur/v1
kind: Source
metadata: {name: shop}
spec: {topic: events.shop, format: segment}
---
apiVersion: spur/v1
kind: Channel
metadata: {name: email}
spec: {topic: actions.email}
---
apiVersion: spur/v1
kind: Feature
metadata: {name: orders}
spec: {on: Order Completed, aggregate: count}
---
apiVersion: spur/v1
kind: Trigger
metadata: {name: greet}
spec:
  event: {on: Order Completed}
  actions: [{channel: email, template: )",
                                                   greeting, R"(, data: {orders: features.orders}}]
---
apiVersion: spur/v1
kind: Trigger
metadata: {name: cart-abandoned}
spec:
  absence:
    opens: {on: Product Added}
    closes: {on: Order Completed}
    after: 1h
  actions: [{channel: email, template: cart}]
)"));
  EXPECT_TRUE(loaded.errors.empty()) << catalog::to_text(loaded.errors);
  return loaded.catalog;
}

inline std::string rfc3339(Instant time) {
  const std::time_t seconds = time.ms / 1000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

inline std::string track(std::string_view user, std::string_view name, int number, Instant time) {
  return absl::StrCat(R"({"type":"track","event":")", std::string(name), R"(","userId":")",
                      std::string(user), R"(","messageId":"m-)", number, R"(","timestamp":")",
                      rfc3339(time), R"("})");
}

class EngineTest : public ::testing::Test {
 protected:
  EngineTest() {
    options_.directory = folder_.path() + "/spur";
    options_.shards = 2;
    options_.workers = 2;
    options_.clock = &clock_;
    options_.block_cache_bytes = 8 << 20;
    options_.write_buffer_bytes = 16 << 20;
  }

  void open() {
    ASSERT_NO_FATAL_FAILURE(begin_open());
    ASSERT_TRUE(engine_->wait_started(kPatience)) << engine_->health().why;
  }
  // Opened and perhaps still recovering.
  void begin_open() {
    auto engine = Engine::open(options_);
    ASSERT_TRUE(engine.ok()) << engine.status();
    engine_ = *std::move(engine);
  }
  // As if the process were killed, and started again.
  void crash_and_reopen() {
    engine_.reset();
    open();
  }
  absl::Status refusal() { return Engine::open(options_).status(); }

  CatalogApplied apply(const spur::v1::Catalog& catalog) {
    std::promise<absl::StatusOr<CatalogApplied>> answer;
    engine_->apply_catalog(
        catalog, "", [&](absl::StatusOr<CatalogApplied> applied) { answer.set_value(applied); });
    auto applied = answer.get_future().get();
    EXPECT_TRUE(applied.ok()) << applied.status();
    return applied.ok() ? *applied : CatalogApplied();
  }

  absl::StatusOr<std::vector<Published>> publish(const std::vector<std::string>& events,
                                                 std::string source = "shop") {
    std::vector<EventToPublish> batch;
    for (const std::string& event : events) batch.push_back({source, event});
    std::promise<absl::StatusOr<std::vector<Published>>> answer;
    engine_->publish(batch, [&](absl::StatusOr<std::vector<Published>> published) {
      answer.set_value(published);
    });
    return answer.get_future().get();
  }
  absl::StatusOr<std::vector<Published>> order(std::string_view user) {
    return publish({track(user, "Order Completed", ++number_, clock_.read().wall)});
  }
  absl::StatusOr<std::vector<Published>> add_to_cart(std::string_view user) {
    return publish({track(user, "Product Added", ++number_, clock_.read().wall)});
  }

  // Until all inputs are folded, nothing is due, and all of it is durable. False: the engine is
  // gone.
  bool settle() {
    for (std::uint32_t shard = 0; shard < engine_->shards(); ++shard) {
      for (bool settled = false; !settled;) {
        std::promise<absl::Status> answer;
        bool nothing_due = false;
        std::uint64_t taken = 0;
        engine_->with_shard(
            shard,
            [&](const ShardView& view) {
              nothing_due = view.shard.next_due() > clock_.read().wall;
            },
            [&](absl::Status status) { answer.set_value(std::move(status)); });
        if (!answer.get_future().get().ok()) return false;
        const ShardStats stats = engine_->stats().shards[shard];
        taken = stats.input_next;
        settled = nothing_due && taken == stats.input_end && stats.durable_seq == stats.run_seq;
      }
    }
    return true;
  }

  // Until everything is folded, through as many deaths as it takes.
  void survive() {
    while (!settle()) {
      ++crashes_;
      engine_.reset();
      ASSERT_NO_FATAL_FAILURE(begin_open());
      // What was left to do is folded as soon as a shard is live, and may be the next run to die
      // in, before the other shard has started: settle() tells.
      (void)engine_->wait_started(kPatience);
      ASSERT_THAT(engine_->health().parked, ::testing::IsEmpty()) << engine_->health().why;
    }
  }

  // Until there is something behind `cursor`. False: not within kPatience.
  bool wait_actions(std::string_view cursor) {
    std::mutex mutex;
    std::condition_variable changed;
    const auto watch = engine_->watch_actions(kTopic, [&] {
      const std::lock_guard lock(mutex);
      changed.notify_one();
    });
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, kPatience, [&] {
      const auto found = engine_->read_actions(kTopic, cursor, 1);
      return found.ok() && !found->empty();
    });
  }

  // "user_id:ann greet 12:00:00", per shard in order; without what differs between deployments.
  std::vector<std::string> actions() {
    std::vector<std::string> all;
    auto deliveries = engine_->read_actions(kTopic, "", 100'000);
    EXPECT_TRUE(deliveries.ok()) << deliveries.status();
    for (const ActionDelivery& delivery : *deliveries) {
      all.push_back(delivery.action.customer() + " " + delivery.action.trigger() + " " +
                    rfc3339(Instant{delivery.action.time_ms()}).substr(11, 8));
    }
    return all;
  }
  // The bytes of all decisions, shard by shard, with the deployment taken out.
  std::vector<std::string> decision_bytes() {
    std::vector<std::string> all;
    for (std::uint32_t shard = 0; shard < engine_->shards(); ++shard) {
      auto decisions = engine_->decisions(shard, 0, 1'000'000);
      EXPECT_TRUE(decisions.ok()) << decisions.status();
      for (spur::v1::Decision& decision : *decisions) {
        decision.mutable_id()->clear_deployment();
        all.push_back(decision.SerializeAsString());
      }
    }
    return all;
  }
  std::uint64_t inputs_in_log() {
    std::uint64_t sum = 0;
    for (const ShardStats& shard : engine_->stats().shards) sum += shard.input_end;
    return sum;
  }

  TemporaryFolder folder_;
  ManualClock clock_{kNoon};
  EngineOptions options_;
  std::unique_ptr<Engine> engine_;
  int number_ = 0;
  int crashes_ = 0;  // survived
};

}  // namespace spur::testing
