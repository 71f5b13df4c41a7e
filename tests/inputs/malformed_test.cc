// What is refused, and with which reason: the reasons are journaled, so the words here are frozen.
#include <simdjson.h>

#include <cstdint>
#include <set>

#include "tests/inputs/decoding.h"

namespace spur {
namespace {

class MalformedTest : public Decoding {};

struct Case {
  std::string bytes;
  const char* reason;
};

std::string repeated(std::string_view what, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += what;
  return text;
}

std::string nested(std::size_t depth) { return repeated("[", depth) + repeated("]", depth); }

std::string without(std::string call, std::string_view what) {
  const std::string wanted = quoted(std::string(what));
  const std::size_t at = call.find(wanted);
  EXPECT_NE(at, std::string::npos) << wanted;
  return call.erase(at, wanted.size());
}

std::string with_time(std::string_view time) {
  return quoted("{'type':'track','event':'E','userId':'u','timestamp':'" + std::string(time) +
                "'}");
}

std::vector<Case> not_json() {
  std::vector<Case> cases = {
      {"", "NOT_JSON"},
      {"  \n", "NOT_JSON"},
      {"hello", "NOT_JSON"},
      {"<xml/>", "NOT_JSON"},
      {"{a:1}", "NOT_JSON"},
      {"{'a':1}", "NOT_JSON"},
      {"{\"a\" 1}", "NOT_JSON"},
      {"{\"a\":1,}", "NOT_JSON"},
      {"{\"a\":}", "NOT_JSON"},
      {"{\"a\":1 \"b\":2}", "NOT_JSON"},
      {"{,}", "NOT_JSON"},
      {"}", "NOT_JSON"},
      {"{]", "NOT_JSON"},
      {"{\"a\":[1,]}", "NOT_JSON"},
      {"{\"a\":[1}}", "NOT_JSON"},
      {"{\"a\":[1 2]}", "NOT_JSON"},
      {"{\"a\"\"b\":1}", "NOT_JSON"},
      {"{\"a\":\"b\"c}", "NOT_JSON"},
      {"{\"a\":tru}", "NOT_JSON"},
      {"{\"a\":nullx}", "NOT_JSON"},
      {"{\"a\":True}", "NOT_JSON"},
      {"{\"a\":\"line\nbreak\"}", "NOT_JSON"},
      {"{\"a\":\"\\x41\"}", "NOT_JSON"},
      {"{\"a\":\"\\u12g4\"}", "NOT_JSON"},
      {"{\"a\":\"\\u12\"}", "NOT_JSON"},
      {"{\\\"a\\\":1}", "NOT_JSON"},
      {track() + track(), "NOT_JSON"},
      {track() + "x", "NOT_JSON"},
      {track() + "\"", "TRUNCATED"},
      {track() + "}", "NOT_JSON"},
      {std::string(1, '\0'), "NOT_JSON"},
      {track() + std::string(1, '\0'), "NOT_JSON"},
      {"\xef\xbb\xbf" + track(), "NOT_JSON"},
  };
  for (const char* number : {"NaN", "Infinity", "-Infinity", "-", "+1", ".5", "1.", "01", "1e",
                             "1e+", "0x10", "1_000", "1.5.2", "--1", "1\"a\"", "٣"}) {
    cases.push_back({track("'properties':{'n':" + std::string(number) + "}"), "NOT_JSON"});
  }
  return cases;
}

std::vector<Case> truncated() {
  std::vector<Case> cases;
  const std::string whole = track("'properties':{'a':[1,true,{'b':'c'}]}");
  for (std::size_t size = 1; size < whole.size(); ++size)
    cases.push_back({whole.substr(0, size), "TRUNCATED"});
  return cases;
}

std::vector<Case> beyond_limits() {
  std::string keys = "'k0':0";
  for (int i = 1; i <= 1024; ++i) keys += ",'k" + std::to_string(i) + "':0";
  return {
      {track("'x':'" + std::string(10'000'000, 'x') + "'"), "TOO_LARGE"},
      {std::string(10'000'000, ' '), "TOO_LARGE"},
      {track("'x':" + nested(32)), "TOO_DEEP"},
      {std::string(100'000, '['), "TOO_DEEP"},
      {"{\"properties\":" + repeated("{\"a\":", 100'000), "TOO_DEEP"},
      {track("'properties':{" + keys + "}"), "TOO_MANY_FIELDS"},
      {track("'x':{" + keys + "}"), "TOO_MANY_FIELDS"},
      {quoted("{" + keys + "}"), "TOO_MANY_FIELDS"},
      {track("'x':[0" + repeated(",0", 10'000) + "]"), "TOO_MANY_ELEMENTS"},
      {track("'x':'" + std::string(65'537, 'x') + "'"), "STRING_TOO_LONG"},
      {track("'" + std::string(257, 'k') + "':1"), "STRING_TOO_LONG"},
      {track("'x':{'" + std::string(257, 'k') + "':1}"), "STRING_TOO_LONG"},
      {track("'anonymousId':'" + std::string(1'025, 'x') + "'"), "STRING_TOO_LONG"},
      {without(track("'messageId':'" + std::string(1'025, 'x') + "'"), "'messageId':'m1',"),
       "STRING_TOO_LONG"},
      {track("'properties':{'n':1e309}"), "NUMBER_OUT_OF_RANGE"},
      {track("'properties':{'n':-1e99999999999999999999}"), "NUMBER_OUT_OF_RANGE"},
      {track("'properties':{'n':" + std::string(400, '9') + "}"), "NUMBER_OUT_OF_RANGE"},
  };
}

std::vector<Case> within_limits() {
  std::string keys = "'k1':0";
  for (int i = 2; i <= 1024; ++i) keys += ",'k" + std::to_string(i) + "':0";
  return {
      {track("'x':" + nested(31)), ""},
      {track("'x':{" + keys + "}"), ""},
      {track("'x':[0" + repeated(",0", 9'999) + "]"), ""},
      {track("'x':'" + std::string(65'536, 'x') + "'"), ""},
      {track("'" + std::string(256, 'k') + "':1"), ""},
      {track("'anonymousId':'" + std::string(1'024, 'x') + "'"), ""},
      {track("'x':1.7976931348623157e308,'y':1e-999,'z':" + std::string(300, '9')), ""},
  };
}

std::vector<Case> invalid_utf8() {
  std::vector<Case> cases;
  for (const char* bytes :
       {"\xff", "\xc3", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "a\x80", "\xe2\x82"}) {
    cases.push_back({track("'properties':{'read':'" + std::string(bytes) + "'}"), "INVALID_UTF8"});
    cases.push_back({track("'unread':'" + std::string(bytes) + "'"), "INVALID_UTF8"});
    cases.push_back({track("'x" + std::string(bytes) + "':1"), "INVALID_UTF8"});
  }
  for (const char* lone : {R"(\ud83d)", R"(\ude00)", R"(\ud83dx)", R"(\ud83d\u0041)",
                           R"(\ud83d\ud83d)", R"(\ud83d\n)"}) {
    cases.push_back({track("'properties':{'read':'" + std::string(lone) + "'}"), "INVALID_UTF8"});
    cases.push_back({track("'unread':'" + std::string(lone) + "'"), "INVALID_UTF8"});
    cases.push_back({track("'" + std::string(lone) + "':1"), "INVALID_UTF8"});
  }
  return cases;
}

std::vector<Case> wrong_types() {
  std::vector<Case> cases = {{"[]", "WRONG_TYPE"},
                             {"7", "WRONG_TYPE"},
                             {"\"track\"", "WRONG_TYPE"},
                             {"null", "WRONG_TYPE"},
                             {"[" + track() + "]", "WRONG_TYPE"},
                             {track("'context':{'traits':'x'}"), "WRONG_TYPE"},
                             {track("'context':{'traits':[1]}"), "WRONG_TYPE"}};
  for (const char* text :
       {"type", "event", "name", "timestamp", "originalTimestamp", "sentAt", "receivedAt"}) {
    for (const char* value : {"7", "true", "{}", "[]"}) {
      cases.push_back({quoted("{'" + std::string(text) + "':" + value + "}"), "WRONG_TYPE"});
    }
  }
  for (const char* id : {"userId", "anonymousId", "messageId"}) {
    for (const char* value : {"true", "{}", "[]"}) {
      cases.push_back({quoted("{'" + std::string(id) + "':" + value + "}"), "WRONG_TYPE"});
    }
  }
  for (const char* map : {"properties", "traits", "context"}) {
    for (const char* value : {"7", "true", "'x'", "[1]"}) {
      cases.push_back({quoted("{'" + std::string(map) + "':" + value + "}"), "WRONG_TYPE"});
    }
  }
  return cases;
}

std::vector<Case> missing() {
  return {
      {"{}", "MISSING_TYPE"},
      {without(track(), "'type':'track',"), "MISSING_TYPE"},
      {without(track("'type':null"), "'type':'track',"), "MISSING_TYPE"},
      {without(track("'type':'Track'"), "'type':'track',"), "UNKNOWN_TYPE"},
      {without(track("'type':'purchase'"), "'type':'track',"), "UNKNOWN_TYPE"},
      {without(track(), "'event':'Order Completed',"), "MISSING_EVENT_NAME"},
      {without(track("'event':''"), "'event':'Order Completed',"), "MISSING_EVENT_NAME"},
      {without(track(), "'userId':'ann',"), "MISSING_IDENTITY"},
      {without(track("'userId':'','anonymousId':null"), "'userId':'ann',"), "MISSING_IDENTITY"},
      {without(track(), ",'timestamp':'2026-03-01T08:30:00.250Z'"), "MISSING_TIMESTAMP"},
      {with_time(""), "MISSING_TIMESTAMP"},
  };
}

std::vector<Case> bad_times() {
  return {
      {with_time("yesterday"), "BAD_TIMESTAMP"},
      {with_time("2026-02-29T00:00:00Z"), "BAD_TIMESTAMP"},
      {with_time("2026-03-01T08:30:00"), "BAD_TIMESTAMP"},
      {with_time("2016-12-31T23:59:60Z"), "BAD_TIMESTAMP"},
      {quoted("{'type':'page','userId':'u','originalTimestamp':'2026-03-01T00:00:00Z','sentAt':'x',"
              "'receivedAt':'2026-03-01T00:00:00Z'}"),
       "BAD_TIMESTAMP"},
      {quoted("{'type':'page','userId':'u','originalTimestamp':'2026-03-01T00:00:00Z','receivedAt':"
              "'x',"
              "'sentAt':'2026-03-01T00:00:00Z'}"),
       "BAD_TIMESTAMP"},
      {with_time("1969-12-31T23:59:59.999Z"), "TIME_OUT_OF_RANGE"},
      {with_time("1970-01-01T00:00:00Z"), ""},
      {with_time("1970-01-01T00:00:00+00:01"), "TIME_OUT_OF_RANGE"},
      {with_time("2969-05-03T00:00:00Z"), ""},
      {with_time("2969-05-03T00:00:00.001Z"), "TIME_OUT_OF_RANGE"},
      {with_time("2970-01-01T00:00:00Z"), "TIME_OUT_OF_RANGE"},
      {with_time("9999-12-31T23:59:59Z"), "TIME_OUT_OF_RANGE"},
      {quoted("{'type':'page','userId':'u','originalTimestamp':'1970-01-01T00:00:00Z',"
              "'sentAt':'2026-03-01T00:00:00Z','receivedAt':'2026-02-01T00:00:00Z'}"),
       "TIME_OUT_OF_RANGE"},
  };
}

std::vector<Case> all_cases() {
  std::vector<Case> all;
  for (auto* group : {not_json, truncated, beyond_limits, within_limits, invalid_utf8, wrong_types,
                      missing, bad_times}) {
    const std::vector<Case> cases = group();
    all.insert(all.end(), cases.begin(), cases.end());
  }
  return all;
}

#define EXPECT_REASONS(cases) \
  for (const Case& c : cases) EXPECT_EQ(reason(c.bytes), c.reason) << c.bytes.substr(0, 200)

TEST_F(MalformedTest, WhatIsNoJsonIsRefused) { EXPECT_REASONS(not_json()); }
TEST_F(MalformedTest, WhatStopsInTheMiddleIsTruncatedWhereverItStops) {
  EXPECT_REASONS(truncated());
}
TEST_F(MalformedTest, EachLimitHolds) { EXPECT_REASONS(beyond_limits()); }
TEST_F(MalformedTest, AtTheLimitAllIsWell) { EXPECT_REASONS(within_limits()); }
TEST_F(MalformedTest, InvalidUtf8IsRefusedAlsoWhereNobodyReads) { EXPECT_REASONS(invalid_utf8()); }
TEST_F(MalformedTest, EachFieldOfTheEnvelopeHasItsType) { EXPECT_REASONS(wrong_types()); }
TEST_F(MalformedTest, EachFieldThatMustBeThereIsMissed) { EXPECT_REASONS(missing()); }
TEST_F(MalformedTest, TimesThatDoNotExistOrLieTooFarAreRefused) { EXPECT_REASONS(bad_times()); }

TEST_F(MalformedTest, WhatTheCatalogReadsChangesNothing) {
  schema_.add_field({"properties"});
  schema_.add_field({"properties", "read", "deep"});
  schema_.add_field({"context"});
  schema_.add_field({"traits", "x"});
  schema_.add_field({"x"});
  schema_.add_field({"unread"});
  EXPECT_REASONS(all_cases());
}

TEST_F(MalformedTest, EveryInstructionSetRefusesTheSame) {
  for (const simdjson::implementation* implementation : simdjson::get_available_implementations()) {
    if (!implementation->supported_by_runtime_system()) continue;
    SCOPED_TRACE(std::string(implementation->name()));
    const simdjson::implementation* const active = simdjson::get_active_implementation();
    simdjson::get_active_implementation() = implementation;
    decoder_ = SegmentDecoder();
    EXPECT_REASONS(all_cases());
    simdjson::get_active_implementation() = active;
  }
}

TEST_F(MalformedTest, ARefusalLeavesNothingBehindForTheNextCall) {
  const auto all = schema_.add_field({"properties"});
  EXPECT_EQ(reason(quoted("{'properties':{'a':[1,2,{'b':")), "TRUNCATED");
  EXPECT_EQ(show(event(track("'properties':{'c':[3]}")).fields[all]), "{'c':[3]}");
}

TEST_F(MalformedTest, TheDetailSaysWhere) {
  const Decoded decoded = decode("{\"type\":\"track\",\"event\":[]}");
  EXPECT_EQ(std::get<Malformed>(decoded).detail, "byte 24: `event` is not a text");
  EXPECT_EQ(std::get<Malformed>(decode("{\"a\" 1}")).detail, "byte 5: a colon should be here");
}

TEST(ReasonTest, EachHasItsOwnName) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kReasonCount; ++i) names.insert(to_text(static_cast<Reason>(i)));
  EXPECT_EQ(names.size(), kReasonCount);
  EXPECT_EQ(names.count(""), 0u);
  EXPECT_EQ(to_text(static_cast<Reason>(kReasonCount)), "");
}

}  // namespace
}  // namespace spur
