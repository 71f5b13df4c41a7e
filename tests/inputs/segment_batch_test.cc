// A batch of Segment calls in one record: each of them an event or a dead letter of its own.
#include "tests/inputs/format_fixture.h"

namespace spur {
namespace {

class SegmentBatchTest : public Formats {
 protected:
  SegmentBatchTest() { source("{format: segment}"); }
};

std::string call(std::string_view user,
                 std::string_view more = "'timestamp':'2026-03-01T08:00:00Z'") {
  return quoted("{'type':'track','event':'Order Completed','userId':'" + std::string(user) + "'," +
                std::string(more) + "}");
}
std::string batch(std::string_view calls, std::string_view more = "") {
  return quoted("{'batch':[") + std::string(calls) + "]" + quoted(std::string(more)) + "}";
}

TEST_F(SegmentBatchTest, EachCallIsAnEventInTheirOrder) {
  const auto seen = all(batch(call("ann") + " ,\n" + call("ben") + "," + call("cid")));
  ASSERT_EQ(seen.size(), 3u);
  EXPECT_EQ(seen[0].user + seen[1].user + seen[2].user, "annbencid");
  EXPECT_EQ(seen[1].bytes, call("ben"));
}

TEST_F(SegmentBatchTest, ACallThatIsRefusedIsSoAloneWithItsOwnBytes) {
  const auto seen = all(batch(call("ann") + ",7,{}," + call("", "'x':1") + "," + call("ben")));
  ASSERT_EQ(seen.size(), 5u);
  EXPECT_EQ(seen[0].reason, "");
  EXPECT_EQ(seen[1].reason, "WRONG_TYPE");
  EXPECT_EQ(seen[1].bytes, "7");
  EXPECT_EQ(seen[2].reason, "MISSING_TYPE");
  EXPECT_EQ(seen[3].reason, "MISSING_IDENTITY");
  EXPECT_EQ(seen[4].user, "ben");
}

// Whatever is wrong inside the brackets of a call is wrong with that call.
TEST_F(SegmentBatchTest, ACallBeyondALimitOrBrokenIsRefusedAlone) {
  const auto with = [](const std::string& value) {
    return call("ann", "'timestamp':'2026-03-01T08:00:00Z','x':" + value);
  };
  const auto lists = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  const std::string shared = ",'sentAt':'2026-03-01T08:00:00Z'";
  for (const std::string& more : {std::string(), shared}) {
    for (const auto& [value, reason] :
         {std::pair{lists(31), ""}, std::pair{lists(32), "TOO_DEEP"},
          std::pair{lists(100'000), "TOO_DEEP"},
          std::pair{"'" + std::string(65'537, 'x') + "'", "STRING_TOO_LONG"},
          std::pair{std::string("1e999"), "NUMBER_OUT_OF_RANGE"},
          std::pair{std::string("'\\ud83d'"), "INVALID_UTF8"},
          std::pair{std::string("tru"), "NOT_JSON"}, std::pair{std::string("1 2"), "NOT_JSON"},
          std::pair{std::string("[}"), "NOT_JSON"}}) {
      const auto seen = all(batch(with(value) + "," + call("ben"), more));
      ASSERT_EQ(seen.size(), 2u) << value.substr(0, 40);
      EXPECT_EQ(seen[0].reason, reason) << value.substr(0, 40);
      EXPECT_TRUE(seen[0].reason.empty() || seen[0].bytes == with(value));
      EXPECT_EQ(seen[1].user, "ben");
    }
  }
}

TEST_F(SegmentBatchTest, WhatIsBrokenAroundTheCallsRefusesTheWhole) {
  for (const char* calls : {"{},", ",", "{}{}", "{}]", ":", "[{]", "{}}"}) {
    const auto seen = all(batch(calls));
    ASSERT_EQ(seen.size(), 1u) << calls;
    EXPECT_EQ(seen[0].bytes, batch(calls));
  }
  EXPECT_EQ(reason(batch("{}", ",'context':{'x':'" + std::string(65'537, 'x') + "'}")),
            "STRING_TOO_LONG");
}

TEST_F(SegmentBatchTest, ABatchInABatchIsNoCall) {
  const auto seen = all(batch(batch(call("ann"))));
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].reason, "WRONG_TYPE");
  // Read again, it is no more than it was.
  const auto again = all(std::string(seen[0].bytes));
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(again[0].reason, "WRONG_TYPE");
  EXPECT_EQ(again[0].bytes, seen[0].bytes);
  EXPECT_EQ(all(batch(batch("") + "," + call("ben"))).size(), 2u);  // and it alone is refused
}

TEST_F(SegmentBatchTest, WhatItSaysOnceHoldsForEachCallThatDoesNotSaySo) {
  const std::string own = "'originalTimestamp':'2026-03-01T08:00:00Z'";
  const auto seen =
      all(batch(call("ann", own) + "," + call("ben", own + ",'sentAt':null") + "," +
                    call("cid", own + ",'sentAt':'2026-03-01T08:00:09Z'"),
                ",'sentAt':'2026-03-01T08:00:05Z','receivedAt':'2026-03-01T09:00:05Z'"));
  ASSERT_EQ(seen.size(), 3u);
  // The client's clock is an hour behind.
  const Instant nine{1'772'355'600'000};
  EXPECT_EQ(seen[0].time, nine);
  EXPECT_EQ(seen[1].time, nine);
  EXPECT_EQ(seen[2].time, nine - Millis{4000});
}

TEST_F(SegmentBatchTest, ContextIsMergedKeyByKeyAndTheCallsOwnCounts) {
  const std::string shared = ",'context':{'traits':{'email':'shared@x'},'ip':'1'}";
  const std::string at = "'timestamp':'2026-03-01T08:00:00Z'";
  const auto seen = all(batch(call("ann", at) + "," + call("ben", at + ",'context': { } ") + "," +
                                  call("cid", "'context':{'ip':'2' } ," + at) + "," +
                                  call("dan", "'context':null," + at) + "," +
                                  call("eve", "'context':{'traits':{'email':'own@x'}}," + at) +
                                  "," + call("fay", at + ",'context':'x'"),
                              shared));
  ASSERT_EQ(seen.size(), 6u);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(seen[i].traits, "{'email':'shared@x'}") << i;
  EXPECT_EQ(seen[4].traits, "{'email':'own@x'}");
  EXPECT_EQ(seen[5].reason, "WRONG_TYPE");
}

TEST_F(SegmentBatchTest, OnlyAnEmptyListAndAnEmptyTimeStandForNothing) {
  const std::string at = "'originalTimestamp':'2026-03-01T08:00:00Z'";
  const auto seen = all(
      batch(call("ann", at + ",'context':[ ]") + "," + call("ben", at + ",'context':[[]]") + "," +
                call("cid", at + ",'context':''") + "," + call("dan", at + ",'sentAt':''"),
            ",'context':{'traits':{'email':'shared@x'}},"
            "'sentAt':'2026-03-01T08:00:00Z','receivedAt':'2026-03-01T09:00:00Z'"));
  ASSERT_EQ(seen.size(), 4u);
  EXPECT_EQ(seen[0].traits, "{'email':'shared@x'}");
  EXPECT_EQ(seen[1].reason, "WRONG_TYPE");
  EXPECT_EQ(seen[2].reason, "WRONG_TYPE");
  EXPECT_EQ(seen[3].time, Instant{1'772'355'600'000});  // nine: its clock is an hour behind
}

TEST_F(SegmentBatchTest, ACallWithWhatTheBatchAddsStandsForItself) {
  const auto seen =
      all(batch("{}," + call("ann") + "," + call("ben", "'integrations':{'A':false},'context':{}"),
                ",'context':{'a':[1, 2]},'integrations':{'B':true}"));
  ASSERT_EQ(seen.size(), 3u);
  EXPECT_EQ(seen[0].bytes, quoted("{'context':{'a':[1, 2]},'integrations':{'B':true}}"));
  EXPECT_EQ(seen[1].bytes,
            quoted("{'context':{'a':[1, 2]},'integrations':{'B':true},") + call("ann").substr(1));
  EXPECT_EQ(seen[2].bytes,
            call("ben", "'integrations':{'A':false,'B':true},'context':{'a':[1, 2]}"));
  // Decoded alone it is the same event: so it may be passed on to another shard.
  EXPECT_EQ(one(seen[1].bytes).id, seen[1].id);
}

TEST_F(SegmentBatchTest, WhatIsNoBatchIsRefusedAsBefore) {
  EXPECT_EQ(reason("{}"), "MISSING_TYPE");
  EXPECT_EQ(reason(quoted("{'batch':{}}")), "MISSING_TYPE");
  EXPECT_EQ(reason(quoted("{'batch':null}")), "MISSING_TYPE");
  EXPECT_EQ(reason(quoted("{'type':'','batch':[") + call("ann") + "]}"), "MISSING_TYPE");
  EXPECT_EQ(reason(quoted("{'batch':[") + call("ann")), "TRUNCATED");
  EXPECT_EQ(reason("[" + call("ann") + "]"), "WRONG_TYPE");
  EXPECT_EQ(reason(quoted("{'batch':[]}")), "EMPTY_BATCH");
}

// A call with `type` may carry a property of any name.
TEST_F(SegmentBatchTest, ACallWithAFieldBatchIsACall) {
  EXPECT_EQ(one(quoted("{'batch':[1],") + call("ann").substr(1)).user, "ann");
}

TEST_F(SegmentBatchTest, ABatchHasItsLimits) {
  std::string calls = "1";
  for (int i = 1; i < 2500; ++i) calls += ",1";
  EXPECT_EQ(all(batch(calls)).size(), 2500u);
  const auto more = all(batch(calls + ",1"));
  ASSERT_EQ(more.size(), 1u);
  EXPECT_EQ(more[0].reason, "TOO_MANY_ELEMENTS");

  // 16 calls, and `context` of so many bytes for each: 1 MiB together.
  std::string few = "1";
  for (int i = 1; i < 16; ++i) few += ",1";
  const auto shared = [](std::size_t bytes) {
    return ",'context':{'a':'" + std::string(bytes - 8, 'x') + "'}";
  };
  EXPECT_EQ(all(batch(few, shared(65'536))).size(), 16u);
  const auto large = all(batch(few, shared(65'537)));
  ASSERT_EQ(large.size(), 1u);
  EXPECT_EQ(large[0].reason, "TOO_LARGE");
}

}  // namespace
}  // namespace spur
