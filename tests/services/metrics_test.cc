// That every metric follows the manners of Prometheus, and says what happened.
#include "daemon/metrics/metrics.h"

#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/metrics/table.h"
#include "tests/services/fake_engine.h"

namespace spur::metrics {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

TEST(MetricTableTest, NamesHaveThePrefixBaseUnitsAndTotalForCounters) {
  std::set<std::string_view> names;
  for (const MetricInfo& info : metric_table()) {
    const std::string name(info.name);
    EXPECT_TRUE(names.insert(info.name).second) << name << " twice";
    EXPECT_TRUE(std::regex_match(name, std::regex("spur_[a-z][a-z_]*[a-z]"))) << name;
    EXPECT_EQ(ends_with(name, "_total"), info.type == prometheus::MetricType::Counter) << name;
    EXPECT_TRUE(info.type != prometheus::MetricType::Histogram ||
                std::regex_search(name, std::regex("_(seconds|inputs|appends)$")))
        << name;
    EXPECT_FALSE(std::regex_search(name, std::regex("_(ms|millis|micros|kb|mb|percent|count|sum|bucket)(_|$)")))
        << name;
    EXPECT_TRUE(ends_with(info.help, ".")) << name;
    std::stringstream labels{std::string(info.labels)};
    for (std::string label; std::getline(labels, label, ',');) {
      label.erase(0, label.find_first_not_of(' '));
      EXPECT_TRUE(std::regex_match(label, std::regex("[a-z][a-z_]*"))) << name << " " << label;
      EXPECT_THAT((std::set<std::string>{"customer", "user_id", "event_id", "message_id", "action_id"}),
                  Not(::testing::Contains(label)));
    }
  }
}

// What a dashboard of such a daemon asks for; names that a release has shown do not change.
TEST(MetricTableTest, LagLatencyDecisionsTimersStateAndReplayAreThere) {
  std::set<std::string_view> names;
  for (const MetricInfo& info : metric_table()) names.insert(info.name);
  for (const char* name :
       {"spur_build_info", "spur_heartbeat_timestamp_seconds", "spur_consumer_lag_records",
        "spur_consumer_lag_seconds", "spur_event_to_action_seconds", "spur_events_rejected_total",
        "spur_events_deduplicated_total", "spur_events_late_total", "spur_decisions_total",
        "spur_decisions_withheld_total", "spur_timers_planned", "spur_timers_overdue_seconds",
        "spur_store_size_bytes", "spur_replay_remaining_entries", "spur_replay_divergences_total",
        "spur_run_inputs", "spur_log_commit_seconds", "spur_log_commit_appends",
        "spur_transaction_seconds", "spur_transactions_aborted_total",
        "spur_catalog_last_apply_successful"}) {
    EXPECT_TRUE(names.count(name) == 1) << name;
  }
}

TEST(MetricTableTest, DocumentedPageIsTheTablesOwn) {
  std::ifstream in("docs/metrics.md");
  const std::string page((std::istreambuf_iterator<char>(in)), {});
  EXPECT_EQ(page, metrics_markdown());
}

TEST(HistogramTest, BucketTakesItsBoundAndIsCumulativeInFamilies) {
  Histogram histogram;
  histogram.record(std::chrono::microseconds(100));
  histogram.record(std::chrono::nanoseconds(100'001));
  histogram.record(std::chrono::seconds(100), 2);
  FamilyWriter writer;
  writer.add(Metric::kEventToAction, {}, histogram.snapshot());
  const auto families = writer.take();
  ASSERT_EQ(families.size(), 1U);
  const auto& buckets = families[0].metric[0].histogram.bucket;
  EXPECT_DOUBLE_EQ(buckets[0].upper_bound, 0.0001);
  EXPECT_EQ(buckets[0].cumulative_count, 1U);
  EXPECT_EQ(buckets[1].cumulative_count, 2U);
  EXPECT_EQ(buckets.back().cumulative_count, 4U);
  EXPECT_NEAR(families[0].metric[0].histogram.sample_sum, 200.0002, 1e-6);
}

TEST(SizeHistogramTest, NothingHasABucketOfItsOwn) {
  SizeHistogram histogram;
  histogram.record(0);
  histogram.record(3);
  const HistogramSnapshot snapshot = histogram.snapshot();
  EXPECT_EQ(snapshot.bounds[0], 0);
  EXPECT_EQ(snapshot.counts[0], 1U);
  EXPECT_EQ(snapshot.bounds[3], 4);
  EXPECT_EQ(snapshot.counts[3], 1U);
  EXPECT_EQ(snapshot.sum, 3);
}

TEST(LabelledTest, BeyondItsBoundValuesShareOther) {
  Labelled<Counter> all;
  for (int i = 0; i < 200; ++i) all.at(std::to_string(i)).add();
  EXPECT_EQ(all.at("other").value(), 100U);
  all.at("3").add();
  EXPECT_EQ(all.at("3").value(), 2U);
}

TEST(TriggerLabelsTest, FirstOnesKeepTheirNameForGood) {
  TriggerLabels labels(2);
  EXPECT_EQ(labels.label_of("b"), "b");
  EXPECT_EQ(labels.label_of("a"), "a");
  EXPECT_EQ(labels.label_of("c"), "other");
  EXPECT_EQ(labels.label_of("a"), "a");
}

class DaemonMetricsTest : public ::testing::Test {
 protected:
  static constexpr std::int64_t kNow = 1'800'000'000'000;

  ShardStats shard(std::uint32_t index) {
    ShardStats out;
    out.shard = index;
    out.phase = ShardPhase::kLive;
    out.input_end = 10;
    out.input_next = 4;
    out.clock = Instant{kNow - 2'500};
    out.next_due = Instant{kNow - 3'500};
    out.run_seq = 7;
    out.durable_seq = 5;
    auto compiled = std::make_shared<catalog::Compiled>();
    for (const char* name : {"cart", "vip"}) compiled->triggers.emplace_back().name = name;
    out.catalog = compiled;
    out.triggers.resize(2);
    out.triggers[0].sent = 3;
    out.triggers[1].suppressed = 1;
    return out;
  }
  std::string text(std::size_t labels_max = 500) {
    const DaemonMetrics metrics(engine_, clock_, edge_, labels_max);
    return metrics.text();
  }

  FakeEngine engine_;
  EdgeCounters edge_;
  ManualClock clock_{Instant{kNow}};
};

TEST_F(DaemonMetricsTest, ShardsAreToldOneByOneAndTriggersTogether) {
  EngineStats stats;
  stats.shards = {shard(0), shard(1)};
  stats.events_published = 42;
  engine_.set_stats(stats);
  const std::string out = text();
  EXPECT_THAT(out, HasSubstr("spur_consumer_lag_records{shard=\"1\"} 6\n"));
  EXPECT_THAT(out, HasSubstr("spur_consumer_lag_seconds{shard=\"0\"} 2.5\n"));
  EXPECT_THAT(out, HasSubstr("spur_timers_overdue_seconds{shard=\"0\"} 1\n"));
  EXPECT_THAT(out, HasSubstr("spur_runs_unacknowledged{shard=\"0\"} 2\n"));
  EXPECT_THAT(out, HasSubstr("spur_decisions_total{trigger=\"cart\",verdict=\"sent\"} 6\n"));
  EXPECT_THAT(out, HasSubstr("spur_decisions_total{trigger=\"vip\",verdict=\"suppressed\"} 2\n"));
  EXPECT_THAT(out, HasSubstr("spur_shards{phase=\"live\"} 2\n"));
  EXPECT_THAT(out, HasSubstr("spur_events_published_total 42\n"));
  EXPECT_THAT(out, HasSubstr("process_resident_memory_bytes "));
}

TEST_F(DaemonMetricsTest, TriggersBeyondTheCapShareOther) {
  EngineStats stats;
  stats.shards = {shard(0)};
  engine_.set_stats(stats);
  const std::string out = text(1);
  EXPECT_THAT(out, HasSubstr("spur_decisions_total{trigger=\"cart\",verdict=\"sent\"} 3\n"));
  EXPECT_THAT(out, HasSubstr("spur_decisions_total{trigger=\"other\",verdict=\"suppressed\"} 1\n"));
  EXPECT_THAT(out, Not(HasSubstr("vip")));
}

TEST_F(DaemonMetricsTest, WithheldDecisionsAreToldByChannelAndReason) {
  edge_.decisions_withheld.at("cooldown email").add(2);
  edge_.decisions_withheld.at("age ").add();  // a whole firing has no channel
  const std::string out = text();
  EXPECT_THAT(out, HasSubstr("spur_decisions_withheld_total{channel=\"email\",reason=\"cooldown\"} 2\n"));
  EXPECT_THAT(out, HasSubstr("spur_decisions_withheld_total{channel=\"\",reason=\"age\"} 1\n"));
}

TEST_F(DaemonMetricsTest, ParkedShardIsNamedWithItsReason) {
  Health health;
  health.parked = {{3, ParkReason::kDiverged, "run 7"}};
  engine_.set_health(health);
  EXPECT_THAT(text(), HasSubstr("spur_parked{shard=\"3\",reason=\"DIVERGED\"} 1\n"));
}

TEST_F(DaemonMetricsTest, EveryLineIsASampleOrAComment) {
  EngineStats stats;
  stats.shards = {shard(0)};
  engine_.set_stats(stats);
  const DaemonMetrics metrics(engine_, clock_, edge_, 500);
  edge_.event_to_action.record(std::chrono::microseconds(300));
  edge_.grpc_requests.at("Publish OK").add();
  std::istringstream lines(metrics.text());
  const std::regex sample(
      R"re([a-z_]+(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? [-+0-9.e]+|[a-z_]+\{.*le="\+Inf".*\} \d+)re");
  for (std::string line; std::getline(lines, line);) {
    EXPECT_TRUE(line[0] == '#' || std::regex_match(line, sample)) << line;
  }
  EXPECT_THAT(metrics.text(), HasSubstr("spur_grpc_requests_total{method=\"Publish\",code=\"OK\"} 1\n"));
}

}  // namespace
}  // namespace spur::metrics
