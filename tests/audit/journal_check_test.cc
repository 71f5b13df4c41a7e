// Which entries count, and which sight of a journal is a finding.
#include "daemon/audit/journal_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/log/journal_codec.h"

namespace spur::audit {
namespace {

using spur::v1::JournalEntry;

class JournalCheckTest : public ::testing::Test {
 protected:
  JournalCheckTest() { check_.emplace("shard 0", deployment_, JournalStand{}, findings_); }

  void give(const JournalEntry& entry) { check_->entry(at_++, encode_entry(entry)); }
  void owner(std::uint64_t epoch, std::uint64_t seq) {
    JournalEntry entry;
    entry.set_epoch(epoch);
    entry.set_seq(seq);
    entry.mutable_owner()->set_deployment(std::string(deployment_.begin(), deployment_.end()));
    give(entry);
  }
  void run(std::uint64_t epoch, std::uint64_t seq, std::uint64_t digest = 7) {
    JournalEntry entry;
    entry.set_epoch(epoch);
    entry.set_seq(seq);
    entry.set_digest(digest);
    entry.set_acked_through(seq - 1);
    entry.mutable_run()->set_clock_ms(1);
    give(entry);
  }
  Kind only_finding() const {
    EXPECT_EQ(findings_.total(), 1U);
    return findings_.samples().empty() ? Kind::kNotVerified : findings_.samples().front().kind;
  }

  const DeploymentId deployment_{1, 2, 3};
  Findings findings_;
  std::optional<JournalCheck> check_;
  Offset at_ = 0;
};

TEST_F(JournalCheckTest, AJournalOfOneOwnerCountsWhole) {
  owner(1, 0);
  run(1, 1);
  run(1, 2);
  EXPECT_EQ(check_->counts().counted, 3U);
  EXPECT_EQ(check_->counts().runs, 2U);
  EXPECT_EQ(check_->acked_through(), 1U);
  EXPECT_EQ(findings_.total(), 0U);
}

TEST_F(JournalCheckTest, WhatZombiesAndRetriesLeaveIsSkippedAndNoFinding) {
  owner(1, 0);
  run(1, 1);
  owner(2, 1);
  run(1, 2);  // late
  run(2, 2);
  run(2, 2);    // repeated
  owner(2, 1);  // the second claim to epoch 2
  run(2, 3);
  EXPECT_EQ(check_->counts().late, 1U);
  EXPECT_EQ(check_->counts().repeated, 1U);
  EXPECT_EQ(check_->counts().claims_lost, 1U);
  EXPECT_EQ(check_->stand(), (JournalStand{2, 3}));
  EXPECT_EQ(findings_.total(), 0U);
}

TEST_F(JournalCheckTest, AMissingEntryIsAHole) {
  owner(1, 0);
  run(1, 1);
  run(1, 3);
  EXPECT_EQ(only_finding(), Kind::kJournalHole);
  EXPECT_EQ(check_->stand().seq, 1U);
}

TEST_F(JournalCheckTest, AMissingOwnerIsAHole) {
  owner(1, 0);
  owner(3, 0);
  EXPECT_EQ(only_finding(), Kind::kJournalHole);
}

TEST_F(JournalCheckTest, ARunOfAnEpochThatNobodyOpenedIsAHole) {
  owner(1, 0);
  run(2, 1);
  EXPECT_EQ(only_finding(), Kind::kJournalHole);
}

TEST_F(JournalCheckTest, AnEntryTwiceWithOtherBytesIsAFork) {
  owner(1, 0);
  run(1, 1, 7);
  run(1, 1, 8);
  EXPECT_EQ(only_finding(), Kind::kJournalFork);
}

TEST_F(JournalCheckTest, AFlippedBitIsDamage) {
  owner(1, 0);
  JournalEntry entry;
  entry.set_epoch(1);
  entry.set_seq(1);
  std::string bytes = encode_entry(entry);
  bytes.back() ^= 1;
  check_->entry(1, bytes);
  EXPECT_EQ(only_finding(), Kind::kJournalDamaged);
}

TEST_F(JournalCheckTest, AnOwnerOfAnotherDeploymentIsForeign) {
  JournalEntry entry;
  entry.set_epoch(1);
  entry.mutable_owner()->set_deployment("somebody else's");
  give(entry);
  EXPECT_EQ(only_finding(), Kind::kForeignOwner);
}

TEST_F(JournalCheckTest, ATrimmedJournalStandsWhereItsFirstEntrySays) {
  check_.emplace("shard 0", deployment_, std::nullopt, findings_);
  run(4, 100);
  run(4, 101);
  owner(5, 101);
  EXPECT_EQ(check_->counts().counted, 3U);
  EXPECT_EQ(check_->stand(), (JournalStand{5, 101}));
  EXPECT_EQ(findings_.total(), 0U);
}

TEST_F(JournalCheckTest, FindingsBeyondTheLimitAreCountedAndNotKept) {
  owner(1, 0);
  for (std::uint64_t seq = 10; seq < 10 + 2 * Findings::kSamplesMax; ++seq) run(1, seq);
  EXPECT_EQ(findings_.count(Kind::kJournalHole), 2 * Findings::kSamplesMax);
  EXPECT_EQ(findings_.samples().size(), Findings::kSamplesMax);
}

}  // namespace
}  // namespace spur::audit
