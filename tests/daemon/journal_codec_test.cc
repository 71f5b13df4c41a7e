#include "daemon/log/journal_codec.h"

#include <gtest/gtest.h>

#include "tests/daemon/hex.h"

namespace spur::testing {
namespace {

using spur::v1::JournalEntry;

JournalEntry entry(std::uint64_t epoch, std::uint64_t seq) {
  JournalEntry entry;
  entry.set_epoch(epoch);
  entry.set_seq(seq);
  entry.set_acked_through(seq - 1);
  entry.set_digest(0x0123456789abcdef);
  return entry;
}

JournalEntry a_run() {
  JournalEntry run = entry(3, 41);
  spur::v1::Slice& slice = *run.mutable_run()->add_slices();
  slice.set_first_offset(1000);
  slice.set_last_offset(1006);
  slice.set_count(7);
  slice.set_hash(0xfedcba9876543210);
  run.mutable_run()->set_clock_ms(1'772'352'000'000);
  run.mutable_run()->set_wall_ms(1'772'352'000'123);
  run.mutable_run()->set_timers_fired(2);
  run.mutable_run()->add_scores(-250'000);
  run.mutable_run()->add_scores(999'999);
  run.mutable_run()->set_clock_mode(1);
  return run;
}

std::vector<std::pair<std::string, JournalEntry>> samples() {
  std::vector<std::pair<std::string, JournalEntry>> all;
  all.emplace_back("run", a_run());
  JournalEntry owner = entry(1, 1);
  owner.mutable_owner()->set_deployment("0123456789abcdef");
  owner.mutable_owner()->set_nonce("nonce");
  owner.mutable_owner()->set_node("node-1");
  owner.mutable_owner()->set_shards(4);
  owner.mutable_owner()->set_fold_version(1);
  owner.mutable_owner()->set_first_seq(1);
  owner.mutable_owner()->set_libraries("tzdata 2025b");
  all.emplace_back("owner", owner);
  JournalEntry barrier = entry(2, 5);
  barrier.mutable_barrier()->set_from_fold_version(1);
  barrier.mutable_barrier()->set_to_fold_version(2);
  all.emplace_back("barrier", barrier);
  JournalEntry seal = entry(2, 6);
  seal.mutable_seal();
  all.emplace_back("seal", seal);
  JournalEntry trying = entry(4, 7);
  trying.mutable_trying()->set_offset(77);
  all.emplace_back("trying", trying);
  JournalEntry quarantine = entry(5, 8);
  quarantine.mutable_quarantine()->set_offset(77);
  quarantine.mutable_quarantine()->set_reason("the process died in this input, twice");
  quarantine.mutable_quarantine()->set_attempts(2);
  all.emplace_back("quarantine", quarantine);
  JournalEntry sources = entry(5, 9);
  spur::v1::TopicPartition& added = *sources.mutable_sources()->add_added();
  added.set_source(16);
  added.set_topic("events.shop");
  added.set_topic_id("kX3");
  added.set_partition(2);
  added.set_start(1000);
  all.emplace_back("sources", sources);
  return all;
}

TEST(JournalCodecTest, BytesAreFrozen) {
  std::vector<std::pair<std::string, std::string>> bytes;
  for (const auto& [name, sample] : samples()) bytes.emplace_back(name, encode_entry(sample));
  expect_golden("tests/golden/journal/entries.txt", bytes);
}

TEST(JournalCodecTest, EveryKindIsReadBackAsItWas) {
  for (const auto& [name, sample] : samples()) {
    const auto read = decode_entry(encode_entry(sample));
    ASSERT_TRUE(read.ok()) << name;
    EXPECT_EQ(read->SerializeAsString(), sample.SerializeAsString()) << name;
  }
}

TEST(JournalCodecTest, AnyBitThatTurnsIsNoticed) {
  const std::string good = encode_entry(a_run());
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ 1 << bit % 8);
    EXPECT_EQ(decode_entry(bad).status().code(), absl::StatusCode::kDataLoss) << "bit " << bit;
  }
}

TEST(JournalCodecTest, ATornEntryIsDamage) {
  const std::string good = encode_entry(a_run());
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_EQ(decode_entry(good.substr(0, size)).status().code(), absl::StatusCode::kDataLoss)
        << size;
  }
}

TEST(JournalCodecTest, ANewerVersionIsRefusedByName) {
  std::string newer = encode_entry(a_run());
  newer[4] = 2;
  const std::uint32_t crc = crc32c(std::string_view(newer).substr(4));
  for (int i = 0; i < 4; ++i) newer[i] = static_cast<char>(crc >> 8 * i);
  EXPECT_EQ(decode_entry(newer).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST(JournalCodecTest, TheChecksumIsTheOneThatOthersUse) {
  EXPECT_EQ(crc32c("123456789"),
            0xe3069283u);  // RFC 3720, appendix B.4 gives the polynomial's check value
}

TEST(JournalCodecTest, ARunOfOneSliceStaysSmall) {
  JournalEntry run = a_run();
  run.mutable_run()->clear_scores();
  EXPECT_LE(encode_entry(run).size(), 64u);
}

}  // namespace
}  // namespace spur::testing
