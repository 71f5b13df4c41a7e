// Inputs are taken once and whole.
#include "daemon/audit/slice_check.h"

#include <gtest/gtest.h>

namespace spur::audit {
namespace {

class SliceCheckTest : public ::testing::Test {
 protected:
  // A run that takes [first, last] of a source.
  void run(std::uint32_t source, Offset first, Offset last) {
    spur::v1::JournalEntry entry;
    entry.set_seq(++seq_);
    spur::v1::Slice& slice = *entry.mutable_run()->add_slices();
    slice.set_source(source);
    slice.set_first_offset(first);
    slice.set_last_offset(last);
    ASSERT_TRUE(check_.entry(entry).ok());
  }
  void sources(std::uint32_t source, Offset start) {
    spur::v1::JournalEntry entry;
    spur::v1::TopicPartition& added = *entry.mutable_sources()->add_added();
    added.set_source(source);
    added.set_start(start);
    ASSERT_TRUE(check_.entry(entry).ok());
  }

  std::uint64_t seq_ = 0, between_ = 0;
  Findings findings_;
  SliceCheck check_{"shard 0", [this](std::uint32_t, Offset, Offset) { return between_; },
                    findings_};
};

TEST_F(SliceCheckTest, SlicesThatFollowOneAnotherAreFine) {
  sources(16, 100);
  run(16, 100, 120);
  run(16, 121, 130);
  EXPECT_EQ(findings_.total(), 0U);
  EXPECT_EQ(check_.next().at(16), 131U);
}

TEST_F(SliceCheckTest, AnInputThatIsTakenTwiceIsFound) {
  check_.begin(16, 0);
  run(16, 0, 9);
  run(16, 9, 12);
  EXPECT_EQ(findings_.count(Kind::kInputTwice), 1U);
}

TEST_F(SliceCheckTest, AnInputThatIsLeftOutIsFound) {
  between_ = 3;
  check_.begin(16, 0);
  run(16, 0, 9);
  run(16, 13, 20);
  EXPECT_EQ(findings_.count(Kind::kInputSkipped), 1U);
}

TEST_F(SliceCheckTest, AStretchThatHoldsNothingIsNone) {
  check_.begin(16, 0);
  run(16, 0, 9);
  run(16, 13, 20);
  EXPECT_EQ(findings_.total(), 0U);
}

TEST_F(SliceCheckTest, ASourceBeginsWhereItsEntrySays) {
  between_ = 2;
  sources(16, 5);
  run(16, 7, 9);
  EXPECT_EQ(findings_.count(Kind::kInputSkipped), 1U);
}

TEST_F(SliceCheckTest, AQuarantinedInputIsTaken) {
  check_.begin(16, 0);
  run(16, 0, 9);
  spur::v1::JournalEntry entry;
  entry.mutable_quarantine()->set_source(16);
  entry.mutable_quarantine()->set_offset(10);
  ASSERT_TRUE(check_.entry(entry).ok());
  run(16, 11, 12);
  EXPECT_EQ(findings_.total(), 0U);
}

}  // namespace
}  // namespace spur::audit
