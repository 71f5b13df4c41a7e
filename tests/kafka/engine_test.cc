// The engine on Kafka: what a change of the catalog means for the topics behind it.
#include "daemon/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
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
    with.on_run = [this](std::uint32_t, std::uint32_t inputs) { note.note([&] { folded += inputs; }); };
    auto opened = Engine::open(with);
    ASSERT_TRUE(opened.ok()) << opened.status();
    engine = *std::move(opened);
    ASSERT_TRUE(engine->wait_started(std::chrono::seconds(30))) << engine->health().why;
  }
  void TearDown() override { engine.reset(); }

  void apply(const std::string& topic) {
    const catalog::Loaded loaded = catalog::load_text("catalog.yaml", absl::StrCat(R"(
apiVersion: spur/v1
kind: Source
metadata: {name: shop}
spec: {topic: )", topic, R"(, format: segment}
---
apiVersion: spur/v1
kind: Channel
metadata: {name: email}
spec: {topic: )", prefix, R"(.actions}
)"));
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
    for (int partition = 0; partition < static_cast<int>(kShards); ++partition) produce(topic, partition, {event()});
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
    engine->ask_history(std::move(question), [&](absl::Status status) { answer.set_value(std::move(status)); });
    const absl::Status folded = answer.get_future().get();
    EXPECT_TRUE(folded.ok()) << folded;
    EXPECT_TRUE(ended);
    EXPECT_EQ(customers, shard == shard_of("u", engine->shards()) ? 1U : 0U);
  }
  EXPECT_TRUE(engine->health().ready) << engine->health().why;
}

}  // namespace
}  // namespace spur
