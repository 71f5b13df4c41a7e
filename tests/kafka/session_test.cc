// Sessions against the client's own mock of a cluster, which answers as it is told to.
#include "daemon/log/kafka/session.h"

#include <gtest/gtest.h>
#include <librdkafka/rdkafka_mock.h>

#include <condition_variable>
#include <mutex>
#include <thread>

namespace spur::kafka {
namespace {

using std::chrono::milliseconds;

constexpr const char* kTopic = "journal";
constexpr std::int16_t kProduceRequest = 0;

class SessionTest : public ::testing::Test {
 protected:
  struct Told {
    std::size_t record = 0;
    std::int64_t offset = 0;
    std::thread::id by;
  };

  SessionTest()
      : host(rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), nullptr, 0)),
        cluster(rd_kafka_mock_cluster_new(host.get(), 1)) {
    rd_kafka_mock_topic_create(cluster, kTopic, 2, 1);
    connection.brokers = rd_kafka_mock_cluster_bootstraps(cluster);
    connection.properties["batch.num.messages"] = "1";  // a request for each record
  }
  ~SessionTest() override {
    topic.reset();
    session.reset();
    rd_kafka_mock_cluster_destroy(cluster);
  }

  void open() {
    auto opened = Session::open(
        connection, producer_settings(), nullptr,
        [this](const Session&, void* record, const Session::Standing& at) {
          const std::lock_guard lock(mutex);  // as the journal's, which is held by append()
          told.push_back({static_cast<std::size_t>(static_cast<char*>(record) - records), at.offset,
                          std::this_thread::get_id()});
          changed.notify_all();
        },
        Session::Acks::kAtOnce);
    ASSERT_TRUE(opened.ok()) << opened.status();
    session = *std::move(opened);
    auto named = session->topic(kTopic);
    ASSERT_TRUE(named.ok()) << named.status();
    topic = *std::move(named);
  }

  absl::Status send(std::size_t record, std::int32_t partition = 0) {
    const std::lock_guard lock(mutex);
    Session::Record sent;
    sent.value = "entry";
    sent.has_key = false;
    sent.opaque = records + record;
    return session->send(topic.get(), partition, std::move(sent));
  }

  std::size_t count_told() {
    const std::lock_guard lock(mutex);
    return told.size();
  }
  bool wait_told() {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, std::chrono::seconds(30), [&] { return !told.empty(); });
  }

  // The next request is answered so, after a round trip that others begin in.
  void answer_next(rd_kafka_resp_err_t code) {
    rd_kafka_mock_broker_set_rtt(cluster, 1, 200);
    rd_kafka_mock_push_request_errors(cluster, kProduceRequest, 1, code);
  }

  Handle host;
  rd_kafka_mock_cluster_t* cluster;
  Connection connection;
  std::shared_ptr<Session> session;
  Topic topic;
  char records[8] = {};
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<Told> told;
};

TEST_F(SessionTest, AnAcknowledgementIsToldWhereTheClientHearsOfItAndNobodyServes) {
  ASSERT_NO_FATAL_FAILURE(open());
  ASSERT_TRUE(send(0).ok());
  ASSERT_TRUE(wait_told());
  EXPECT_EQ(told[0].offset, 0);
  EXPECT_NE(told[0].by, std::this_thread::get_id());
}

TEST_F(SessionTest, WhatTheClientConcludesFromALaterAnswerIsToldByServeAndNothingOvertakesIt) {
  ASSERT_NO_FATAL_FAILURE(open());
  // The first may stand there or not; and the second stands, which the first can only have done
  // too.
  answer_next(RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND);
  ASSERT_TRUE(send(0).ok());
  ASSERT_TRUE(send(1).ok());
  // Records that are sent meanwhile take the locks that the client holds while it concludes.
  std::size_t sent = 2;
  for (int i = 0; i < 100 && count_told() < sent; ++i) {
    if (sent < sizeof(records)) {
      ASSERT_TRUE(send(sent++).ok());
    }
    session->wait(milliseconds(100));
  }
  ASSERT_EQ(count_told(), sent);
  for (std::size_t i = 0; i < sent; ++i) EXPECT_EQ(told[i].record, i);
  EXPECT_LT(told[0].offset, 0);
  EXPECT_EQ(told[0].by, std::this_thread::get_id());
}

TEST_F(SessionTest, ASuccessDoesNotOvertakeAFailureThatIsNotServedYet) {
  ASSERT_NO_FATAL_FAILURE(open());
  ASSERT_TRUE(send(0).ok());
  ASSERT_TRUE(wait_told());
  answer_next(RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
  ASSERT_TRUE(send(1, 0).ok());
  ASSERT_TRUE(send(2, 1).ok());
  // Another producer's first record takes more round trips than their answers.
  Session::Record other;
  other.value = "entry";
  ASSERT_TRUE(write_one(connection, kTopic, 1, std::move(other)).ok());
  EXPECT_EQ(count_told(), 1U);
  for (int i = 0; i < 100 && !session->ended(); ++i) session->wait(milliseconds(100));
  EXPECT_TRUE(session->ended());
  EXPECT_EQ(count_told(), 1U);
}

TEST_F(SessionTest, HowAcknowledgementsComeIsNotTheUsersToSay) {
  connection.properties["delivery.report.only.error"] = "false";
  EXPECT_EQ(Session::open(connection, producer_settings(), nullptr, nullptr).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace spur::kafka
