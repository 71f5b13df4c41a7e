// Business data in the daemon: a record that is published reaches every shard, and a change is told
// to everybody who cares, once, through deaths of the process in the middle of it.
#include <atomic>
#include <map>
#include <set>

#include "operators/references.h"
#include "tests/daemon/engine_fixture.h"

namespace spur::testing {
namespace {

using ::testing::SizeIs;

constexpr int kCustomers = 300;  // several runs' worth on each of two shards

spur::v1::Catalog price_catalog(std::string_view more = "") {
  catalog::Loaded loaded = catalog::load_text("prices.yaml", absl::StrCat(R"(
apiVersion: spur/v1
kind: Source
metadata: {name: shop}
spec: {topic: events.shop}
---
apiVersion: spur/v1
kind: Reference
metadata: {name: products}
spec: {topic: products, key: body.id}
---
apiVersion: spur/v1
kind: Reference
metadata: {name: timed}
spec: {topic: timed, key: body.id, time: timestamp(body.at)}
---
apiVersion: spur/v1
kind: Channel
metadata: {name: email}
spec: {topic: actions.email}
---
apiVersion: spur/v1
kind: Trigger
metadata: {name: cheaper}
spec:
  class: transactional
  business:
    reference: products
    interest: {on: Product Viewed, key: "'p1'", within: 30d}
    when: has(previous.price) && record.price < previous.price
  actions: [{channel: email, template: t, data: {price: record.price, was: previous.price}}]
)",
                                                                          std::string(more)));
  EXPECT_TRUE(loaded.errors.empty()) << catalog::to_text(loaded.errors);
  return loaded.catalog;
}

class BusinessEngineTest : public EngineTest {
 protected:
  std::string record(int price) { return absl::StrCat(R"({"id":"p1","price":)", price, "}"); }

  // A price, views, two lower prices; `every` kills the process at each n-th run from the first of
  // these on.
  std::vector<std::string> tell(int every, bool before_append, std::chrono::milliseconds flush) {
    std::atomic<int> runs{0};
    std::atomic<bool> armed{false};
    const auto due = [&](std::uint32_t, std::uint64_t) {
      return armed && every > 0 && ++runs % every == 0;
    };
    (before_append ? options_.faults.crash_before_append : options_.faults.crash_after_commit) =
        due;
    options_.flush_interval = flush;
    open();
    apply(price_catalog());
    EXPECT_TRUE(publish({record(100)}, "products").ok());
    survive();
    for (int i = 0; i < kCustomers; ++i) {
      EXPECT_TRUE(
          publish({track(absl::StrCat("user", i), "Product Viewed", i, clock_.read().wall)}).ok());
      survive();
      clock_.advance(kSecond);
    }
    armed = true;
    for (const int price : {80, 60}) {
      const std::uint64_t inputs = inputs_in_log();
      while (inputs_in_log() == inputs) {
        publish({record(price)}, "products").status().IgnoreError();
        survive();
      }
      clock_.advance(kMinute);
      survive();
    }
    armed = false;
    // How inputs and slices share runs is the machine's: what is decided and in which order is not.
    std::vector<std::string> decided = decision_bytes();
    for (std::string& bytes : decided) {
      spur::v1::Decision decision;
      EXPECT_TRUE(decision.ParseFromString(bytes));
      decision.mutable_id()->clear_run();
      decision.mutable_id()->clear_input();
      bytes = decision.SerializeAsString();
    }
    return decided;
  }
};

TEST_F(BusinessEngineTest, ARecordReachesEveryShardAndEverybodyWhoCaresIsToldOnce) {
  EXPECT_THAT(tell(0, true, std::chrono::seconds(30)), SizeIs(2 * kCustomers));
  std::set<std::string> told;
  const auto deliveries = engine_->read_actions(kTopic, "", 100'000);
  ASSERT_TRUE(deliveries.ok());
  for (const ActionDelivery& delivery : *deliveries) {
    EXPECT_TRUE(
        told.insert(absl::StrCat(delivery.action.customer(), " ", delivery.action.data_json()))
            .second);
  }
  EXPECT_THAT(told, SizeIs(2 * kCustomers));
}

TEST_F(BusinessEngineTest, TheLongestInterestIsToldFirst) {
  tell(0, true, std::chrono::seconds(30));
  std::vector<int> last(options_.shards, -1);
  const auto deliveries = engine_->read_actions(kTopic, "", 100'000);
  ASSERT_TRUE(deliveries.ok());
  int told = 0;
  for (const ActionDelivery& delivery : *deliveries) {
    if (delivery.action.data_json().find("\"price\":80") == std::string::npos) continue;
    ++told;
    const int number = std::stoi(delivery.action.customer().substr(sizeof("user_id:user") - 1));
    EXPECT_GT(number, last[delivery.action.id().shard()]);
    last[delivery.action.id().shard()] = number;
  }
  EXPECT_EQ(told, kCustomers);
}

TEST_F(BusinessEngineTest, AnEventThatComesWhileAChangeIsToldHasARunWithoutASliceOfThat) {
  open();
  apply(price_catalog(R"(
---
apiVersion: spur/v1
kind: Trigger
metadata: {name: greet}
spec:
  class: transactional
  event: {on: Order Completed}
  actions: [{channel: email, template: thanks}]
)"));
  ASSERT_TRUE(publish({record(100)}, "products").ok());
  for (int i = 0; i < kCustomers; ++i) {
    ASSERT_TRUE(
        publish({track(absl::StrCat("user", i), "Product Viewed", i, clock_.read().wall)}).ok());
  }
  clock_.advance(kMinute);
  ASSERT_TRUE(publish({record(80)}, "products").ok());
  clock_.advance(kSecond);
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(order(absl::StrCat("buyer", i)).ok());
  ASSERT_TRUE(settle());

  std::map<std::string, int> decided;
  std::map<std::pair<std::uint32_t, std::uint64_t>, std::set<std::string>> triggers_of_run;
  for (const std::string& bytes : decision_bytes()) {
    spur::v1::Decision decision;
    ASSERT_TRUE(decision.ParseFromString(bytes));
    ++decided[decision.trigger()];
    triggers_of_run[{decision.id().shard(), decision.id().run()}].insert(decision.trigger());
  }
  EXPECT_EQ(decided, (std::map<std::string, int>{{"cheaper", kCustomers}, {"greet", 50}}));
  for (const auto& [run, triggers] : triggers_of_run) EXPECT_THAT(triggers, SizeIs(1));
}

TEST_F(BusinessEngineTest, ThePublisherIsToldWhereTheLastCopyOfARecordLies) {
  open();
  apply(price_catalog());
  ASSERT_TRUE(publish({record(100)}, "products").ok());
  const auto second = publish({record(90)}, "products");
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(second->at(0).dead_letter_reason, "");
  EXPECT_EQ(second->at(0).shard, 1u);
  EXPECT_EQ(second->at(0).offset, 1u);
  ASSERT_TRUE(settle());
  for (const ShardStats& shard : engine_->stats().shards) EXPECT_EQ(shard.input_end, 2u);
}

TEST_F(BusinessEngineTest, ARefusedRecordIsOneDeadLetterAndItsPublisherIsTold) {
  open();
  apply(price_catalog());
  const std::string long_key(kRecordKeyBytesMax + 1, 'k');
  const std::string large(kRecordBytesMax, 'x');
  const std::vector<std::pair<std::string, std::string>> refused = {
      {"[]", "WRONG_TYPE"},
      {R"({"price":1})", "MISSING_KEY"},
      {absl::StrCat(R"({"at":"2026-03-01T00:00:00Z","id":")", long_key, R"("})"),
       "STRING_TOO_LONG"},
      {absl::StrCat(R"({"id":"p1","at":"2026-03-01T00:00:00Z","x":")", large, R"("})"),
       "TOO_LARGE"},
      {R"({"id":"p1","at":"yesterday"})", "BAD_TIMESTAMP"}};
  std::vector<std::string> records;
  for (const auto& [bytes, reason] : refused) records.push_back(bytes);
  const auto published = publish(records, "timed");
  ASSERT_TRUE(published.ok());
  ASSERT_TRUE(settle());
  std::map<std::string, int> letters;
  for (std::uint32_t shard = 0; shard < engine_->shards(); ++shard) {
    const auto found = engine_->dead_letters(shard, 100);
    ASSERT_TRUE(found.ok());
    for (const spur::v1::DeadLetter& letter : *found) ++letters[letter.reason()];
  }
  for (std::size_t i = 0; i < refused.size(); ++i) {
    EXPECT_EQ(published->at(i).dead_letter_reason, refused[i].second);
    EXPECT_EQ(letters[refused[i].second], 1) << refused[i].second;
  }
  EXPECT_THAT(letters, SizeIs(refused.size()));
}

struct Deaths {
  int every;
  bool before_append;
  std::int64_t flush_ms;
};
class BusinessCrashTest : public BusinessEngineTest,
                          public ::testing::WithParamInterface<Deaths> {};

TEST_P(BusinessCrashTest, DeathsInTheMiddleOfTellingChangeNothing) {
  const Deaths deaths = GetParam();
  const std::vector<std::string> disturbed =
      tell(deaths.every, deaths.before_append, std::chrono::milliseconds(deaths.flush_ms));
  EXPECT_GT(crashes_, 2);
  for (const ShardStats& shard : engine_->stats().shards) EXPECT_EQ(shard.divergences, 0u);
  engine_.reset();
  options_.directory = folder_.path() + "/undisturbed";
  options_.faults = {};
  clock_.jump_wall(kNoon - clock_.read().wall);
  const std::vector<std::string> undisturbed = tell(0, true, std::chrono::hours(1));
  EXPECT_THAT(undisturbed, SizeIs(2 * kCustomers));
  EXPECT_EQ(disturbed.size(), undisturbed.size());
  EXPECT_TRUE(disturbed == undisturbed);
}

INSTANTIATE_TEST_SUITE_P(EveryNthRun, BusinessCrashTest,
                         ::testing::Values(Deaths{2, true, 3'600'000}, Deaths{3, true, 0},
                                           Deaths{2, false, 0}, Deaths{3, false, 3'600'000}));

}  // namespace
}  // namespace spur::testing
