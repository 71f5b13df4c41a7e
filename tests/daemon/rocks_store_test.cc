#include "state/rocks_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "spur/v1/state.pb.h"
#include "state/codec/keys.h"
#include "tests/daemon/faulty_file_system.h"
#include "tests/daemon/temporary_folder.h"

namespace spur::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class RocksStoreTest : public ::testing::Test {
 protected:
  std::unique_ptr<RocksStore> open() {
    auto store = RocksStore::open(path(), shared_);
    EXPECT_TRUE(store.ok()) << store.status();
    return store.ok() ? *std::move(store) : nullptr;
  }
  absl::Status refusal() { return RocksStore::open(path(), shared_).status(); }
  std::string path() const { return folder_.path() + "/state"; }

  TemporaryFolder folder_;
  FaultyEnv faulty_;
  RocksShared shared_{8 << 20, 4 << 20, faulty_.env.get()};
};

StoreBatch put(std::string key, std::string value) {
  return {{{std::move(key), std::move(value)}}, {}};
}

TEST_F(RocksStoreTest, WhatWasFlushedIsThereAfterACrash) {
  {
    auto store = open();
    ASSERT_TRUE(store->write(put("a", "1")).ok());
    ASSERT_TRUE(store->flush().ok());
  }
  EXPECT_EQ(*open()->get("a"), "1");
}

TEST_F(RocksStoreTest, WhatWasNotFlushedIsGoneWhole) {
  // Rule 12: a batch enters one memtable, so after a crash there is all of it or nothing.
  {
    auto store = open();
    ASSERT_TRUE(store->write(put("a", "1")).ok());
    ASSERT_TRUE(store->flush().ok());
    StoreBatch batch;
    batch.deletes.push_back("a");
    for (int i = 0; i < 1000; ++i)
      batch.puts.emplace_back("row" + std::to_string(i), std::string(1000, 'x'));
    ASSERT_TRUE(store->write(batch).ok());
  }
  auto store = open();
  EXPECT_EQ(*store->get("a"), "1");
  EXPECT_EQ(*store->get("row0"), std::nullopt);
  EXPECT_EQ(*store->get("row999"), std::nullopt);
}

TEST_F(RocksStoreTest, AScanGivesItsPrefixInOrder) {
  auto store = open();
  StoreBatch batch;
  for (const char* key : {"b2", "a1", "b1", "c1"}) batch.puts.emplace_back(key, "");
  ASSERT_TRUE(store->write(batch).ok());
  std::vector<std::string> keys;
  ASSERT_TRUE(store
                  ->scan("b",
                         [&](std::string_view key, std::string_view) {
                           keys.emplace_back(key);
                           return true;
                         })
                  .ok());
  EXPECT_THAT(keys, ElementsAre("b1", "b2"));
}

TEST_F(RocksStoreTest, DeletesComeBeforePuts) {
  auto store = open();
  ASSERT_TRUE(store->write({{{"a", "new"}}, {"a"}}).ok());
  EXPECT_EQ(*store->get("a"), "new");
}

TEST_F(RocksStoreTest, ASecondDaemonIsToldThatTheFolderIsInUse) {
  auto store = open();
  EXPECT_EQ(refusal().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refusal().message()), HasSubstr("in use by another daemon"));
}

TEST_F(RocksStoreTest, RowsOfANewerFormatAreRefused) {
  {
    auto store = open();
    spur::v1::Position position;
    position.set_format(kRowFormat + 1);
    ASSERT_TRUE(store->write(put(position_key(), position.SerializeAsString())).ok());
    ASSERT_TRUE(store->flush().ok());
  }
  EXPECT_EQ(refusal().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refusal().message()), HasSubstr("newer Spur"));
}

TEST_F(RocksStoreTest, AFolderThatCannotBeWrittenSaysSo) {
  faulty_.files->fail(FaultyFileSystem::Fault::kNotWritable);
  EXPECT_EQ(refusal().code(), absl::StatusCode::kPermissionDenied) << refusal();
}

TEST_F(RocksStoreTest, AFullDiskSurfacesAndHarmsNothing) {
  {
    auto store = open();
    ASSERT_TRUE(store->write(put("a", "1")).ok());
    ASSERT_TRUE(store->flush().ok());
    faulty_.files->fail(FaultyFileSystem::Fault::kDiskFull);
    absl::Status failed = store->write(put("b", "2"));
    if (failed.ok()) failed = store->flush();
    EXPECT_EQ(failed.code(), absl::StatusCode::kResourceExhausted) << failed;
  }
  faulty_.files->fail(FaultyFileSystem::Fault::kNone);
  auto store = open();
  EXPECT_EQ(*store->get("a"), "1");
  EXPECT_EQ(*store->get("b"), std::nullopt);
}

TEST_F(RocksStoreTest, DamageIsToldAsDamage) {
  {
    auto store = open();
    ASSERT_TRUE(store->write(put("a", std::string(100'000, 'x'))).ok());
    ASSERT_TRUE(store->flush().ok());
  }
  for (const auto& file : std::filesystem::directory_iterator(path())) {
    if (file.path().extension() != ".sst") continue;
    std::fstream bytes(file.path(), std::ios::in | std::ios::out | std::ios::binary);
    bytes.seekp(1000);
    bytes << "damage";
  }
  auto store = open();
  EXPECT_EQ(store->get("a").status().code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace spur::testing
