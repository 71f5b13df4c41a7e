#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/log/kafka/identity.h"
#include "spur/v1/log.pb.h"
#include "tests/kafka/log_fixture.h"

namespace spur {
namespace {

using ::testing::HasSubstr;

class KafkaDeploymentTest : public testing::KafkaLogTest {
 protected:
  absl::Status refused(const KafkaOptions& with) { return KafkaLog::open(with, clock).status(); }
};

TEST_F(KafkaDeploymentTest, TheIdentityIsRecordedOnceAndFoundAgain) {
  auto first = KafkaLog::open(options, clock);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ((*first)->shards(), kShards);
  KafkaOptions later = options;
  later.input_topics.clear();
  auto second = KafkaLog::open(later, clock);
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ((*second)->deployment(), (*first)->deployment());
}

TEST_F(KafkaDeploymentTest, ShardsAreTheGreatestCommonDivisorOfTheInputTopics) {
  const std::string inputs[] = {make_topic("six", 6), make_topic("nine", 9)};
  EXPECT_EQ(*kafka::shards_for(*admin, inputs), 3u);
}

TEST_F(KafkaDeploymentTest, AnotherNumberOfShardsIsRefused) {
  ASSERT_TRUE(KafkaLog::open(options, clock).ok());
  options.shards = 3;
  const absl::Status status = refused(options);
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("has 2 shards, for life"));
}

TEST_F(KafkaDeploymentTest, AMissingInputTopicIsNamed) {
  options.input_topics = {prefix + ".nowhere"};
  const absl::Status status = refused(options);
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("there is no topic " + prefix + ".nowhere"));
}

TEST_F(KafkaDeploymentTest, OneThatANewerFoldHasFoundedIsRefused) {
  make_topic("catalog", 1, {{"cleanup.policy", "delete"}, {"retention.ms", "-1"}});
  spur::v1::Deployment newer;
  newer.set_id(std::string(16, 'n'));
  newer.set_shards(kShards);
  newer.set_fold_version(kFoldVersion + 1);
  produce(prefix + ".catalog", 0, {newer.SerializeAsString()}, kafka::kDeploymentType);
  const absl::Status status = refused(options);
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("made by a newer Spur"));
}

TEST_F(KafkaDeploymentTest, TopicsThatHoldRecordsOfNobodyAreRefused) {
  make_topic("decisions", 2);
  produce(prefix + ".decisions", 0, {"whose?"});
  const absl::Status status = refused(options);
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("does not say whose"));
}

TEST_F(KafkaDeploymentTest, AJournalThatWasCreatedAnewIsRefusedWhenOutputsHoldRecords) {
  ASSERT_TRUE(KafkaLog::open(options, clock).ok());
  produce(prefix + ".decisions", 0, {"a decision of before"});
  const absl::Status status = refused(options);
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("the journal was re-created"));
}

TEST_F(KafkaDeploymentTest, AJournalThatWouldBeCompactedIsRefused) {
  make_topic("journal", 2, {{"cleanup.policy", "compact"}});
  const absl::Status status = refused(options);
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("--add-config cleanup.policy=delete"));
}

TEST_F(KafkaDeploymentTest, OneBrokerIsRefusedWithoutDev) {
  options.dev = false;
  const absl::Status status = refused(options);
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("run with --kafka-dev"));
}

TEST_F(KafkaDeploymentTest, AnOutputTopicWithTooFewPartitionsIsRefused) {
  make_topic("decisions", 1);
  const absl::Status status = refused(options);
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("--partitions 2"));
}

TEST_F(KafkaDeploymentTest, ABrokerThatIsNotThereIsSaid) {
  options.connection.brokers = "127.0.0.1:1";
  const absl::Status status = refused(options);
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("kafka.brokers"));
}

TEST_F(KafkaDeploymentTest, PropertiesPassThroughButTheProtocolsOwnDoNot) {
  options.connection.properties = {{"acks", "1"}};
  EXPECT_THAT(std::string(refused(options).message()), HasSubstr("acks is Spur's own"));
  for (const char* name : {"group.id", "partition.assignment.strategy", "enable.partition.eof"}) {
    options.connection.properties = {{name, "range"}};
    EXPECT_THAT(std::string(refused(options).message()), HasSubstr("is Spur's own to set"));
  }
  options.connection.properties = {{"no.such.property", "1"}};
  EXPECT_THAT(std::string(refused(options).message()), HasSubstr("no.such.property"));
  options.connection.properties = {{"socket.timeout.ms", "9000"}};
  EXPECT_TRUE(KafkaLog::open(options, clock).ok());
}

// --- whose turn it is ---

TEST_F(KafkaDeploymentTest, ShardsAreSpreadOverProcessesAndComeBack) {
  open();
  testing::Heard other_heard;
  auto other = open_log(options, other_heard);
  ASSERT_NE(other, nullptr);
  ASSERT_TRUE(other_heard.await([&] { return other_heard.assigned.size() == 1; }));
  ASSERT_TRUE(heard.await([&] { return heard.assigned.size() == 1 && heard.revoked.size() == 1; }));
  EXPECT_NE(*heard.assigned.begin(), *other_heard.assigned.begin());
  ASSERT_TRUE(other->close().ok());
  ASSERT_TRUE(heard.await([&] { return heard.assigned.size() == 2; }));
}

TEST_F(KafkaDeploymentTest, AShardThatStaysIsReadOnThroughARebalance) {
  std::vector<std::string> values;
  for (int i = 0; i < 2000; ++i) values.push_back(std::to_string(i));
  produce(events, 0, values);
  produce(events, 1, values);
  open();
  for (std::uint32_t shard : {0u, 1u}) {
    const Log::Following following[] = {{source(kFirstTopicSource, static_cast<int>(shard)), 0}};
    log->follow(shard, following);
  }
  for (std::uint32_t shard : {0u, 1u}) poll(*log, shard, kFirstTopicSource, 0, 2000);
  testing::Heard other_heard;
  auto other = open_log(options, other_heard);
  ASSERT_TRUE(heard.await([&] { return heard.assigned.size() == 1 && heard.revoked.size() == 1; }));
  const std::uint32_t kept = *heard.assigned.begin();
  produce(events, static_cast<int>(kept), {"later"});
  EXPECT_THAT(poll(*log, kept, kFirstTopicSource, 2000, 1),
              ::testing::ElementsAre(::testing::Pair(2000u, "later")));
}

TEST_F(KafkaDeploymentTest, AMemberThatIsFencedOnceJoinsAgainAndReadsOn) {
  options.instance = "node-0";
  open();
  const Log::Following following[] = {{source(kFirstTopicSource, 0), 0}};
  log->follow(0, following);
  produce(events, 0, {"before"});
  poll(*log, 0, kFirstTopicSource, 0, 1);
  // Whoever joins under a name has it. Here a stranger, who does not ask for it again; where a
  // broker dies, the member itself, whose first question was answered to nobody.
  {
    auto stranger = kafka::open_consumer(connection, [this] {
      kafka::Settings settings = kafka::consumer_settings();
      settings.insert(settings.end(), {{"group.id", prefix},
                                       {"group.instance.id", "node-0"},
                                       {"partition.assignment.strategy", "range"}});
      return settings;
    }());
    ASSERT_TRUE(stranger.ok()) << stranger.status();
    const kafka::Partitions topics(rd_kafka_topic_partition_list_new(1));
    rd_kafka_topic_partition_list_add(topics.get(), (prefix + ".messages").c_str(),
                                      RD_KAFKA_PARTITION_UA);
    ASSERT_EQ(rd_kafka_subscribe(stranger->get(), topics.get()), RD_KAFKA_RESP_ERR_NO_ERROR);
    ASSERT_TRUE(eventually([&] {
      const kafka::Message polled(rd_kafka_consumer_poll(stranger->get(), 100));
      return rd_kafka_fatal_error(stranger->get(), nullptr, 0) ==
             RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID;
    })) << "the log has its name back";
    rd_kafka_destroy_flags(stranger->release(), RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
  }
  ASSERT_TRUE(heard.await([&] { return heard.assigned.size() == kShards; }));
  produce(events, 0, {"later"});
  EXPECT_THAT(poll(*log, 0, kFirstTopicSource, 1, 1),
              ::testing::ElementsAre(::testing::Pair(1u, "later")));
  EXPECT_TRUE(log->status().ok()) << log->status();
}

TEST_F(KafkaDeploymentTest, OfTwoProcessesOfOneNameOneEnds) {
  options.instance = "node-0";
  open();
  testing::Heard other_heard;
  auto other = open_log(options, other_heard);
  ASSERT_NE(other, nullptr);
  ASSERT_TRUE(eventually([&] { return !log->status().ok() || !other->status().ok(); }));
  const absl::Status status = log->status().ok() ? other->status() : log->status();
  EXPECT_TRUE(absl::IsAborted(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("group.instance.id"));
}

TEST_F(KafkaDeploymentTest, WhereAllPartitionsOfATopicBeginIsOneQuestion) {
  const std::string trimmed = make_topic("trimmed", 3);
  produce(trimmed, 1, {"a", "b", "c"});
  ASSERT_TRUE(admin->delete_below(trimmed, 1, 2).ok());
  const auto begins = admin->begins(trimmed, 3);
  ASSERT_TRUE(begins.ok()) << begins.status();
  EXPECT_THAT(*begins, ::testing::ElementsAre(0, 2, 0));
}

}  // namespace
}  // namespace spur
