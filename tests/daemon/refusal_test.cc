// What the engine refuses at the door, and what parks a shard, each with the reason that a person
// can act on.
#include <rocksdb/db.h>

#include <filesystem>
#include <fstream>

#include "daemon/log/embedded_rows.h"
#include "daemon/log/journal_codec.h"
#include "spur/v1/log.pb.h"
#include "spur/v1/state.pb.h"
#include "state/codec/keys.h"
#include "state/rocks_store.h"
#include "tests/daemon/engine_fixture.h"
#include "tests/daemon/faulty_file_system.h"

namespace spur::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

class RefusalTest : public EngineTest {
 protected:
  RefusalTest() { options_.shards = 1; }
  std::string log_folder() const { return options_.directory + "/log"; }
  std::string state_folder() const { return options_.directory + "/state"; }

  void open_with_orders(int orders) {
    open();
    apply(shop_catalog());
    for (int i = 0; i < orders; ++i) ASSERT_TRUE(order("ann").ok());
    ASSERT_TRUE(settle());
  }
  void stop_cleanly() {
    ASSERT_TRUE(engine_->shutdown().ok());
    engine_.reset();
  }
  // Changes one row of a RocksDB behind the engine's back.
  void edit(const std::string& folder, const std::string& key,
            const std::function<void(std::string&)>& change) {
    rocksdb::DB* raw = nullptr;
    ASSERT_TRUE(rocksdb::DB::Open(rocksdb::Options(), folder, &raw).ok());
    const std::unique_ptr<rocksdb::DB> db(raw);
    std::string value;
    ASSERT_TRUE(db->Get(rocksdb::ReadOptions(), key, &value).ok());
    change(value);
    ASSERT_TRUE(db->Put(rocksdb::WriteOptions(), key, value).ok());
    ASSERT_TRUE(db->Flush(rocksdb::FlushOptions()).ok());
  }
  // Opens, and answers why shard 0 does not run.
  std::string parked_for() {
    open();
    const Health health = engine_->health();
    EXPECT_FALSE(health.ready);
    EXPECT_TRUE(health.live);
    if (health.parked.empty()) return "nothing";
    EXPECT_THAT(health.why, HasSubstr(std::string(to_text(health.parked[0].reason))));
    return std::string(to_text(health.parked[0].reason));
  }
};

TEST_F(RefusalTest, AFolderInUse) {
  open();
  EXPECT_EQ(refusal().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refusal().message()), HasSubstr("in use by another daemon"));
}

TEST_F(RefusalTest, AnotherNumberOfShards) {
  open();
  engine_.reset();
  options_.shards = 3;
  EXPECT_EQ(refusal().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refusal().message()), HasSubstr("has 1 shards and 3 are asked for"));
}

TEST_F(RefusalTest, ALogOfANewerVersion) {
  open();
  engine_.reset();
  edit(log_folder(), embedded::meta_key("deployment"), [](std::string& value) {
    spur::v1::Deployment deployment;
    ASSERT_TRUE(deployment.ParseFromString(value));
    deployment.set_format(99);
    value = deployment.SerializeAsString();
  });
  EXPECT_EQ(refusal().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refusal().message()), HasSubstr("newer Spur"));
}

TEST_F(RefusalTest, StateOfANewerVersion) {
  open_with_orders(1);
  stop_cleanly();
  edit(state_folder() + "/0", position_key(), [](std::string& value) {
    spur::v1::Position position;
    ASSERT_TRUE(position.ParseFromString(value));
    position.set_format(kRowFormat + 1);
    value = position.SerializeAsString();
  });
  EXPECT_EQ(refusal().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refusal().message()), HasSubstr("newer Spur"));
}

TEST_F(RefusalTest, APathThatIsNoFolder) {
  std::ofstream(options_.directory) << "a file";
  EXPECT_EQ(refusal().code(), absl::StatusCode::kInvalidArgument) << refusal();
}

TEST_F(RefusalTest, AFolderThatMayNotBeWritten) {
  FaultyEnv faulty;
  faulty.files->fail(FaultyFileSystem::Fault::kNotWritable);
  options_.faults.env = faulty.env.get();
  EXPECT_EQ(refusal().code(), absl::StatusCode::kPermissionDenied) << refusal();
}

TEST_F(RefusalTest, AFullDiskFailsTheEngineAndNothingIsLost) {
  FaultyEnv faulty;
  options_.faults.env = faulty.env.get();
  open_with_orders(2);
  faulty.files->fail(FaultyFileSystem::Fault::kDiskFull);
  EXPECT_EQ(order("ann").status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_FALSE(order("ann").ok());
  EXPECT_FALSE(engine_->health().live);
  EXPECT_FALSE(engine_->health().ready);
  EXPECT_THAT(engine_->health().why, HasSubstr("disk is full"));
  faulty.files->fail(FaultyFileSystem::Fault::kNone);
  crash_and_reopen();
  EXPECT_THAT(actions(), SizeIs(2));
  ASSERT_TRUE(order("ann").ok());
  ASSERT_TRUE(settle());
  EXPECT_THAT(actions(), SizeIs(3));
  engine_.reset();
}

TEST_F(RefusalTest, AFullDiskUnderTheStateFailsTheEngineAndNothingIsLost) {
  FaultyEnv faulty;
  faulty.files->only("/state/");
  options_.faults.env = faulty.env.get();
  open_with_orders(2);
  faulty.files->fail(FaultyFileSystem::Fault::kDiskFull);
  clock_.advance(kMinute);
  while (engine_->health().live) settle();
  EXPECT_THAT(engine_->health().why, HasSubstr("disk is full"));
  faulty.files->fail(FaultyFileSystem::Fault::kNone);
  crash_and_reopen();
  ASSERT_TRUE(order("ann").ok());
  ASSERT_TRUE(settle());
  EXPECT_THAT(actions(), SizeIs(3));
  engine_.reset();
}

TEST_F(RefusalTest, StateAheadOfTheJournalParks) {
  open_with_orders(1);
  engine_.reset();
  std::filesystem::copy(log_folder(), folder_.path() + "/old",
                        std::filesystem::copy_options::recursive);
  open();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(order("ann").ok());
  ASSERT_TRUE(settle());
  stop_cleanly();
  std::filesystem::remove_all(log_folder());
  std::filesystem::rename(folder_.path() + "/old", log_folder());
  EXPECT_EQ(parked_for(), "LOST_RUNS");
}

TEST_F(RefusalTest, StateOfAnotherDeploymentParks) {
  open_with_orders(1);
  stop_cleanly();
  std::filesystem::remove_all(log_folder());
  EXPECT_EQ(parked_for(), "FOREIGN_DEPLOYMENT");
}

TEST_F(RefusalTest, AJournalWhoseBeginningIsGoneParksWithoutState) {
  options_.history_inputs = 0;
  open_with_orders(5);
  stop_cleanly();
  std::filesystem::remove_all(state_folder());
  EXPECT_EQ(parked_for(), "TRIMMED");
}

TEST_F(RefusalTest, AnInputThatChangedParks) {
  open_with_orders(2);
  engine_.reset();
  edit(log_folder(), embedded::input_key(0, 1),
       [](std::string& value) { value[value.size() - 4] ^= 1; });
  EXPECT_EQ(parked_for(), "INPUT_CHANGED");
}

TEST_F(RefusalTest, AReplayThatComputesSomethingElseParks) {
  open_with_orders(2);
  engine_.reset();
  // Entry 0 is the owner, 1 the run that took the catalog (and the orders too, if they were there
  // already).
  edit(log_folder(), embedded::journal_key(0, 1), [](std::string& value) {
    auto entry = decode_entry(value);
    ASSERT_TRUE(entry.ok() && entry->has_run());
    entry->set_digest(entry->digest() + 1);
    value = encode_entry(*entry);
  });
  EXPECT_EQ(parked_for(), "DIVERGED");
  EXPECT_EQ(engine_->stats().shards[0].divergences, 1u);
}

TEST_F(RefusalTest, RunsOfOtherCodeParkWithoutABarrier) {
  open_with_orders(2);
  engine_.reset();
  edit(log_folder(), embedded::journal_key(0, 0), [](std::string& value) {
    auto entry = decode_entry(value);
    ASSERT_TRUE(entry.ok() && entry->has_owner());
    entry->mutable_owner()->set_fold_version(kFoldVersion + 1);
    value = encode_entry(*entry);
  });
  EXPECT_EQ(parked_for(), "FOLD_VERSION");
}

TEST_F(RefusalTest, APastOfOtherCodeIsAsGoodAsGone) {
  open_with_orders(2);
  stop_cleanly();
  edit(log_folder(), embedded::journal_key(0, 0), [](std::string& value) {
    auto entry = decode_entry(value);
    ASSERT_TRUE(entry.ok() && entry->has_owner());
    entry->mutable_owner()->set_fold_version(kFoldVersion + 1);
    value = encode_entry(*entry);
  });
  open();
  HistoryQuestion question;
  question.go_on = [](const HistoryView&) { return true; };
  std::promise<absl::Status> answer;
  engine_->ask_history(std::move(question),
                       [&](absl::Status status) { answer.set_value(std::move(status)); });
  const absl::Status past = answer.get_future().get();
  EXPECT_TRUE(absl::IsOutOfRange(past)) << past;
  EXPECT_THAT(std::string(past.message()), HasSubstr("was written by fold version"));
}

TEST_F(RefusalTest, AnInputThatIsNotTheOneTakenParks) {
  open_with_orders(2);
  stop_cleanly();
  edit(log_folder(), embedded::input_key(0, 1),
       [](std::string& value) { value[value.size() - 4] ^= 1; });
  EXPECT_EQ(parked_for(), "RECREATED");
}

TEST_F(RefusalTest, AParkedShardKeepsEverythingAndTakesNoQuestions) {
  open_with_orders(1);
  stop_cleanly();
  std::filesystem::remove_all(log_folder());
  ASSERT_EQ(parked_for(), "FOREIGN_DEPLOYMENT");
  std::promise<absl::Status> answer;
  engine_->with_shard(
      0, [](const ShardView&) { FAIL(); }, [&](absl::Status status) { answer.set_value(status); });
  EXPECT_EQ(answer.get_future().get().code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(engine_->shutdown().ok());
  EXPECT_TRUE(std::filesystem::exists(state_folder() + "/0/CURRENT"));
}

}  // namespace
}  // namespace spur::testing
