// Records of every format through an Intake and through the engine: what of them is folded where,
// what is passed on, and what a replay compares.
#include <set>
#include <span>

#include "absl/strings/str_join.h"
#include "daemon/inputs/headers.h"
#include "daemon/intake.h"
#include "operators/catalog/compile.h"
#include "spur/v1/message.pb.h"
#include "state/memory_store.h"
#include "tests/daemon/engine_fixture.h"

namespace spur::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

constexpr const char* kMore = R"(
---
apiVersion: spur/v1
kind: Source
metadata: {name: till}
spec:
  topic: events.till
  format: json
  map: {name: "'Order Completed'", time: timestamp(body.at), identities: {user_id: "body.?card"}}
---
apiVersion: spur/v1
kind: Source
metadata: {name: club}
spec:
  topic: events.club
  format: json
  map:
    name: body.?what.orValue('Order Completed')
    time: timestamp(body.at)
    identities: {anonymous_id: "body.?device", loyalty_id: "body.?card", email: "body.?mail"}
---
apiVersion: spur/v1
kind: Source
metadata: {name: cloud}
spec: {topic: events.cloud, format: cloudevents}
---
apiVersion: spur/v1
kind: Reference
metadata: {name: products}
spec: {topic: business.products, key: body.id}
)";

spur::v1::Catalog formats_catalog() {
  spur::v1::Catalog catalog = shop_catalog();
  const catalog::Loaded more = catalog::load_text("more.yaml", kMore);
  EXPECT_TRUE(more.errors.empty()) << catalog::to_text(more.errors);
  catalog.mutable_sources()->MergeFrom(more.catalog.sources());
  catalog.mutable_references()->MergeFrom(more.catalog.references());
  return catalog;
}

std::string batch(const std::vector<std::string>& calls, std::string_view more = "") {
  return absl::StrCat("{\"batch\":[", absl::StrJoin(calls, ","), "]", std::string(more), "}");
}

// Somebody who lives on `shard` of two.
std::string living_on(std::uint32_t shard) {
  for (int i = 0;; ++i) {
    if (std::string name = absl::StrCat("user", i); shard_of(name, 2) == shard) return name;
  }
}

// What the members say, of the Source club at noon.
std::string club(std::string_view members) {
  return absl::StrCat(R"({"at":"2026-03-01T12:00:00Z",)", std::string(members), "}");
}
std::string card(std::string_view number, std::string_view more = "") {
  return club(absl::StrCat(R"("card":")", std::string(number), R"(")", std::string(more)));
}

// Shard 0 of two, fed by hand.
class IntakeTest : public ::testing::Test {
 protected:
  IntakeTest() {
    auto compiled = catalog::compile(formats_catalog());
    EXPECT_TRUE(compiled.errors.empty());
    shard_.begin_run({1, kNoon, kNoon, ClockMode::kWall}, scores_);
    shard_.apply_catalog(compiled.compiled);
  }

  // A record of a topic, with its headers as the Kafka log gives them.
  InputRecord record(std::string_view topic, const std::string& value, const std::string& headers) {
    InputRecord record;
    record.offset = offset_++;
    record.received = kNoon;
    record.topic = topic;
    record.value = value;
    record.message = &headers;
    record.read_headers = [](const void* message, std::string& to) {
      to += *static_cast<const std::string*>(message);
    };
    return record;
  }
  void take(std::string_view topic, const std::string& value, const std::string& headers = "",
            std::uint32_t source = kFirstTopicSource) {
    intake_.input(source, record(topic, value, headers), effects_);
  }
  struct Taken {
    Effects effects;
    std::uint64_t repeated = 0;  // copies of the message that were known
  };
  // What shard 1 makes of it, which reads the message `copies` times.
  Taken taken_by_the_other(const Forward& forward, int copies = 1) {
    Customers customers(store_);
    Shard other(1, 2, customers);
    other.begin_run({1, kNoon, kNoon, ClockMode::kWall}, scores_);
    other.apply_catalog(shard_.catalog());
    Intake intake(0, other, *crumb_, {});
    spur::v1::ShardMessage message;
    message.set_seq(forward.seq);
    message.mutable_event()->set_source(forward.source);
    message.mutable_event()->set_value(forward.value);
    message.mutable_event()->set_headers(forward.headers);
    message.mutable_event()->set_received_ms(kNoon.ms);
    const std::string bytes = message.SerializeAsString();
    InputRecord record;
    record.value = bytes;
    Taken taken;
    for (; copies > 0; --copies) intake.input(kMessageSource, record, taken.effects);
    taken.repeated = other.counters().messages_repeated;
    return taken;
  }
  std::uint64_t slice_hash() { return intake_.take_slices().back().hash(); }

  TemporaryFolder folder_;
  MemoryStore store_;
  Customers customers_{store_};
  Shard shard_{0, 2, customers_};
  ScoreTape scores_;
  std::unique_ptr<Breadcrumb> crumb_ = *Breadcrumb::open(folder_.path() + "/crumb", 1);
  Intake intake_{0, shard_, *crumb_, {}};
  Effects effects_;
  Offset offset_ = 7;
};

std::string cloud_headers(std::string_view customer, std::string_view id = "1") {
  std::string packed;
  for (const auto& [name, value] :
       {std::pair<std::string_view, std::string_view>{"ce_specversion", "1.0"},
        {"ce_id", id},
        {"ce_source", "/s"},
        {"ce_type", "Order Completed"},
        {"ce_subject", customer}})
    pack_header(name, value, packed);
  return packed;
}

TEST_F(IntakeTest, ABatchIsOneInputOfTheJournalAndEachCallGoesItsWay) {
  const std::string here = living_on(0), there = living_on(1);
  const std::string away = track(there, "Order Completed", 2, kNoon);
  take("events.shop", batch({track(here, "Order Completed", 1, kNoon), "7", away}));
  const auto slices = intake_.take_slices();
  ASSERT_THAT(slices, SizeIs(1));
  EXPECT_EQ(slices[0].count(), 1u);
  EXPECT_EQ(slices[0].first_offset(), 7u);
  EXPECT_EQ(slices[0].last_offset(), 7u);
  ASSERT_THAT(effects_.decisions, SizeIs(1));
  EXPECT_EQ(effects_.decisions[0].customer, "user_id:" + here);
  ASSERT_THAT(effects_.dead_letters, SizeIs(1));
  EXPECT_EQ(effects_.dead_letters[0].value, "7");
  EXPECT_EQ(effects_.dead_letters[0].offset, 7u);
  ASSERT_THAT(effects_.forwards, SizeIs(1));
  EXPECT_EQ(effects_.forwards[0].value, away);  // the call alone, not the batch
}

TEST_F(IntakeTest, EachEffectOfABatchHasAnIdOfItsOwn) {
  std::vector<std::string> calls;
  for (int i = 0; i < 20; ++i)
    calls.push_back(i % 3 == 0 ? "{}" : track(living_on(0), "Order Completed", i, kNoon));
  take("events.shop", batch(calls));
  std::set<ActionId> ids;
  for (const Decision& decision : effects_.decisions) ids.insert(decision.id);
  for (const DeadLetter& letter : effects_.dead_letters) ids.insert(letter.id);
  EXPECT_EQ(ids.size(), 20u);
}

TEST_F(IntakeTest, ACloudEventInBinaryModeIsReadWithItsHeaders) {
  take("events.cloud", "", cloud_headers(living_on(0)));
  ASSERT_THAT(effects_.decisions, SizeIs(1));
  EXPECT_EQ(effects_.decisions[0].cause_event_id, "/s 1");
}

TEST_F(IntakeTest, ForAnotherShardItTakesItsHeadersAlongAndIsReadThere) {
  const std::string there = living_on(1);
  take("events.cloud", "{}", cloud_headers(there));
  ASSERT_THAT(effects_.forwards, SizeIs(1));
  const Forward& forward = effects_.forwards[0];
  EXPECT_EQ(forward.headers, cloud_headers(there));

  const Effects effects = taken_by_the_other(forward).effects;
  ASSERT_THAT(effects.decisions, SizeIs(1));
  EXPECT_EQ(effects.decisions[0].customer, "user_id:" + there);
}

// A topic that is keyed by the card's number needs no forwarding.
TEST_F(IntakeTest, ACustomerKnownByACardLivesWhereItsNumberLeads) {
  const std::string here = living_on(0);
  take("events.club", card(here));
  take("events.club", club(absl::StrCat(R"("mail":")", here, R"(")")));
  take("events.shop", track(here, "Order Completed", 1, kNoon));
  EXPECT_THAT(effects_.forwards, SizeIs(0));
  ASSERT_THAT(effects_.decisions, SizeIs(3));
  EXPECT_EQ(effects_.decisions[0].customer, "loyalty_id:" + here);
  EXPECT_EQ(effects_.decisions[1].customer, "email:" + here);
  EXPECT_EQ(effects_.decisions[2].customer, "user_id:" + here);
  for (const Decision& decision : effects_.decisions) EXPECT_EQ(decision.data, R"({"orders":1})");
}

TEST_F(IntakeTest, AReceiptThatIsKeyedOtherwiseIsPassedOnAndTakenThereOnce) {
  const std::string there = living_on(1);
  take("events.club", card(there));
  EXPECT_THAT(effects_.decisions, SizeIs(0));
  ASSERT_THAT(effects_.forwards, SizeIs(1));
  const Forward& forward = effects_.forwards[0];
  EXPECT_EQ(forward.to, 1u);

  const auto [effects, repeated] = taken_by_the_other(forward, 2);
  ASSERT_THAT(effects.decisions, SizeIs(1));
  EXPECT_EQ(effects.decisions[0].customer, "loyalty_id:" + there);
  EXPECT_EQ(repeated, 1u);
}

TEST_F(IntakeTest, ADeadLetterKeepsTheHeadersThatItsFormatReads) {
  take("events.cloud", "[", cloud_headers("ann"));
  ASSERT_THAT(effects_.dead_letters, SizeIs(1));
  EXPECT_EQ(effects_.dead_letters[0].headers, cloud_headers("ann"));
}

TEST_F(IntakeTest, AQuarantinedRecordKeepsThemToo) {
  for (const std::string topic : {"events.cloud", "events.till"}) {
    const std::string headers = cloud_headers("ann");
    intake_.quarantine(kFirstTopicSource, record(topic, "{}", headers), "it crashed", effects_);
  }
  ASSERT_THAT(effects_.dead_letters, SizeIs(2));
  EXPECT_EQ(effects_.dead_letters[0].reason, "QUARANTINED");
  EXPECT_EQ(effects_.dead_letters[0].headers, cloud_headers("ann"));
  EXPECT_EQ(effects_.dead_letters[0].topic, "events.cloud");
  EXPECT_EQ(effects_.dead_letters[1].headers, "");  // another format, which reads none
}

TEST(SliceHashTest, HeadersAndTheRecordBehindThemDoNotRunTogether) {
  const std::uint64_t head[5] = {2, static_cast<std::uint64_t>(kNoon.ms), 0, 0, 0};
  SliceHash headers, another;
  headers.add(1, kNoon, "", "", "{}");
  headers.add_headers({reinterpret_cast<const char*>(head), sizeof head});
  another.add(1, kNoon, "", "", "{}");
  another.add_headers("");
  another.add(2, kNoon, "", "", "");
  EXPECT_NE(headers.value(), another.value());
}

TEST_F(IntakeTest, ChangedHeadersAreChangedInputWhereTheyAreRead) {
  const auto hash = [&](std::string_view topic, const std::string& headers) {
    offset_ = 7;
    take(topic, "{}", headers);
    return slice_hash();
  };
  EXPECT_NE(hash("events.cloud", cloud_headers("ann")), hash("events.cloud", cloud_headers("ben")));
  EXPECT_EQ(hash("events.cloud", cloud_headers("ann")), hash("events.cloud", cloud_headers("ann")));
  EXPECT_EQ(hash("events.till", cloud_headers("ann")), hash("events.till", ""));
}

TEST_F(IntakeTest, ARecordOfATopicOfBusinessDataIsOneOfThatReference) {
  take("business.products", R"({"id":"p1","price":80})");
  EXPECT_THAT(effects_.dead_letters, SizeIs(0));
  take("business.products", R"({"price":80})");
  ASSERT_THAT(effects_.dead_letters, SizeIs(1));
  EXPECT_EQ(effects_.dead_letters[0].reason, "MISSING_KEY");
  EXPECT_EQ(effects_.dead_letters[0].topic, "business.products");
}

// The embedded log has no messages to pass an event on with.
TEST_F(IntakeTest, WhatWasRoutedToTheWrongShardWhenPublishedIsADeadLetter) {
  take("", track(living_on(1), "Order Completed", 1, kNoon), "", kInputSource);
  EXPECT_THAT(effects_.forwards, SizeIs(0));
  ASSERT_THAT(effects_.dead_letters, SizeIs(1));
  EXPECT_EQ(effects_.dead_letters[0].reason, "MISROUTED");
}

using FormatsTest = EngineTest;

// It was refused to its publisher, and read as a batch of its own by the shard.
TEST_F(FormatsTest, ABatchInsideABatchIsRefusedToItsPublisherAndByTheShard) {
  open();
  apply(formats_catalog());
  const auto published = publish({batch({batch({track("ann", "Order Completed", 1, kNoon)}),
                                         track("ben", "Order Completed", 2, kNoon)})});
  ASSERT_TRUE(published.ok()) << published.status();
  EXPECT_EQ((*published)[0].dead_letter_reason, "WRONG_TYPE");
  ASSERT_TRUE(settle());
  EXPECT_THAT(actions(), SizeIs(1));  // ben's
  std::vector<std::string> reasons;
  for (std::uint32_t shard = 0; shard < 2; ++shard) {
    const auto letters = engine_->dead_letters(shard, 10);
    for (const auto& letter : *letters) reasons.push_back(letter.reason());
  }
  EXPECT_THAT(reasons, ElementsAre("WRONG_TYPE"));
}

TEST_F(FormatsTest, APublishedBatchBecomesItsCallsEachAtItsCustomersShard) {
  open();
  apply(formats_catalog());
  std::vector<std::string> calls;
  for (int i = 0; i < 10; ++i)
    calls.push_back(track(absl::StrCat("user", i), "Order Completed", i, kNoon));
  calls.push_back("{}");
  const auto published = publish({batch(calls), track("zoe", "Order Completed", 99, kNoon)});
  ASSERT_TRUE(published.ok()) << published.status();
  ASSERT_THAT(*published, SizeIs(2));
  EXPECT_EQ((*published)[0].dead_letter_reason, "MISSING_TYPE");
  EXPECT_EQ((*published)[1].dead_letter_reason, "");
  EXPECT_EQ((*published)[1].shard, shard_of("zoe", 2));
  ASSERT_TRUE(settle());
  EXPECT_THAT(actions(), SizeIs(11));
  EXPECT_EQ(inputs_in_log(), 12u);
  const auto letters = engine_->dead_letters((*published)[0].shard, 10);
  ASSERT_THAT(*letters, SizeIs(1));
  EXPECT_EQ((*letters)[0].value(), "{}");
}

TEST_F(FormatsTest, ABatchPublishedAgainChangesNothingAndSurvivesACrash) {
  open();
  apply(formats_catalog());
  const std::string two =
      batch({track("ann", "Order Completed", 1, kNoon), track("ben", "Order Completed", 2, kNoon)},
            R"(,"sentAt":"2026-03-01T12:00:00Z","context":{"ip":"1"})");
  ASSERT_TRUE(publish({two}).ok());
  ASSERT_TRUE(settle());
  crash_and_reopen();
  ASSERT_TRUE(publish({two}).ok());
  ASSERT_TRUE(settle());
  EXPECT_THAT(actions(), SizeIs(2));
}

TEST_F(FormatsTest, EachSourceIsReadInItsFormat) {
  open();
  apply(formats_catalog());
  const auto till = publish(
      {R"({"at":"2026-03-01T12:00:00Z","card":17})", R"({"at":"2026-03-01T12:00:00Z"})"}, "till");
  ASSERT_TRUE(till.ok());
  EXPECT_EQ((*till)[0].shard, shard_of("17", 2));
  EXPECT_EQ((*till)[1].dead_letter_reason, "MISSING_IDENTITY");
  const auto cloud = publish(
      {R"({"specversion":"1.0","id":"1","source":"/s","type":"Order Completed","subject":"ann"})",
       "[]"},
      "cloud");
  ASSERT_TRUE(cloud.ok());
  EXPECT_EQ((*cloud)[0].dead_letter_reason, "");  // its time is when the log took it
  EXPECT_EQ((*cloud)[1].dead_letter_reason, "WRONG_TYPE");
  ASSERT_TRUE(settle());
  EXPECT_THAT(actions(), ::testing::UnorderedElementsAre("user_id:17 greet 12:00:00",
                                                         "user_id:ann greet 12:00:00"));
}

TEST_F(FormatsTest, ACustomerKnownByACardIsRoutedByItsNumberAndSentUnderItsName) {
  open();
  apply(formats_catalog());
  const auto published = publish(
      {card("4711"), card("4711", R"(,"device":"d","mail":"ann@x")"), club(R"("mail":"4711")"),
       club(R"("device":"4711")"), club(R"("card":null,"mail":"")")},
      "club");
  ASSERT_TRUE(published.ok());
  for (const Published& one : std::span(*published).first(4)) {
    EXPECT_EQ(one.shard, shard_of("4711", 2));
    EXPECT_EQ(one.dead_letter_reason, "");
  }
  EXPECT_EQ((*published)[4].dead_letter_reason, "MISSING_IDENTITY");
  ASSERT_TRUE(settle());
  EXPECT_THAT(actions(), ::testing::UnorderedElementsAre(
                             "loyalty_id:4711 greet 12:00:00", "loyalty_id:4711 greet 12:00:00",
                             "email:4711 greet 12:00:00", "anonymous_id:4711 greet 12:00:00"));
  EXPECT_THAT(*engine_->decisions_of("loyalty_id:4711", 10), SizeIs(2));
  EXPECT_THAT(*engine_->decisions_of("user_id:4711", 10), SizeIs(0));
}

// Its first events are in the rows of the state, its last in the journal alone.
TEST_F(FormatsTest, ACustomerKnownByACardIsTheSameBehindAWriteAndARestart) {
  options_.flush_interval = std::chrono::seconds(1);
  open();
  apply(formats_catalog());
  ASSERT_TRUE(
      publish({card("4711"), club(R"("card":"left","what":"Product Added")")}, "club").ok());
  ASSERT_TRUE(publish({track("4711", "Order Completed", 1, kNoon)}).ok());
  ASSERT_TRUE(settle());
  clock_.advance(Millis{2'000});
  for (const std::uint32_t shard : {shard_of("4711", 2), shard_of("left", 2)}) {
    while (engine_->stats().shards[shard].flushes == 0) ASSERT_TRUE(settle());
  }
  crash_and_reopen();
  ASSERT_TRUE(publish({card("4711", R"(,"again":1)")}, "club").ok());
  clock_.advance(kHour * 2);
  ASSERT_TRUE(settle());
  EXPECT_THAT(actions(),
              ::testing::UnorderedElementsAre(
                  "loyalty_id:4711 greet 12:00:00", "user_id:4711 greet 12:00:00",
                  "loyalty_id:4711 greet 12:00:00", "loyalty_id:left cart-abandoned 13:00:00"));
  const auto decisions = engine_->decisions_of("loyalty_id:4711", 10);
  ASSERT_THAT(*decisions, SizeIs(2));
  EXPECT_EQ((*decisions)[0].data_json(), R"({"orders":2})");
}

TEST_F(FormatsTest, ARequestWhoseBatchesGrowTooLargeIsRefusedWhole) {
  open();
  apply(formats_catalog());
  // Each batch is some kilobytes, and a mebibyte once written out.
  std::vector<std::string> calls(590, "{}");
  const std::string large =
      batch(calls, absl::StrCat(R"(,"context":{"a":")", std::string(1'760, 'x'), R"("})"));
  const auto published = publish(std::vector<std::string>(70, large));
  EXPECT_EQ(published.status().code(), absl::StatusCode::kInvalidArgument) << published.status();
  EXPECT_EQ(inputs_in_log(), 0u);
}

}  // namespace
}  // namespace spur::testing
