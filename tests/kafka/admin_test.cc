// What is asked of a cluster, against the client's own mock of one whose leaders change.
#include "daemon/log/kafka/admin.h"

#include <gtest/gtest.h>
#include <librdkafka/rdkafka_mock.h>

#include "daemon/log/kafka/session.h"

namespace spur::kafka {
namespace {

constexpr const char* kTopic = "actions.invoice";

class AdminTest : public ::testing::Test {
 protected:
  AdminTest()
      : host(rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), nullptr, 0)),
        cluster(rd_kafka_mock_cluster_new(host.get(), 3)) {
    rd_kafka_mock_topic_create(cluster, kTopic, 1, 3);
    connection.brokers = rd_kafka_mock_cluster_bootstraps(cluster);
    lead(1);
  }
  ~AdminTest() override { rd_kafka_mock_cluster_destroy(cluster); }

  void lead(std::int32_t broker) { rd_kafka_mock_partition_set_leader(cluster, kTopic, 0, broker); }

  Handle host;
  rd_kafka_mock_cluster_t* cluster;
  Connection connection;
};

TEST_F(AdminTest, TheEndsOfAPartitionAreAskedOfWhoLeadsItNow) {
  auto admin = Admin::open(connection);
  ASSERT_TRUE(admin.ok()) << admin.status();
  ASSERT_TRUE((*admin)->kept(kTopic, 0).ok());
  lead(2);
  auto kept = (*admin)->kept(kTopic, 0, std::chrono::milliseconds(5000));
  EXPECT_TRUE(kept.ok()) << kept.status();
  // And of one whose broker is gone.
  rd_kafka_mock_broker_set_down(cluster, 2);
  lead(3);
  (*admin)->kept(kTopic, 0, std::chrono::milliseconds(1000)).IgnoreError();
  kept = (*admin)->kept(kTopic, 0, std::chrono::milliseconds(5000));
  EXPECT_TRUE(kept.ok()) << kept.status();
}

}  // namespace
}  // namespace spur::kafka
