// spur.v1.Event as the bytes of a record.
#include <functional>

#include "spur/v1/event.pb.h"
#include "tests/inputs/format_fixture.h"

namespace spur {
namespace {

class ProtobufEventTest : public Formats {
 protected:
  ProtobufEventTest() { source("{format: protobuf}"); }

  using Change = std::function<void(spur::v1::Call&)>;
  static std::string bytes(const Change& change = [](spur::v1::Call&) {}) {
    spur::v1::Event event;
    spur::v1::Call& call = *event.mutable_call();
    call.set_type(spur::v1::Call::TRACK);
    call.set_name("Order Completed");
    call.set_message_id("m1");
    call.set_user_id("ann");
    call.mutable_timestamp()->set_seconds(1'772'353'800);
    call.mutable_timestamp()->set_nanos(250'999'999);
    (*call.mutable_properties()->mutable_fields())["total"].set_number_value(5);
    change(call);
    return event.SerializeAsString();
  }
};

TEST_F(ProtobufEventTest, ACallIsAnEvent) {
  const Seen seen = one(bytes([](spur::v1::Call& call) {
    auto& list = *(*call.mutable_properties()->mutable_fields())["a"].mutable_list_value();
    list.add_values()->set_bool_value(true);
    list.add_values()->set_null_value(google::protobuf::NULL_VALUE);
    list.add_values();
    (*list.add_values()->mutable_struct_value()->mutable_fields())["x"].set_string_value("y");
  }));
  EXPECT_EQ(seen.reason, "") << seen.detail;
  EXPECT_EQ(seen.type + " " + seen.name, "track Order Completed");
  EXPECT_EQ(seen.id + seen.user, "m1ann");
  EXPECT_EQ(seen.time, Instant{1'772'353'800'250});
  EXPECT_EQ(seen.total, "5");
  EXPECT_EQ(seen.properties, "{'a':[true,null,null,{'x':'y'}],'total':5}");
}

TEST_F(ProtobufEventTest, TraitsAreThoseThatASegmentCallWouldSet) {
  const auto traits = [&](spur::v1::Call::Type type) {
    return one(bytes([&](spur::v1::Call& call) {
             call.set_type(type);
             (*call.mutable_traits()->mutable_fields())["own"].set_number_value(1);
             (*(*call.mutable_context()->mutable_fields())["traits"]
                   .mutable_struct_value()
                   ->mutable_fields())["ctx"]
                 .set_number_value(2);
           }))
        .traits;
  };
  EXPECT_EQ(traits(spur::v1::Call::IDENTIFY), "{'own':1,'ctx':2}");
  EXPECT_EQ(traits(spur::v1::Call::GROUP), "{'ctx':2}");
  EXPECT_EQ(traits(spur::v1::Call::TRACK), "{'ctx':2}");
}

TEST_F(ProtobufEventTest, ANameIsOfATrackAPageOrAScreen) {
  using Call = spur::v1::Call;
  const auto name = [&](Call::Type type) {
    return one(bytes([&](Call& call) { call.set_type(type); })).name;
  };
  for (const Call::Type type : {Call::TRACK, Call::PAGE, Call::SCREEN})
    EXPECT_EQ(name(type), "Order Completed");
  for (const Call::Type type : {Call::IDENTIFY, Call::GROUP, Call::ALIAS})
    EXPECT_EQ(name(type), "");
}

TEST_F(ProtobufEventTest, JsonInsideOrInItsPlaceIsASegmentCall) {
  spur::v1::Event event;
  event.set_json(track("'properties':{'total':7}"));
  EXPECT_EQ(one(event.SerializeAsString()).total, "7");
  EXPECT_EQ(one(event.json()).total, "7");
  EXPECT_EQ(reason("{"), "TRUNCATED");
}

TEST_F(ProtobufEventTest, WhatIsNoEventIsRefused) {
  EXPECT_EQ(reason(""), "NOT_PROTOBUF");
  EXPECT_EQ(reason("hello"), "NOT_PROTOBUF");
  EXPECT_EQ(reason(bytes().substr(0, 20)), "NOT_PROTOBUF");
  EXPECT_EQ(reason(std::string((1 << 20) + 1, '\n')), "TOO_LARGE");
}

TEST_F(ProtobufEventTest, WhatMustBeThereIsMissed) {
  using Call = spur::v1::Call;
  EXPECT_EQ(reason(bytes([](Call& c) { c.clear_type(); })), "MISSING_TYPE");
  EXPECT_EQ(reason(bytes([](Call& c) { c.set_type(static_cast<Call::Type>(7)); })), "UNKNOWN_TYPE");
  EXPECT_EQ(reason(bytes([](Call& c) { c.clear_name(); })), "MISSING_EVENT_NAME");
  EXPECT_EQ(reason(bytes([](Call& c) { c.clear_user_id(); })), "MISSING_IDENTITY");
  EXPECT_EQ(reason(bytes([](Call& c) { c.clear_timestamp(); })), "MISSING_TIMESTAMP");
  EXPECT_EQ(reason(bytes([](Call& c) { c.mutable_timestamp()->set_seconds(-1); })),
            "TIME_OUT_OF_RANGE");
  EXPECT_EQ(reason(bytes([](Call& c) { c.mutable_timestamp()->set_seconds(1LL << 62); })),
            "TIME_OUT_OF_RANGE");
  for (const int nanos : {-1, 1'000'000'000})
    EXPECT_EQ(reason(bytes([&](Call& c) { c.mutable_timestamp()->set_nanos(nanos); })),
              "BAD_TIMESTAMP");
  EXPECT_EQ(reason(bytes([](Call& c) { c.set_name("$page"); })), "");  // a track of that name
  EXPECT_TRUE(one(bytes([](Call& c) { c.clear_message_id(); })).id.starts_with("derived-"));
}

TEST_F(ProtobufEventTest, TheLimitsOfAMessageHold) {
  using Call = spur::v1::Call;
  const auto deep = [](int depth) {
    return bytes([depth](Call& c) {
      google::protobuf::Struct* at = c.mutable_properties();
      for (int i = 2; i < depth; ++i) at = (*at->mutable_fields())["a"].mutable_struct_value();
    });
  };
  EXPECT_EQ(reason(deep(32)), "");
  EXPECT_EQ(reason(deep(33)), "TOO_DEEP");
  const auto property = [](const std::function<void(google::protobuf::Value&)>& set) {
    return bytes([&](Call& c) { set((*c.mutable_properties()->mutable_fields())["x"]); });
  };
  EXPECT_EQ(reason(property([](auto& v) { v.set_number_value(1e308 * 10); })),
            "NUMBER_OUT_OF_RANGE");
  EXPECT_EQ(reason(property([](auto& v) { v.set_string_value(std::string(65'536, 'x')); })), "");
  EXPECT_EQ(reason(property([](auto& v) { v.set_string_value(std::string(65'537, 'x')); })),
            "STRING_TOO_LONG");
  EXPECT_EQ(reason(property([](auto& v) {
              for (int i = 0; i < 10'001; ++i) v.mutable_list_value()->add_values();
            })),
            "TOO_MANY_ELEMENTS");
  EXPECT_EQ(reason(property([](auto& v) {
              for (int i = 0; i < 1'025; ++i)
                (*v.mutable_struct_value()->mutable_fields())[std::to_string(i)];
            })),
            "TOO_MANY_FIELDS");
  EXPECT_EQ(reason(bytes([](Call& c) {
              (*c.mutable_properties()->mutable_fields())[std::string(257, 'k')];
            })),
            "STRING_TOO_LONG");
  EXPECT_EQ(reason(bytes([](Call& c) { c.set_user_id(std::string(1025, 'k')); })),
            "STRING_TOO_LONG");
  EXPECT_EQ(reason(bytes([](Call& c) { c.set_name(std::string(65'536, 'k')); })), "");
  EXPECT_EQ(reason(bytes([](Call& c) { c.set_name(std::string(65'537, 'k')); })),
            "STRING_TOO_LONG");
}

}  // namespace
}  // namespace spur
