#include "daemon/snapshot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "state/codec/keys.h"
#include "state/rocks_store.h"
#include "tests/daemon/temporary_folder.h"

namespace spur::testing {
namespace {

class SnapshotTest : public ::testing::Test {
 protected:
  std::unique_ptr<RocksStore> store(const std::string& name) {
    auto opened = RocksStore::open(folder_.path() + "/" + name, shared_);
    EXPECT_TRUE(opened.ok()) << opened.status();
    return *std::move(opened);
  }
  // Rows behind run `seq`, durable.
  void write(RocksStore& store, std::uint64_t epoch, std::uint64_t seq) {
    spur::v1::Position position;
    position.set_epoch(epoch);
    position.set_seq(seq);
    position.set_journal_offset(seq + 10);
    position.set_format(kRowFormat);
    StoreBatch batch;
    batch.puts.emplace_back("row", absl::StrCat(seq));
    batch.puts.emplace_back(position_key(), position.SerializeAsString());
    ASSERT_TRUE(store.write(batch).ok());
    ASSERT_TRUE(store.flush().ok());
  }
  std::string restored_row() {
    auto fresh = store(absl::StrCat("fresh-", ++restores_));
    const auto any = snapshots_.restore(0, *fresh);
    EXPECT_TRUE(any.ok()) << any.status();
    if (!any.ok() || !*any) return "none";
    return **fresh->get("row");
  }
  // The files of one snapshot, or its manifest.
  std::string at(std::uint64_t epoch, std::uint64_t seq, const std::string& more = "") {
    return absl::StrCat(folder_.path(), "/snapshots/0/", epoch, "/", seq, more);
  }

  TemporaryFolder folder_;
  RocksShared shared_{8 << 20, 16 << 20};
  FolderSnapshots snapshots_{folder_.path() + "/snapshots", shared_};
  int restores_ = 0;
};

TEST_F(SnapshotTest, AStoreThatLostItsDiskBeginsAtTheNewest) {
  auto owner = store("owner");
  EXPECT_EQ(restored_row(), "none");
  write(*owner, 1, 5);
  ASSERT_TRUE(snapshots_.take(0, *owner).ok());
  write(*owner, 2, 9);
  ASSERT_TRUE(snapshots_.take(0, *owner).ok());
  EXPECT_EQ(restored_row(), "9");
}

TEST_F(SnapshotTest, OneThatIsTornIsPassedOver) {
  auto owner = store("owner");
  write(*owner, 1, 5);
  ASSERT_TRUE(snapshots_.take(0, *owner).ok());
  write(*owner, 1, 9);
  ASSERT_TRUE(snapshots_.take(0, *owner).ok());
  for (const auto& file : std::filesystem::directory_iterator(at(1, 9))) {
    if (file.path().extension() != ".sst") continue;
    std::filesystem::remove(file.path());  // first, for it is a link to what the others have too
    std::ofstream(file.path()) << "torn";
  }
  EXPECT_EQ(restored_row(), "5");
}

TEST_F(SnapshotTest, OneWithOtherRowsThanItsManifestSaysIsPassedOver) {
  auto owner = store("owner");
  write(*owner, 1, 5);
  ASSERT_TRUE(snapshots_.take(0, *owner).ok());
  write(*owner, 1, 9);
  ASSERT_TRUE(snapshots_.take(0, *owner).ok());
  std::ofstream(at(1, 9, ".manifest"), std::ios::trunc) << "2 12345\n";
  EXPECT_EQ(restored_row(), "5");
}

TEST_F(SnapshotTest, OneWithoutAManifestWasNotFinished) {
  auto owner = store("owner");
  write(*owner, 1, 5);
  ASSERT_TRUE(snapshots_.take(0, *owner).ok());
  std::filesystem::remove(at(1, 5, ".manifest"));
  EXPECT_EQ(restored_row(), "none");
}

TEST_F(SnapshotTest, TheTwoNewestStayAndTheLogIsNeededFromTheOlderOn) {
  auto owner = store("owner");
  write(*owner, 1, 5);
  auto below = snapshots_.take(0, *owner);
  ASSERT_TRUE(below.ok());
  EXPECT_FALSE(below->has_value());  // one alone may turn out to be torn
  write(*owner, 1, 7);
  ASSERT_TRUE(snapshots_.take(0, *owner).ok());
  write(*owner, 2, 9);
  below = snapshots_.take(0, *owner);
  ASSERT_TRUE(below.ok() && below->has_value());
  EXPECT_EQ((*below)->journal_below, 18u);  // behind the entry at 17, of run 7
  EXPECT_FALSE(std::filesystem::exists(at(1, 5)));
  EXPECT_TRUE(std::filesystem::exists(at(1, 7)));
  EXPECT_TRUE(std::filesystem::exists(at(2, 9)));
}

TEST_F(SnapshotTest, AnOwnerOfAnEarlierEpochDeletesNothingOfALaterOne) {
  auto owner = store("owner"), zombie = store("zombie");
  for (const std::uint64_t seq : {7, 8, 9}) {
    write(*owner, 2, seq);
    ASSERT_TRUE(snapshots_.take(0, *owner).ok());
  }
  write(*zombie, 1, 20);
  ASSERT_TRUE(snapshots_.take(0, *zombie).ok());
  EXPECT_TRUE(std::filesystem::exists(at(2, 8)));
  EXPECT_EQ(restored_row(), "9");
}

TEST_F(SnapshotTest, WhatADeadProcessLeftUnfinishedGoesWithTheNextOne) {
  auto owner = store("owner");
  for (const std::uint64_t seq : {4, 5}) {
    write(*owner, 1, seq);
    ASSERT_TRUE(snapshots_.take(0, *owner).ok());
  }
  // Died between the copy and its manifest, or between the two removals; of a later epoch somebody
  // may be writing one.
  std::filesystem::remove(at(1, 4, ".manifest"));
  std::filesystem::create_directories(at(1, 3));
  std::ofstream(at(1, 3, ".manifest.new")) << "1";
  std::filesystem::create_directories(at(3, 8));
  write(*owner, 2, 9);
  ASSERT_TRUE(snapshots_.take(0, *owner).ok());
  EXPECT_FALSE(std::filesystem::exists(at(1, 3)));
  EXPECT_FALSE(std::filesystem::exists(at(1, 3, ".manifest.new")));
  EXPECT_FALSE(std::filesystem::exists(at(1, 4)));
  EXPECT_TRUE(std::filesystem::exists(at(1, 5)));
  EXPECT_TRUE(std::filesystem::exists(at(3, 8)));
  EXPECT_EQ(restored_row(), "9");
}

TEST_F(SnapshotTest, AFolderThatCannotBeReadIsNoEmptyOne) {
  auto owner = store("owner");
  std::ofstream(folder_.path() + "/snapshots") << "a file where the folder should be";
  EXPECT_TRUE(absl::IsUnavailable(snapshots_.restore(0, *owner).status()));
}

TEST_F(SnapshotTest, WhatWasInTheStoreBeforeIsGone) {
  auto owner = store("owner"), other = store("other");
  write(*owner, 1, 5);
  ASSERT_TRUE(snapshots_.take(0, *owner).ok());
  ASSERT_TRUE(other->write({{{"stray", "row"}}, {}}).ok());
  ASSERT_TRUE(*snapshots_.restore(0, *other));
  EXPECT_FALSE(other->get("stray")->has_value());
  EXPECT_EQ(*sum_rows(*other), *sum_rows(*owner));
}

}  // namespace
}  // namespace spur::testing
