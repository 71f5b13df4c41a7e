// Credits, cursors, acks and names of subscribers, without gRPC.
#include "daemon/grpc/subscription.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/services/fake_engine.h"
#include "tests/services/recording_stream.h"

namespace spur::services {
namespace {

using ::testing::ElementsAre;
using spur::v1::SubscribeRequest;
using spur::v1::SubscribeResponse;

SubscribeRequest open(std::uint32_t credits, std::string subscriber = "", std::string cursor = "") {
  SubscribeRequest request;
  request.set_channel("email");
  request.set_credits(credits);
  request.set_subscriber(std::move(subscriber));
  request.set_cursor(std::move(cursor));
  return request;
}
SubscribeRequest more(std::uint32_t credits) {
  SubscribeRequest request;
  request.set_credits(credits);
  return request;
}
SubscribeRequest ack(std::string cursor) {
  SubscribeRequest request;
  request.set_ack(std::move(cursor));
  return request;
}

class SubscriptionTest : public ::testing::Test {
 protected:
  // One stream: its logic and its far side.
  struct Stream {
    explicit Stream(const Subscription::Context& context) : out([this] { logic->on_written(); }) {
      logic = std::make_shared<Subscription>(context, out);
      logic->start();
    }
    ~Stream() {
      logic->on_cancelled();
      out.allow_writes();
      EXPECT_TRUE(out.wait_finished());
    }

    void send(const SubscribeRequest& request) {
      ASSERT_TRUE(out.wait_reading());
      ASSERT_TRUE(out.take_read());
      logic->on_request(request);
    }
    std::vector<std::string> templates(std::size_t count) {
      std::vector<std::string> names;
      for (const SubscribeResponse& response : out.wait_responses(count)) {
        names.push_back(response.has_delivery() ? response.delivery().action().template_()
                                                : "acked " + response.acked());
      }
      return names;
    }

    std::shared_ptr<Subscription> logic;  // outlives the thread of `out`
    RecordingStream<SubscribeResponse> out;
  };

  std::unique_ptr<Stream> stream() { return std::make_unique<Stream>(context_); }
  void actions(const std::vector<std::string>& names) {
    for (const std::string& name : names) engine_.add_action(name);
  }
  // Everything posted so far has run, and what that posted.
  void settle() {
    for (int i = 0; i < 3; ++i) {
      std::mutex mutex;
      std::condition_variable changed;
      bool done = false;
      tasks_.post_after(std::chrono::milliseconds(5), [&] {
        const std::lock_guard lock(mutex);
        done = true;
        changed.notify_all();
      });
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return done; });
    }
  }

  SystemClock clock_;
  FakeEngine engine_;
  metrics::EdgeCounters counters_;
  Subscribers subscribers_;
  TaskQueue tasks_{clock_};
  Subscription::Context context_{engine_, tasks_, subscribers_, counters_};
};

TEST_F(SubscriptionTest, DeliversOldestFirstAndThenWhatComes) {
  actions({"a", "b"});
  const auto s = stream();
  s->send(open(10));
  EXPECT_THAT(s->templates(2), ElementsAre("a", "b"));
  actions({"c"});
  EXPECT_THAT(s->templates(3), ElementsAre("a", "b", "c"));
  EXPECT_EQ(counters_.actions_delivered.at("email").value(), 3U);
}

TEST_F(SubscriptionTest, NoMoreThanTheCreditsGranted) {
  actions({"a", "b", "c"});
  const auto s = stream();
  s->send(open(2));
  EXPECT_THAT(s->templates(2), ElementsAre("a", "b"));
  actions({"d"});
  settle();
  EXPECT_EQ(s->out.responses(), 2U);
  s->send(more(1));
  EXPECT_THAT(s->templates(3), ElementsAre("a", "b", "c"));
  settle();
  EXPECT_EQ(s->out.responses(), 3U);
}

TEST_F(SubscriptionTest, WithoutCreditsNothingIsRead) {
  actions({"a"});
  const auto s = stream();
  s->send(open(0));
  settle();
  EXPECT_EQ(s->out.responses(), 0U);
  s->send(more(5));
  EXPECT_THAT(s->templates(1), ElementsAre("a"));
}

TEST_F(SubscriptionTest, ManyMoreThanOneBatchAllArriveInOrder) {
  const std::size_t count = 3 * Subscription::kBatchMax + 7;
  for (std::size_t i = 0; i < count; ++i) engine_.add_action(std::to_string(i));
  const auto s = stream();
  s->send(open(10'000));
  const std::vector<std::string> names = s->templates(count);
  ASSERT_EQ(names.size(), count);
  for (std::size_t i = 0; i < count; ++i) EXPECT_EQ(names[i], std::to_string(i));
}

TEST_F(SubscriptionTest, ActionsThatComeWhileAWriteIsBlockedAreNotLost) {
  const auto s = stream();
  s->send(open(100));
  s->out.block_writes();
  for (int i = 0; i < 50; ++i) engine_.add_action("x");
  settle();
  s->out.allow_writes();
  EXPECT_EQ(s->templates(50).size(), 50U);
}

// What a subscriber that takes nothing costs: one batch in memory, and nobody's time.
TEST_F(SubscriptionTest, AStalledSubscriberHoldsOneBatchAndTheOthersGoOn) {
  const auto stalled = stream();
  stalled->out.block_writes();
  stalled->send(open(1'000'000));
  const std::size_t count = 20 * Subscription::kBatchMax;
  for (std::size_t i = 0; i < count; ++i) engine_.add_action("x");
  settle();
  EXPECT_LE(engine_.actions_read(), 2 * Subscription::kBatchMax) << "one it writes, one that is next";
  const auto other = stream();
  other->send(open(1'000'000));
  EXPECT_EQ(other->templates(count).size(), count);
  EXPECT_LE(stalled->out.responses(), 1U) << "the one that is being written";
  stalled->out.allow_writes();
  EXPECT_EQ(stalled->templates(count).size(), count);
}

TEST_F(SubscriptionTest, CursorResumesBehindTheActionItCameWith) {
  actions({"a", "b", "c"});
  const auto s = stream();
  s->send(open(10, "", "2"));
  EXPECT_THAT(s->templates(1), ElementsAre("c"));
}

TEST_F(SubscriptionTest, FromNowBeginsWithWhatComes) {
  actions({"old"});
  const auto s = stream();
  SubscribeRequest request = open(10);
  request.set_from_now(true);
  s->send(request);
  actions({"new"});
  EXPECT_THAT(s->templates(1), ElementsAre("new"));
}

TEST_F(SubscriptionTest, AckMovesTheStoredCursorAndIsAnswered) {
  actions({"a", "b", "c"});
  {
    const auto s = stream();
    s->send(open(2, "mailer"));
    EXPECT_THAT(s->templates(2), ElementsAre("a", "b"));
    s->send(ack("2"));
    EXPECT_THAT(s->templates(3), ElementsAre("a", "b", "acked 2"));
  }
  EXPECT_EQ(engine_.stored("mailer"), "2");
  const auto again = stream();
  again->send(open(10, "mailer"));
  EXPECT_THAT(again->templates(1), ElementsAre("c"));
}

TEST_F(SubscriptionTest, GivenCursorWinsOverTheStoredOneAndTheStoredOneOverFromNow) {
  actions({"a", "b", "c"});
  engine_.set_stored("mailer", "2");
  const auto s = stream();
  s->send(open(10, "mailer", "1"));
  EXPECT_THAT(s->templates(2), ElementsAre("b", "c"));
  const auto later = stream();
  SubscribeRequest request = open(10, "mailer");
  request.set_from_now(true);
  later->send(request);
  EXPECT_THAT(later->templates(1), ElementsAre("c"));
}

TEST_F(SubscriptionTest, BytesThatAreNoCursorAreNeverStored) {
  const auto s = stream();
  s->send(open(1, "mailer"));
  s->send(ack("nonsense"));
  ASSERT_TRUE(s->out.wait_finished());
  EXPECT_EQ(s->out.reason(), "CURSOR_INVALID");
  EXPECT_EQ(engine_.stored("mailer"), "");
}

TEST_F(SubscriptionTest, SecondStreamOfANameEndsTheFirst) {
  const auto first = stream();
  first->send(open(10, "mailer"));
  const auto second = stream();
  second->send(open(10, "mailer"));
  ASSERT_TRUE(first->out.wait_finished());
  EXPECT_EQ(first->out.reason(), "REPLACED");
  actions({"a"});
  EXPECT_THAT(second->templates(1), ElementsAre("a"));
  EXPECT_EQ(counters_.subscribers.at("email").value(), 1);
}

TEST_F(SubscriptionTest, NamelessStreamsDoNotDisturbEachOther) {
  const auto first = stream();
  first->send(open(10));
  const auto second = stream();
  second->send(open(10));
  actions({"a"});
  EXPECT_THAT(first->templates(1), ElementsAre("a"));
  EXPECT_THAT(second->templates(1), ElementsAre("a"));
}

TEST_F(SubscriptionTest, HalfClosedStreamEndsWellWhenItsCreditsAreUsedUp) {
  actions({"a"});
  const auto s = stream();
  s->send(open(2));
  ASSERT_TRUE(s->out.wait_reading());
  s->logic->on_half_closed();
  EXPECT_THAT(s->templates(1), ElementsAre("a"));
  EXPECT_EQ(s->out.reason(), "");
  actions({"b"});
  ASSERT_TRUE(s->out.wait_finished());
  EXPECT_EQ(s->out.reason(), "OK");
  EXPECT_THAT(s->templates(2), ElementsAre("a", "b"));
}

TEST_F(SubscriptionTest, EndWaitsForTheWriteUnderWay) {
  actions({"a"});
  const auto s = stream();
  s->out.block_writes();
  s->send(open(1));
  s->templates(1);
  s->logic->end(bad_request("SHUTTING_DOWN", "", ""));
  EXPECT_EQ(s->out.reason(), "");
  s->out.allow_writes();
  ASSERT_TRUE(s->out.wait_finished());
  EXPECT_EQ(s->out.reason(), "SHUTTING_DOWN");
}

TEST_F(SubscriptionTest, EndOfAllEndsLaterStreamsToo) {
  const auto before = stream();
  before->send(open(1));
  subscribers_.end_all(bad_request("SHUTTING_DOWN", "", ""));
  ASSERT_TRUE(before->out.wait_finished());
  const auto after = stream();
  ASSERT_TRUE(after->out.wait_finished());
  EXPECT_EQ(after->out.reason(), "SHUTTING_DOWN");
}

TEST_F(SubscriptionTest, WatchGoesWithTheStream) {
  {
    const auto s = stream();
    s->send(open(1));
    EXPECT_EQ(engine_.watches(), 1U);
    s->logic->on_cancelled();
    EXPECT_EQ(engine_.watches(), 0U);
  }
  settle();
  EXPECT_EQ(subscribers_.size(), 0U);
}

TEST_F(SubscriptionTest, TooOldCursorIsToldAsSuch) {
  actions({"a", "b", "c"});
  engine_.forget_actions_before(2);
  const auto s = stream();
  s->send(open(1, "", "1"));
  ASSERT_TRUE(s->out.wait_finished());
  EXPECT_EQ(s->out.reason(), "CURSOR_TOO_OLD");
}

TEST_F(SubscriptionTest, BadRequestsAreRefusedWithTheirReason) {
  const auto refused = [this](SubscribeRequest first, std::optional<SubscribeRequest> second = {}) {
    const auto s = stream();
    s->send(first);
    if (second) s->send(*second);
    EXPECT_TRUE(s->out.wait_finished());
    return s->out.reason();
  };
  SubscribeRequest both = open(1, "", "1");
  both.set_from_now(true);
  SubscribeRequest fax = open(1);
  fax.set_channel("fax");
  EXPECT_EQ(refused(more(1)), "CHANNEL_MISSING");
  EXPECT_EQ(refused(fax), "CHANNEL_UNKNOWN");
  EXPECT_EQ(refused(both), "START_AMBIGUOUS");
  EXPECT_EQ(refused(open(0, "", "nonsense"), more(1)), "CURSOR_INVALID");
  EXPECT_EQ(refused(open(1'000'000), more(1)), "CREDITS_TOO_MANY");
  EXPECT_EQ(refused(open(1), ack("1")), "SUBSCRIBER_MISSING");
  EXPECT_EQ(refused(open(1), open(1, "other")), "FIRST_REQUEST_ONLY");
  EXPECT_EQ(refused(open(1), open(1, "", "1")), "FIRST_REQUEST_ONLY");
  // Where it cannot be asked, the end is not taken for the beginning.
  engine_.lose_end(absl::UnavailableError("out of reach"));
  SubscribeRequest now = open(1);
  now.set_from_now(true);
  EXPECT_EQ(refused(now), "SHARD_UNAVAILABLE");
}

TEST_F(SubscriptionTest, StreamsComeAndGoWhileActionsFlow) {
  std::thread producer([this] {
    for (int i = 0; i < 2'000; ++i) engine_.add_action("x");
  });
  for (int i = 0; i < 50; ++i) {
    const auto s = stream();
    s->send(open(100, i % 2 == 0 ? "mailer" : ""));
    s->templates(1);
  }
  producer.join();
}

}  // namespace
}  // namespace spur::services
