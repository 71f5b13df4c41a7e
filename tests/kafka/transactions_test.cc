// Channels with `delivery: transactional`: what readers of committed records are given, where
// tails, fences and catalogs change hands.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "daemon/log/kafka/transactional_producer.h"
#include "daemon/log/pace.h"
#include "tests/kafka/log_fixture.h"

namespace spur {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::IsEmpty;

class KafkaTransactionsTest : public testing::KafkaLogTest {
 protected:
  void SetUp() override {
    options.on_transaction = [this](std::chrono::nanoseconds) { ++committed; };
    options.on_transaction_aborted = [this] { ++aborted; };
    KafkaLogTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    strict = prefix + ".actions.invoice";
    open();
  }
  // A version of the catalog that names these topics, and no more.
  struct Delivery {
    std::string topic;
    bool transactional = true;
    int per_second = 0;  // its rate; 0: none
  };
  void apply(const std::vector<Delivery>& deliveries) {
    spur::v1::Catalog catalog;
    for (const auto& [topic, transactional, per_second] : deliveries) {
      auto* channel = catalog.add_channels();
      channel->set_name("c" + std::to_string(catalog.channels_size()));
      channel->set_topic(topic);
      if (transactional) channel->set_delivery("transactional");
      if (per_second == 0) continue;
      channel->mutable_rate()->set_max(per_second);
      channel->mutable_rate()->set_per_ms(1000);
    }
    std::uint64_t before = 0;
    {
      const std::lock_guard lock(heard.mutex);
      before = heard.catalogs;
    }
    std::promise<absl::StatusOr<Offset>> applied;
    log->append_catalog(catalog.SerializeAsString(), "", [&](absl::StatusOr<Offset> offset) {
      applied.set_value(std::move(offset));
    });
    ASSERT_TRUE(applied.get_future().get().ok());
    ASSERT_TRUE(heard.await([&] { return heard.catalogs > before; }));
  }
  bool await_acked(std::uint32_t shard, std::uint64_t seq) {
    return heard.await([&] { return heard.acked[shard] >= seq; });
  }
  void run(std::uint32_t shard, std::uint64_t seq, const std::string& topic) {
    ASSERT_TRUE(append(*log, shard, seq, one_action(*log, shard, seq, topic, seq)).ok());
    log->release(shard, seq);
  }
  // Its decision stays out of it: a topic of its own would be ahead of the journal too.
  void run_action(std::uint64_t seq) {
    RunEffects effects = one_action(*log, 0, seq, strict, seq);
    effects.decisions.clear();
    ASSERT_TRUE(append(*log, 0, seq, std::move(effects)).ok());
    log->release(0, seq);
  }
  std::vector<UnsentRun> unsent_runs(std::uint64_t first, std::uint64_t last) {
    std::vector<UnsentRun> runs;
    for (std::uint64_t seq = first; seq <= last; ++seq)
      runs.push_back({seq, one_action(*log, 0, seq, strict, seq)});
    return runs;
  }
  static std::vector<std::string> numbers(int first, int last) {
    std::vector<std::string> all;
    for (int i = first; i <= last; ++i) all.push_back(std::to_string(i));
    return all;
  }
  // What a reader of committed records is given, once there is as much: a commit is answered a
  // moment before it is to be seen.
  std::vector<std::string> committed_of(const std::string& topic, std::size_t count) {
    std::vector<std::string> found;
    static_cast<void>(eventually([&] {
      found = all_of(topic, 0, spurseq);
      return found.size() >= count;
    }));
    return found;
  }
  std::string transactional_id(const std::string& topic) {
    return deployment_text(log->deployment()) + "/0/" + topic;
  }

  std::string strict;
  // Before the log that counts in them.
  std::atomic<int> committed{0}, aborted{0};
};

TEST_F(KafkaTransactionsTest, ActionsArriveOnceInOrderByTransactionsOfSeveral) {
  apply({{strict}});
  for (std::uint64_t seq = 1; seq <= 300; ++seq) run(0, seq, strict);
  ASSERT_TRUE(await_acked(0, 300));
  EXPECT_THAT(committed_of(strict, 300), ElementsAreArray(numbers(1, 300)));
  EXPECT_GT(committed, 0);
  EXPECT_LT(committed, 300);
  EXPECT_EQ(aborted, 0);
  EXPECT_TRUE(eventually([&] { return admin->kept(strict, 0)->end == 300 + committed; }))
      << "each transaction leaves one marker";
  EXPECT_TRUE(heard.await([&] { return heard.topics.contains(strict); }));
}

TEST_F(KafkaTransactionsTest, SubscribersReadOnBehindMarkers) {
  apply({{strict}});
  for (std::uint64_t seq = 1; seq <= 40; ++seq) {
    run(0, seq, strict);
    if (seq % 10 == 0) {
      ASSERT_TRUE(await_acked(0, seq));
    }
  }
  ASSERT_EQ(committed_of(strict, 40).size(), 40u);
  const ActionRange range = log->action_range(strict, 0).value();
  EXPECT_EQ(range.first, 1u);
  EXPECT_EQ(range.next, 41u);
  for (const std::uint64_t from : {1u, 12u, 33u, 40u}) {
    const auto actions = log->read_actions(strict, 0, from, 5);
    ASSERT_TRUE(actions.ok()) << actions.status();
    ASSERT_FALSE(actions->empty()) << from;
    EXPECT_EQ(actions->front().spurseq, from);
  }
  const auto none = log->read_actions(strict, 0, 41, 5);
  ASSERT_TRUE(none.ok()) << none.status();
  EXPECT_THAT(*none, IsEmpty());
}

TEST_F(KafkaTransactionsTest, ANewOwnerFencesTheFormerOneAndNothingStandsTwice) {
  apply({{strict}});
  for (std::uint64_t seq = 1; seq <= 5; ++seq) run(0, seq, strict);
  ASSERT_TRUE(await_acked(0, 5));
  testing::Heard other_heard;
  KafkaOptions second = options;
  second.group = prefix + "-second";
  auto other = open_log(second, other_heard);
  ASSERT_NE(other, nullptr);
  ASSERT_TRUE(other->resume(0, 0, 6, unsent_runs(1, 6)).ok());
  ASSERT_TRUE(other_heard.await([&] { return other_heard.acked[0] >= 6; }));
  EXPECT_THAT(committed_of(strict, 6), ElementsAreArray(numbers(1, 6)));
  // Who was the owner still believes to be it: fenced, it looks anew, and leaves out what stands.
  run(0, 6, strict);
  run(0, 7, strict);
  ASSERT_TRUE(await_acked(0, 7));
  EXPECT_THAT(committed_of(strict, 7), ElementsAreArray(numbers(1, 7)));
  EXPECT_GT(aborted, 0);
}

TEST_F(KafkaTransactionsTest, WhatRetentionTookFromTheTailIsNotSentAgain) {
  apply({{strict}});
  for (std::uint64_t seq = 1; seq <= 3; ++seq) run(0, seq, strict);
  ASSERT_TRUE(await_acked(0, 3));
  ASSERT_EQ(committed_of(strict, 3).size(), 3u);
  const auto kept = admin->kept(strict, 0);
  ASSERT_TRUE(kept.ok());
  ASSERT_TRUE(admin->delete_below(strict, 0, kept->end).ok());
  log->unfollow(0);
  ASSERT_TRUE(log->resume(0, 0, 4, unsent_runs(1, 4)).ok());
  ASSERT_TRUE(await_acked(0, 4));
  EXPECT_THAT(committed_of(strict, 1), ElementsAre("4"));
}

TEST_F(KafkaTransactionsTest, OfTwoTopicsThatRetentionHasEmptiedEachHasItsOwnMark) {
  const std::string other = make_topic("actions.refund", 2);
  apply({{strict}, {other}});
  // The first topic's last id is older than the second's: one mark for both would drop run 5 of it,
  // or repeat runs of the other.
  const std::string* const to[] = {&strict, &other, &strict, &other};
  for (std::uint64_t seq = 1; seq <= 4; ++seq) run(0, seq, *to[seq - 1]);
  ASSERT_TRUE(await_acked(0, 4));
  for (const std::string& topic : {strict, other}) {
    ASSERT_EQ(committed_of(topic, 2).size(), 2u);
    ASSERT_TRUE(admin->delete_below(topic, 0, admin->kept(topic, 0)->end).ok());
  }
  log->unfollow(0);
  std::vector<UnsentRun> unsent;
  for (std::uint64_t seq = 1; seq <= 4; ++seq)
    unsent.push_back({seq, one_action(*log, 0, seq, *to[seq - 1], seq)});
  for (std::uint64_t seq : {5u, 6u})
    unsent.push_back({seq, one_action(*log, 0, seq, seq == 5 ? strict : other, seq)});
  ASSERT_TRUE(log->resume(0, 0, 6, std::move(unsent)).ok());
  ASSERT_TRUE(await_acked(0, 6));
  EXPECT_THAT(committed_of(strict, 1), ElementsAre("5"));
  EXPECT_THAT(committed_of(other, 1), ElementsAre("6"));
}

TEST_F(KafkaTransactionsTest, WhatAFormerOwnerLeftOpenIsAbortedAndReadersGoOn) {
  apply({{strict}});
  run(0, 1, strict);
  ASSERT_TRUE(await_acked(0, 1));
  log->unfollow(0);
  auto former = kafka::TransactionalProducer::open(connection, transactional_id(strict),
                                                   [] { return false; });
  ASSERT_TRUE(former.ok()) << former.status();
  ASSERT_TRUE((*former)->init().ok());
  kafka::ProducerRecord record;
  record.value = "never committed";
  ASSERT_TRUE((*former)->send(strict, 0, std::move(record)).ok());
  // It stands in the log before the next owner comes.
  auto everything = kafka::Admin::open(connection, kafka::Admin::Ends::kEverything);
  ASSERT_TRUE(everything.ok());
  ASSERT_EQ(committed_of(strict, 1).size(), 1u);
  const std::int64_t stable = admin->kept(strict, 0)->end;
  ASSERT_TRUE(eventually([&] { return (*everything)->kept(strict, 0)->end > stable; }));
  ASSERT_TRUE(log->resume(0, 1, 2, unsent_runs(2, 2)).ok());
  ASSERT_TRUE(await_acked(0, 2));
  EXPECT_THAT(committed_of(strict, 2), ElementsAre("1", "2"));
  const absl::Status late = (*former)->commit(prefix + ".delivered", 0, {});
  EXPECT_TRUE(absl::IsAborted(late)) << late;
  EXPECT_FALSE((*former)->may_abort());
}

TEST_F(KafkaTransactionsTest,
       ARecordThatCannotBeWrittenDelaysNeitherPlainNorOtherTransactionalOnes) {
  const std::string small = make_topic("actions.small", 2, {{"max.message.bytes", "200"}});
  const std::string plain = make_topic("actions.email", 2);
  make_topic("actions.invoice", 2);
  apply({{strict}, {small}, {plain, false}});
  run(0, 1, small);  // refused by the broker for its size
  for (std::uint64_t seq = 2; seq <= 20; ++seq) run(0, seq, seq % 2 == 0 ? strict : plain);
  std::vector<std::string> even, odd;
  for (int i = 2; i <= 20; ++i) (i % 2 == 0 ? even : odd).push_back(std::to_string(i));
  EXPECT_EQ(committed_of(strict, even.size()), even);
  EXPECT_EQ(committed_of(plain, odd.size()), odd);
  EXPECT_THAT(committed_of(small, 0), IsEmpty());
  EXPECT_EQ(log->unsent(0, 20)[0].seq, 1u);
  EXPECT_TRUE(eventually([&] { return aborted > 0; }));
}

TEST_F(KafkaTransactionsTest, ADestinationAheadOfTheJournalIsARefusalToTakeMore) {
  apply({{strict}});
  for (std::uint64_t seq = 1; seq <= 3; ++seq) run_action(seq);
  ASSERT_TRUE(await_acked(0, 3));
  log->unfollow(0);
  ASSERT_TRUE(log->resume(0, 0, 2, unsent_runs(1, 2)).ok()) << "asked by its sender, later";
  ASSERT_TRUE(eventually([&] { return !log->refusal(0).ok(); }));
  EXPECT_TRUE(absl::IsAborted(log->refusal(0))) << log->refusal(0);
  EXPECT_TRUE(log->refusal(1).ok());
  EXPECT_TRUE(absl::IsAborted(append(*log, 0, 3).status()));
  log->unfollow(0);  // the next owner begins anew
  EXPECT_TRUE(log->refusal(0).ok());
}

TEST_F(KafkaTransactionsTest, ACatalogChangesTheDeliveryOfATopicWithoutLossOrRepeat) {
  apply({{strict, false}});
  std::uint64_t seq = 0;
  for (const bool transactional : {true, false, true}) {
    for (int i = 0; i < 20; ++i) run(0, ++seq, strict);
    apply({{strict, transactional}});
    for (int i = 0; i < 20; ++i) run(0, ++seq, strict);
  }
  apply({{strict, false}});
  run(0, ++seq, strict);
  ASSERT_TRUE(await_acked(0, seq)) << "plain again, behind a tail that it has written itself";
  EXPECT_TRUE(log->refusal(0).ok()) << log->refusal(0);
  EXPECT_THAT(committed_of(strict, seq), ElementsAreArray(numbers(1, static_cast<int>(seq))));
}

TEST_F(KafkaTransactionsTest, AChannelsRateHoldsForAShardsPartPlainOrByTransactions) {
  const std::string plain = make_topic("actions.email", 2);
  apply({{strict, true, 10}, {plain, false, 10}});
  std::uint64_t seq = 0;
  for (const std::string& topic : {strict, plain}) {
    const std::chrono::nanoseconds begun = clock.read().steady;
    for (int i = 0; i < 4; ++i) run(0, ++seq, topic);
    ASSERT_TRUE(await_acked(0, seq));
    // Ten a second of two shards are five of one: 200 ms from each to the next.
    EXPECT_GE(clock.read().steady - begun, 3 * std::chrono::milliseconds(200) - Pace::kBurst);
  }
  EXPECT_THAT(committed_of(strict, 4), ElementsAreArray(numbers(1, 4)));
  EXPECT_THAT(committed_of(plain, 4), ElementsAreArray(numbers(5, 8)));
}

TEST_F(KafkaTransactionsTest, AShardThatIsGivenBackGoesOnBehindWhatStands) {
  apply({{strict}});
  std::uint64_t seq = 0;
  for (int turn = 0; turn < 5; ++turn) {
    for (int i = 0; i < 10; ++i) run(0, ++seq, strict);
    // In the middle of whatever is under way.
    log->unfollow(0);
    {
      const std::lock_guard lock(heard.mutex);
      heard.acked[0] = 0;
    }
    ASSERT_TRUE(log->resume(0, 0, seq, unsent_runs(1, seq)).ok());
  }
  ASSERT_TRUE(await_acked(0, seq));
  EXPECT_THAT(committed_of(strict, seq), ElementsAreArray(numbers(1, static_cast<int>(seq))));
}

}  // namespace
}  // namespace spur
