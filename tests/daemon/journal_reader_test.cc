// Protocol.md rule 1, as sentences: "O2" is Owner(epoch 2), "r3@1" a run with sequence 3 in
// epoch 1.
#include "daemon/log/journal_reader.h"

#include <gtest/gtest.h>

#include <sstream>
#include <string>

namespace spur::testing {
namespace {

// Reads a journal written as words and answers those that count.
std::string counted(const std::string& journal, JournalStand from = {}) {
  JournalReader reader(from);
  std::istringstream words(journal);
  std::string word, result;
  while (words >> word) {
    spur::v1::JournalEntry entry;
    if (word[0] == 'O') {
      entry.set_epoch(std::stoull(word.substr(1)));
      entry.mutable_owner();
    } else {
      const std::size_t at = word.find('@');
      entry.set_seq(std::stoull(word.substr(1, at - 1)));
      entry.set_epoch(std::stoull(word.substr(at + 1)));
      if (word[0] == 't')
        entry.mutable_trying();
      else
        entry.mutable_run();
    }
    if (reader.counts(entry)) result += (result.empty() ? "" : " ") + word;
  }
  return result;
}

TEST(JournalReaderTest, ARunOfTheOwnerInOrderCounts) {
  EXPECT_EQ(counted("O1 r1@1 r2@1 r3@1"), "O1 r1@1 r2@1 r3@1");
}

TEST(JournalReaderTest, NothingCountsBeforeAnOwner) {
  EXPECT_EQ(counted("r1@1 t2@1 O1 r1@1"), "O1 r1@1");
}

TEST(JournalReaderTest, TheFirstOfTwoClaimsToAnEpochWins) {
  // H1: both read epoch 0 and claimed 1. The loser's runs have the winner's numbers, and come too
  // late.
  EXPECT_EQ(counted("O1 O1 r1@1 r1@1 r2@1"), "O1 r1@1 r2@1");
}

TEST(JournalReaderTest, AnOwnerMustClaimExactlyTheNextEpoch) {
  EXPECT_EQ(counted("O2 O1 O3 O2"), "O1 O2");
}

TEST(JournalReaderTest, AZombieIsSkippedForEver) {
  EXPECT_EQ(counted("O1 r1@1 O2 r2@1 r2@2 r3@1 r3@2"), "O1 r1@1 O2 r2@2 r3@2");
}

TEST(JournalReaderTest, AnEntryAfterALostOneDoesNotCount) {
  // H6: r1 was given up, r2 landed.
  EXPECT_EQ(counted("O1 r2@1 O2 r1@2"), "O1 O2 r1@2");
}

TEST(JournalReaderTest, ARepeatDoesNotCount) {
  EXPECT_EQ(counted("O1 r1@1 r1@1 r2@1"), "O1 r1@1 r2@1");
}

TEST(JournalReaderTest, AnOwnerTakesNoSequence) {
  EXPECT_EQ(counted("O1 r1@1 O2 r2@2"), "O1 r1@1 O2 r2@2");
}

TEST(JournalReaderTest, OtherKindsTakeASequenceLikeRuns) {
  EXPECT_EQ(counted("O1 t1@1 r1@1 r2@1"), "O1 t1@1 r2@1");
}

TEST(JournalReaderTest, APositionGoesOnWhereItStood) {
  // H5: a position without the epoch would take the zombie's r2.
  EXPECT_EQ(counted("r2@1 r2@2 r3@2", {2, 1}), "r2@2 r3@2");
}

TEST(JournalReaderTest, EverySplitOfAJournalReadsTheSame) {
  const std::string words[] = {"O1", "r1@1", "r1@1", "O2",   "r2@1", "r2@2",
                               "O2", "O3",   "r3@3", "r4@2", "r4@3"};
  std::string whole;
  for (const std::string& word : words) whole += word + " ";
  JournalReader straight;
  for (std::size_t split = 0; split <= std::size(words); ++split) {
    std::string first, second;
    for (std::size_t i = 0; i < std::size(words); ++i)
      (i < split ? first : second) += words[i] + " ";
    // Where a reader of the first part stands is where a reader of the second begins.
    JournalStand stand;
    const std::string head = counted(first);
    std::istringstream in(head);
    for (std::string word; in >> word;) {
      if (word[0] == 'O')
        stand.epoch = std::stoull(word.substr(1));
      else
        stand.seq = std::stoull(word.substr(1, word.find('@') - 1));
    }
    const std::string tail = counted(second, stand);
    EXPECT_EQ(head + (head.empty() || tail.empty() ? "" : " ") + tail, counted(whole))
        << "split at " << split;
  }
}

TEST(JournalReaderTest, WhatIsSkippedIsCounted) {
  JournalReader reader;
  spur::v1::JournalEntry stray;
  stray.set_epoch(9);
  stray.mutable_run();
  EXPECT_FALSE(reader.counts(stray));
  EXPECT_FALSE(reader.counts(stray));
  EXPECT_EQ(reader.skipped(), 2u);
}

}  // namespace
}  // namespace spur::testing
