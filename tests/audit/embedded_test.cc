// spur audit of an embedded deployment: a real engine fills its log, wrongs are planted in its
// rows, and the audit names each.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rocksdb/db.h>

#include <filesystem>

#include "daemon/audit/audit.h"
#include "daemon/audit/embedded_evidence.h"
#include "daemon/audit/report.h"
#include "daemon/log/embedded_rows.h"
#include "daemon/log/journal_codec.h"
#include "tests/daemon/engine_fixture.h"

namespace spur::testing {
namespace {

using audit::Kind;

class EmbeddedAuditTest : public EngineTest {
 protected:
  static constexpr int kOrders = 40;

  // Forty customers order; each is greeted. Then the engine ends, as if it were killed.
  void fill() {
    open();
    apply(shop_catalog());
    for (int i = 0; i < kOrders; ++i) ASSERT_TRUE(order(absl::StrCat("c", i)).ok());
    ASSERT_TRUE(settle());
    engine_.reset();
  }

  std::vector<audit::ShardReport> run_audit(audit::Options options = {}) {
    auto evidence = audit::EmbeddedEvidence::open(options_.directory);
    EXPECT_TRUE(evidence.ok()) << evidence.status();
    std::vector<audit::ShardReport> reports;
    if (!evidence.ok()) return reports;
    const std::string work = absl::StrCat(folder_.path(), "/work", ++audits_);
    std::filesystem::create_directories(work);
    options.work_folder = work;
    options.settled = true;
    for (std::uint32_t shard = 0; shard < (*evidence)->log().shards(); ++shard) {
      auto report = audit::audit_shard(**evidence, shard, options);
      EXPECT_TRUE(report.ok()) << report.status();
      if (report.ok()) reports.push_back(*std::move(report));
    }
    return reports;
  }
  static std::uint64_t count(const std::vector<audit::ShardReport>& reports, Kind kind) {
    std::uint64_t all = 0;
    for (const audit::ShardReport& report : reports) all += report.findings.count(kind);
    return all;
  }
  static std::uint64_t matched(const std::vector<audit::ShardReport>& reports,
                               std::string_view topic) {
    std::uint64_t all = 0;
    for (const audit::ShardReport& report : reports) {
      for (const audit::OutputCounts& output : report.outputs) {
        if (output.place.substr(0, output.place.find('[')) == topic) all += output.matched;
      }
    }
    return all;
  }

  // Calls `change` with each row of a kind until it answers true.
  void change_row(
      const std::string& prefix,
      const std::function<bool(rocksdb::DB&, const std::string&, std::string)>& change) {
    rocksdb::DB* raw = nullptr;
    ASSERT_TRUE(rocksdb::DB::Open(rocksdb::Options(), options_.directory + "/log", &raw).ok());
    const std::unique_ptr<rocksdb::DB> db(raw);
    const std::unique_ptr<rocksdb::Iterator> it(db->NewIterator(rocksdb::ReadOptions()));
    for (it->Seek(prefix); it->Valid() && it->key().starts_with(prefix); it->Next()) {
      if (change(*db, it->key().ToString(), it->value().ToString())) return;
    }
    FAIL() << "no row was changed";
  }

 private:
  int audits_ = 0;
};

TEST_F(EmbeddedAuditTest, WhatAnEngineLeftIsClean) {
  ASSERT_NO_FATAL_FAILURE(fill());
  const auto reports = run_audit();
  EXPECT_TRUE(audit::clean(reports)) << audit::to_text(reports);
  EXPECT_EQ(matched(reports, kTopic), static_cast<std::uint64_t>(kOrders));
  EXPECT_THAT(audit::to_text(reports), ::testing::HasSubstr("clean: "));
  EXPECT_THAT(audit::to_json(reports), ::testing::StartsWith("{\"clean\":true,"));
}

TEST_F(EmbeddedAuditTest, ADaemonMayBeAtWorkOnIt) {
  open();
  apply(shop_catalog());
  ASSERT_TRUE(order("ann").ok());
  ASSERT_TRUE(settle());
  const auto reports = run_audit();
  EXPECT_TRUE(audit::clean(reports)) << audit::to_text(reports);
  EXPECT_EQ(matched(reports, kTopic), 1U);
}

TEST_F(EmbeddedAuditTest, AFlippedDigestIsADivergence) {
  ASSERT_NO_FATAL_FAILURE(fill());
  change_row(embedded::kind_prefix(embedded::RowKind::kJournal),
             [](rocksdb::DB& db, const std::string& key, const std::string& value) {
               auto entry = decode_entry(value);
               if (!entry.ok() || !entry->has_run()) return false;
               entry->set_digest(entry->digest() ^ 1);
               return db.Put(rocksdb::WriteOptions(), key, encode_entry(*entry)).ok();
             });
  const auto reports = run_audit();
  EXPECT_EQ(count(reports, Kind::kDiverged), 1U) << audit::to_text(reports);
}

TEST_F(EmbeddedAuditTest, ATamperedInputIsFoundByItsHash) {
  ASSERT_NO_FATAL_FAILURE(fill());
  change_row(embedded::kind_prefix(embedded::RowKind::kInput),
             [](rocksdb::DB& db, const std::string& key, std::string value) {
               const std::size_t at = value.find("Order Completed");
               if (at == std::string::npos) return false;
               value[at] = 'o';
               return db.Put(rocksdb::WriteOptions(), key, value).ok();
             });
  const auto reports = run_audit();
  EXPECT_EQ(count(reports, Kind::kInputChanged), 1U) << audit::to_text(reports);
}

TEST_F(EmbeddedAuditTest, AnActionThatIsGoneIsMissing) {
  ASSERT_NO_FATAL_FAILURE(fill());
  int seen = 0;
  change_row(embedded::kind_prefix(embedded::RowKind::kAction),
             [&](rocksdb::DB& db, const std::string& key, const std::string&) {
               // Not the first: that one could have expired.
               return ++seen == 3 && db.Delete(rocksdb::WriteOptions(), key).ok();
             });
  const auto reports = run_audit();
  EXPECT_GE(count(reports, Kind::kMissing), 1U) << audit::to_text(reports);
  EXPECT_GE(count(reports, Kind::kNumberHole), 1U);
}

TEST_F(EmbeddedAuditTest, ASampleComparesTheLastRunsOnly) {
  ASSERT_NO_FATAL_FAILURE(fill());
  audit::Options options;
  options.runs_last = 5;
  const auto reports = run_audit(options);
  EXPECT_TRUE(audit::clean(reports)) << audit::to_text(reports);
  EXPECT_LT(matched(reports, kTopic), static_cast<std::uint64_t>(kOrders));
  EXPECT_GT(matched(reports, kTopic), 0U);
}

TEST_F(EmbeddedAuditTest, CustomersThatDoNotFitInMemoryMakeNoDifference) {
  ASSERT_NO_FATAL_FAILURE(fill());
  audit::Options options;
  options.memory_bytes_max = 1;
  const auto reports = run_audit(options);
  EXPECT_TRUE(audit::clean(reports)) << audit::to_text(reports);
  EXPECT_EQ(matched(reports, kTopic), static_cast<std::uint64_t>(kOrders));
}

TEST_F(EmbeddedAuditTest, AFolderWithoutADeploymentIsSaidSo) {
  const auto evidence = audit::EmbeddedEvidence::open(folder_.path());
  EXPECT_TRUE(absl::IsNotFound(evidence.status())) << evidence.status();
}

}  // namespace
}  // namespace spur::testing
