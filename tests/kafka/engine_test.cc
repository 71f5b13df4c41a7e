// The engine on Kafka: what a change of the catalog means for the topics behind it.
#include "daemon/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "daemon/log/journal_codec.h"
#include "operators/catalog/load.h"
#include "tests/daemon/temporary_folder.h"
#include "tests/kafka/log_fixture.h"

namespace spur {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class KafkaEngineTest : public testing::KafkaLogTest {
 protected:
  // Another process, with a disk of its own.
  std::unique_ptr<Engine> start_another() {
    auto mine = std::exchange(engine, nullptr);
    start("/another");
    return std::exchange(engine, std::move(mine));
  }
  void start(const std::string& state = "/spur") {
    EngineOptions with = engine_options;
    with.directory = folder.path() + state;
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

  // `channel`: more of the Channel's spec.
  void apply(const std::string& topic, const std::string& more = "",
             const std::string& channel = "") {
    const auto applied = try_to_apply(topic, more, channel);
    ASSERT_TRUE(applied.ok() && applied->changed) << applied.status();
  }
  absl::StatusOr<CatalogApplied> try_to_apply(const std::string& topic,
                                              const std::string& more = "",
                                              const std::string& channel = "") {
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
                                                        prefix, ".actions", channel, "}\n", more));
    EXPECT_TRUE(loaded.errors.empty()) << catalog::to_text(loaded.errors);
    std::promise<absl::StatusOr<CatalogApplied>> answer;
    engine->apply_catalog(loaded.catalog, "", [&](absl::StatusOr<CatalogApplied> applied) {
      answer.set_value(std::move(applied));
    });
    return answer.get_future().get();
  }
  static std::string reference(const std::string& topic) {
    return absl::StrCat(R"(---
apiVersion: spur/v1
kind: Reference
metadata: {name: products}
spec: {topic: )",
                        topic, R"(, format: json, key: body.sku}
)");
  }
  // Each event of this name is an action at once.
  static std::string trigger(const std::string& on) {
    return absl::StrCat(R"(---
apiVersion: spur/v1
kind: Trigger
metadata: {name: at-once}
spec:
  class: transactional
  event: {on: )",
                        on, R"(}
  actions:
    - {channel: email, template: t}
)");
  }
  std::size_t actions() {
    const auto found = engine->read_actions(prefix + ".actions", "", 100);
    return found.ok() ? found->size() : 0;
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

  // Of a customer of shard 0, now.
  std::string event_now(const std::string& name) {
    std::string customer = "u";
    while (shard_of(customer, kShards) != 0) customer += "u";
    return absl::StrCat(R"({"type":"track","event":")", name, R"(","userId":")", customer,
                        R"(","messageId":"m)", ++number, R"(","timestamp":")",
                        absl::FormatTime(absl::Now()), R"("})");
  }

  testing::TemporaryFolder folder;
  EngineOptions engine_options;
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

// --- whose turn it is ---

TEST_F(KafkaEngineTest, AShardThatIsTakenAwayGoesOnUntilAnotherProcessHasClaimedIt) {
  start();
  apply(events);
  publish(events);
  // A member of the group that is given a shard and does nothing with it, as one that restores a
  // large state for minutes.
  testing::Heard other_heard;
  auto other = open_log(options, other_heard);
  ASSERT_NE(other, nullptr);
  ASSERT_TRUE(other_heard.await([&] { return other_heard.assigned.size() == 1; }));
  publish(events);
  publish(events);
  EXPECT_TRUE(engine->health().ready) << engine->health().why;
}

TEST_F(KafkaEngineTest, AProcessThatStopsHandsItsShardsOverWhileTheyGoOn) {
  start();
  apply(events);
  publish(events);
  std::unique_ptr<Engine> another = start_another();
  ASSERT_TRUE(engine->shutdown().ok());
  // All that was left behind is claimed: it waited for that.
  std::size_t live = 0;
  for (const ShardStats& shard : another->stats().shards) live += shard.phase == ShardPhase::kLive;
  EXPECT_EQ(live, kShards);
  publish(events);
  ASSERT_TRUE(another->shutdown().ok());
}

TEST_F(KafkaEngineTest, WhatNobodyClaimsInTimeIsSealedByTheProcessThatStops) {
  engine_options.hand_over_max = std::chrono::milliseconds(500);
  start();
  apply(events);
  publish(events);
  testing::Heard other_heard;
  auto other = open_log(options, other_heard);
  ASSERT_NE(other, nullptr);
  ASSERT_TRUE(other_heard.await([&] { return other_heard.assigned.size() == 1; }));
  ASSERT_TRUE(engine->shutdown().ok());
  ASSERT_TRUE(other_heard.await([&] { return other_heard.assigned.size() == kShards; }));
  for (std::uint32_t shard = 0; shard < kShards; ++shard) {
    spur::v1::JournalEntry last;
    const auto end = other->journal_end(shard);
    ASSERT_TRUE(end.ok());
    ASSERT_TRUE(other
                    ->read_journal(shard, *end - 1, *end,
                                   [&](Offset, std::string_view entry) {
                                     last = *decode_entry(entry);
                                     return true;
                                   })
                    .ok());
    EXPECT_TRUE(last.has_seal()) << last.ShortDebugString();
  }
}

// --- catalogs and the topics they name ---

TEST_F(KafkaEngineTest, ATopicThatIsNotThereYetStopsNoOther) {
  start();
  const std::string products = prefix + ".products";
  apply(events, reference(products));
  publish(events);
  EXPECT_TRUE(engine->health().ready) << engine->health().why;
  make_topic("products", 3);
  const std::uint64_t until = folded + kShards;
  produce(products, 2, {R"({"sku":"a","price":7})"});
  ASSERT_TRUE(note.await([&] { return folded >= until; })) << "it is looked for until it is there";
}

TEST_F(KafkaEngineTest, ACatalogMayNameTopicsThatNobodyHasMade) {
  start();
  const std::string other = prefix + ".other";
  apply(other, trigger("X"));
  EXPECT_TRUE(engine->health().ready) << engine->health().why;
  make_topic("other", static_cast<int>(kShards));
  const std::uint64_t until = folded + 1;
  produce(other, 0, {event_now("X")});
  ASSERT_TRUE(note.await([&] { return folded >= until; }));
  EXPECT_TRUE(eventually([&] { return actions() == 1; })) << "the topic of the channel is made too";
}

TEST_F(KafkaEngineTest, ATopicStaysOfASourceOrOfAReferenceThroughVersionsThatDoNotNameIt) {
  start();
  const std::string turned = make_topic("turned", static_cast<int>(kShards));
  apply(events, reference(turned));
  produce(turned, 0, {R"({"sku":"a","price":7})"});
  ASSERT_TRUE(note.await([&] { return folded >= kShards; }));
  const auto at_once = try_to_apply(turned);
  EXPECT_THAT(std::string(at_once.status().message()), HasSubstr("copy it into another topic"));
  apply(events);
  // Each shard reads all of its partitions, and would take each event of it.
  const auto later = try_to_apply(turned);
  EXPECT_TRUE(absl::IsFailedPrecondition(later.status())) << later.status();
  EXPECT_THAT(std::string(later.status().message()), HasSubstr("copy it into another topic"));
  // Known after a restart too.
  ASSERT_TRUE(engine->shutdown().ok());
  engine.reset();
  start();
  EXPECT_TRUE(absl::IsFailedPrecondition(try_to_apply(turned).status()));
  publish(events);
}

TEST_F(KafkaEngineTest, ABadRecordOfBusinessDataIsADeadLetterOfEachShard) {
  start();
  const std::string products = make_topic("products", 3);
  apply(events, reference(products));
  const std::uint64_t until = folded + 2 * kShards;
  produce(products, 2, {"no record", R"({"sku":"a","price":7})"});
  ASSERT_TRUE(note.await([&] { return folded >= until; })) << "what follows it is taken";
  for (std::uint32_t shard = 0; shard < kShards; ++shard) {
    ASSERT_TRUE(eventually([&] { return !engine->dead_letters(shard, 10)->empty(); }));
    const auto letters = engine->dead_letters(shard, 10);
    ASSERT_THAT(*letters, SizeIs(1));
    EXPECT_EQ((*letters)[0].value(), "no record");
  }
}

TEST_F(KafkaEngineTest, ARateThatIsTakenAwayLetsGoOfWhatHasWaitedForIt) {
  start();
  apply(events, trigger("X"), ", rate: {max: 1, per: 1h}");
  std::vector<std::string> values;
  for (int i = 0; i < 5; ++i) values.push_back(event_now("X"));
  produce(events, 0, values);
  ASSERT_TRUE(note.await([&] { return folded >= 5; }));
  ASSERT_TRUE(eventually([&] { return actions() == 1; }));
  EXPECT_EQ(actions(), 1u) << "the next leaves in hours";
  apply(events, trigger("X"));
  EXPECT_TRUE(eventually([&] { return actions() == 5; })) << actions();
}

// --- the clock ---

TEST_F(KafkaEngineTest, AWallThatTheBrokerConfirmsIsFollowedAndOneThatItDoesNotIsHeld) {
  // Behind by an hour, until somebody sets it right.
  ManualClock wall(Instant{absl::ToUnixMillis(absl::Now() - absl::Hours(1))});
  engine_options.clock = &wall;
  start();
  apply(events);
  publish(events);
  const auto after_a_run = [&] {
    publish(events);
    return engine->stats().shards[0];
  };
  wall.jump_wall(Millis{3'600'000});
  // The first run may still be held: what the broker says comes with its acknowledgement.
  ASSERT_TRUE(eventually([&] { return !after_a_run().clock_held; }));
  wall.jump_wall(Millis{365LL * 86'400'000});
  ASSERT_TRUE(eventually([&] { return after_a_run().clock_held; }));
  const Instant now{absl::ToUnixMillis(absl::Now())};
  EXPECT_LT(engine->stats().shards[0].clock, now + Millis{60'000});
  engine.reset();
}

}  // namespace
}  // namespace spur
