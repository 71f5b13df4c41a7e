// The engine on Kafka: what a change of the catalog means for the topics behind it.
#include "daemon/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "operators/catalog/load.h"
#include "tests/daemon/temporary_folder.h"
#include "tests/kafka/log_fixture.h"

namespace spur {
namespace {

class KafkaEngineTest : public testing::KafkaLogTest {
 protected:
  void start() {
    EngineOptions with;
    with.directory = folder.path() + "/spur";
    with.open_log = [this](const Clock& by) -> absl::StatusOr<std::unique_ptr<Log>> {
      auto opened = KafkaLog::open(options, by);
      if (!opened.ok()) return opened.status();
      return std::unique_ptr<Log>(*std::move(opened));
    };
    with.on_run = [this](std::uint32_t, std::uint32_t inputs) {
      note.note([&] { folded += inputs; });
    };
    auto opened = Engine::open(with);
    ASSERT_TRUE(opened.ok()) << opened.status();
    engine = *std::move(opened);
    ASSERT_TRUE(engine->wait_started(std::chrono::seconds(30))) << engine->health().why;
  }
  void TearDown() override { engine.reset(); }

  void apply(const std::string& topic, const std::string& more = "") {
    const catalog::Loaded loaded =
        catalog::load_text("catalog.yaml", absl::StrCat(R"(
apiVersion: spur/v1
kind: Source
metadata: {name: shop}
spec: {topic: )",
                                                        topic, R"(, format: segment}
---
apiVersion: spur/v1
kind: Channel
metadata: {name: email}
spec: {topic: )",
                                                        prefix, R"(.actions}
)",
                                                        more));
    ASSERT_TRUE(loaded.errors.empty()) << catalog::to_text(loaded.errors);
    std::promise<absl::StatusOr<CatalogApplied>> answer;
    engine->apply_catalog(loaded.catalog, "", [&](absl::StatusOr<CatalogApplied> applied) {
      answer.set_value(std::move(applied));
    });
    const auto applied = answer.get_future().get();
    ASSERT_TRUE(applied.ok() && applied->changed) << applied.status();
  }
  // Of customers of all shards, and folded.
  void publish(const std::string& topic) {
    const std::uint64_t until = folded + kShards;
    for (int partition = 0; partition < static_cast<int>(kShards); ++partition)
      produce(topic, partition, {event()});
    ASSERT_TRUE(note.await([&] { return folded >= until; }));
  }
  std::string event() {
    return absl::StrCat(R"({"type":"track","event":"X","userId":"u","messageId":"m)", ++number,
                        R"(","timestamp":"2026-03-01T12:00:00Z"})");
  }

  testing::TemporaryFolder folder;
  testing::Heard note;
  std::uint64_t folded = 0;
  int number = 0;
  std::unique_ptr<Engine> engine;
};

TEST_F(KafkaEngineTest, ATopicThatTheCatalogNamesNoLongerMayLoseItsRecords) {
  start();
  apply(events);
  publish(events);
  const std::string other = make_topic("other", static_cast<int>(kShards));
  apply(other);
  publish(other);
  ASSERT_TRUE(engine->shutdown().ok());
  engine.reset();
  // Nobody reads it any more, and its retention goes on.
  for (int partition = 0; partition < static_cast<int>(kShards); ++partition) {
    produce(events, partition, {event(), event()});
    ASSERT_TRUE(admin->delete_below(events, partition, 2).ok());
  }
  start();
  for (const ParkedShard& parked : engine->health().parked)
    ADD_FAILURE() << to_text(parked.reason) << ": " << parked.detail;
  publish(other);
}

TEST_F(KafkaEngineTest, BusinessDataReachesEveryShardFromOneTopic) {
  start();
  const std::string products = make_topic("products", 3);
  apply(events, absl::StrCat(R"(---
apiVersion: spur/v1
kind: Reference
metadata: {name: products}
spec: {topic: )",
                             products, R"(, format: json, key: body.sku}
---
apiVersion: spur/v1
kind: Trigger
metadata: {name: cheap}
spec:
  class: transactional
  event: {on: Viewed}
  if: reference.products[event.properties.sku].price < 10
  actions:
    - {channel: email, template: cheap, data: {price: "reference.products[event.properties.sku].price"}}
)"));
  // By whoever keeps the products, and by Publish; each record is in the topic once.
  std::uint64_t until = folded + kShards;
  produce(products, 2, {R"({"sku":"a","price":7})"});
  ASSERT_TRUE(note.await([&] { return folded >= until; }));
  until = folded + kShards;
  const EventToPublish record[] = {{"products", R"({"sku":"b","price":8})"}};
  std::promise<absl::Status> done;
  engine->publish(record, [&](const absl::StatusOr<std::vector<Published>>& published) {
    done.set_value(published.status());
  });
  const absl::Status published = done.get_future().get();
  ASSERT_TRUE(published.ok()) << published;
  ASSERT_TRUE(note.await([&] { return folded >= until; }));
  std::int64_t records = 0;
  for (int partition = 0; partition < 3; ++partition)
    records += admin->kept(products, partition)->end;
  EXPECT_EQ(records, 2);
  // A shard that begins anew has them again.
  ASSERT_TRUE(engine->shutdown().ok());
  engine.reset();
  start();
  until = folded + 2 * kShards;
  for (std::uint32_t shard = 0; shard < kShards; ++shard) {
    for (const std::string sku : {"a", "b"}) {
      std::string customer = "u";
      while (shard_of(customer, kShards) != shard) customer += "u";
      produce(events, static_cast<int>(shard),
              {absl::StrCat(R"({"type":"track","event":"Viewed","userId":")", customer,
                            R"(","messageId":"m)", ++number, R"(","properties":{"sku":")", sku,
                            R"("},"timestamp":")", absl::FormatTime(absl::Now()), R"("})")});
    }
  }
  ASSERT_TRUE(note.await([&] { return folded >= until; }));
  std::multiset<std::string> prices;
  ASSERT_TRUE(eventually([&] {
    const auto actions = engine->read_actions(prefix + ".actions", "", 10);
    EXPECT_TRUE(actions.ok()) << actions.status();
    prices.clear();
    for (const ActionDelivery& delivery : *actions) prices.insert(delivery.action.data_json());
    return prices.size() == 2 * kShards;
  })) << prices.size();
  EXPECT_EQ(prices, (std::multiset<std::string>{R"({"price":7})", R"({"price":7})",
                                                R"({"price":8})", R"({"price":8})"}));
}

TEST_F(KafkaEngineTest, HistoryIsFoldedAgainBesideTheShard) {
  start();
  apply(events);
  publish(events);
  for (std::uint32_t shard = 0; shard < engine->shards(); ++shard) {
    std::size_t customers = 0;
    bool ended = false;
    HistoryQuestion question;
    question.shard = shard;
    question.until = Instant::never();
    question.go_on = [&](const HistoryView& view) {
      customers = view.customers.in_memory();
      ended = ended || view.at_end;
      return true;
    };
    std::promise<absl::Status> answer;
    engine->ask_history(std::move(question),
                        [&](absl::Status status) { answer.set_value(std::move(status)); });
    const absl::Status folded = answer.get_future().get();
    EXPECT_TRUE(folded.ok()) << folded;
    EXPECT_TRUE(ended);
    EXPECT_EQ(customers, shard == shard_of("u", engine->shards()) ? 1U : 0U);
  }
  EXPECT_TRUE(engine->health().ready) << engine->health().why;
}

}  // namespace
}  // namespace spur
