// Other JSON by the `map` of its Source: which event it becomes, and what is refused.
#include "tests/inputs/format_fixture.h"

namespace spur {
namespace {

class MappedJsonTest : public Formats {
 protected:
  MappedJsonTest() {
    source(R"yaml(
  format: json
  map:
    id: body.receipt_no
    name: "'Order Completed'"
    time: timestamp(body.closed_at)
    identities: {user_id: body.card, anonymous_id: "body.?till"}
    properties: {total: body.sum_cents / 100, products: "body.?lines", lines: "size(body.?lines.orValue([]))"}
    traits: {email: "body.?mail"})yaml");
  }
};

std::string receipt(std::string_view more = "") {
  return quoted(
      "{'receipt_no':4711,'closed_at':'2026-03-01T08:30:00+01:00','card':7.0,'sum_cents':1999" +
      std::string(more) + "}");
}

TEST_F(MappedJsonTest, AReceiptIsAnOrder) {
  const Seen seen = one(receipt(",'lines':[{'sku':'a'}],'mail':'ann@x'"));
  EXPECT_EQ(seen.reason, "") << seen.detail;
  EXPECT_EQ(seen.type + " " + seen.name, "track Order Completed");
  EXPECT_EQ(seen.id, "4711");
  EXPECT_EQ(seen.user, "7");
  EXPECT_EQ(seen.time, Instant{1'772'350'200'000});
  EXPECT_EQ(seen.total, "19.989999999999998");
  EXPECT_EQ(seen.properties, "{'total':19.989999999999998,'products':[{'sku':'a'}],'lines':1}");
  EXPECT_EQ(seen.traits, "{'email':'ann@x'}");
}

TEST_F(MappedJsonTest, WhatNeedNotBeThereIsLeftOut) {
  const Seen seen = one(receipt());
  EXPECT_EQ(seen.properties, "{'total':19.989999999999998,'lines':0}");
  EXPECT_EQ(seen.traits, "{}");
  EXPECT_EQ(seen.anonymous, "");
}

TEST_F(MappedJsonTest, AnErrorOfTheMapIsADeadLetterThatSaysWhere) {
  const Seen seen = one(quoted("{'receipt_no':1,'closed_at':'2026-03-01T08:30:00Z','card':'c'}"));
  EXPECT_EQ(seen.reason, "MAPPING_FAILED");
  EXPECT_EQ(seen.detail, "map.properties.total: body.sum_cents is missing");
  EXPECT_EQ(reason(quoted(
                "{'receipt_no':1,'closed_at':'2026-03-01T08:30:00Z','card':'c','sum_cents':'x'}")),
            "MAPPING_FAILED");
}

TEST_F(MappedJsonTest, EachPartHasItsKindAndMustBeThere) {
  const auto receipt_of = [](std::string_view id, std::string_view at, std::string_view card) {
    return quoted("{'receipt_no':" + std::string(id) + ",'closed_at':" + std::string(at) +
                  ",'card':" + std::string(card) + ",'sum_cents':1}");
  };
  const std::string_view at = "'2026-03-01T08:30:00Z'";
  EXPECT_EQ(reason(receipt_of("[1]", at, "1")), "WRONG_TYPE");
  EXPECT_EQ(reason(receipt_of("true", at, "1")), "WRONG_TYPE");
  EXPECT_EQ(reason(receipt_of("1", at, "{}")), "WRONG_TYPE");
  EXPECT_EQ(reason(receipt_of("1", at, "null")), "MISSING_IDENTITY");
  EXPECT_EQ(reason(receipt_of("1", at, "''")), "MISSING_IDENTITY");
  EXPECT_EQ(reason(receipt_of("1", "'yesterday'", "1")), "BAD_TIMESTAMP");
  EXPECT_EQ(reason(receipt_of("1", "true", "1")), "BAD_TIMESTAMP");
  EXPECT_EQ(reason(receipt_of("1", "'1969-01-01T00:00:00Z'", "1")), "TIME_OUT_OF_RANGE");
  EXPECT_EQ(reason(receipt_of("'" + std::string(1024, 'i') + "'", at, "1")), "");
  EXPECT_EQ(reason(receipt_of("'" + std::string(1025, 'i') + "'", at, "1")), "STRING_TOO_LONG");
  EXPECT_EQ(reason(receipt_of("1", at, "'" + std::string(1025, 'i') + "'")), "STRING_TOO_LONG");
}

TEST_F(MappedJsonTest, WhatIsNoObjectOfJsonIsRefused) {
  EXPECT_EQ(reason(""), "NOT_JSON");
  EXPECT_EQ(reason("[]"), "WRONG_TYPE");
  EXPECT_EQ(reason(receipt() + "x"), "NOT_JSON");
  EXPECT_EQ(reason(receipt().substr(0, 30)), "TRUNCATED");
  EXPECT_EQ(reason(receipt(",'unread':'\xff'")), "INVALID_UTF8");
  EXPECT_EQ(reason(receipt(",'unread':" + std::string(40, '['))), "TOO_DEEP");
}

TEST_F(MappedJsonTest, WithoutAnIdTheBytesTellARepeat) {
  const std::string bytes =
      quoted("{'receipt_no':null,'closed_at':'2026-03-01T08:30:00Z','card':1,'sum_cents':1}");
  const Seen seen = one(bytes), again = one(bytes), other = one(bytes + " ");
  EXPECT_TRUE(seen.id.starts_with("derived-")) << seen.id;
  EXPECT_EQ(seen.id, again.id);
  EXPECT_EQ(seen.content, again.content);
  EXPECT_NE(seen.id, other.id);
}

// A record with these members, of a Source with these identities.
class IdentitiesTest : public Formats {
 protected:
  void identities(const std::string& identities) {
    source("{format: json, map: {name: \"'A'\", time: \"'2026-03-01T08:30:00Z'\", identities: {" +
           identities + "}}}");
  }
  std::string customer(const std::string& members) {
    return one(quoted("{" + members + "}")).customer;
  }
};

TEST_F(IdentitiesTest, ACustomerIsTheUserIdElseTheFirstKindListedElseTheAnonymousId) {
  identities(
      "anonymous_id: 'body.?a', loyalty_id: 'body.?card', email: 'body.?mail', user_id: 'body.?u'");
  EXPECT_EQ(customer("'a':'v','card':4711,'mail':'ann@x','u':'ann'"), "user_id:ann");
  EXPECT_EQ(customer("'a':'v','card':4711,'mail':'ann@x'"), "loyalty_id:4711");
  EXPECT_EQ(customer("'a':'v','mail':'ann@x'"), "email:ann@x");
  EXPECT_EQ(customer("'a':'v'"), "anonymous_id:v");
  identities("email: 'body.?mail', loyalty_id: 'body.?card'");
  EXPECT_EQ(customer("'card':4711,'mail':'ann@x'"), "email:ann@x");
}

TEST_F(IdentitiesTest, AnIdentityThatIsNullOrEmptyIsNotThere) {
  identities("loyalty_id: 'body.?card', email: 'body.?mail'");
  EXPECT_EQ(customer("'card':null,'mail':'ann@x'"), "email:ann@x");
  EXPECT_EQ(customer("'card':'','mail':'ann@x'"), "email:ann@x");
  for (const char* members : {"", "'card':null", "'card':'','mail':''"})
    EXPECT_EQ(reason(quoted("{" + std::string(members) + "}")), "MISSING_IDENTITY") << members;
}

TEST_F(IdentitiesTest, AUserIdThatLooksLikeAKindIsAnotherCustomer) {
  identities("loyalty_id: 'body.?card', user_id: 'body.?u'");
  EXPECT_EQ(customer("'card':4711"), "loyalty_id:4711");
  EXPECT_EQ(customer("'u':'loyalty_id:4711'"), "user_id:loyalty_id:4711");
}

TEST_F(IdentitiesTest, EachIsCheckedAlsoBehindAStrongerOne) {
  identities("user_id: 'body.?u', loyalty_id: 'body.?card', email: 'body.?mail'");
  const auto seen = [&](const std::string& members) {
    return one(quoted("{'u':'ann'," + members + "}"));
  };
  EXPECT_EQ(seen("'card':[]").reason, "WRONG_TYPE");
  EXPECT_EQ(seen("'card':[]").detail, "map.identities.loyalty_id: neither a text nor a number");
  EXPECT_EQ(seen("'card':1,'mail':true").reason, "WRONG_TYPE");
  const std::string longest(1024, 'k');
  EXPECT_EQ(seen("'card':'" + longest + "'").reason, "");
  EXPECT_EQ(customer("'card':'" + longest + "'"), "loyalty_id:" + longest);
  EXPECT_EQ(seen("'mail':'k" + longest + "'").reason, "STRING_TOO_LONG");
  EXPECT_EQ(seen("'mail':'k" + longest + "'").detail,
            "map.identities.email: 1025 bytes; at most 1024 are taken");
  identities("user_id: 'body.?u', loyalty_id: body.card");
  EXPECT_EQ(seen("'x':1").reason, "MAPPING_FAILED");
  EXPECT_EQ(seen("'x':1").detail, "map.identities.loyalty_id: body.card is missing");
}

TEST_F(IdentitiesTest, OfACloudEventTheMapSaysWhoseItIsAndNotItsSubject) {
  source("{format: cloudevents, map: {identities: {loyalty_id: 'body.?card'}}}");
  const std::string event =
      "{'specversion':'1.0','id':'1','source':'/"
      "s','type':'A','time':'2026-03-01T08:30:00Z','subject':'ann'";
  EXPECT_EQ(one(quoted(event + ",'card':7}")).customer, "loyalty_id:7");
  EXPECT_EQ(reason(quoted(event + "}")), "MISSING_IDENTITY");
}

class MapTest : public Formats {
 protected:
  // `more` beside a name, a time and who it is.
  void map(const std::string& more, const std::string& name = "body.event") {
    source("{format: json, map: {name: \"" + name +
           "\", time: \"timestamp(0) + duration('1s') * body.at\", identities: {user_id: body.u}" +
           (more.empty() ? "" : ", " + more) + "}}");
  }
};

TEST_F(MapTest, ANameMayBeACallThatIsNoTrack) {
  map("");
  for (const char* call : {"identify", "page", "screen", "group", "alias"}) {
    const Seen seen = one(quoted("{'event':'$" + std::string(call) + "','at':1,'u':'a'}"));
    EXPECT_EQ(seen.type, call);
    EXPECT_EQ(seen.name, "");
  }
  EXPECT_EQ(reason(quoted("{'event':'$order','at':1,'u':'a'}")), "UNKNOWN_TYPE");
  EXPECT_EQ(reason(quoted("{'event':'','at':1,'u':'a'}")), "MISSING_EVENT_NAME");
  EXPECT_EQ(reason(quoted("{'event':7,'at':1,'u':'a'}")), "WRONG_TYPE");
}

TEST_F(MapTest, TimesOfAnyUnitAreCalculated) {
  map("");
  EXPECT_EQ(one(quoted("{'event':'A','at':1772350200.25,'u':'a'}")).time,
            Instant{1'772'350'200'250});
}

TEST_F(MapTest, PropertiesAreWhatJsonCanSay) {
  map("properties: {n: 7, t: \"timestamp('2026-03-01T00:00:00Z')\", d: \"duration('90s')\", "
      "k: \"{1: [body.?none, body.?u]}\", big: 9007199254740993}");
  EXPECT_EQ(
      one(quoted("{'event':'A','at':1,'u':'a'}")).properties,
      "{'n':7,'t':'2026-03-01T00:00:00Z','d':'90s','k':{'1':[null,'a']},'big':9007199254740993i}");
  map("properties: {b: \"bytes(body.u)\"}");
  EXPECT_EQ(reason(quoted("{'event':'A','at':1,'u':'a'}")), "MAPPING_FAILED");
  map("properties: {b: body.n / 0.0}");
  EXPECT_EQ(reason(quoted("{'event':'A','at':1,'u':'a','n':1}")), "NUMBER_OUT_OF_RANGE");
}

TEST_F(MapTest, AllPropertiesMayBeOneExpression) {
  map("properties: body.data");
  EXPECT_EQ(one(quoted("{'event':'A','at':1,'u':'a','data':{'total':5,'x':{'y':[]}}}")).properties,
            "{'total':5,'x':{'y':[]}}");
  EXPECT_EQ(reason(quoted("{'event':'A','at':1,'u':'a','data':[]}")), "WRONG_TYPE");
  EXPECT_EQ(reason(quoted("{'event':'A','at':1,'u':'a'}")), "MAPPING_FAILED");
}

TEST_F(MapTest, WhatIsMappedAndReadByNobodyIsAskedAllTheSame) {
  map("properties: {unread: body.missing}");
  EXPECT_EQ(reason(quoted("{'event':'A','at':1,'u':'a'}")), "MAPPING_FAILED");
}

// 'a' and characters of two bytes: what of a text is cut for an error is cut between two of them.
TEST_F(MapTest, AnErrorThatQuotesTheMessageIsUtf8) {
  map("properties: {x: \"{'k': 1}[body.k]\"}");
  std::string key = "a";
  for (int i = 0; i < 150; ++i) key += "\u00e4";
  const Seen seen = one(quoted("{'event':'A','at':1,'u':'a','k':'" + key + "'}"));
  EXPECT_EQ(seen.reason, "MAPPING_FAILED");
  EXPECT_EQ(seen.detail, "map.properties.x: no such key: " + key.substr(0, 199));
}

TEST_F(MapTest, WhatAMapMakesHasTheLimitsOfAMessage) {
  map("properties: {x: body.s + body.s}");
  EXPECT_EQ(reason(quoted("{'event':'A','at':1,'u':'a','s':'" + std::string(32'768, 'x') + "'}")),
            "");
  EXPECT_EQ(reason(quoted("{'event':'A','at':1,'u':'a','s':'" + std::string(32'769, 'x') + "'}")),
            "STRING_TOO_LONG");
}

TEST_F(MapTest, ANameHasTheLimitOfAText) {
  map("", "body.event + body.event");
  const auto named = [](std::size_t size) {
    return quoted("{'event':'" + std::string(size, 'x') + "','at':1,'u':'a'}");
  };
  EXPECT_EQ(reason(named(32'768)), "");
  EXPECT_EQ(reason(named(32'769)), "STRING_TOO_LONG");
}

// The event is 1, its properties 2: so a property has 30 levels of its own, as in a Segment call.
TEST_F(MapTest, APropertyIsAsDeepAsInASegmentCall) {
  const auto deep = [](std::size_t depth) {
    return quoted("{'event':'A','at':1,'u':'a','d':" + std::string(depth, '[') +
                  std::string(depth, ']') + "}");
  };
  for (const std::string properties : {"{x: body.d}", "\"{'x': body.d}\""}) {
    map("properties: " + properties);
    EXPECT_EQ(reason(deep(30)), "") << properties;
    EXPECT_EQ(reason(deep(31)), "TOO_DEEP") << properties;
  }
}

}  // namespace
}  // namespace spur
