// What a broker may answer to the requests of a transaction, by the client's own mock of a cluster:
// each error on each of them (F7 of docs/faults.md).
#include "daemon/log/kafka/transactional_sender.h"

#include <gtest/gtest.h>
#include <librdkafka/rdkafka_mock.h>

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>

#include "daemon/log/kafka/admin.h"

namespace spur::kafka {
namespace {

constexpr const char* kTopic = "actions.invoice";
constexpr const char* kMarks = "spur.marks";

// By its number in Kafka's protocol.
struct Request {
  const char* name;
  std::int16_t key;
  bool of_birth;  // asked before a producer's first transaction
};
constexpr Request kRequests[] = {{"FindCoordinator", 10, true},
                                 {"InitProducerId", 22, true},
                                 {"AddPartitionsToTxn", 24, false},
                                 {"Produce", 0, false},
                                 {"EndTxn", 26, false}};

// The last: the connection breaks before the request is carried out, which the client cannot know.
constexpr rd_kafka_resp_err_t kErrors[] = {
    RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS, RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE,
    RD_KAFKA_RESP_ERR_NOT_COORDINATOR,         RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH,
    RD_KAFKA_RESP_ERR_PRODUCER_FENCED,         RD_KAFKA_RESP_ERR_UNKNOWN_PRODUCER_ID,
    RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,       RD_KAFKA_RESP_ERR__TRANSPORT};

class TransactionalSenderTest
    : public ::testing::TestWithParam<std::tuple<Request, rd_kafka_resp_err_t>> {
 protected:
  TransactionalSenderTest()
      : host(rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), nullptr, 0)),
        cluster(rd_kafka_mock_cluster_new(host.get(), 1)) {
    rd_kafka_mock_topic_create(cluster, kTopic, 1, 1);
    rd_kafka_mock_topic_create(cluster, kMarks, 1, 1);
    options.connection.brokers = rd_kafka_mock_cluster_bootstraps(cluster);
  }
  ~TransactionalSenderTest() override {
    sender.reset();
    rd_kafka_mock_cluster_destroy(cluster);
  }

  void start() {
    TransactionalSender::Work work;
    work.begin = [this] {
      const std::lock_guard lock(mutex);
      ++begun;
      return absl::OkStatus();
    };
    work.fill = [this](TransactionalProducer& producer) -> absl::StatusOr<std::string> {
      {
        const std::lock_guard lock(mutex);
        if (committed == wanted) return std::string();
      }
      ProducerRecord record;
      record.value = "action";
      record.has_key = false;
      if (absl::Status sent = producer.send(kTopic, 0, std::move(record)); !sent.ok()) return sent;
      return std::string("mark");
    };
    work.committed = [this] {
      const std::lock_guard lock(mutex);
      ++committed;
      changed.notify_all();
    };
    work.failed = [this](const absl::Status& why) {
      const std::lock_guard lock(mutex);
      last_failure = why;
    };
    sender = std::make_unique<TransactionalSender>(
        options, clock, "deployment/0/actions.invoice",
        TransactionalSender::Marks{kMarks, 0, "actions.invoice"}, std::move(work));
  }

  // One more transaction.
  bool commit() {
    std::unique_lock lock(mutex);
    const int now = ++wanted;
    sender->wake();
    return changed.wait_for(lock, std::chrono::seconds(20), [&] { return committed == now; });
  }

  void answer_next(const Request& request, rd_kafka_resp_err_t code) {
    rd_kafka_mock_push_request_errors(cluster, request.key, 1, code);
  }

  Handle host;
  rd_kafka_mock_cluster_t* cluster;
  KafkaOptions options;
  SystemClock clock;
  std::mutex mutex;
  std::condition_variable changed;
  int begun = 0, committed = 0, wanted = 0;
  absl::Status last_failure;
  std::unique_ptr<TransactionalSender> sender;
};

TEST_P(TransactionalSenderTest, GoesOnWhateverARequestIsAnswered) {
  const auto [request, error] = GetParam();
  if (request.of_birth) answer_next(request, error);
  start();
  ASSERT_TRUE(commit()) << last_failure;
  if (!request.of_birth) answer_next(request, error);
  EXPECT_TRUE(commit()) << last_failure;
  EXPECT_TRUE(commit()) << last_failure;
  EXPECT_TRUE(begun > 1 || last_failure.ok() || request.of_birth)
      << "a failed transaction is followed by a new producer, not by the same";
  const auto admin = Admin::open(options.connection, Admin::Ends::kEverything);
  ASSERT_TRUE(admin.ok()) << admin.status();
  const auto kept = (*admin)->kept(kTopic, 0);
  ASSERT_TRUE(kept.ok()) << kept.status();
  EXPECT_GE(kept->end, 3) << "what was committed is there";
}

INSTANTIATE_TEST_SUITE_P(EachErrorOfEachRequest, TransactionalSenderTest,
                         ::testing::Combine(::testing::ValuesIn(kRequests),
                                            ::testing::ValuesIn(kErrors)),
                         [](const auto& param) {
                           std::string name = std::string(std::get<0>(param.param).name) + "_" +
                                              rd_kafka_err2name(std::get<1>(param.param));
                           std::erase(name, '-');
                           return name;
                         });

}  // namespace
}  // namespace spur::kafka
