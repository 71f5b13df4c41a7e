// The broker that the tests of this folder run on: a real one, started once for the suite by
// ctest's fixture, or named by SPUR_TEST_KAFKA. Each test has topics of its own, by a prefix that
// no other test has.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <string>

#include "daemon/log/kafka/admin.h"

namespace spur::testing {

// host:port; empty if there is none.
inline std::string broker_of_tests() {
  if (const char* named = std::getenv("SPUR_TEST_KAFKA"); named != nullptr) return named;
  const char* folder = std::getenv("SPUR_TEST_KAFKA_FOLDER");
  if (folder == nullptr) return "";
  std::ifstream file(std::string(folder) + "/env");
  std::string line;
  std::getline(file, line);
  const std::size_t at = line.find('=');
  return at == std::string::npos ? "" : line.substr(at + 1);
}

class BrokerTest : public ::testing::Test {
 protected:
  virtual std::string brokers() { return broker_of_tests(); }
  void SetUp() override {
    connection.brokers = brokers();
    if (connection.brokers.empty()) {
      if (std::getenv("CI") != nullptr) FAIL() << "no broker: scripts/kafka start must work in CI";
      GTEST_SKIP()
          << "no broker: install packages-test.txt and run by ctest, or set SPUR_TEST_KAFKA";
    }
    static std::atomic<int> made{0};
    prefix = "t" + std::to_string(getpid()) + "-" + std::to_string(++made);
    auto opened = kafka::Admin::open(connection);
    ASSERT_TRUE(opened.ok()) << opened.status();
    admin = *std::move(opened);
  }

  std::string make_topic(const std::string& name, int partitions,
                         std::map<std::string, std::string> config = {}) {
    const std::string topic = prefix + "." + name;
    const absl::Status made = admin->create({topic, partitions, 1, std::move(config)});
    EXPECT_TRUE(made.ok()) << made;
    return topic;
  }

  kafka::Connection connection;
  std::string prefix;
  std::unique_ptr<kafka::Admin> admin;
};

}  // namespace spur::testing
