#include "daemon/top/board.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace spur::top {
namespace {

using ::testing::HasSubstr;

Reading at(int seconds, const char* metrics, const char* address = "a:7476") {
  Reading reading;
  reading.address = address;
  reading.at = std::chrono::seconds(seconds);
  if (metrics != nullptr) reading.samples = Samples::parse(metrics);
  return reading;
}

Board board(Reading before, Reading now) {
  const Reading first[] = {std::move(before)}, second[] = {std::move(now)};
  return make_board(first, second);
}

TEST(Samples, ReadsSeriesWithTheirLabelsAndPassesOverTheRest) {
  const Samples samples = Samples::parse(
      "# HELP x what\n# TYPE x counter\nx{shard=\"0\",reason=\"a \\\"b\\\" \\\\ }\"} 2\nx "
      "3.5e2\n\nhalf{a=\"b\nx{} 1\n"
      "nonsense\nle{le=\"+Inf\"} +Inf");
  EXPECT_EQ(samples.sum("x"), 353);
  EXPECT_EQ(samples.sum("y"), std::nullopt);
  std::string reason;
  samples.each("x", [&](const Sample& s) { reason += s.label("reason"); });
  EXPECT_EQ(reason, "a \"b\" \\ }");
}

TEST(Board, RatesAndLatenciesAreThoseBetweenTwoReadings) {
  const char* before =
      "spur_ready 1\nspur_events_folded_total{shard=\"0\"} "
      "100\nspur_events_folded_total{shard=\"1\"} 50\n"
      "spur_actions_released_total 7\nprocess_cpu_seconds_total 1\n"
      "spur_event_to_action_seconds_bucket{le=\"0.001\"} "
      "5\nspur_event_to_action_seconds_bucket{le=\"0.002\"} 7\n"
      "spur_event_to_action_seconds_bucket{le=\"+Inf\"} 7\n";
  const char* now =
      "spur_ready 1\nspur_events_folded_total{shard=\"0\"} "
      "300\nspur_events_folded_total{shard=\"1\"} 50\n"
      "spur_actions_released_total 17\nprocess_cpu_seconds_total 2\n"
      "spur_event_to_action_seconds_bucket{le=\"0.001\"} "
      "10\nspur_event_to_action_seconds_bucket{le=\"0.002\"} 17\n"
      "spur_event_to_action_seconds_bucket{le=\"+Inf\"} 17\n";
  const DaemonRow row = board(at(10, before), at(12, now)).daemons.at(0);
  EXPECT_EQ(row.state, "ready");
  EXPECT_EQ(row.events_per_second, 100);
  EXPECT_EQ(row.actions_per_second, 5);
  EXPECT_EQ(row.cpus, 0.5);
  EXPECT_NEAR(row.p50_seconds.value(), 0.001,
              1e-9);  // the fifth of ten lies at the end of the first bucket
  EXPECT_NEAR(row.p99_seconds.value(), 0.00198, 1e-9);
}

TEST(Board, ADaemonThatWasRestartedBetweenHasNoRates) {
  const Board shown =
      board(at(1, "spur_events_folded_total 500\n"), at(2, "spur_events_folded_total 3\n"));
  EXPECT_EQ(shown.daemons.at(0).events_per_second, std::nullopt);
}

TEST(Board, ADaemonThatDoesNotAnswerIsAwayAndOwnsNothing) {
  const Board shown = board(at(1, "spur_shard_owned{shard=\"0\"} 1\n"), at(2, nullptr));
  EXPECT_EQ(shown.daemons.at(0).state, "away");
  EXPECT_TRUE(shown.shards.empty());
}

TEST(Board, AShardStandsOnceUnderItsOwnerAndUnderNobodyIfThereIsNone) {
  const Reading before[] = {at(1, nullptr, "a:1"), at(1, nullptr, "b:1")};
  const Reading now[] = {at(2,
                            "spur_shard_owned{shard=\"0\"} 1\nspur_shard_owned{shard=\"1\"} "
                            "0\nspur_owner_epoch{shard=\"0\"} 3\n",
                            "a:1"),
                         at(2,
                            "spur_shard_owned{shard=\"0\"} 0\nspur_shard_owned{shard=\"1\"} "
                            "0\nspur_owner_epoch{shard=\"0\"} 2\n",
                            "b:1")};
  const Board shown = make_board(before, now);
  ASSERT_EQ(shown.shards.size(), 2u);
  EXPECT_EQ(shown.shards[0].owner, "a:1");
  EXPECT_EQ(shown.shards[0].epoch, 3);
  EXPECT_EQ(shown.shards[1].owner, "");
  EXPECT_THAT(draw(shown), HasSubstr("1      nobody here"));
}

TEST(Board, AParkedShardShowsItsReason) {
  const Board shown =
      board(at(1, nullptr), at(2,
                               "spur_shard_owned{shard=\"2\"} 0\nspur_shards{phase=\"parked\"} 1\n"
                               "spur_parked{shard=\"2\",reason=\"TRIMMED\"} 1\n"));
  EXPECT_EQ(shown.daemons.at(0).shards_parked, 1);
  EXPECT_THAT(draw(shown), HasSubstr("MB  1 parked\n"));
  EXPECT_THAT(draw(shown), HasSubstr("parked: TRIMMED"));
}

}  // namespace
}  // namespace spur::top
