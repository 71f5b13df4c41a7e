// A broker of its own that is killed and comes back while everything is under way.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "tests/kafka/log_fixture.h"

namespace spur {
namespace {

class KafkaBrokerDeathTest : public testing::KafkaLogTest {
 protected:
  // One that others use cannot be killed. None is started where there is none at all.
  std::string brokers() override {
    if (testing::broker_of_tests().empty()) return "";
    folder = ::testing::TempDir() + "spur-broker-death-" + std::to_string(getpid());
    EXPECT_EQ(script("start --heap 512m --young 256m"), 0);
    std::ifstream file(folder + "/env");
    std::string line;
    std::getline(file, line);
    return line.substr(line.find('=') + 1);
  }
  void TearDown() override {
    KafkaLogTest::TearDown();
    if (!folder.empty()) script("stop");
  }
  int script(const std::string& command) {
    return std::system(
        ("scripts/kafka " + command + " --folder " + folder + " > /dev/null 2>&1").c_str());
  }

  std::string folder;
};

TEST_F(KafkaBrokerDeathTest, WhatWasUnderWayWhenTheBrokerDiedArrivesOnceAndInOrder) {
  open();
  const std::string email = make_topic("actions.email", 2);
  constexpr std::uint64_t kRuns = 2000;
  std::mutex mutex;
  std::vector<Offset> offsets;
  std::vector<std::string> expected;
  for (std::uint64_t seq = 1; seq <= kRuns; ++seq) {
    if (seq == kRuns / 2) {
      ASSERT_EQ(script("kill 1"), 0);
    }
    JournalAppend entry;
    entry.shard = 0;
    entry.seq = seq;
    entry.entry = "entry";
    entry.effects = one_action(*log, 0, seq, email, seq);
    entry.done = [&, seq](absl::StatusOr<Offset> offset) {
      EXPECT_TRUE(offset.ok()) << offset.status();
      if (!offset.ok()) return;
      {
        const std::lock_guard lock(mutex);
        offsets.push_back(*offset);
      }
      log->release(0, seq);
    };
    log->append(std::move(entry));
    expected.push_back(std::to_string(seq));
  }
  ASSERT_EQ(script("restart 1"), 0);
  ASSERT_TRUE(heard.await([&] { return heard.acked[0] == kRuns; }));
  for (std::size_t i = 0; i < offsets.size(); ++i) ASSERT_EQ(offsets[i], i);
  EXPECT_EQ(all_of(email, 0, spurseq), expected);
}

}  // namespace
}  // namespace spur
