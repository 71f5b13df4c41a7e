// What a good call becomes.
#include "daemon/inputs/segment.h"

#include <simdjson.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>

#include "tests/inputs/decoding.h"

namespace spur {
namespace {

using testing::StartsWith;

class SegmentTest : public Decoding {};

TEST_F(SegmentTest, ATrackHasNameIdsTimeAndSource) {
  const auto name = schema_.add_name("order_completed");
  const Event e = event(track("'anonymousId':'a-1'"));
  EXPECT_EQ(e.type, CallType::kTrack);
  EXPECT_EQ(e.name, "Order Completed");
  EXPECT_EQ(e.name_index, name);
  EXPECT_EQ(e.id, "m1");
  EXPECT_EQ(e.user_id, "ann");
  EXPECT_EQ(e.anonymous_id, "a-1");
  EXPECT_EQ(e.time.ms, 1772353800250);
  EXPECT_EQ(e.source, 3u);
  EXPECT_TRUE(e.traits.is_absent());
}

TEST_F(SegmentTest, ATrackThatNoPatternNamesIsOther) {
  EXPECT_EQ(event(track()).name_index, EventSchema::kOther);
}

TEST_F(SegmentTest, EachOfTheSixCallsIsDecoded) {
  const struct {
    const char* type;
    CallType call;
    EventSchema::NameIndex index;
    const char* name;
  } kCalls[] = {
      {"track", CallType::kTrack, EventSchema::kOther, "E"},
      {"identify", CallType::kIdentify, EventSchema::kIdentifyName, ""},
      {"page", CallType::kPage, EventSchema::kPageName, "N"},
      {"screen", CallType::kScreen, EventSchema::kScreenName, "N"},
      {"group", CallType::kGroup, EventSchema::kGroupName, ""},
      {"alias", CallType::kAlias, EventSchema::kAliasName, ""},
  };
  for (const auto& c : kCalls) {
    SCOPED_TRACE(c.type);
    const Event e = event(
        quoted("{'type':'" + std::string(c.type) +
               "','event':'E','name':'N','userId':'ann','timestamp':'2026-03-01 08:30:00Z'}"));
    EXPECT_EQ(e.type, c.call);
    EXPECT_EQ(e.name_index, c.index);
    EXPECT_EQ(e.name, c.name);
  }
}

TEST_F(SegmentTest, APageMayHaveNoName) {
  EXPECT_EQ(event(quoted("{'type':'page','userId':'u','timestamp':'2026-03-01T08:30:00Z'}")).name,
            "");
}

TEST_F(SegmentTest, OnlyThePathsOfTheSchemaAreKept) {
  const auto total = schema_.add_field({"properties", "total"});
  const auto lines = schema_.add_field({"properties", "products"});
  const auto city = schema_.add_field({"properties", "address", "city"});
  const auto none = schema_.add_field({"properties", "coupon"});
  const auto path = schema_.add_field({"context", "page", "path"});
  const auto group = schema_.add_field({"groupId"});
  const Event e =
      event(track("'context':{'ip':'::1','page':{'url':'x','path':'/p'}},'groupId':'g',"
                  "'properties':{'total':20.5,'x':[{'y':1}],'address':{'zip':1,'city':'Lund'},"
                  "'products':[{'sku':'a','price':3},{}]}"));
  ASSERT_EQ(e.fields.size(), 6u);
  EXPECT_EQ(show(e.fields[total]), "20.5");
  EXPECT_EQ(show(e.fields[lines]), "[{'sku':'a','price':3},{}]");
  EXPECT_EQ(show(e.fields[city]), "'Lund'");
  EXPECT_EQ(show(e.fields[none]), "absent");
  EXPECT_EQ(show(e.fields[path]), "'/p'");
  EXPECT_EQ(show(e.fields[group]), "'g'");
}

TEST_F(SegmentTest, AMapAndWhatLiesInItMayBothBeWanted) {
  const auto all = schema_.add_field({"properties"});
  const auto city = schema_.add_field({"properties", "address", "city"});
  const Event e = event(track("'properties':{'a':null,'address':{'city':'Lund'}}"));
  EXPECT_EQ(show(e.fields[all]), "{'a':null,'address':{'city':'Lund'}}");
  EXPECT_EQ(show(e.fields[city]), "'Lund'");
}

TEST_F(SegmentTest, APathThroughWhatIsNoMapIsAbsent) {
  const auto city = schema_.add_field({"properties", "address", "city"});
  EXPECT_TRUE(event(track("'properties':{'address':'Lund'}")).fields[city].is_absent());
  EXPECT_TRUE(event(track("'properties':{'address':[{'city':'Lund'}]}")).fields[city].is_absent());
  EXPECT_TRUE(event(track("'properties':null")).fields[city].is_absent());
  EXPECT_TRUE(event(track()).fields[city].is_absent());
}

TEST_F(SegmentTest, OfAKeyGivenTwiceTheFirstCounts) {
  const auto all = schema_.add_field({"properties"});
  const auto deep = schema_.add_field({"context", "a", "b"});
  const auto group = schema_.add_field({"groupId"});
  const auto other = schema_.add_field({"integrations"});
  const Event e =
      event(track("'userId':'bob','event':'X','timestamp':'x','groupId':1,'groupId':2,"
                  "'integrations':1,'integrations':2,'context':{'a':{'c':0},'a':{'b':1}},"
                  "'properties':{'k':1,'l':{'m':1,'m':2},'k':2},'properties':{'z':1}"));
  EXPECT_EQ(e.user_id, "ann");
  EXPECT_EQ(e.name, "Order Completed");
  EXPECT_EQ(show(e.fields[all]), "{'k':1,'l':{'m':1}}");
  EXPECT_EQ(show(e.fields[deep]), "absent");
  EXPECT_EQ(show(e.fields[group]), "1");
  EXPECT_EQ(show(e.fields[other]), "1");
}

TEST_F(SegmentTest, AmongManyKeysTooTheFirstCounts) {
  const auto all = schema_.add_field({"properties"});
  std::string members;
  for (int i = 0; i < 100; ++i)
    members += (i == 0 ? "'k" : ",'k") + std::to_string(i % 40) + "':" + std::to_string(i);
  const Value map = event(track("'properties':{" + members + "}")).fields[all];
  ASSERT_EQ(map.entries().size(), 40u);
  for (int i = 0; i < 40; ++i) {
    EXPECT_EQ(show(map.entries()[i].key), "'k" + std::to_string(i) + "'");
    EXPECT_EQ(show(map.entries()[i].value), std::to_string(i));
  }
}

TEST_F(SegmentTest, AnIdMayBeANumber) {
  const struct {
    const char* json;
    const char* id;
  } kIds[] = {{"7", "7"},          {"7.0", "7"},       {"7e0", "7"},
              {"70e-1", "7"},      {"-7", "-7"},       {"7.5", "7.5"},
              {"0", "0"},          {"-0", "0"},        {"1e3", "1000"},
              {"\"7\"", "7"},      {"\"7.0\"", "7.0"}, {"9007199254740993", "9007199254740993"},
              {"123456789012345678901234567890", "123456789012345678901234567890"}};
  for (const auto& c : kIds) {
    SCOPED_TRACE(c.json);
    const std::string call =
        quoted("{'type':'identify','timestamp':'2026-03-01T08:30:00Z','userId':") + c.json + "}";
    EXPECT_EQ(event(call).user_id, c.id);
  }
}

TEST_F(SegmentTest, AnEmptyOrNullIdIsNone) {
  const Event e = event(quoted(
      "{'type':'identify','timestamp':'2026-03-01T08:30:00Z','userId':'','anonymousId':'a'}"));
  EXPECT_EQ(e.user_id, "");
  EXPECT_EQ(e.anonymous_id, "a");
  EXPECT_EQ(event(quoted("{'type':'identify','timestamp':'2026-03-01T08:30:00Z','userId':null,'"
                         "anonymousId':'a'}"))
                .user_id,
            "");
}

TEST_F(SegmentTest, TraitsAreThoseOfIdentifyAndOfAnyContext) {
  const auto email = schema_.add_field({"traits", "email"});
  const auto plan = schema_.add_field({"context", "traits", "plan"});
  const std::string both =
      "'userId':'u','timestamp':'2026-03-01T08:30:00Z','traits':{'email':'e','plan':'p'},"
      "'context':{'traits':{'plan':'c','city':'Lund'}}}";
  Event e = event(quoted("{'type':'identify'," + both));
  EXPECT_EQ(show(e.traits), "{'email':'e','plan':'p','city':'Lund'}");
  EXPECT_EQ(show(e.fields[email]), "'e'");
  EXPECT_EQ(show(e.fields[plan]), "'c'");
  e = event(quoted("{'type':'group'," + both));
  EXPECT_EQ(show(e.traits), "{'plan':'c','city':'Lund'}")
      << "a group's traits describe the account";
  EXPECT_EQ(show(e.fields[email]), "'e'");
  EXPECT_EQ(show(event(track("'context':{'traits':{'a':1}}")).traits), "{'a':1}");
}

TEST_F(SegmentTest, ContextTraitsAreFoundAlsoWhenTheWholeContextIsWanted) {
  const auto all = schema_.add_field({"context"});
  const Event e = event(track("'context':{'ip':'x','traits':{'a':1}}"));
  EXPECT_EQ(show(e.traits), "{'a':1}");
  EXPECT_EQ(show(e.fields[all]), "{'ip':'x','traits':{'a':1}}");
  EXPECT_EQ(show(event(track("'context':{'traits':[]}")).traits), "{}");
  EXPECT_EQ(show(event(track("'context':{'traits':null}")).traits), "absent");
}

TEST_F(SegmentTest, AnEmptyListIsAnEmptyMapAsPhpWritesIt) {
  const auto all = schema_.add_field({"properties"});
  const Event e = event(track("'properties':[],'traits':[],'context':[]"));
  EXPECT_EQ(show(e.fields[all]), "{}");
}

TEST_F(SegmentTest, NumbersAreDoublesAndOnlyLongIntegersStayWhole) {
  const auto list = schema_.add_field({"properties", "n"});
  const Event e = event(
      track("'properties':{'n':[20,20.0,2e1,-0,9007199254740992,9007199254740993,-9007199254740993,"
            "9223372036854775808,18446744073709551616,1e300,19.99]}"));
  EXPECT_EQ(
      show(e.fields[list]),
      "[20,20,20,-0,9007199254740992,9007199254740993i,-9007199254740993i,"
      "9223372036854775808u,1.8446744073709552e+19,1.0000000000000001e+300,19.989999999999998]");
}

TEST_F(SegmentTest, EscapesAreResolvedInKeysAndTexts) {
  const auto total = schema_.add_field({"properties", "total"});
  const Event e = event(
      R"({"type":"track","\u0065vent":"a\"\\\/\b\f\n\r\tz","userId":"\u00e9\u20ac\ud83d\ude00",)"
      R"("timestamp":"2026-03-01T08:30:00Z","properties":{"t\u006ftal":"\u0000x"}})");
  EXPECT_EQ(e.name, "a\"\\/\b\f\n\r\tz");
  EXPECT_EQ(e.user_id, "é€😀");
  EXPECT_EQ(e.fields[total].as_text(), std::string_view("\0x", 2));
}

TEST_F(SegmentTest, TextWithoutEscapesIsAViewIntoTheInput) {
  const std::string bytes = track();
  const Decoded decoded = decoder_.decode(bytes, schema_, 0, arena_);
  const std::string_view id = std::get<Event>(decoded).user_id;
  EXPECT_TRUE(id.data() >= bytes.data() && id.data() < bytes.data() + bytes.size());
}

TEST_F(SegmentTest, WhiteSpaceBetweenTokensDoesNotMatter) {
  const auto total = schema_.add_field({"properties", "total"});
  const Event e = event(quoted(
      "\r\n { 'type' :\t'track' , 'event' : 'E' , 'userId' : 7 ,\n'timestamp' : "
      "'2026-03-01T08:30:00Z' , 'properties' : { 'total' : 1 , 'b' : [ ] , 'c' : { } } } \n"));
  EXPECT_EQ(e.user_id, "7");
  EXPECT_EQ(show(e.fields[total]), "1");
}

TEST_F(SegmentTest, RudderStacksFurtherFieldsArePassedOver) {
  EXPECT_EQ(event(track("'channel':'web','rudderId':'r','request_ip':'1.2.3.4','version':2,'"
                        "integrations':{'All':true}"))
                .user_id,
            "ann");
}

// The example of the spec's track page: the formula gives its timestamp exactly.
TEST_F(SegmentTest, AMissingTimestampIsComputedFromTheThreeOthers) {
  const std::string head =
      "{'type':'track','event':'E','userId':'u','receivedAt':'2015-12-12T19:11:01.266Z',";
  EXPECT_EQ(event(quoted(head + "'sentAt':'2015-12-12T19:11:01.169Z','originalTimestamp':'2015-12-"
                                "12T19:11:01.152Z'}"))
                .time.ms,
            1449947461249);
  EXPECT_EQ(
      event(quoted(head +
                   "'sentAt':'1970-01-01T00:10:00Z','originalTimestamp':'1970-01-01T00:00:00Z'}"))
          .time.ms,
      1449947461266 - 600'000)
      << "however wrong the client's clock";
}

TEST_F(SegmentTest, WithoutThreeTimesTheBestOneCounts) {
  const std::string head = "{'type':'track','event':'E','userId':'u',";
  EXPECT_EQ(
      event(quoted(head +
                   "'sentAt':'1970-01-01T00:00:03Z','originalTimestamp':'1970-01-01T00:00:01Z'}"))
          .time.ms,
      1000);
  EXPECT_EQ(
      event(quoted(head + "'sentAt':'1970-01-01T00:00:03Z','receivedAt':'1970-01-01T00:00:04Z'}"))
          .time.ms,
      4000);
  EXPECT_EQ(event(quoted(head + "'timestamp':null,'sentAt':'1970-01-01T00:00:03Z'}")).time.ms,
            3000);
}

TEST_F(SegmentTest, WithoutMessageIdTheIdIsDerivedFromTheContent) {
  const std::string head =
      "{'type':'track','event':'E','userId':'u','timestamp':'2026-03-01T08:30:00Z'";
  const std::string id(event(quoted(head + ",'properties':{'a':1}}")).id);
  // Frozen: ids outlive a version in the keys that tell duplicates.
  EXPECT_EQ(id, "derived-fdd4c2af9fcd77961e2dd2766891946b");
  EXPECT_EQ(event(quoted(head +
                         ",'sentAt':'2026-03-01T08:31:00Z','properties':{'a':1},'messageId':null}"))
                .id,
            id);
  EXPECT_NE(event(quoted(head + ",'properties':{'a':2}}")).id, id);
  EXPECT_NE(event(quoted(head + ",'properties':{'a':1},'anonymousId':'x'}")).id, id);
  EXPECT_THAT(std::string(event(quoted(head + ",'messageId':''}")).id), StartsWith("derived-"));
}

TEST_F(SegmentTest, DerivedIdsOfAliasesTellWhomTheyJoin) {
  const std::string head =
      "{'type':'alias','userId':'u','timestamp':'2026-03-01T08:30:00Z','previousId':";
  EXPECT_NE(event(quoted(head + "'a'}")).id, event(quoted(head + "'b'}")).id);
}

TEST_F(SegmentTest, TheContentHashIgnoresOrderAndTimesOfSendingOnly) {
  const std::uint64_t hash = event(track("'context':{'a':1},'properties':{'b':1}")).content_hash;
  EXPECT_EQ(event(track("'properties':{'b':1},'context':{'a':1}")).content_hash, hash);
  EXPECT_EQ(event(track("'context':{'a':1},'sentAt':'x','properties':{'b':1},'receivedAt':'y'"))
                .content_hash,
            hash);
  EXPECT_EQ(event(track("'context':{'a':1} , 'properties': {'b':1}\n")).content_hash, hash);
  EXPECT_NE(event(track("'context':{'a':2},'properties':{'b':1}")).content_hash, hash);
  EXPECT_NE(event(track("'context':{'b':1},'properties':{'a':1}")).content_hash, hash);
  EXPECT_NE(event(track("'context':{'a':1},'properties':{'b':1},'x':1")).content_hash, hash);
}

// The message ends where its page ends and the next page may not be touched: any step beyond it
// would end the test.
TEST_F(SegmentTest, NoByteBehindTheMessageIsRead) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  void* const pages =
      ::mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(pages, MAP_FAILED);
  char* const end = static_cast<char*>(pages) + page;
  ASSERT_EQ(::mprotect(end, page, PROT_NONE), 0);
  schema_.add_field({"properties"});
  for (const simdjson::implementation* implementation : simdjson::get_available_implementations()) {
    if (!implementation->supported_by_runtime_system()) continue;
    const simdjson::implementation* const active = simdjson::get_active_implementation();
    simdjson::get_active_implementation() = implementation;
    SegmentDecoder decoder;
    std::string bytes = track("'properties':{'n':[1,\"\\u00e9\\n\",true,'x']}");
    for (int more = 0; more < 130; ++more) {
      std::memcpy(end - bytes.size(), bytes.data(), bytes.size());
      for (const std::size_t size : {bytes.size(), bytes.size() - 1, bytes.size() / 2}) {
        const std::string_view at_the_end(end - size, size);
        std::memcpy(end - size, bytes.data(), size);
        const Decoded decoded = decoder.decode(at_the_end, schema_, 0, arena_);
        EXPECT_EQ(std::holds_alternative<Event>(decoded), size == bytes.size());
      }
      bytes.insert(1, " ");
    }
    simdjson::get_active_implementation() = active;
  }
  ::munmap(pages, 2 * page);
}

TEST_F(SegmentTest, AWarmDecoderTakesNoMemory) {
  schema_.add_field({"properties"});
  const std::string bytes = track("'properties':{'a':[1,2,{'b':3}]}");
  for (int i = 0; i < 3; ++i) {
    arena_.reset();
    event(bytes);
  }
  const std::size_t capacity = arena_.capacity();
  for (int i = 0; i < 1000; ++i) {
    arena_.reset();
    ASSERT_TRUE(std::holds_alternative<Event>(decoder_.decode(bytes, schema_, 0, arena_)));
  }
  EXPECT_EQ(arena_.capacity(), capacity);
}

}  // namespace
}  // namespace spur
