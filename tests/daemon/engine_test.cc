#include "daemon/engine.h"

#include <algorithm>
#include <atomic>
#include <thread>

#include "tests/daemon/engine_fixture.h"

namespace spur::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

TEST_F(EngineTest, AnEventBecomesAnAction) {
  open();
  apply(shop_catalog());
  const auto published = order("ann");
  ASSERT_TRUE(published.ok()) << published.status();
  EXPECT_EQ((*published)[0].dead_letter_reason, "");
  ASSERT_TRUE(wait_actions(""));
  EXPECT_THAT(actions(), ElementsAre("user_id:ann greet 12:00:00"));
  const auto delivery = (*engine_->read_actions(kTopic, "", 10))[0];
  EXPECT_EQ(delivery.action.spurseq(), 1u);
  EXPECT_EQ(delivery.action.channel(), "email");
  EXPECT_EQ(delivery.action.data_json(), R"({"orders":1})");
  EXPECT_EQ(delivery.action.catalog_hash(), engine_->current_catalog()->hash);
}

TEST_F(EngineTest, SilenceBecomesAnActionWhenTheClockHasPassed) {
  open();
  apply(shop_catalog());
  ASSERT_TRUE(add_to_cart("ann").ok());
  ASSERT_TRUE(settle());
  clock_.advance(kMinute * 59);
  ASSERT_TRUE(settle());
  EXPECT_THAT(actions(), IsEmpty());
  clock_.advance(kMinute * 2);
  ASSERT_TRUE(wait_actions(""));
  EXPECT_THAT(actions(), ElementsAre("user_id:ann cart-abandoned 13:00:00"));
}

TEST_F(EngineTest, WithoutACatalogEventsAreRefusedAndTheEngineIsNotReady) {
  open();
  EXPECT_EQ(order("ann").status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_FALSE(engine_->health().ready);
  EXPECT_TRUE(engine_->health().started);
  apply(shop_catalog());
  EXPECT_TRUE(engine_->health().ready) << engine_->health().why;
}

TEST_F(EngineTest, ABadEventBecomesADeadLetterAndStopsNothing) {
  open();
  apply(shop_catalog());
  const std::string good = track("ann", "Order Completed", 1, kNoon);
  const auto published = publish({R"({"type":)", good});
  ASSERT_TRUE(published.ok());
  EXPECT_EQ((*published)[0].dead_letter_reason, "TRUNCATED");
  EXPECT_EQ((*published)[1].dead_letter_reason, "");
  ASSERT_TRUE(settle());
  EXPECT_THAT(actions(), SizeIs(1));
  const auto letters = engine_->dead_letters((*published)[0].shard, 10);
  ASSERT_THAT(*letters, SizeIs(1));
  EXPECT_EQ((*letters)[0].reason(), "TRUNCATED");
  EXPECT_EQ((*letters)[0].value(), R"({"type":)");
}

TEST_F(EngineTest, AnUnknownSourceIsADeadLetter) {
  open();
  apply(shop_catalog());
  const auto published = publish({track("ann", "Order Completed", 1, kNoon)}, "nobody");
  ASSERT_TRUE(published.ok());
  ASSERT_TRUE(settle());
  EXPECT_EQ((*engine_->dead_letters((*published)[0].shard, 1))[0].reason(), "UNKNOWN_SOURCE");
}

TEST_F(EngineTest, ACatalogIsAppliedOnceAndOnlyIfItCompiles) {
  open();
  EXPECT_TRUE(apply(shop_catalog()).changed);
  EXPECT_FALSE(apply(shop_catalog()).changed);
  spur::v1::Catalog bad = shop_catalog();
  bad.mutable_features(0)->set_of("no such name");
  const std::string before = engine_->current_catalog()->hash;
  EXPECT_THAT(apply(bad).errors, ::testing::Not(IsEmpty()));
  EXPECT_EQ(engine_->current_catalog()->hash, before);
}

// Each of these would end the process as soon as it was asked for.
TEST_F(EngineTest, ACatalogThatLeavesOutWhatMustBeThereIsRefused) {
  open();
  apply(shop_catalog());
  const std::string before = engine_->current_catalog()->hash;
  const auto errors_with = [&](const auto& change) {
    spur::v1::Catalog bad = shop_catalog();
    change(bad);
    return catalog::to_text(apply(bad).errors);
  };
  EXPECT_THAT(errors_with([](spur::v1::Catalog& bad) {
                bad.add_references()->set_name("products");
                bad.mutable_references(0)->set_topic("products");
              }),
              HasSubstr("Reference products: spec: `key` is missing"));
  EXPECT_THAT(errors_with([](spur::v1::Catalog& bad) { bad.add_segments()->set_name("vip"); }),
              HasSubstr("Segment vip: spec: `when` is missing"));
  EXPECT_THAT(errors_with([](spur::v1::Catalog& bad) {
                bad.mutable_triggers(0)->mutable_threshold()->set_when("");
              }),
              HasSubstr("`when` is missing"));
  EXPECT_THAT(errors_with([](spur::v1::Catalog& bad) {
                bad.mutable_triggers(0)->mutable_actions(0)->clear_channels();
              }),
              HasSubstr("`channel` is missing"));
  EXPECT_EQ(engine_->current_catalog()->hash, before);
  EXPECT_TRUE(order("ann").ok());
  EXPECT_TRUE(settle());
}

TEST_F(EngineTest, ATopicMayBeLeftToItsDefault) {
  open();
  spur::v1::Catalog short_of_topics = shop_catalog();
  short_of_topics.mutable_sources(0)->clear_topic();
  short_of_topics.mutable_channels(0)->clear_topic();
  EXPECT_THAT(apply(short_of_topics).errors, IsEmpty());
  EXPECT_EQ(*engine_->topic_of("email"), "actions.email");
}

TEST_F(EngineTest, EventsAfterACatalogAreDecidedByIt) {
  open();
  apply(shop_catalog("first"));
  ASSERT_TRUE(order("ann").ok());
  ASSERT_TRUE(settle());  // acknowledged is not folded: it might meet the next catalog
  apply(shop_catalog("second"));
  ASSERT_TRUE(order("ann").ok());
  ASSERT_TRUE(settle());
  const auto deliveries = engine_->read_actions(kTopic, "", 10);
  ASSERT_THAT(*deliveries, SizeIs(2));
  EXPECT_EQ((*deliveries)[0].action.template_(), "first");
  EXPECT_EQ((*deliveries)[1].action.template_(), "second");
  crash_and_reopen();
  EXPECT_EQ(engine_->current_catalog()->version, 2u);
  ASSERT_TRUE(order("ann").ok());
  ASSERT_TRUE(settle());
  EXPECT_EQ((*engine_->read_actions(kTopic, "", 10))[2].action.template_(), "second");
}

TEST_F(EngineTest, AnOpenWaitKeepsTheVersionThatOpenedItAcrossACrash) {
  open();
  apply(shop_catalog());
  ASSERT_TRUE(add_to_cart("ann").ok());
  ASSERT_TRUE(settle());
  spur::v1::Catalog later = shop_catalog();
  for (spur::v1::Trigger& trigger : *later.mutable_triggers()) {
    if (trigger.has_absence()) trigger.mutable_absence()->set_after("2h");
  }
  EXPECT_TRUE(apply(later).changed);
  EXPECT_FALSE(apply(later).changed) << "what it carries along is no part of its hash";
  ASSERT_TRUE(add_to_cart("bob").ok());
  ASSERT_TRUE(settle());
  crash_and_reopen();
  clock_.advance(kHour * 3);
  ASSERT_TRUE(settle());
  EXPECT_THAT(actions(), UnorderedElementsAre("user_id:ann cart-abandoned 13:00:00",
                                              "user_id:bob cart-abandoned 14:00:00"));
}

TEST_F(EngineTest, ACursorGoesOnWhereItStood) {
  open();
  apply(shop_catalog());
  for (const char* user : {"ann", "bob", "cid", "dan", "eve", "fay"}) ASSERT_TRUE(order(user).ok());
  ASSERT_TRUE(settle());
  std::vector<std::string> one_by_one;
  std::string cursor;
  for (;;) {
    const auto next = engine_->read_actions(kTopic, cursor, 1);
    ASSERT_TRUE(next.ok());
    if (next->empty()) break;
    one_by_one.push_back((*next)[0].action.customer());
    cursor = (*next)[0].cursor;
    if (one_by_one.size() == 3) crash_and_reopen();
  }
  EXPECT_THAT(one_by_one, UnorderedElementsAre("user_id:ann", "user_id:bob", "user_id:cid",
                                               "user_id:dan", "user_id:eve", "user_id:fay"));
  EXPECT_EQ(cursor, engine_->end_cursor(kTopic).value());
  ASSERT_TRUE(order("gus").ok());
  ASSERT_TRUE(wait_actions(cursor));
  EXPECT_EQ((*engine_->read_actions(kTopic, cursor, 10))[0].action.customer(), "user_id:gus");
}

TEST_F(EngineTest, ACursorOfASubscriberIsStored) {
  open();
  apply(shop_catalog());
  ASSERT_TRUE(order("ann").ok());
  ASSERT_TRUE(settle());
  const std::string cursor = engine_->end_cursor(kTopic).value();
  std::promise<absl::Status> durable;
  engine_->store_cursor("mailer", "email", cursor,
                        [&](absl::Status status) { durable.set_value(status); });
  ASSERT_TRUE(durable.get_future().get().ok());
  crash_and_reopen();
  EXPECT_EQ(*engine_->stored_cursor("mailer", "email"), cursor);
  EXPECT_EQ(engine_->read_actions(kTopic, "rubbish", 1).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(EngineTest, AWatchIsCalledAfterActionsBecameReadable) {
  open();
  apply(shop_catalog());
  std::promise<std::size_t> readable;
  std::atomic<bool> told{false};
  const auto watch = engine_->watch_actions(kTopic, [&] {
    if (!told.exchange(true)) readable.set_value(engine_->read_actions(kTopic, "", 10)->size());
  });
  ASSERT_TRUE(order("ann").ok());
  EXPECT_EQ(readable.get_future().get(), 1u);
}

TEST_F(EngineTest, AQuestionIsAnsweredFromDurableState) {
  open();
  apply(shop_catalog());
  const auto published = order("ann");
  ASSERT_TRUE(settle());  // acknowledged is not yet folded
  std::promise<absl::Status> answer;
  bool known = false;
  std::uint64_t run = 0;
  engine_->with_shard(
      (*published)[0].shard,
      [&](const ShardView& view) {
        known = view.customers.peek({IdentityKind::kUserId, "ann"}).value() != nullptr;
        run = view.run;
      },
      [&](absl::Status status) { answer.set_value(status); });
  ASSERT_TRUE(answer.get_future().get().ok());
  EXPECT_TRUE(known);
  EXPECT_GT(run, 0u);
}

TEST_F(EngineTest, DecisionsOfACustomerComeNewestFirst) {
  open();
  apply(shop_catalog());
  ASSERT_TRUE(add_to_cart("ann").ok());
  ASSERT_TRUE(settle());
  clock_.advance(kHour * 2);
  ASSERT_TRUE(settle());
  ASSERT_TRUE(order("ann").ok());
  ASSERT_TRUE(order("bob").ok());
  ASSERT_TRUE(settle());
  const auto decisions = engine_->decisions_of("user_id:ann", 10);
  ASSERT_THAT(*decisions, SizeIs(2));
  EXPECT_EQ((*decisions)[0].trigger(), "greet");
  EXPECT_EQ((*decisions)[1].trigger(), "cart-abandoned");
  EXPECT_THAT(*engine_->decisions_of("user_id:ann", 1), SizeIs(1));
}

TEST_F(EngineTest, APublisherIsHeldBackWhileAShardIsBehind) {
  options_.queue_events_max = 4;
  options_.shards = 1;
  std::promise<void> release;
  std::shared_future<void> released = release.get_future().share();
  options_.faults.before_input = [released](std::uint32_t, const InputRecord&) { released.wait(); };
  open();
  apply(shop_catalog());
  std::vector<std::string> batch(4, track("ann", "Order Completed", 1, kNoon));
  ASSERT_TRUE(publish(batch).ok());  // durable, though not folded
  EXPECT_EQ(publish(batch).status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(engine_->stats().events_refused, 4u);
  release.set_value();
  ASSERT_TRUE(settle());
  EXPECT_TRUE(publish(batch).ok());
}

TEST_F(EngineTest, ACleanStopFinishesWhatWasTakenAndLosesNothing) {
  open();
  apply(shop_catalog());
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(order(absl::StrCat("user", i % 10)).ok());
  ASSERT_TRUE(engine_->shutdown().ok());
  EXPECT_EQ(order("late").status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(actions(), SizeIs(100));
  for (const ShardStats& shard : engine_->stats().shards)
    EXPECT_EQ(shard.phase, ShardPhase::kStopped);
  engine_.reset();
  open();
  for (const ShardStats& shard : engine_->stats().shards)
    EXPECT_LE(shard.replayed, 2u) << "Seal and our Owner";
  ASSERT_TRUE(order("user0").ok());
  ASSERT_TRUE(settle());
  EXPECT_THAT(actions(), SizeIs(101));
}

TEST_F(EngineTest, StateIsWrittenBehindWithinTheInterval) {
  options_.flush_interval = std::chrono::seconds(30);
  open();
  apply(shop_catalog());
  ASSERT_TRUE(order("ann").ok());
  ASSERT_TRUE(order("bob").ok());
  ASSERT_TRUE(settle());
  clock_.advance(kSecond * 31);
  // The helper thread writes it; what it wrote is what a restart need not replay.
  for (const std::uint32_t shard : {0u, 1u}) {
    while (engine_->stats().shards[shard].flushes == 0) ASSERT_TRUE(settle());
  }
  crash_and_reopen();
  for (const ShardStats& shard : engine_->stats().shards)
    EXPECT_EQ(shard.replayed, 1u) << "our Owner alone";
  ASSERT_TRUE(order("ann").ok());
  ASSERT_TRUE(settle());
  const auto deliveries = engine_->read_actions(kTopic, "", 10);
  EXPECT_EQ(deliveries->back().action.data_json(), R"({"orders":2})");
}

TEST_F(EngineTest, CustomersBeyondTheMemoryLimitLeaveSoonAndNotAtTheNextInterval) {
  constexpr std::size_t kLimit = 128 << 10;
  options_.state_memory_bytes_max = kLimit;
  open();
  apply(shop_catalog());
  for (int batch = 0; batch < 30; ++batch) {
    std::vector<std::string> events;
    for (int i = 0; i < 100; ++i)
      events.push_back(track(absl::StrCat("user", batch, "-", i), "Order Completed", ++number_,
                             clock_.read().wall));
    ASSERT_TRUE(publish(events).ok());
  }
  ASSERT_TRUE(settle());
  const auto in_memory = [&] {
    std::size_t bytes = 0;
    for (const ShardStats& shard : engine_->stats().shards) bytes += shard.customer_bytes;
    return bytes;
  };
  ASSERT_GT(in_memory(), kLimit) << "all of them changed since the last write";
  clock_.advance(kSecond * 2);
  while (in_memory() > kLimit) ASSERT_TRUE(settle());
  ASSERT_TRUE(order("user3-7").ok());
  ASSERT_TRUE(settle());
  const auto deliveries = engine_->read_actions(kTopic, "", 10'000);
  const auto second = std::count_if(
      deliveries->begin(), deliveries->end(),
      [](const ActionDelivery& d) { return d.action.data_json() == R"({"orders":2})"; });
  EXPECT_EQ(second, 1) << "the first order was read back";
}

TEST_F(EngineTest, WithTheEventsClockIdleShardsFollowTheBusyOnes) {
  options_.clock_source = EngineClock::kEvents;
  open();
  apply(shop_catalog());
  // Long ago by the wall, and yet nothing is too old. Ann's cart times out because others' events
  // move the clock.
  const Instant then{1'500'000'000'000};
  ASSERT_TRUE(publish({track("ann", "Product Added", 1, then)}).ok());
  for (int i = 0; i < 8; ++i) {
    ASSERT_TRUE(
        publish({track(absl::StrCat("user", i), "Page Read", 10 + i, then + kHour * 2)}).ok());
  }
  ASSERT_TRUE(wait_actions(""));
  ASSERT_THAT(actions(), SizeIs(1));
  EXPECT_THAT(actions()[0], HasSubstr("user_id:ann cart-abandoned"));
}

TEST_F(EngineTest, ManyPublishersAtOnceLoseNothing) {
  options_.run_inputs_max = 16;
  options_.clock = nullptr;
  open();
  apply(shop_catalog());
  std::atomic<int> accepted{0};
  std::vector<std::thread> publishers;
  for (int thread = 0; thread < 4; ++thread) {
    publishers.emplace_back([&, thread] {
      for (int i = 0; i < 200; ++i) {
        const int number = thread * 1000 + i;
        const auto published = publish({track(absl::StrCat("user", number % 50), "Order Completed",
                                              number, SystemClock().read().wall)});
        if (published.ok()) ++accepted;
      }
    });
  }
  for (std::thread& publisher : publishers) publisher.join();
  EXPECT_EQ(accepted, 800);
  ASSERT_TRUE(engine_->shutdown().ok());
  EXPECT_THAT(actions(), SizeIs(800));
}

TEST_F(EngineTest, EveryRunAndEveryCommitIsTold) {
  std::atomic<std::size_t> inputs{0}, appends{0}, commits{0};
  options_.on_run = [&](std::uint32_t, std::size_t in_run) { inputs += in_run; };
  options_.on_commit = [&](std::size_t in_commit, std::chrono::nanoseconds) {
    appends += in_commit;
    ++commits;
  };
  open();
  apply(shop_catalog());
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(order("ann").ok());
  ASSERT_TRUE(settle());
  EXPECT_EQ(inputs, 5u);
  ASSERT_TRUE(engine_->shutdown().ok());
  EXPECT_EQ(commits, engine_->stats().log_commits);
  EXPECT_GE(appends, commits);
}

}  // namespace
}  // namespace spur::testing
