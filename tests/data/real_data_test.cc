// What the fold decides about real histories is what two independent programs computed from them: the same number, the
// same customers and, line for line, the same instants.
#include <gtest/gtest.h>

#include <functional>

#include "tests/data/data_set.h"
#include "tests/data/sha256.h"

namespace spur::testing {
namespace {

class RealData : public ::testing::Test {
 protected:
  void SetUp() override {
    if (data_folder()) return;
    const char* const ci = std::getenv("CI");
    if (ci != nullptr && std::string_view(ci) == "true") FAIL() << "CI must have the data: set SPUR_DATA";
    GTEST_SKIP() << "no data here: set SPUR_DATA, or put it at ../shared/data";
  }
};

using ToLine = std::function<std::string(const Decision&)>;

struct Expected {
  const char* trigger;
  const char* answer;  // its section
  std::size_t fires, customers;
  ToLine line;
};

void expect_answers(const std::vector<Decision>& decisions, const std::string& file, const std::vector<Expected>& all) {
  for (const Expected& expected : all) {
    SCOPED_TRACE(expected.trigger);
    const std::vector<Decision> sent = sent_of(decisions, expected.trigger);
    EXPECT_EQ(sent.size(), expected.fires);
    EXPECT_EQ(customers_of(sent), expected.customers);
    if (!expected.line) continue;
    std::vector<std::string> lines;
    for (const Decision& d : sent) lines.push_back(expected.line(d));
    EXPECT_EQ(digest_of(lines), answer(file, expected.answer, "digest"));
  }
}

const std::vector<std::string>& clicks() { return events_of("clickstream", "retailrocket/events.csv.gz"); }

std::string by_user(const Decision& d) { return customer_column(d) + "," + time_column(d.time); }
std::string by_item(const Decision& d) { return customer_column(d) + "," + d.instance + "," + time_column(d.time); }

void expect_intents(const std::vector<Decision>& decisions) {
  expect_answers(decisions, "retailrocket.json",
                 {{"cart-abandon-item-1h", "CART_ABANDON_ITEM_1h", 4660, 937, by_item},
                  {"cart-abandon-item-24h", "CART_ABANDON_ITEM_24h", 3999, 806, by_item},
                  {"cart-abandon-user-1h", "CART_ABANDON_USER_1h", 1645, 699, by_user},
                  {"cart-abandon-user-24h", "CART_ABANDON_USER_24h", 765, 448, by_user},
                  {"cart-velocity", "CART_VELOCITY_5_IN_1H", 456, 233, by_user},
                  {"browse-intent", "BROWSE_INTENT_5_ITEMS_10MIN_NO_CART", 1144, 497, by_user},
                  {"visit-opened", "", 15'877, 2174, nullptr}});
}

TEST(Sha256, GivesThePublishedDigests) {
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_hex(std::string(64, 'a')), "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb");
}

TEST_F(RealData, IntentsOfAClickstream) { expect_intents(decide(catalog_of("retailrocket"), clicks())); }

TEST_F(RealData, IntentsAreTheSameOutOfOrderAndTwiceWithinTheLateness) {
  const auto& late = events_of("clickstream-late", "retailrocket/events.csv.gz");
  ASSERT_EQ(late.size(), 99'363u);
  const auto catalog = catalog_of("retailrocket", R"(
---
apiVersion: spur/v1
kind: Source
metadata: {name: shop}
spec: {topic: events.shop, format: segment, deduplicate: 10372s}
---
apiVersion: spur/v1
kind: Policy
metadata: {name: everything}
spec: {zone: UTC, lateness: 3600s}
)");
  const std::vector<Decision> decisions = decide(catalog, late);
  expect_intents(decisions);
  // Not only the firings: all that was decided, suppressions and their reasons too.
  const std::vector<Decision> in_order = decide(catalog_of("retailrocket"), clicks());
  ASSERT_EQ(decisions.size(), in_order.size());
  for (std::size_t i = 0; i < decisions.size(); ++i) {
    ASSERT_EQ(line_without_id(decisions[i]), line_without_id(in_order[i]));
  }
}

TEST_F(RealData, LapsesDropsSpikesAndReturnsOfARetailer) {
  const auto lapse = [](int factor) {
    return [factor](const Decision& d) {
      // The answers count the gap in whole seconds, the fold in milliseconds.
      const std::int64_t gap_s = std::stoll(data_column(d, "gap_s"));
      const Instant fires{(std::stoll(data_column(d, "opened_s")) + factor * gap_s) * 1000};
      EXPECT_GE(d.time, fires);
      EXPECT_LT(d.time, fires + Millis{factor * 1000});
      return customer_column(d) + "," + data_column(d, "invoice") + "," + data_column(d, "k") + "," +
             std::to_string(gap_s) + "," + time_column(fires);
    };
  };
  const auto drop = [](const Decision& d) { return by_user(d) + "," + data_column(d, "prior") + "," + data_column(d, "recent"); };
  const auto spike = [](const Decision& d) {
    return customer_column(d) + "," + data_column(d, "invoice") + "," + data_column(d, "milli");
  };
  const auto& invoices = events_of("invoices", "online_retail/online_retail_2010_2011.csv.gz");
  expect_answers(decide(catalog_of("online_retail"), invoices), "online_retail.json",
                 {{"lapse-3", "LAPSE(k>=4,3x mean gap,gap>=7d)", 368, 298, lapse(3)},
                  {"lapse-2", "LAPSE(k>=4,2x mean gap,gap>=7d)", 925, 573, lapse(2)},
                  {"freq-drop", "FREQ_DROP(90d vs prior 90d, midnights 2011-06-01..2011-12-09)", 643, 398, drop},
                  {"spend-spike", "SPEND_SPIKE(>=3x mean of >=3 earlier)", 259, 158, spike},
                  {"return-within-14d", "RETURN_WITHIN_14D_OF_A_PURCHASE", 2649, 1233, nullptr}});
}

TEST_F(RealData, WhoIsProbablyLostAtCdnow) {
  const auto& purchases = events_of("cdnow", "cdnow/CDNOW_sample.txt");
  const std::vector<Decision> decisions =
      decide(catalog_of("cdnow"), purchases, {.until = "1997-10-01T00:00:00Z"});
  EXPECT_EQ(sent_of(decisions, "probably-lost").size(), 393u);
  EXPECT_EQ(sent_of(decisions, "three-more").size(), 106u);
  const std::vector<Decision> scores = sent_of(decisions, "score");
  EXPECT_EQ(scores.size(), 2357u);
  std::vector<std::string> lines;
  for (const Decision& d : scores) {
    char line[80];
    std::snprintf(line, sizeof line, "%d,%s,%.6f,%.6f", std::stoi(customer_column(d)), data_column(d, "x").c_str(),
                  std::stod(data_column(d, "p_alive")), std::stod(data_column(d, "expected")));
    lines.emplace_back(line);
  }
  EXPECT_EQ(digest_of(lines), answer("cdnow.json", "predictive_triggers_cdnow", "digest_customer_x_palive6_e39_6"));
}

TEST_F(RealData, TheNumberOfShardsChangesActionIdsAndNothingElse) {
  const auto catalog = catalog_of("retailrocket");
  const std::vector<Decision> one = decide(catalog, clicks(), {.shards = 1});
  for (const std::uint32_t shards : {4u, 16u}) {
    const std::vector<Decision> more = decide(catalog, clicks(), {.shards = shards});
    ASSERT_EQ(more.size(), one.size());
    for (std::size_t i = 0; i < one.size(); ++i) ASSERT_EQ(line_without_id(more[i]), line_without_id(one[i]));
  }
}

// Everything is written out and read back between any two inputs: rows forget nothing that matters.
void expect_restarts_change_nothing(const std::string& catalog_name, const std::vector<std::string>& all, std::size_t count) {
  const std::vector<std::string> events(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(std::min(count, all.size())));
  const auto catalog = catalog_of(catalog_name);
  const std::vector<Decision> without = decide(catalog, events);
  const std::vector<Decision> with = decide(catalog, events, {.restart_after_each_input = true});
  ASSERT_EQ(with.size(), without.size());
  for (std::size_t i = 0; i < with.size(); ++i) ASSERT_EQ(decision_line(with[i]), decision_line(without[i]));
}

TEST_F(RealData, RestartsBetweenClicksChangeNotEvenActionIds) {
  expect_restarts_change_nothing("retailrocket", clicks(), 5000);
}
TEST_F(RealData, RestartsBetweenInvoicesChangeNotEvenActionIds) {
  expect_restarts_change_nothing("online_retail", events_of("invoices", "online_retail/online_retail_2010_2011.csv.gz"), 2000);
}

}  // namespace
}  // namespace spur::testing
