#include "daemon/log/kafka/outputs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "daemon/log/effect_records.h"
#include "spur/v1/event.pb.h"
#include "tests/kafka/log_fixture.h"

namespace spur {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class KafkaOutputsTest : public testing::KafkaLogTest {
 protected:
  void SetUp() override {
    KafkaLogTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    email = prefix + ".actions.email";
    open();
  }
  bool await_acked(std::uint32_t shard, std::uint64_t seq) {
    return heard.await([&] { return heard.acked[shard] >= seq; });
  }
  void run(std::uint32_t shard, std::uint64_t seq, const std::string& topic) {
    ASSERT_TRUE(append(*log, shard, seq, one_action(*log, shard, seq, topic, seq)).ok());
    log->release(shard, seq);
  }
  UnsentRun unsent_run(std::uint32_t shard, std::uint64_t seq, const std::string& topic) {
    return {seq, one_action(*log, shard, seq, topic, seq)};
  }

  std::string email;
};

TEST_F(KafkaOutputsTest, NothingIsSeenBeforeItIsReleased) {
  make_topic("actions.email", 2);
  ASSERT_TRUE(append(*log, 0, 1, one_action(*log, 0, 1, email, 1)).ok());
  ASSERT_TRUE(append(*log, 0, 2, one_action(*log, 0, 2, email, 2)).ok());
  log->release(0, 1);
  ASSERT_TRUE(await_acked(0, 1));
  EXPECT_THAT(all_of(email, 0, spurseq), ElementsAre("1"));
  EXPECT_THAT(log->unsent(0, 10), IsEmpty());
  log->release(0, 2);
  ASSERT_TRUE(await_acked(0, 2));
  EXPECT_THAT(all_of(email, 0, spurseq), ElementsAre("1", "2"));
  EXPECT_TRUE(heard.await([&] { return heard.topics.contains(email); }));
}

TEST_F(KafkaOutputsTest, AnActionLeavesAsACloudEventInBinaryMode) {
  run(1, 7, email);
  ASSERT_TRUE(await_acked(1, 7));
  const std::string id = deployment_text(log->deployment());
  EXPECT_THAT(
      all_of(email, 1,
             [](const rd_kafka_message_t& m) {
               std::string all;
               for (const char* name :
                    {"ce_specversion", "ce_id", "ce_source", "ce_type", "ce_subject", "ce_time",
                     "ce_expirytime", "ce_causationid", "ce_correlationid", "ce_spurseq",
                     "ce_spurcatalog", "content-type"})
                 all += std::string(kafka::header_of(m, name)) + " ";
               return all + std::string(kafka::key_of(m));
             }),
      ElementsAre("1.0 " + id + "/1-7-0-0 /spur/" + id +
                  " spur.action.v1 user_id:7 2026-03-01T08:00:00.123Z 2026-03-01T08:00:01.123Z e1 "
                  "cart-abandoned/k1 7 abcd application/protobuf 7"));
  EXPECT_THAT(all_of(prefix + ".decisions", 1,
                     [](const rd_kafka_message_t& m) {
                       return std::string(kafka::header_of(m, "ce_type")) + " " +
                              std::string(kafka::key_of(m));
                     }),
              ElementsAre("spur.decision.v1 7"));
}

TEST_F(KafkaOutputsTest, AChannelThatSaysJsonGetsJsonAndReadsBackAsStored) {
  spur::v1::Catalog catalog;
  auto* channel = catalog.add_channels();
  channel->set_name("email");
  channel->set_topic(email);
  channel->set_format("json");
  std::promise<absl::StatusOr<Offset>> applied;
  log->append_catalog(catalog.SerializeAsString(), "",
                      [&](absl::StatusOr<Offset> offset) { applied.set_value(std::move(offset)); });
  ASSERT_TRUE(applied.get_future().get().ok());
  ASSERT_TRUE(heard.await([&] { return heard.catalogs > 0; }));
  run(0, 1, email);
  ASSERT_TRUE(await_acked(0, 1));
  const auto values =
      all_of(email, 0, [](const rd_kafka_message_t& m) { return std::string(kafka::value_of(m)); });
  ASSERT_THAT(values, SizeIs(1));
  EXPECT_THAT(values[0], ::testing::HasSubstr("\"customer\":\"user_id:1\""));
  const auto actions = log->read_actions(email, 0, 1, 10);
  ASSERT_TRUE(actions.ok()) << actions.status();
  ASSERT_THAT(*actions, SizeIs(1));
  EXPECT_EQ((*actions)[0].bytes, one_action(*log, 0, 1, email, 1).actions[0].bytes);
}

TEST_F(KafkaOutputsTest, MessagesGoToThePartitionOfTheirReceiver) {
  RunEffects effects;
  effects.messages.push_back({1, 1, "to one"});
  effects.messages.push_back({0, 1, "to zero"});
  effects.messages.push_back({1, 2, "to one again"});
  ASSERT_TRUE(append(*log, 0, 1, effects).ok());
  log->release(0, 1);
  ASSERT_TRUE(await_acked(0, 1));
  TopicSource messages;
  messages.source = kMessageSource;
  const Log::Following following[] = {{messages, 0}};
  log->follow(1, following);
  EXPECT_THAT(poll(*log, 1, kMessageSource, 0, 2),
              ElementsAre(::testing::Pair(0u, "to one"), ::testing::Pair(1u, "to one again")));
}

TEST_F(KafkaOutputsTest, ManyRunsArriveOnceAndInOrder) {
  make_topic("actions.email", 2);
  constexpr std::uint64_t kRuns = 3000;
  std::vector<std::string> expected;
  for (std::uint64_t seq = 1; seq <= kRuns; ++seq) {
    JournalAppend entry;
    entry.shard = 0;
    entry.seq = seq;
    entry.entry = "e";
    entry.effects = one_action(*log, 0, seq, email, seq);
    entry.done = [this, seq](absl::StatusOr<Offset> offset) {
      if (offset.ok()) log->release(0, seq);
    };
    log->append(std::move(entry));
    expected.push_back(std::to_string(seq));
  }
  ASSERT_TRUE(await_acked(0, kRuns));
  EXPECT_EQ(all_of(email, 0, spurseq), expected);
}

TEST_F(KafkaOutputsTest, ARecoverySendsWhatTheTailDoesNotHave) {
  const std::string sms = prefix + ".actions.sms";
  make_topic("actions.sms", 2);
  for (std::uint64_t seq = 1; seq <= 3; ++seq) run(0, seq, email);
  ASSERT_TRUE(await_acked(0, 3));
  log->unfollow(0);
  // Another owner: runs 2 to 5 may not have arrived, and sms has had nothing at all.
  std::vector<UnsentRun> unsent;
  for (std::uint64_t seq = 2; seq <= 5; ++seq) {
    unsent.push_back(unsent_run(0, seq, email));
    RunEffects other = one_action(*log, 0, seq, sms, seq);
    unsent.back().effects.actions.push_back(other.actions[0]);
  }
  const absl::Status resumed = log->resume(0, 1, 5, std::move(unsent));
  ASSERT_TRUE(resumed.ok()) << resumed;
  ASSERT_TRUE(await_acked(0, 5));
  EXPECT_THAT(all_of(email, 0, spurseq), ElementsAre("1", "2", "3", "4", "5"));
  EXPECT_THAT(all_of(sms, 0, spurseq), ElementsAre("2", "3", "4", "5"));
  run(0, 6, email);
  ASSERT_TRUE(await_acked(0, 6));
  EXPECT_THAT(all_of(email, 0, spurseq), ElementsAre("1", "2", "3", "4", "5", "6"));
}

TEST_F(KafkaOutputsTest, ATailBeyondTheJournalThatWasReadIsContradicted) {
  for (std::uint64_t seq = 1; seq <= 3; ++seq) run(0, seq, email);
  ASSERT_TRUE(await_acked(0, 3));
  log->unfollow(0);
  EXPECT_TRUE(absl::IsAborted(log->resume(0, 0, 2, {})));
}

TEST_F(KafkaOutputsTest, AnOutputOfAnotherDeploymentIsRefused) {
  for (std::uint64_t seq = 1; seq <= 2; ++seq) run(0, seq, email);
  ASSERT_TRUE(await_acked(0, 2));
  KafkaOptions foreign = options;
  foreign.topic_prefix = prefix + "-other";
  testing::Heard other_heard;
  auto other = open_log(foreign, other_heard);
  ASSERT_NE(other, nullptr);
  std::vector<UnsentRun> unsent;
  unsent.push_back({1, one_action(*other, 0, 1, email, 1)});
  ASSERT_TRUE(other->resume(0, 0, 1, std::move(unsent)).ok());  // the topic is not known yet: later
  // The late tail finds the foreign ids, and the shard's journal takes nothing any more.
  absl::Status appended;
  for (std::uint64_t seq = 2; seq < 10'000 && appended.ok(); ++seq)
    appended = append(*other, 0, seq).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(appended)) << appended;
}

TEST_F(KafkaOutputsTest, ADeadTopicDelaysOnlyItself) {
  make_topic("actions.email", 2);
  // Too few partitions: nothing can be written to it.
  const std::string dead = make_topic("actions.dead", 1);
  run(1, 1, dead);
  run(1, 2, email);
  run(1, 3, email);
  ASSERT_TRUE(heard.await([&] { return heard.topics.contains(email); }));
  std::vector<std::string> seen;
  ASSERT_TRUE(heard.await([&] {
    seen = all_of(email, 1, spurseq);
    return seen.size() == 2;
  }));
  EXPECT_THAT(seen, ElementsAre("2", "3"));
  std::vector<UnsentRun> unsent;  // decisions gather before they leave
  ASSERT_TRUE(eventually([&] {
    unsent = log->unsent(1, 3);
    return unsent.size() == 1 && unsent[0].effects.decisions.empty();
  }));
  EXPECT_EQ(unsent[0].seq, 1u);
  ASSERT_THAT(unsent[0].effects.actions, SizeIs(1));
  EXPECT_EQ(heard.acked[1], 0u);
}

TEST_F(KafkaOutputsTest, ARecordThatCannotBeWrittenEndsTheSessionAndTheOthersGoOn) {
  make_topic("actions.email", 2);
  const std::string small = make_topic("actions.small", 2, {{"max.message.bytes", "200"}});
  run(0, 1, email);
  run(0, 2, small);  // refused by the broker for its size
  for (std::uint64_t seq = 3; seq <= 20; ++seq) run(0, seq, email);
  // What was under way when the session ended may arrive behind the last one, once more.
  std::vector<std::string> seen;
  ASSERT_TRUE(heard.await([&] {
    seen = all_of(email, 0, spurseq);
    return std::find(seen.begin(), seen.end(), "20") != seen.end();
  }));
  // After the channel rule: repeats are dropped, and nothing is missing.
  std::vector<std::string> expected = {"1"};
  for (int i = 3; i <= 20; ++i) expected.push_back(std::to_string(i));
  std::vector<std::string> taken;
  for (const std::string& seq : seen) {
    if (taken.empty() || std::stoi(seq) > std::stoi(taken.back())) taken.push_back(seq);
  }
  EXPECT_EQ(taken, expected);
  std::vector<UnsentRun> unsent;  // decisions gather before they leave, of run 1 too
  ASSERT_TRUE(eventually([&] {
    unsent = log->unsent(0, 20);
    return unsent.size() == 1 && unsent[0].effects.decisions.empty();
  }));
  EXPECT_EQ(unsent[0].seq, 2u);
  ASSERT_THAT(unsent[0].effects.actions, SizeIs(1));
  EXPECT_EQ(unsent[0].effects.actions[0].topic, small);
}

// A record of the size that a broker takes by default, as its input, is more than a producer sends
// by default with what a dead letter adds.
TEST_F(KafkaOutputsTest, TheDeadLetterOfTheLargestInputIsTakenByTheBroker) {
  Effects effects;
  DeadLetter letter;
  letter.id = {0, 1, 1, 0};
  letter.reason = "NOT_JSON";
  letter.detail = "why";
  letter.topic = events;
  letter.key = std::string(8000, 'k');
  letter.value = std::string(1'040'000, 'x');
  effects.dead_letters.push_back(letter);
  ASSERT_TRUE(append(*log, 0, 1, to_records(0, effects, log->deployment(), "")).ok());
  log->release(0, 1);
  ASSERT_TRUE(await_acked(0, 1));
  const auto letters = log->dead_letters(0, 1);
  ASSERT_TRUE(letters.ok() && letters->size() == 1);
  spur::v1::DeadLetter kept;
  ASSERT_TRUE(kept.ParseFromString(letters->front()));
  EXPECT_EQ(kept.value().size(), kDeadLetterValueMax);
  EXPECT_EQ(kept.key().size(), kDeadLetterTextMax);
  EXPECT_EQ(kept.detail(), "why; cut: the value had 1040000 bytes, the key 8000");
}

TEST_F(KafkaOutputsTest, ActionsDecisionsAndCursorsAreReadBack) {
  make_topic("actions.email", 2);
  for (std::uint64_t seq = 1; seq <= 30; ++seq) run(0, seq, email);
  ASSERT_TRUE(await_acked(0, 30));
  const ActionRange range = log->action_range(email, 0).value();
  EXPECT_EQ(range.first, 1u);
  EXPECT_EQ(range.next, 31u);
  for (std::uint64_t from : {1u, 11u, 21u, 5u}) {
    const auto actions = log->read_actions(email, 0, from, 10);
    ASSERT_TRUE(actions.ok()) << actions.status();
    ASSERT_THAT(*actions, SizeIs(10));
    EXPECT_EQ(actions->front().spurseq, from);
    EXPECT_EQ(actions->back().spurseq, from + 9);
  }
  const auto decisions = log->decisions(0, 29, 100);
  ASSERT_TRUE(decisions.ok()) << decisions.status();
  EXPECT_THAT(*decisions, SizeIs(2));
  std::promise<absl::Status> stored;
  log->store_cursor("mailer", "email", "c1",
                    [&](absl::Status status) { stored.set_value(status); });
  ASSERT_TRUE(stored.get_future().get().ok());
  EXPECT_EQ(*log->stored_cursor("mailer", "email"), "c1");
  EXPECT_EQ(*log->stored_cursor("mailer", "sms"), "");
}

TEST_F(KafkaOutputsTest, ATrimTakesTheJournalsBeginning) {
  for (std::uint64_t seq = 1; seq <= 5; ++seq) ASSERT_TRUE(append(*log, 1, seq).ok());
  Log::Trim below;
  below.journal_below = 3;
  ASSERT_TRUE(log->trim(1, below).ok());
  EXPECT_EQ(*log->journal_begin(1), 3u);
  EXPECT_EQ(*log->journal_end(1), 5u);
  std::vector<std::string> entries;
  const auto read = [&](Offset from) {
    return log->read_journal(1, from, 5, [&](Offset, std::string_view entry) {
      entries.emplace_back(entry);
      return true;
    });
  };
  EXPECT_TRUE(absl::IsOutOfRange(read(1)));
  EXPECT_TRUE(read(3).ok());
  EXPECT_THAT(entries, ElementsAre("entry 4", "entry 5"));
}

}  // namespace
}  // namespace spur
