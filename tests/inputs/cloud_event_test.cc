// CloudEvents 1.0: both modes of the Kafka binding, and what a map may change.
#include "daemon/inputs/headers.h"
#include "operators/expression/utf8.h"
#include "tests/inputs/format_fixture.h"

namespace spur {
namespace {

std::string structured(std::string_view more = ",'data':{'total':5}") {
  return quoted(
      "{'specversion':'1.0','id':'7','source':'/shop','type':'Order Completed','subject':'ann',"
      "'time':'2026-03-01T08:30:00Z'" +
      std::string(more) + "}");
}

using HeaderList = std::vector<std::pair<std::string_view, std::string_view>>;
std::string packed(const HeaderList& headers) {
  std::string bytes;
  for (const auto& [name, value] : headers) pack_header(name, value, bytes);
  return bytes;
}
HeaderList binary() {
  return {{"ce_specversion", "1.0"}, {"ce_id", "7"},
          {"ce_source", "/shop"},    {"ce_type", "Order Completed"},
          {"ce_subject", "ann"},     {"ce_time", "2026-03-01T08:30:00Z"}};
}
HeaderList with(std::string_view name, std::string_view value) {
  HeaderList headers = binary();
  for (auto& [key, text] : headers) {
    if (key == name) {
      text = value;
      return headers;
    }
  }
  headers.emplace_back(name, value);
  return headers;
}

HeaderList without_header(std::string_view name) {
  HeaderList headers = binary();
  std::erase_if(headers, [&](const auto& header) { return header.first == name; });
  return headers;
}

class CloudEventTest : public Formats {
 protected:
  CloudEventTest() { source("{format: cloudevents}"); }
};

TEST_F(CloudEventTest, BothModesMakeTheSameEvent) {
  for (const Seen& seen : {one(structured()), one(R"({"total":5})", packed(binary()))}) {
    EXPECT_EQ(seen.reason, "") << seen.detail;
    EXPECT_EQ(seen.type + " " + seen.name, "track Order Completed");
    EXPECT_EQ(seen.id, "/shop 7");
    EXPECT_EQ(seen.user, "ann");
    EXPECT_EQ(seen.time, Instant{1'772'353'800'000});
    EXPECT_EQ(seen.total, "5");
    EXPECT_EQ(seen.properties, "{'total':5}");
  }
}

TEST_F(CloudEventTest, TheContentTypeTellsTheMode) {
  for (const char* type :
       {"application/cloudevents+json", "Application/CloudEvents+JSON; charset=utf-8",
        "application/cloudevents"}) {
    EXPECT_EQ(one(structured(), packed({{"content-type", type}})).reason, "") << type;
    // ce_ headers beside it are not looked at.
    EXPECT_EQ(one(structured(), packed(with("content-type", type))).id, "/shop 7");
  }
  EXPECT_EQ(reason(structured(), packed({{"content-type", "application/cloudevents+avro"}})),
            "UNSUPPORTED_CONTENT");
  EXPECT_EQ(reason("[" + structured() + "]",
                   packed({{"content-type", "application/cloudevents-batch+json"}})),
            "UNSUPPORTED_CONTENT");
  EXPECT_EQ(one(structured(), packed({{"traceparent", "00-1"}})).id, "/shop 7");
}

// A dead letter's detail is a text, and a record with another could never be read back.
TEST_F(CloudEventTest, OfAHeaderThatIsNoUtf8NothingIsQuoted) {
  for (const Seen& seen :
       {one(structured(), packed({{"content-type", "application/cloudevents+\xff"}})),
        one("{}", packed(with("content-type", "application/\xff"))),
        one("{}", packed(with("ce_\xff", "x"))), one("{}", packed(with("ce_type", "\xff")))}) {
    EXPECT_EQ(seen.reason, "INVALID_UTF8");
    EXPECT_TRUE(expression::is_utf8(seen.detail)) << seen.detail;
  }
  // What is no attribute may be any bytes.
  EXPECT_EQ(one("{}", packed(with("\xff", "\xfe"))).id, "/shop 7");
}

TEST_F(CloudEventTest, WhatIsRequiredIsMissed) {
  for (const std::string name : {"id", "source", "type", "specversion"}) {
    std::string without = structured();
    const std::string key = quoted("'" + name + "'");
    without.replace(without.find(key), key.size(), "\"other\"");
    const Seen seen = one(without), bare = one("{}", packed(without_header("ce_" + name)));
    EXPECT_EQ(seen.reason, "MISSING_ATTRIBUTE") << without;
    EXPECT_THAT(seen.detail, testing::HasSubstr("`" + name + "`"));
    // Without the header that says so the record is not in binary mode, and {} no CloudEvent.
    EXPECT_EQ(bare.reason, "MISSING_ATTRIBUTE") << name;
    EXPECT_EQ(reason("{}", packed(with("ce_" + name, ""))), "MISSING_ATTRIBUTE") << name;
  }
  EXPECT_EQ(reason("{}", packed(with("ce_specversion", "0.3"))), "BAD_ATTRIBUTE");
  EXPECT_EQ(reason("{}", packed(with("ce_subject", ""))), "MISSING_IDENTITY");
}

TEST_F(CloudEventTest, AnAttributeIsAText) {
  EXPECT_EQ(reason(quoted("{'specversion':'1.0','id':7,'source':'/s','type':'A','subject':'u'}")),
            "WRONG_TYPE");
  EXPECT_EQ(reason(quoted("{'specversion':'1.0','id':'7','source':'/s','type':'A','subject':{}}")),
            "WRONG_TYPE");
  EXPECT_EQ(
      reason(quoted("{'specversion':'1.0','id':'7','source':'/s','type':'A','subject':null}")),
      "MISSING_IDENTITY");
  EXPECT_EQ(reason("{}", packed(with("ce_subject", "\xff"))), "INVALID_UTF8");
  EXPECT_EQ(reason("{}", packed(with("ce_subject", std::string(1025, 'x')))), "STRING_TOO_LONG");
  EXPECT_EQ(reason("{}", packed(with("ce_x", std::string(65'537, 'x')))), "STRING_TOO_LONG");
}

TEST_F(CloudEventTest, WithoutATimeItIsWhenTheLogTookIt) {
  const std::string bytes =
      quoted("{'specversion':'1.0','id':'7','source':'/s','type':'A','subject':'u'}");
  EXPECT_EQ(one(bytes, {}, Instant{123'456}).time, Instant{123'456});
  EXPECT_EQ(one(bytes).reason, "MISSING_TIMESTAMP");  // a file has no such time
  EXPECT_EQ(reason(structured(",'time':'x'")), "");   // the first of a key counts
  EXPECT_EQ(reason("{}", packed(with("ce_time", "yesterday"))), "BAD_TIMESTAMP");
}

TEST_F(CloudEventTest, DataIsAnObjectOfJsonOrNothing) {
  EXPECT_EQ(one(structured("")).properties, "absent");
  EXPECT_EQ(one(structured(",'data':null")).properties, "absent");
  EXPECT_EQ(one("", packed(binary())).properties, "absent");
  for (const char* data : {"'{}'", "7", "[]", "true"})
    EXPECT_EQ(reason(structured(",'data':" + std::string(data))), "WRONG_TYPE") << data;
  EXPECT_EQ(reason("[]", packed(binary())), "WRONG_TYPE");
  EXPECT_EQ(reason("{", packed(binary())), "TRUNCATED");
  EXPECT_EQ(reason("<a/>", packed(with("content-type", "application/xml"))), "UNSUPPORTED_CONTENT");
  EXPECT_EQ(reason(structured(",'datacontenttype':'text/xml','data':'<a/>'")),
            "UNSUPPORTED_CONTENT");
  EXPECT_EQ(
      one(R"({"total":5})", packed(with("content-type", "application/vnd.shop+json; v=1"))).total,
      "5");
}

TEST_F(CloudEventTest, DataInBase64IsReadIfItSaysThatItIsJson) {
  const std::string encoded = ",'data_base64':'eyJ0b3RhbCI6NX0='";
  EXPECT_EQ(one(structured(encoded + ",'datacontenttype':'application/json'")).total, "5");
  EXPECT_EQ(reason(structured(encoded)), "UNSUPPORTED_CONTENT");
  EXPECT_EQ(reason(structured(",'data_base64':'?','datacontenttype':'application/json'")),
            "WRONG_TYPE");
  EXPECT_EQ(reason(structured(encoded + ",'data':{},'datacontenttype':'application/json'")),
            "BAD_ATTRIBUTE");
}

TEST_F(CloudEventTest, WhatIsNoJsonIsRefused) {
  EXPECT_EQ(reason(""), "NOT_JSON");
  EXPECT_EQ(reason("[]"), "WRONG_TYPE");
  EXPECT_EQ(reason(structured().substr(0, 50)), "TRUNCATED");
}

TEST_F(CloudEventTest, InBinaryModeAnotherTypeUnderOneIdIsOtherContent) {
  const Seen first = one("{}", packed(binary())), same = one("{}", packed(with("ce_x", "1")));
  EXPECT_EQ(first.content, same.content);
  EXPECT_NE(first.content, one("{}", packed(with("ce_type", "A"))).content);
}

TEST_F(CloudEventTest, WhereAMapFindsNoIdAnotherIdOrSourceIsAnotherEvent) {
  source("{format: cloudevents, map: {id: \"body.?order\"}}");
  const std::string id = one("{}", packed(binary())).id;
  EXPECT_TRUE(id.starts_with("derived-")) << id;
  EXPECT_EQ(one("{}", packed(with("ce_x", "1"))).id, id);
  EXPECT_NE(one("{}", packed(with("ce_id", "8"))).id, id);
  EXPECT_NE(one("{}", packed(with("ce_source", "/till"))).id, id);
  EXPECT_NE(one(structured()).id, one(structured(",'x':1")).id);
}

TEST_F(CloudEventTest, AMapSeesBothModesAlikeAndChangesWhatItNames) {
  source(
      "{format: cloudevents, map: {identities: {user_id: body.data.customer.id}, "
      "traits: {tier: \"body.?tier\"}}}");
  const std::string data = "{'customer':{'id':9},'total':5}";
  for (const Seen& seen : {one(structured(",'tier':'gold','data':" + data)),
                           one(quoted(data), packed(with("ce_tier", "gold")))}) {
    EXPECT_EQ(seen.reason, "") << seen.detail;
    EXPECT_EQ(seen.user, "9");
    EXPECT_EQ(seen.total, "5");
    EXPECT_EQ(seen.traits, "{'tier':'gold'}");
    EXPECT_EQ(seen.id, "/shop 7");
  }
  EXPECT_EQ(reason(structured()), "MAPPING_FAILED");
}

TEST_F(CloudEventTest, AMapMayUnwrapASegmentCall) {
  source(
      "{format: cloudevents, map: {id: body.data.messageId, name: body.data.event, "
      "identities: {user_id: body.data.userId}, properties: body.data.properties}}");
  const Seen seen = one(
      structured(",'data':{'messageId':'m','event':'A','userId':'u','properties':{'total':1}}"));
  EXPECT_EQ(seen.id + seen.name + seen.user + seen.total, "mAu1");
}

TEST(HeadersTest, PackedAndUnpackedTheyAreTheSame) {
  const std::string bytes = packed({{"a", ""}, {"", std::string_view("x\0y", 3)}, {"c", "d"}});
  HeaderList seen;
  for_each_header(bytes, [&](std::string_view name, std::string_view value) {
    seen.emplace_back(name, value);
  });
  EXPECT_EQ(seen, (HeaderList{{"a", ""}, {"", std::string_view("x\0y", 3)}, {"c", "d"}}));
  EXPECT_EQ(bytes.substr(0, 9), std::string("\1\0\0\0a\0\0\0\0", 9));  // stored: never another
}

TEST(HeadersTest, OfWhatIsCutTheWholeHeadersAreRead) {
  const HeaderList headers{{"a", ""}, {"", std::string_view("x\0y", 3)}, {"c", "d"}};
  const std::string bytes = packed(headers);
  std::size_t whole = 0;  // of the headers
  for (std::size_t size = 0; size <= bytes.size(); ++size) {
    if (packed({headers.begin(), headers.begin() + whole + (whole < 3)}).size() == size) ++whole;
    HeaderList seen;
    for_each_header(
        std::string_view(bytes).substr(0, size),
        [&](std::string_view name, std::string_view value) { seen.emplace_back(name, value); });
    EXPECT_EQ(seen, HeaderList(headers.begin(), headers.begin() + whole)) << size;
  }
}

}  // namespace
}  // namespace spur
