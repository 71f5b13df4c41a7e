// What a Publish may hold, and the order and back-pressure of a publish stream, without gRPC.
#include "daemon/grpc/publish.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/grpc/publish_stream.h"
#include "tests/services/fake_engine.h"
#include "tests/services/recording_stream.h"

namespace spur::services {
namespace {

using spur::v1::PublishRequest;
using spur::v1::PublishResponse;

PublishRequest events(int count, const std::string& json = "{}") {
  PublishRequest request;
  for (int i = 0; i < count; ++i) request.add_events()->set_json(json);
  return request;
}

TEST(PublishTest, OneTo2500EventsWithinTheBytesAllowed) {
  const PublishLimits limits{100};
  EXPECT_EQ(check_publish(events(0), limits)->reason, "EVENTS_MISSING");
  EXPECT_EQ(check_publish(events(2'501), {})->reason, "EVENTS_TOO_MANY");
  EXPECT_EQ(check_publish(events(51), limits)->reason, "REQUEST_TOO_LARGE");
  EXPECT_FALSE(check_publish(events(50), limits).has_value());
  EXPECT_FALSE(check_publish(events(2'500), {}).has_value());
}

TEST(ServiceErrorTest, EveryReasonIsDocumented) {
  std::ifstream in("docs/grpc.md");
  const std::string page((std::istreambuf_iterator<char>(in)), {});
  for (const std::string_view reason : all_reasons()) {
    EXPECT_THAT(page, ::testing::HasSubstr("| `" + std::string(reason) + "` |"));
  }
}

TEST(PublishTest, RefusedEventsAreCountedByReasonAndTheOthersGoOn) {
  metrics::EdgeCounters counters;
  const PublishResponse response = publish_response({{1, 7, ""}, {2, 8, "NOT_JSON"}}, counters);
  ASSERT_EQ(response.results_size(), 2);
  EXPECT_EQ(response.results(0).offset(), 7U);
  EXPECT_EQ(response.results(1).dead_letter_reason(), "NOT_JSON");
  EXPECT_EQ(counters.events_rejected.at("NOT_JSON").value(), 1U);
}

class PublishStreamTest : public ::testing::Test {
 protected:
  void TearDown() override {
    logic_->on_cancelled();
    EXPECT_TRUE(out_.wait_finished());
  }

  void start() {
    logic_ = std::make_shared<PublishStream>(
        PublishStream::Context{engine_, tasks_, clock_, counters_, PublishLimits{}}, out_);
    logic_->start();
  }
  void send(PublishRequest request) {
    ASSERT_TRUE(out_.wait_reading());
    ASSERT_TRUE(out_.take_read());
    logic_->on_request(std::move(request));
  }
  std::vector<std::uint64_t> offsets(std::size_t count) {
    std::vector<std::uint64_t> out;
    for (const PublishResponse& response : out_.wait_responses(count)) out.push_back(response.results(0).offset());
    return out;
  }

  SystemClock clock_;
  FakeEngine engine_;
  metrics::EdgeCounters counters_;
  TaskQueue tasks_{clock_};
  std::shared_ptr<PublishStream> logic_;  // outlives the thread of `out_`
  RecordingStream<PublishResponse> out_{[this] { logic_->on_written(); }};
};

TEST_F(PublishStreamTest, AnswersInTheOrderOfRequestsWhateverBecomesDurableFirst) {
  engine_.hold_publishes();
  start();
  for (int i = 0; i < 3; ++i) send(events(1));
  ASSERT_EQ(engine_.held(), 3U);
  engine_.complete_publish(2);
  engine_.complete_publish(1);
  EXPECT_EQ(out_.responses(), 0U);
  engine_.complete_publish(0);
  EXPECT_THAT(offsets(3), ::testing::ElementsAre(0, 1, 2));
}

TEST_F(PublishStreamTest, StopsReadingWhenTooMuchIsOnItsWay) {
  engine_.hold_publishes();
  start();
  for (std::size_t i = 0; i < PublishStream::kInFlightMax; ++i) send(events(1));
  EXPECT_FALSE(out_.take_read());
  engine_.complete_publish(0);
  offsets(1);
  EXPECT_TRUE(out_.wait_reading());
}

TEST_F(PublishStreamTest, FullQueueIsFlowControlAndNoError) {
  engine_.refuse_publishes(absl::ResourceExhaustedError("the queue of shard 0 is full"), 3);
  start();
  send(events(1));
  EXPECT_FALSE(out_.take_read());
  EXPECT_THAT(offsets(1), ::testing::ElementsAre(0));
  EXPECT_TRUE(out_.wait_reading());
  EXPECT_EQ(engine_.published(), 1U);
}

TEST_F(PublishStreamTest, OtherRefusalsEndTheStreamAfterTheEarlierAnswers) {
  engine_.hold_publishes();
  start();
  send(events(1));
  engine_.refuse_publishes(absl::UnavailableError("shutting down"), 1);
  send(events(1));
  EXPECT_EQ(out_.reason(), "");
  engine_.complete_publish(0);
  ASSERT_TRUE(out_.wait_finished());
  EXPECT_EQ(out_.responses(), 1U);
  EXPECT_EQ(out_.reason(), "SHARD_UNAVAILABLE");
}

TEST_F(PublishStreamTest, BadRequestEndsTheStreamWithItsReason) {
  start();
  send(events(0));
  ASSERT_TRUE(out_.wait_finished());
  EXPECT_EQ(out_.reason(), "EVENTS_MISSING");
}

TEST_F(PublishStreamTest, HalfClosedStreamEndsWellAfterTheLastAnswer) {
  engine_.hold_publishes();
  start();
  send(events(1));
  ASSERT_TRUE(out_.wait_reading());
  logic_->on_half_closed();
  EXPECT_EQ(out_.reason(), "");
  engine_.complete_publish(0);
  ASSERT_TRUE(out_.wait_finished());
  EXPECT_EQ(out_.reason(), "OK");
  EXPECT_EQ(out_.responses(), 1U);
}

TEST_F(PublishStreamTest, CancelledStreamNeedsNoAnswersAnyMore) {
  engine_.hold_publishes();
  start();
  send(events(1));
  logic_->on_cancelled();
  ASSERT_TRUE(out_.wait_finished());
  engine_.complete_publish(0);
}

}  // namespace
}  // namespace spur::services
