#include "daemon/breadcrumb.h"

#include <gtest/gtest.h>

#include "tests/daemon/temporary_folder.h"

namespace spur::testing {
namespace {

class BreadcrumbTest : public ::testing::Test {
 protected:
  // A process: opens, perhaps dies inside an input.
  std::unique_ptr<Breadcrumb> start() {
    return *Breadcrumb::open(folder_.path() + "/breadcrumb", 2);
  }
  TemporaryFolder folder_;
};

TEST_F(BreadcrumbTest, ACleanEndLeavesNothing) {
  auto crumb = start();
  crumb->arm(1, Breadcrumb::Phase::kLive, 0, 7);
  crumb->disarm(1);
  crumb.reset();
  EXPECT_FALSE(start()->found(1));
}

TEST_F(BreadcrumbTest, ADeathInsideAnInputIsFoundByTheNextProcessOnce) {
  start()->arm(1, Breadcrumb::Phase::kLive, 0, 7);
  {
    const auto crumb = start();
    ASSERT_TRUE(crumb->found(1));
    EXPECT_EQ(crumb->found(1)->offset, 7u);
    EXPECT_EQ(crumb->found(1)->crashes, 1u);
    EXPECT_FALSE(crumb->found(0));
  }
  EXPECT_FALSE(start()->found(1));
}

TEST_F(BreadcrumbTest, DeathsInARowAtOneInputAreCounted) {
  for (std::uint32_t death = 1; death <= 3; ++death) {
    start()->arm(0, Breadcrumb::Phase::kReplay, 0, 7);
    auto crumb = start();
    EXPECT_EQ(crumb->found(0)->crashes, death);
    EXPECT_EQ(crumb->found(0)->phase, Breadcrumb::Phase::kReplay);
  }
  start()->arm(0, Breadcrumb::Phase::kReplay, 0, 8);
  EXPECT_EQ(start()->found(0)->crashes, 1u);
}

TEST_F(BreadcrumbTest, TheSameOffsetOfAnotherSourceIsAnotherInputAndSoIsReplay) {
  const auto crashes = [&](Breadcrumb::Phase phase, std::uint32_t source) {
    start()->arm(0, phase, source, 5);
    return start()->found(0)->crashes;
  };
  EXPECT_EQ(crashes(Breadcrumb::Phase::kReplay, 16), 1u);
  EXPECT_EQ(crashes(Breadcrumb::Phase::kReplay, 17), 1u);
  EXPECT_EQ(crashes(Breadcrumb::Phase::kLive, 17), 1u);
  EXPECT_EQ(crashes(Breadcrumb::Phase::kReplay, 17), 1u);
  EXPECT_EQ(crashes(Breadcrumb::Phase::kReplay, 17), 2u);
}

}  // namespace
}  // namespace spur::testing
