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

}  // namespace
}  // namespace spur
