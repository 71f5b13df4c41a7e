// An input that kills the process is tried once more, then quarantined (docs/protocol.md §3, "Poison").
// The daemon that dies is a child: this very binary, asked for the disabled test below.
#include <stdlib.h>
#include <sys/wait.h>

#include <filesystem>

#include "daemon/log/log.h"
#include "tests/daemon/engine_fixture.h"

namespace spur::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

constexpr int kPoisoned = 42;
constexpr std::uint64_t kPoisonOffset = 1;

class PoisonTest : public EngineTest {
 protected:
  // Exit status of a daemon that is started on the folder, publishes three orders if there are
  // none, and folds them.
  int run_daemon() {
    setenv("SPUR_TEST_FOLDER", options_.directory.c_str(), 1);
    const std::string command =
        absl::StrCat(std::filesystem::read_symlink("/proc/self/exe").string(),
                     " --gtest_also_run_disabled_tests"
                     " --gtest_filter=PoisonTest.DISABLED_Daemon >/dev/null 2>&1");
    const int status = std::system(command.c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  // Unless the log has them: a shard sees an input before it is durable, so the first death may
  // come before that.
  void publish_orders() {
    if (engine_->current_catalog() == nullptr) apply(shop_catalog());
    if (inputs_in_log() != 0) return;
    EXPECT_TRUE(publish({track("ann", "Order Completed", 1, kNoon),
                         track("bob", "Order Completed", 2, kNoon),
                         track("cid", "Order Completed", 3, kNoon)})
                    .ok());
  }
};

TEST_F(PoisonTest, DISABLED_Daemon) {
  const char* folder = getenv("SPUR_TEST_FOLDER");
  ASSERT_NE(folder, nullptr);
  options_.directory = folder;
  options_.shards = 1;
  options_.faults.before_input = [](std::uint32_t, const InputRecord& record) {
    if (record.offset == kPoisonOffset) _exit(kPoisoned);
  };
  open();
  publish_orders();
  ASSERT_TRUE(settle());
  ASSERT_TRUE(engine_->shutdown().ok());
}

TEST_F(PoisonTest, ASecondDeathAtTheSameInputQuarantinesIt) {
  EXPECT_EQ(run_daemon(), kPoisoned);
  EXPECT_EQ(run_daemon(), kPoisoned);  // Trying is in the journal
  EXPECT_EQ(run_daemon(), 0);          // Quarantine, and on
  options_.shards = 0;
  open();
  EXPECT_THAT(actions(), ElementsAre("user_id:ann greet 12:00:00", "user_id:cid greet 12:00:00"));
  const auto letters = engine_->dead_letters(0, 10);
  ASSERT_THAT(*letters, SizeIs(1));
  EXPECT_EQ((*letters)[0].reason(), "QUARANTINED");
  EXPECT_EQ((*letters)[0].offset(), static_cast<std::int64_t>(kPoisonOffset));
  EXPECT_EQ((*letters)[0].value(), track("bob", "Order Completed", 2, kNoon));
}

TEST_F(PoisonTest, ADeathThatHappensOnceCostsNothing) {
  EXPECT_EQ(run_daemon(), kPoisoned);
  options_.shards = 0;
  open();  // without the poison: it was chance
  publish_orders();
  ASSERT_TRUE(settle());
  EXPECT_THAT(actions(), SizeIs(3));
  EXPECT_THAT(*engine_->dead_letters(0, 10), SizeIs(0));
}

}  // namespace
}  // namespace spur::testing
