// A topic against what replay says should be in it, with each wrong planted.
#include "daemon/audit/output_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

namespace spur::audit {
namespace {

ActionId run_id(std::uint64_t run) { return {0, run, 0, 0}; }

class OutputCheckTest : public ::testing::Test {
 protected:
  OutputCheckTest() {
    scope_.numbered = true;
    scope_.run_last = 100;
    scope_.acked_through = 100;
    scope_.counted_below = 1000;
    scope_.number_before = 0;
  }

  // Run r sends one action: number r, content 10 r.
  void log(std::initializer_list<std::uint64_t> runs) {
    for (const std::uint64_t run : runs) log_record(run, run, 10 * run);
  }
  void log_record(std::uint64_t run, std::uint64_t number, std::uint64_t content) {
    OutputRecord record;
    record.at = at_++;
    record.id = run_id(run);
    record.number = number;
    record.content = content;
    records_.push_back(record);
  }
  void log_foreign() {
    OutputRecord record;
    record.at = at_++;
    record.ours = false;
    record.says = "an id of deployment x";
    records_.push_back(record);
  }

  void expect(std::uint64_t first, std::uint64_t last) {
    open();
    for (std::uint64_t run = first; run <= last; ++run)
      ASSERT_TRUE(check_->expect({run_id(run), run, 10 * run}).ok());
    ASSERT_TRUE(check_->finish().ok());
  }
  void open() {
    check_.emplace(
        "actions.email[0]", scope_,
        [this]() -> absl::StatusOr<std::optional<OutputRecord>> {
          if (records_.empty()) return std::optional<OutputRecord>();
          std::optional<OutputRecord> next(records_.front());
          records_.pop_front();
          return next;
        },
        findings_);
  }
  // Name and number of all that was found.
  std::map<Kind, std::uint64_t> found() const {
    std::map<Kind, std::uint64_t> counts;
    for (std::size_t i = 0; i < kKinds; ++i) {
      const auto kind = static_cast<Kind>(i);
      if (findings_.count(kind) > 0) counts[kind] = findings_.count(kind);
    }
    return counts;
  }
  using Found = std::map<Kind, std::uint64_t>;

  OutputCheck::Scope scope_;
  std::deque<OutputRecord> records_;
  Offset at_ = 0;
  Findings findings_;
  std::optional<OutputCheck> check_;
};

TEST_F(OutputCheckTest, TheSameOnBothSidesIsClean) {
  log({1, 2, 3, 4});
  expect(1, 4);
  EXPECT_EQ(found(), Found());
  EXPECT_EQ(check_->counts().matched, 4U);
}

TEST_F(OutputCheckTest, ARepeatOfAnEqualIdIsCountedAndNoFinding) {
  log({1, 2, 3, 2, 3, 4});
  expect(1, 4);
  EXPECT_EQ(found(), Found());
  EXPECT_EQ(check_->counts().repeats, 2U);
  EXPECT_EQ(check_->counts().matched, 4U);
}

TEST_F(OutputCheckTest, WhereTransactionsAreAskedForEachRepeatIsAFinding) {
  scope_.repeats_wrong = true;
  log({1, 2, 3, 2, 3, 4});
  expect(1, 4);
  EXPECT_EQ(found(), (Found{{Kind::kRepeated, 2}}));
  EXPECT_EQ(check_->counts().matched, 4U);
}

TEST_F(OutputCheckTest, ARepeatWithOtherContentIsFound) {
  log({1, 2});
  log_record(1, 1, 999);
  expect(1, 2);
  EXPECT_EQ(found(), (Found{{Kind::kContentDiffers, 1}}));
}

TEST_F(OutputCheckTest, AMissingActionIsFoundAndItsNumberIsAHole) {
  log({1, 2, 4});
  expect(1, 4);
  EXPECT_EQ(found(), (Found{{Kind::kMissing, 1}, {Kind::kNumberHole, 1}}));
}

TEST_F(OutputCheckTest, AMissingActionAtTheEndIsFoundIfTheJournalSaysThatItArrived) {
  log({1, 2});
  expect(1, 3);
  EXPECT_EQ(found(), (Found{{Kind::kMissing, 1}}));
}

TEST_F(OutputCheckTest, WhatMayStillBeOnItsWayIsNotMissing) {
  scope_.acked_through = 2;
  log({1, 2});
  expect(1, 3);
  EXPECT_EQ(found(), Found());
  EXPECT_EQ(check_->counts().waiting, 1U);
}

TEST_F(OutputCheckTest, NothingIsOnItsWayInASettledDeployment) {
  scope_.acked_through = 2;
  scope_.settled = true;
  log({1, 2});
  expect(1, 3);
  EXPECT_EQ(found(), (Found{{Kind::kMissing, 1}}));
}

TEST_F(OutputCheckTest, WhatIsOnItsWayCannotHaveBeenOvertaken) {
  scope_.acked_through = 1;
  log({1, 3});
  expect(1, 3);
  EXPECT_EQ(found(), (Found{{Kind::kMissing, 1}, {Kind::kNumberHole, 1}}));
}

TEST_F(OutputCheckTest, AnActionThatCameTooLateWasDroppedByChannels) {
  log({1, 3, 2});
  expect(1, 3);
  EXPECT_EQ(found(), (Found{{Kind::kMissing, 1}, {Kind::kNumberHole, 1}, {Kind::kOutOfOrder, 1}}));
}

TEST_F(OutputCheckTest, AnIdThatNoRunDecidedIsFound) {
  log({1});
  log_record(2, 2, 20);
  log({3});
  open();
  ASSERT_TRUE(check_->expect({run_id(1), 1, 10}).ok());
  ASSERT_TRUE(check_->expect({run_id(3), 2, 30}).ok());
  ASSERT_TRUE(check_->finish().ok());
  EXPECT_EQ(found(),
            (Found{{Kind::kUndecided, 1}, {Kind::kNumberDiffers, 1}, {Kind::kNumberHole, 1}}));
}

TEST_F(OutputCheckTest, ARunBehindTheJournalsEndDoesNotCount) {
  log({1, 2});
  log_record(101, 3, 0);
  expect(1, 2);
  EXPECT_EQ(found(), (Found{{Kind::kRunDoesNotCount, 1}}));
}

TEST_F(OutputCheckTest, WhatCameWhileItWasReadIsNewer) {
  scope_.counted_below = 2;
  log({1, 2});
  log_record(101, 3, 0);
  expect(1, 2);
  EXPECT_EQ(found(), Found());
  EXPECT_EQ(check_->counts().newer, 1U);
}

TEST_F(OutputCheckTest, ARecordOfAnotherWriterIsFound) {
  log({1});
  log_foreign();
  log({2});
  expect(1, 2);
  EXPECT_EQ(found(), (Found{{Kind::kForeign, 1}}));
}

TEST_F(OutputCheckTest, AnotherContentIsFound) {
  log({1});
  log_record(2, 2, 21);
  expect(1, 2);
  EXPECT_EQ(found(), (Found{{Kind::kContentDiffers, 1}}));
}

TEST_F(OutputCheckTest, WhatRetentionTookIsNotMissing) {
  scope_.floor = run_id(3);
  scope_.number_before.reset();
  log({3, 4});
  expect(1, 4);
  EXPECT_EQ(found(), Found());
  EXPECT_EQ(check_->counts().expired, 2U);
}

TEST_F(OutputCheckTest, WithoutAReplayHolesAndForeignIdsAreStillSeen) {
  log({1, 2, 4});
  log_foreign();
  open();
  ASSERT_TRUE(check_->drain().ok());
  EXPECT_EQ(found(), (Found{{Kind::kNumberHole, 1}, {Kind::kForeign, 1}}));
}

TEST_F(OutputCheckTest, ARepeatTooOldToCompareIsOnlyCounted) {
  constexpr std::uint64_t kRuns = OutputCheck::kRemembered + 10;
  scope_.run_last = scope_.acked_through = scope_.counted_below = 2 * kRuns;
  for (std::uint64_t run = 1; run <= kRuns; ++run) log({run});
  log_record(1, 1, 999);
  expect(1, kRuns);
  EXPECT_EQ(found(), Found());
  EXPECT_EQ(check_->counts().repeats, 1U);
}

TEST_F(OutputCheckTest, ASampleBeginsBehindItsFirstRun) {
  scope_.run_first = 3;
  scope_.number_before.reset();
  log({1, 2, 3, 4});
  expect(3, 4);
  EXPECT_EQ(found(), Found());
  EXPECT_EQ(check_->counts().matched, 2U);
}

TEST(FloorOf, IsTheFirstRecordWhereNothingRepeats) {
  std::vector<OutputRecord> records(3);
  for (std::size_t i = 0; i < 3; ++i) records[i].id = run_id(5 + i);
  EXPECT_EQ(floor_of(records), run_id(5));
}

TEST(FloorOf, LiesBehindTheLastRepeat) {
  std::vector<OutputRecord> records;
  for (const std::uint64_t run : {20U, 15U, 16U, 21U, 22U}) {
    OutputRecord record;
    record.id = run_id(run);
    records.push_back(record);
  }
  EXPECT_EQ(floor_of(records), run_id(20));
}

}  // namespace
}  // namespace spur::audit
