// Engines on a real broker, killed, doubled, and with a topic that takes nothing: what stands in
// the topics of a plain channel and of one that asks for transactions, which each action goes to.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "daemon/engine.h"
#include "operators/catalog/load.h"
#include "tests/daemon/temporary_folder.h"
#include "tests/kafka/log_fixture.h"

namespace spur {
namespace {

using ::testing::ElementsAreArray;

constexpr int kPad = 4000;         // characters of an action on the third channel
constexpr int kEventsAtOnce = 40;  // a partition

class KafkaDeliveryTest : public testing::KafkaLogTest {
 protected:
  void SetUp() override {
    KafkaLogTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    options.waiting_bytes_max = 256 << 10;
    plain = make_topic("plain", kShards);
    once = make_topic("once", kShards);
    heavy = make_topic("heavy", kShards);
  }
  void TearDown() override { engines.clear(); }

  std::string catalog_text() const {
    return absl::StrCat(R"(
apiVersion: spur/v1
kind: Source
metadata: {name: shop}
spec: {topic: )",
                        events, R"(, format: segment}
---
apiVersion: spur/v1
kind: Policy
metadata: {name: everything}
spec: {max_action_age: never}
---
apiVersion: spur/v1
kind: Channel
metadata: {name: plain}
spec: {topic: )",
                        plain, R"(}
---
apiVersion: spur/v1
kind: Channel
metadata: {name: once}
spec: {topic: )",
                        once, R"(, delivery: transactional}
---
apiVersion: spur/v1
kind: Channel
metadata: {name: heavy}
spec: {topic: )",
                        heavy, R"(}
---
apiVersion: spur/v1
kind: Trigger
metadata: {name: greet}
spec:
  event: {on: X}
  actions:
  - {channel: plain, template: t}
  - {channel: once, template: t}
)",
                        with_heavy
                            ? absl::StrCat("  - {channel: heavy, template: t, data: {pad: \"'",
                                           std::string(kPad, 'x'), "'\"}}\n")
                            : "");
  }
  // An engine of its own folder; `group` empty: that of all.
  void start(const std::string& name, const std::string& group = "") {
    EngineOptions with;
    with.directory = absl::StrCat(folder.path(), "/", name);
    with.flush_interval = std::chrono::milliseconds(300);
    with.outbox_bytes_max = outbox_max;
    with.run_inputs_max = 64;
    KafkaOptions kafka = options;
    kafka.group = group;
    with.open_log = [kafka, this](const Clock& by) -> absl::StatusOr<std::unique_ptr<Log>> {
      auto opened = KafkaLog::open(kafka, by);
      if (!opened.ok()) return opened.status();
      newest = opened->get();
      return std::unique_ptr<Log>(*std::move(opened));
    };
    auto opened = Engine::open(with);
    ASSERT_TRUE(opened.ok()) << opened.status();
    engines[name] = *std::move(opened);
    ASSERT_TRUE(engines[name]->wait_started(std::chrono::seconds(60)))
        << engines[name]->health().why;
  }
  void apply(const std::string& name) {
    const catalog::Loaded loaded = catalog::load_text("catalog.yaml", catalog_text());
    ASSERT_TRUE(loaded.errors.empty()) << catalog::to_text(loaded.errors);
    std::promise<absl::StatusOr<CatalogApplied>> answer;
    engines[name]->apply_catalog(loaded.catalog, "", [&](absl::StatusOr<CatalogApplied> applied) {
      answer.set_value(std::move(applied));
    });
    const auto applied = answer.get_future().get();
    ASSERT_TRUE(applied.ok()) << applied.status();
  }
  void publish() {
    for (int partition = 0; partition < static_cast<int>(kShards); ++partition) {
      std::vector<std::string> batch;
      // Customers that live where their events are.
      while (batch.size() < kEventsAtOnce) {
        const std::string user = absl::StrCat("u", ++number);
        if (shard_of(user, kShards) != static_cast<std::uint32_t>(partition)) continue;
        batch.push_back(absl::StrCat(R"({"type":"track","event":"X","userId":")", user,
                                     R"(","messageId":"m)", number,
                                     R"(","timestamp":"2026-03-01T12:00:00Z"})"));
      }
      produce(events, partition, batch);
      published += kEventsAtOnce;
    }
  }
  std::vector<std::string> expected() const {
    std::vector<std::string> all;
    for (std::uint64_t i = 1; i <= published / kShards; ++i) all.push_back(std::to_string(i));
    return all;
  }
  std::vector<std::string> after_the_channel_rule(const std::string& topic, int partition) {
    std::vector<std::string> taken;
    std::uint64_t last = 0;
    for (const std::string& seq : all_of(topic, partition, spurseq)) {
      if (std::stoull(seq) <= last) continue;
      last = std::stoull(seq);
      taken.push_back(seq);
    }
    return taken;
  }
  // Every action in its topic; in that of the transactional channel just once, without any rule.
  void expect_all(const std::vector<std::string>& topics) {
    const std::vector<std::string> all = expected();
    for (const std::string& topic : topics) {
      for (int partition = 0; partition < static_cast<int>(kShards); ++partition) {
        EXPECT_TRUE(eventually([&] {
          const auto found = after_the_channel_rule(topic, partition);
          return !found.empty() && found.back() == all.back();
        })) << topic;
        EXPECT_EQ(after_the_channel_rule(topic, partition), all) << topic;
      }
    }
    for (int partition = 0; partition < static_cast<int>(kShards); ++partition)
      EXPECT_THAT(all_of(once, partition, spurseq), ElementsAreArray(all));
    for (const auto& [name, engine] : engines) {
      for (const ParkedShard& parked : engine->health().parked)
        ADD_FAILURE() << to_text(parked.reason) << ": " << parked.detail;
    }
  }
  void configure(const std::string& topic, const std::string& name, const std::string& value) {
    rd_kafka_ConfigResource_t* resource =
        rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str());
    rd_kafka_ConfigResource_set_config(resource, name.c_str(), value.c_str());
    const kafka::Queue queue(rd_kafka_queue_new(admin->handle()));
    rd_kafka_AlterConfigs(admin->handle(), &resource, 1, nullptr, queue.get());
    const kafka::Event answered(rd_kafka_queue_poll(queue.get(), 15'000));
    rd_kafka_ConfigResource_destroy(resource);
    ASSERT_NE(answered, nullptr);
    ASSERT_EQ(rd_kafka_event_error(answered.get()), RD_KAFKA_RESP_ERR_NO_ERROR);
  }
  std::uint64_t outbox_bytes(const std::string& name) {
    std::uint64_t bytes = 0;
    for (const ShardStats& shard : engines[name]->stats().shards) bytes += shard.outbox_bytes;
    return bytes;
  }

  testing::TemporaryFolder folder;
  std::string plain, once, heavy;
  bool with_heavy = false;
  std::uint64_t outbox_max = 1ull << 30;
  std::map<std::string, std::unique_ptr<Engine>> engines;
  KafkaLog* newest = nullptr;
  int number = 0;
  std::uint64_t published = 0;
};

TEST_F(KafkaDeliveryTest, OwnersThatAreKilledLeaveEachActionOnceWhereTransactionsAreAskedFor) {
  ASSERT_NO_FATAL_FAILURE(start("a"));
  ASSERT_NO_FATAL_FAILURE(apply("a"));
  for (int round = 0; round < 6; ++round) {
    publish();
    // In the middle of the work; every second time with a disk that knows nothing.
    engines.clear();
    ASSERT_NO_FATAL_FAILURE(start(round % 2 == 0 ? "a" : absl::StrCat("fresh-", round)));
    publish();
  }
  expect_all({plain, once});
}

TEST_F(KafkaDeliveryTest, TwoOwnersByForceLeaveEachActionOnceWhereTransactionsAreAskedFor) {
  ASSERT_NO_FATAL_FAILURE(start("a", prefix + "-a"));
  ASSERT_NO_FATAL_FAILURE(apply("a"));
  for (int round = 0; round < 3; ++round) {
    publish();
    ASSERT_NO_FATAL_FAILURE(start("b", prefix + "-b"));  // takes every shard from `a`, and back
    for (int i = 0; i < 10; ++i) publish();
    engines.erase("b");
    publish();
  }
  expect_all({plain, once});
}

TEST_F(KafkaDeliveryTest, ADeadTopicWaitsOnDiskThroughARestartAndTheOthersGoOn) {
  with_heavy = true;
  configure(heavy, "max.message.bytes",
            "300");  // of every record the broker says that it is too large
  ASSERT_NO_FATAL_FAILURE(start("a"));
  ASSERT_NO_FATAL_FAILURE(apply("a"));
  for (int i = 0; i < 20; ++i) publish();
  expect_all({plain, once});
  const std::uint64_t waits = published * kPad;
  ASSERT_GT(waits, 10 * options.waiting_bytes_max);
  const auto bounded = [&] {
    std::size_t bytes = 0;
    for (std::uint32_t shard = 0; shard < kShards; ++shard) {
      if (newest->waiting(shard) == Log::Waiting::kTooMuch) return false;
      bytes += newest->spilled(shard).empty() ? waits : 0;
    }
    return bytes == 0 && outbox_bytes("a") >= waits;
  };
  EXPECT_TRUE(eventually(bounded)) << outbox_bytes("a") << " of " << waits;
  engines.clear();
  ASSERT_NO_FATAL_FAILURE(start("a"));
  publish();
  EXPECT_TRUE(eventually(bounded)) << outbox_bytes("a") << " of " << waits;
  configure(heavy, "max.message.bytes", "1048588");
  expect_all({plain, once, heavy});
}

TEST_F(KafkaDeliveryTest, AFullOutboxHoldsItsShardsUpUntilTheTopicIsMended) {
  with_heavy = true;
  configure(heavy, "max.message.bytes", "300");
  outbox_max = 2 << 20;
  ASSERT_NO_FATAL_FAILURE(start("a"));
  ASSERT_NO_FATAL_FAILURE(apply("a"));
  for (int i = 0; i < 20; ++i) publish();
  // Held up for a moment, while it writes, it is at other times too.
  ASSERT_TRUE(eventually([&] {
    return engines["a"]->health().why.find("outbox is full") != std::string::npos;
  })) << engines["a"]->health().why;
  EXPECT_FALSE(engines["a"]->health().ready);
  EXPECT_TRUE(engines["a"]->health().live);
  EXPECT_LT(outbox_bytes("a"), 2 * outbox_max + 2 * 10 * 64 * kPad) << "what was computed by then";
  configure(heavy, "max.message.bytes", "1048588");
  expect_all({plain, once, heavy});
  EXPECT_TRUE(eventually([&] { return engines["a"]->health().ready; }))
      << engines["a"]->health().why;
}

}  // namespace
}  // namespace spur
