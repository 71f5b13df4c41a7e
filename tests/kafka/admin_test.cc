// What is asked of a cluster, against the client's own mock of one whose leaders change.
#include "daemon/log/kafka/admin.h"

#include <gtest/gtest.h>
#include <librdkafka/rdkafka_mock.h>

#include "daemon/log/kafka/session.h"
#include "state/check.h"

namespace spur::kafka {
namespace {

using std::chrono::milliseconds;

constexpr const char* kTopic = "actions.invoice";

class AdminTest : public ::testing::Test {
 protected:
  AdminTest()
      : host(rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), nullptr, 0)),
        cluster(rd_kafka_mock_cluster_new(host.get(), 3)) {
    rd_kafka_mock_topic_create(cluster, kTopic, 1, 3);
    connection.brokers = rd_kafka_mock_cluster_bootstraps(cluster);
    lead(1);
    auto opened = Admin::open(connection);
    SPUR_CHECK(opened.ok());
    admin = *std::move(opened);
  }
  ~AdminTest() override {
    admin.reset();
    rd_kafka_mock_cluster_destroy(cluster);
  }

  void lead(std::int32_t broker) { rd_kafka_mock_partition_set_leader(cluster, kTopic, 0, broker); }

  Handle host;
  rd_kafka_mock_cluster_t* cluster;
  Connection connection;
  std::unique_ptr<Admin> admin;
  SystemClock clock;
};

TEST_F(AdminTest, TheEndsOfAPartitionAreAskedOfWhoLeadsItNow) {
  ASSERT_TRUE(admin->kept(kTopic, 0).ok());
  lead(2);
  const auto kept = admin->kept(kTopic, 0, milliseconds(5000));
  EXPECT_TRUE(kept.ok()) << kept.status();
}

TEST_F(AdminTest, AndOfTheNewLeaderWhereTheOldOneIsGone) {
  ASSERT_TRUE(admin->kept(kTopic, 0).ok());
  rd_kafka_mock_broker_set_down(cluster, 1);
  lead(3);
  const auto kept = admin->kept(kTopic, 0, milliseconds(5000));
  EXPECT_TRUE(kept.ok()) << kept.status();
}

TEST_F(AdminTest, APartitionThatNobodyLeadsIsNotGone) {
  lead(-1);
  EXPECT_TRUE(absl::IsUnavailable(admin->kept(kTopic, 0, milliseconds(1500)).status()));
  lead(1);
  ASSERT_TRUE(admin->kept(kTopic, 0).ok());
  lead(-1);
  EXPECT_TRUE(absl::IsUnavailable(admin->kept(kTopic, 0, milliseconds(1500)).status()));
}

TEST_F(AdminTest, APartitionThatDoesNotExistIsNotFoundLongBeforeTheTimeIsUp) {
  const auto begun = clock.read().steady;
  EXPECT_TRUE(absl::IsNotFound(admin->kept(kTopic, 1, milliseconds(60'000)).status()));
  EXPECT_LT(clock.read().steady - begun, milliseconds(30'000));
}

TEST_F(AdminTest, ThatItDoesNotExistIsNotBelievedOfTheFirstAnswer) {
  constexpr milliseconds kRoundTrip{600};  // so that the first comes later than half a second
  for (std::int32_t broker = 1; broker <= 3; ++broker)
    rd_kafka_mock_broker_set_rtt(cluster, broker, static_cast<int>(kRoundTrip.count()));
  ASSERT_TRUE(admin->kept(kTopic, 0).ok());
  const auto begun = clock.read().steady;
  EXPECT_TRUE(absl::IsNotFound(admin->kept(kTopic, 1).status()));
  EXPECT_GT(clock.read().steady - begun, kRoundTrip + kRoundTrip / 2);
}

TEST_F(AdminTest, NobodyIsWaitedForLongerThanSaid) {
  ASSERT_TRUE(admin->kept(kTopic, 0).ok());
  for (std::int32_t broker = 1; broker <= 3; ++broker)
    rd_kafka_mock_broker_set_down(cluster, broker);
  const auto begun = clock.read().steady;
  EXPECT_TRUE(absl::IsUnavailable(admin->kept(kTopic, 0, milliseconds(2000)).status()));
  EXPECT_TRUE(absl::IsUnavailable(admin->begins(kTopic, 1).status()));
  EXPECT_LT(clock.read().steady - begun,
            milliseconds(2000) + Admin::kAnswerMax + milliseconds(3000));
}

}  // namespace
}  // namespace spur::kafka
