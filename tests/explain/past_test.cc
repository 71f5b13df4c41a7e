// Explain about the past: the journal folded again beside a shard that goes on.
#include "daemon/grpc/past.h"

#include <algorithm>
#include <filesystem>

#include "daemon/grpc/customer_reader.h"
#include "daemon/grpc/service_error.h"
#include "tests/daemon/engine_fixture.h"

namespace spur::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class PastTest : public EngineTest {
 protected:
  struct Answer {
    absl::Status status;
    bool found = false;
    spur::v1::ExplainResponse response;

    std::vector<std::string> events() const {
      std::vector<std::string> out;
      for (const spur::v1::Moment& moment : response.moments())
        out.push_back(rfc3339(Instant{moment.time_ms()}).substr(11, 5) + " " +
                      (moment.event().empty() ? "time" : moment.event()));
      return out;
    }
    std::string why_not(const std::string& trigger) const {
      for (const spur::v1::TriggerStanding& standing : response.triggers()) {
        if (standing.trigger() == trigger) return standing.why_not();
      }
      return "no such trigger";
    }
  };

  Answer explain(const std::string& customer, Instant at,
                 std::function<bool()> cancelled = nullptr) {
    spur::v1::ExplainRequest request;
    request.set_at_ms(at.ms);
    Answer answer;
    services::Past past(*services::parse_customer(customer, nullptr), request, std::move(cancelled),
                        answer.response);
    std::promise<absl::Status> done;
    engine_->ask_history(past.question(shard_of(customer, engine_->shards())),
                         [&](absl::Status status) { done.set_value(std::move(status)); });
    answer.status = done.get_future().get();
    answer.found = past.finish();
    return answer;
  }

  // Twenty orders of ann, with whatever the options keep of them.
  void order_each_minute_and_stop() {
    open();
    apply(shop_catalog());
    for (int i = 0; i < 20; ++i) {
      ASSERT_TRUE(order("ann").ok());
      clock_.advance(kMinute);
      ASSERT_TRUE(settle());
    }
    ASSERT_TRUE(engine_->shutdown().ok());
    engine_.reset();
  }
};

TEST_F(PastTest, ThenTheWaitWasOpenAndWhatCameLaterIsNotKnown) {
  open();
  apply(shop_catalog());
  ASSERT_TRUE(add_to_cart("ann").ok());
  ASSERT_TRUE(settle());
  clock_.advance(kMinute * 30);
  ASSERT_TRUE(order("ann").ok());
  ASSERT_TRUE(settle());
  clock_.advance(kHour * 2);
  ASSERT_TRUE(settle());
  const Answer then = explain("ann", kNoon + kMinute * 20);
  ASSERT_TRUE(then.status.ok()) << then.status;
  EXPECT_TRUE(then.found && then.response.replayed());
  EXPECT_EQ(then.response.as_of_ms(), (kNoon + kMinute * 20).ms);
  EXPECT_THAT(then.events(), ElementsAre("12:00 Product Added"));
  EXPECT_THAT(then.why_not("cart-abandoned"),
              HasSubstr("the wait is over at 2026-03-01T13:00:00Z (in 40m)"));
  const Answer later = explain("ann", kNoon + kMinute * 40);
  ASSERT_TRUE(later.status.ok()) << later.status;
  EXPECT_THAT(later.events(), ElementsAre("12:00 Product Added", "12:30 Order Completed"));
  EXPECT_THAT(later.why_not("cart-abandoned"), HasSubstr("there has to be Product Added"));
}

TEST_F(PastTest, ADeadlineIsAMomentWithItsVerdict) {
  open();
  apply(shop_catalog());
  ASSERT_TRUE(add_to_cart("ann").ok());
  ASSERT_TRUE(settle());
  clock_.advance(kHour * 2);
  ASSERT_TRUE(settle());
  const Answer answer = explain("ann", kNoon + kMinute * 90);
  ASSERT_TRUE(answer.status.ok()) << answer.status;
  ASSERT_THAT(answer.events(), ElementsAre("12:00 Product Added", "13:00 time"));
  bool sent = false;
  for (const spur::v1::Change& change : answer.response.moments(1).changes())
    sent = sent ||
           (change.kind() == "decided" && change.decision().verdict() == spur::v1::VERDICT_SENT);
  EXPECT_TRUE(sent);
}

TEST_F(PastTest, WhoWasNotSeenByThenIsUnknown) {
  open();
  apply(shop_catalog());
  ASSERT_TRUE(order("bob").ok());
  ASSERT_TRUE(settle());
  EXPECT_FALSE(explain("ann", kNoon + kMinute).found);
  EXPECT_FALSE(explain("bob", kNoon - kMinute).found);
  EXPECT_TRUE(explain("bob", kNoon + kMinute).found);
}

TEST_F(PastTest, EachVersionOfTheCatalogIsTheOneOfThen) {
  const auto asking = [](const std::string& greeting, const std::string& condition) {
    spur::v1::Catalog catalog = shop_catalog(greeting);
    for (spur::v1::Trigger& trigger : *catalog.mutable_triggers()) {
      if (trigger.name() == "greet") trigger.set_if_(condition);
    }
    return catalog;
  };
  open();
  apply(asking("thanks", "features.orders < 10"));
  ASSERT_TRUE(order("ann").ok());
  ASSERT_TRUE(settle());
  clock_.advance(kHour);
  apply(asking("merci", "features.orders < 20"));
  ASSERT_TRUE(order("ann").ok());
  ASSERT_TRUE(settle());
  const Answer answer = explain("ann", kNoon + kHour * 2);
  ASSERT_TRUE(answer.status.ok()) << answer.status;
  std::vector<std::string> said;
  for (const spur::v1::Moment& moment : answer.response.moments()) {
    for (const spur::v1::Change& change : moment.changes()) {
      if (change.kind() == "asked") said.push_back(change.condition().expression());
      if (change.kind() == "decided") said.push_back(change.decision().template_());
    }
  }
  EXPECT_THAT(said, ElementsAre("features.orders < 10", "thanks", "features.orders < 20", "merci"));
}

TEST_F(PastTest, AQuestionIsToldTheCatalogThatItsShardFoldsWithNotOneAppliedSince) {
  std::promise<void> folding, go;
  std::once_flag once;
  options_.faults.before_input = [&, gone = go.get_future().share()](std::uint32_t,
                                                                     const InputRecord&) {
    std::call_once(once, [&] { folding.set_value(); });
    gone.wait();
  };
  open();
  apply(shop_catalog("thanks"));
  ASSERT_TRUE(order("ann").ok());
  folding.get_future().wait();  // and the shard stays in that run
  apply(shop_catalog("merci"));
  const auto greeting = [](const spur::v1::Catalog& catalog) {
    for (const spur::v1::Trigger& trigger : catalog.triggers()) {
      if (trigger.name() == "greet") return trigger.actions(0).template_();
    }
    return std::string();
  };
  ASSERT_EQ(greeting(engine_->current_catalog()->catalog), "merci");
  spur::v1::Catalog told;
  std::promise<absl::Status> answer;
  engine_->with_shard(
      shard_of("ann", engine_->shards()),
      [&](const ShardView& view) { EXPECT_TRUE(told.ParseFromString(view.catalog)); },
      [&](absl::Status status) { answer.set_value(std::move(status)); });
  go.set_value();
  ASSERT_TRUE(answer.get_future().get().ok());
  EXPECT_EQ(greeting(told), "thanks");
}

TEST_F(PastTest, WhatIsAskedAboutThePastChangesNothing) {
  open();
  apply(shop_catalog());
  ASSERT_TRUE(add_to_cart("ann").ok());
  ASSERT_TRUE(settle());
  const std::vector<std::string> before = decision_bytes();
  ASSERT_TRUE(explain("ann", kNoon + kMinute).status.ok());
  EXPECT_FALSE(std::filesystem::exists(options_.directory + "/history"));
  clock_.advance(kHour * 2);
  ASSERT_TRUE(settle());
  EXPECT_EQ(decision_bytes().size(), before.size() + 1);
  crash_and_reopen();  // the journal is as it was
  EXPECT_TRUE(engine_->health().ready) << engine_->health().why;
}

TEST_F(PastTest, AJournalThatHasLostItsBeginningSaysSo) {
  options_.history_inputs = 0;
  options_.flush_interval = std::chrono::milliseconds(1);
  ASSERT_NO_FATAL_FAILURE(order_each_minute_and_stop());
  open();
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(order("ann").ok());
    clock_.advance(kMinute);
    ASSERT_TRUE(settle());
  }
  const Answer answer = explain("ann", kNoon + kMinute);
  EXPECT_TRUE(absl::IsOutOfRange(answer.status)) << answer.status;
  EXPECT_THAT(std::string(answer.status.message()), HasSubstr("history.inputs_max"));
}

TEST_F(PastTest, ASnapshotIsBegunWithWhereTheJournalHasLostItsBeginning) {
  options_.history_inputs = 0;
  options_.flush_interval = std::chrono::milliseconds(1);
  options_.snapshots = folder_.path() + "/snapshots";
  options_.snapshot_interval = std::chrono::milliseconds(1);
  ASSERT_NO_FATAL_FAILURE(order_each_minute_and_stop());
  options_.snapshot_interval = std::chrono::hours(24);
  options_.history_inputs = 100'000;
  open();
  for (int i = 0; i < 5; ++i) {
    clock_.advance(kMinute);
    ASSERT_TRUE(order("ann").ok());
    ASSERT_TRUE(settle());
  }
  const Answer answer = explain("ann", kNoon + kMinute * 24);
  ASSERT_TRUE(answer.status.ok()) << answer.status;
  EXPECT_TRUE(answer.response.replayed());
  EXPECT_THAT(answer.events(),
              ::testing::IsSupersetOf({"12:23 Order Completed", "12:24 Order Completed"}));
  EXPECT_THAT(answer.events(), ::testing::Not(Contains("12:10 Order Completed")));
  std::vector<std::string> counted;  // on top of what the snapshot has
  for (const spur::v1::Change& change : answer.response.moments().rbegin()->changes()) {
    if (change.kind() == "feature") counted.push_back(change.before() + " " + change.after());
  }
  EXPECT_THAT(counted, ElementsAre("23 24"));
  EXPECT_TRUE(absl::IsOutOfRange(explain("ann", kNoon + kMinute).status));
}

TEST_F(PastTest, AClientThatGoesAwayEndsIt) {
  open();
  apply(shop_catalog());
  ASSERT_TRUE(order("ann").ok());
  ASSERT_TRUE(settle());
  const Answer answer = explain("ann", kNoon + kMinute, [] { return true; });
  EXPECT_TRUE(answer.status.ok());
  EXPECT_FALSE(answer.found);
  EXPECT_THAT(answer.events(), IsEmpty());
}

TEST_F(PastTest, MoreQuestionsThanMayWaitAreRefused) {
  open();
  apply(shop_catalog());
  ASSERT_TRUE(order("ann").ok());
  ASSERT_TRUE(settle());
  std::promise<void> go;
  const std::shared_future<void> gone = go.get_future().share();
  std::mutex mutex;
  std::vector<absl::Status> answers;
  std::promise<void> last;
  constexpr std::size_t kAsked = 12;
  for (std::size_t i = 0; i < kAsked; ++i) {
    HistoryQuestion question;
    question.until = kNoon;
    question.go_on = [gone](const HistoryView&) {
      gone.wait();
      return false;
    };
    engine_->ask_history(std::move(question), [&](absl::Status status) {
      const std::lock_guard lock(mutex);
      answers.push_back(std::move(status));
      if (answers.size() == kAsked) last.set_value();
    });
  }
  {
    const std::lock_guard lock(mutex);
    EXPECT_EQ(answers.size(), 4U) << "eight may wait";
    for (const absl::Status& status : answers) {
      EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
      const services::ServiceError refused = services::engine_error(status);
      EXPECT_EQ(refused.reason, "QUESTIONS_TOO_MANY");
      EXPECT_TRUE(refused.retry_after.has_value());
    }
  }
  go.set_value();
  last.get_future().wait();
  EXPECT_EQ(
      std::count_if(answers.begin(), answers.end(), [](const absl::Status& s) { return s.ok(); }),
      8);
}

}  // namespace
}  // namespace spur::testing
