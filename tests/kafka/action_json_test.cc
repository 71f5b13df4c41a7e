#include "daemon/log/kafka/action_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/log/kafka/effect_id.h"
#include "daemon/log/kafka/instant_text.h"
#include "daemon/log/kafka/records.h"

namespace spur::kafka {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kDeployment = "00112233-4455-6677-8899-aabbccddeeff";

spur::v1::Action full_action() {
  spur::v1::Action action;
  spur::v1::ActionId& id = *action.mutable_id();
  id.set_deployment("\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff", 16);
  id.set_shard(3);
  id.set_run(0x1a2b3c4d5e6f);
  id.set_input(17);
  id.set_ordinal(2);
  action.set_channel("email");
  action.set_customer("user_id:ann \"the\" müller");
  action.set_trigger("cart-abandoned");
  action.set_instance("k1\n");
  action.set_template_("cart");
  action.set_step(1);
  action.set_data_json(R"({"items":2,"names":["a","b\"c"],"price":19.99,"zone":{}})");
  action.set_time_ms(1772353800250);
  action.set_expires_ms(1772357400000);
  action.set_cause_event_id("e7");
  action.mutable_catalog_hash()->assign("\x9f\x00\xff", 3);
  action.set_spurseq(18'446'744'073'709'551'615u);
  action.set_class_("marketing");
  action.set_received_ms(1772353800251);
  return action;
}

std::string json_of(const spur::v1::Action& action) {
  const spur::v1::ActionId& id = action.id();
  std::string record_id, json;
  append_record_id(kDeployment, id.shard(), {id.run(), id.input(), id.ordinal()}, record_id);
  InstantText instant_text;
  append_action_json(action, record_id, instant_text, json);
  return json;
}

// What channels have read since the format began: it only grows.
TEST(ActionJson, IsFlatWithTimesAsTextsAndTheVariablesAsAnObject) {
  EXPECT_EQ(
      json_of(full_action()),
      R"({"id":"00112233-4455-6677-8899-aabbccddeeff/3-1a2b3c4d5e6f-11-2","channel":"email",)"
      R"("customer":"user_id:ann \"the\" müller","trigger":"cart-abandoned","instance":"k1\n",)"
      R"("template":"cart","step":1,"class":"marketing",)"
      R"("data":{"items":2,"names":["a","b\"c"],"price":19.99,"zone":{}},)"
      R"("time":"2026-03-01T08:30:00.250Z","expires":"2026-03-01T09:30:00.000Z",)"
      R"("received":"2026-03-01T08:30:00.251Z","cause":"e7","spurseq":18446744073709551615,)"
      R"("catalog":"9f00ff"})");
}

TEST(ActionJson, ReadsBackAsTheStoredBytes) {
  const spur::v1::Action action = full_action();
  const absl::StatusOr<spur::v1::Action> read = parse_action_json(json_of(action));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->SerializeAsString(), action.SerializeAsString());
}

TEST(ActionJson, ARetractionNamesTheActionAndReadsBackToo) {
  spur::v1::Action action = full_action();
  *action.mutable_retracts() = action.id();
  action.mutable_retracts()->set_run(0x1a);
  action.set_data_json("{}");
  EXPECT_THAT(json_of(action),
              HasSubstr(R"("retracts":"00112233-4455-6677-8899-aabbccddeeff/3-1a-11-2"})"));
  const absl::StatusOr<spur::v1::Action> read = parse_action_json(json_of(action));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->SerializeAsString(), action.SerializeAsString());
}

TEST(Records, TheHeadersOfARetractionSayThatItIsOne) {
  RecordMaker maker(kDeployment);
  for (const bool retraction : {true, false, true}) {
    spur::v1::Action action = full_action();
    if (retraction) *action.mutable_retracts() = action.id();
    const RunEffects::Action stored{"actions.email", 5, "ann", action.SerializeAsString()};
    const EffectRecord record = maker.action(stored, true);
    const void* value = nullptr;
    std::size_t size = 0;
    ASSERT_EQ(rd_kafka_header_get_last(record.headers.get(), "ce_type", &value, &size),
              RD_KAFKA_RESP_ERR_NO_ERROR);
    EXPECT_EQ(std::string_view(static_cast<const char*>(value), size),
              retraction ? "spur.retraction.v1" : "spur.action.v1");
  }
}

TEST(ActionJson, AnActionWithNothingOptionalReadsBackToo) {
  spur::v1::Action action;
  *action.mutable_id() = full_action().id();
  action.set_channel("sms");
  action.set_customer("user_id:1");
  action.set_time_ms(1);
  action.set_spurseq(1);
  const absl::StatusOr<spur::v1::Action> read = parse_action_json(json_of(action));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->SerializeAsString(), action.SerializeAsString());
}

TEST(ActionJson, WhatIsNoActionSaysWhichFieldIsWrong) {
  const auto why = [](std::string_view json) {
    const absl::StatusOr<spur::v1::Action> read = parse_action_json(json);
    return read.ok() ? std::string("read") : std::string(read.status().message());
  };
  EXPECT_THAT(why("{"), HasSubstr("`id`"));
  EXPECT_THAT(why(""), HasSubstr("parse"));
  EXPECT_THAT(why(R"({"id":"d/0-1-0"})"), HasSubstr("`id`"));
  EXPECT_THAT(why(R"({"id":"d/0-1-0-0","step":-1,"spurseq":1})"), HasSubstr("`step`"));
  EXPECT_THAT(why(R"({"id":"d/0-1-0-0","step":0,"spurseq":1,"time":"yesterday"})"),
              HasSubstr("`time`"));
}

TEST(RecordId, NamesAnEffectAndIsReadBack) {
  std::string text;
  append_record_id(kDeployment, 255, {UINT64_MAX, UINT32_MAX, 0}, text);
  EXPECT_EQ(text, std::string(kDeployment) + "/ff-ffffffffffffffff-ffffffff-0");
  const std::optional<RecordId> read = parse_record_id(text);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->deployment, kDeployment);
  EXPECT_EQ(read->shard, 255u);
  EXPECT_EQ(read->id, (EffectId{UINT64_MAX, UINT32_MAX, 0}));
  for (const char* wrong : {"", "d", "d/", "d/1-2-3", "d/1-2-3-4-5", "d/1-2-3-g",
                            "d/100000000-2-3-4", "d/1-2-100000000-4"})
    EXPECT_FALSE(parse_record_id(wrong).has_value()) << wrong;
}

TEST(InstantText, WritesEachInstantAlsoAcrossDays) {
  InstantText text;
  EXPECT_EQ(text(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(text(86'399'999), "1970-01-01T23:59:59.999Z");
  EXPECT_EQ(text(86'400'000), "1970-01-02T00:00:00.000Z");
  EXPECT_EQ(text(951'782'400'001), "2000-02-29T00:00:00.001Z");
  EXPECT_EQ(text(-1), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(text(31'536'000'000'000), "2969-05-03T00:00:00.000Z");
}

}  // namespace
}  // namespace spur::kafka
