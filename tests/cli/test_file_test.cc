#include "daemon/trigger_test/test_file.h"

#include <filesystem>
#include <fstream>

#include "tests/cli/trigger_test_fixture.h"

namespace spur::trigger_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TestEvent only_event(const std::string& event) {
  const TestFile file =
      parsed("  - {name: x, events: [" + event + "], run_until: 1d, expect: []}\n");
  EXPECT_EQ(catalog::to_text(file.errors), "");
  return file.tests.at(0).events.at(0);
}

TEST(TestFile, AnEventBecomesTheCallThatAShopWouldSend) {
  EXPECT_EQ(
      only_event("{at: 90m, customer: ann, event: Product Added, properties: {cart_id: k1, n: 2}}")
          .json,
      R"({"type":"track","event":"Product Added","messageId":"event-000001","userId":"ann",)"
      R"("timestamp":"2026-03-01T09:30:00Z","properties":{"cart_id":"k1","n":2}})");
}

TEST(TestFile, TraitsOfATrackTravelInItsContext) {
  EXPECT_THAT(
      only_event("{at: 0m, customer: ann, event: A, traits: {email: a@b}, context: {ip: x}}").json,
      HasSubstr(R"("context":{"ip":"x","traits":{"email":"a@b"}})"));
  EXPECT_THAT(only_event("{at: 0m, customer: ann, type: identify, traits: {email: a@b}}").json,
              HasSubstr(R"("traits":{"email":"a@b"})"));
}

TEST(TestFile, AnEventWithAnAnonymousIdAloneIsThatVisitors) {
  EXPECT_THAT(only_event("{at: 0m, anonymous_id: v1, type: page, name: Home, id: m7}").json,
              testing::AllOf(HasSubstr(R"("anonymousId":"v1")"), HasSubstr(R"("messageId":"m7")"),
                             HasSubstr(R"("name":"Home")"), testing::Not(HasSubstr("userId"))));
}

TEST(TestFile, AnEventMayBeWhatAProducerSends) {
  const TestEvent event = only_event("{at: 0m, source: till, body: {no: 7, lines: [{sku: a}]}}");
  EXPECT_EQ(event.source, "till");
  EXPECT_EQ(event.json, R"({"no":7,"lines":[{"sku":"a"}]})");
  const std::string head = "start: 2026-03-01T08:00:00Z\ntests:\n  - {name: x, expect: [], events: [";
  EXPECT_EQ(errors_of(head + "{at: 0m, source: till}]}\n"),
            "a_test.yaml:3:36: `source` and `body` go together; {at: 5m, source: till, body: {…}}\n");
  EXPECT_EQ(errors_of(head + "{at: 0m, body: {}}]}\n"),
            "a_test.yaml:3:36: `source` and `body` go together; {at: 5m, source: till, body: {…}}\n");
  EXPECT_EQ(errors_of(head + "{source: till, body: {}, event: A}]}\n"),
            "a_test.yaml:3:36: an event without `at`; a duration from start (90s, 30m, 25h, -7d), or an instant such as "
            "2026-03-01T08:00:00Z\n"
            "a_test.yaml:3:61: `event` beside `body`; the body says it\n");
}

TEST(TestFile, AnEventMayBeARecordOfBusinessData) {
  const TestEvent event = only_event("{at: 1h, reference: products, record: {id: p1, price: 80}}");
  EXPECT_EQ(event.reference, "products");
  EXPECT_EQ(event.json, R"({"id":"p1","price":80})");
  EXPECT_EQ(event.time, only_event("{at: 1h, customer: a, event: A}").time);
  const std::string head =
      "start: 2026-03-01T08:00:00Z\ntests:\n  - {name: x, expect: [], events: [";
  EXPECT_EQ(errors_of(head + "{reference: products}]}\n"),
            "a_test.yaml:3:36: a record without `at`; a duration from start (90s, 30m, 25h, -7d), "
            "or an instant such as "
            "2026-03-01T08:00:00Z\n"
            "a_test.yaml:3:36: no `record`; what has changed, as a mapping\n");
  EXPECT_EQ(errors_of(head + "{at: 0m, record: 7}]}\n"),
            "a_test.yaml:3:36: a record without `reference`; the name of a Reference\n"
            "a_test.yaml:3:45: `record` is a mapping\n");
  EXPECT_EQ(errors_of(head + "{at: 0m, reference: products, record: {}, customer: ann}]}\n"),
            "a_test.yaml:3:78: unknown key `customer` in a record of business data; known are at, "
            "record, reference\n");
}

TEST(TestFile, TheCustomerIsTheOneBefore) {
  const TestFile file = parsed(
      "  - {name: x, events: [{at: 0m, customer: ann, event: A}, {at: 1m, event: B}], expect: "
      "[]}\n");
  EXPECT_THAT(file.tests.at(0).events.at(1).json, HasSubstr(R"("userId":"ann")"));
}

TEST(TestFile, EachTestBeginsWithoutACustomer) {
  EXPECT_EQ(errors_of("start: 2026-03-01T08:00:00Z\n"
                      "tests:\n"
                      "  - {name: x, events: [{at: 0m, customer: ann, event: A}], expect: []}\n"
                      "  - {name: y, events: [{at: 0m, event: A}], expect: []}\n"),
            "a_test.yaml:4:24: an event without `customer`; the first event of a test names one\n");
}

TEST(TestFile, AnInstantIsADurationFromStartOrATimestamp) {
  EXPECT_EQ(only_event("{at: -1h, customer: a, event: A}").time,
            only_event("{at: 2026-03-01T08:00:00+01:00, customer: a, event: A}").time);
}

TEST(TestFile, WithoutRunUntilTheNewestEventIsTheEnd) {
  const TestFile file = parsed(
      "  - {name: x, events: [{at: 2h, customer: a, event: A}, {at: 1h, event: A}], expect: []}\n");
  EXPECT_EQ(file.tests.at(0).run_until, file.start + kHour * 2);
}

TEST(TestFile, UnknownKeysAreSaidWithTheirPlaceAndWhatWasMeant) {
  EXPECT_EQ(
      errors_of("start: 2026-03-01T08:00:00Z\n"
                "test: []\n"
                "tests:\n"
                "  - name: x\n"
                "    run_untill: 3d\n"
                "    events: [{at: 0m, customer: a, evnt: A, event: A}]\n"
                "    expect: [{at: 0m, chanel: email}]\n"),
      "a_test.yaml:2:1: unknown key `test` in a file of trigger tests; did you mean `tests`?\n"
      "a_test.yaml:5:5: unknown key `run_untill` in a test; did you mean `run_until`?\n"
      "a_test.yaml:6:36: unknown key `evnt` in an event; did you mean `event`?\n"
      "a_test.yaml:7:23: unknown key `chanel` in an expectation; did you mean `channel`?\n");
}

TEST(TestFile, WhatIsMissingIsSaid) {
  EXPECT_THAT(errors_of("tests: []\n"), HasSubstr("no `start`"));
  EXPECT_THAT(errors_of("start: 2026-03-01T08:00:00Z\n"), HasSubstr("no `tests`"));
  EXPECT_THAT(errors_of("start: yesterday\ntests: []\n"),
              HasSubstr("a_test.yaml:1:8: `yesterday` is no instant"));
  EXPECT_THAT(errors_of(""), HasSubstr("no tests here"));
  const std::string head = "start: 2026-03-01T08:00:00Z\ntests:\n";
  EXPECT_THAT(errors_of(head + "  - {events: [], expect: []}\n"),
              HasSubstr("a test without `name`"));
  EXPECT_THAT(errors_of(head + "  - {name: x, events: []}\n"),
              HasSubstr("expect: [] if nothing is to be decided"));
  EXPECT_THAT(errors_of(head + "  - {name: x, events: [{customer: a, event: A}], expect: []}\n"),
              HasSubstr("an event without `at`"));
  EXPECT_THAT(errors_of(head + "  - {name: x, events: [{at: 0m, customer: a}], expect: []}\n"),
              HasSubstr("an event without `event`"));
}

TEST(TestFile, WhatCannotBeMeantIsSaid) {
  const std::string head = "start: 2026-03-01T08:00:00Z\ntests:\n";
  EXPECT_THAT(
      errors_of(
          head +
          "  - {name: x, events: [{at: 2h, customer: a, event: A}], run_until: 1h, expect: []}\n"),
      HasSubstr("this event comes after `run_until`"));
  EXPECT_THAT(errors_of(head + "  - {name: x, expect: []}\n  - {name: x, expect: []}\n"),
              HasSubstr("the name `x` is there twice"));
  EXPECT_THAT(
      errors_of(head + "  - {name: x, events: [{at: soon, customer: a, event: A}], expect: []}\n"),
      HasSubstr("a duration from start"));
  EXPECT_THAT(errors_of(head + "  - {name: x, expect: [{verdict: send}]}\n"),
              HasSubstr("sent, suppressed, held_out, deferred or retracted"));
  EXPECT_THAT(errors_of(head + "  - {name: x, only: sent, expect: [{verdict: deferred}]}\n"),
              HasSubstr("not among those of `only`"));
  EXPECT_THAT(
      errors_of(head +
                "  - {name: x, events: [{at: 0m, customer: a, type: identfy}], expect: []}\n"),
      HasSubstr("did you mean `identify`?"));
}

TEST(TestFile, ConsentIsAListOfPurposes) {
  const std::string rest = "start: 2026-03-01T08:00:00Z\ntests: []\n";
  EXPECT_EQ(errors_of("consent: []\n" + rest), "");
  EXPECT_EQ(errors_of("consent: [marketing-email]\n" + rest), "");
  EXPECT_THAT(parse_test_file("a_test.yaml", "consent: [a, b]\n" + rest).consents, ElementsAre("a", "b"));
  EXPECT_EQ(errors_of("consent: [[a]]\n" + rest),
            "a_test.yaml:1:11: a purpose is text; consent: [marketing-email]\n");
}

TEST(TestFile, TheCatalogIsFoundFromTheFile) {
  const std::string rest = "start: 2026-03-01T08:00:00Z\ntests: []\n";
  EXPECT_EQ(parse_test_file("shop/tests/a_test.yaml", "catalog: ..\n" + rest).catalog, "shop");
  EXPECT_EQ(parse_test_file("shop/a_test.yaml", rest).catalog, "shop");
  EXPECT_EQ(parse_test_file("a_test.yaml", rest).catalog, ".");
}

TEST(Discover, TakesTestFilesBelowAFolderInTheOrderOfTheirPaths) {
  const std::filesystem::path folder = std::filesystem::path(testing::TempDir()) / "spur_discover";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder / "b");
  for (const char* name :
       {"z_test.yaml", "a_test.yml", "catalog.yaml", "b/c_test.yaml", ".hidden_test.yaml"}) {
    std::ofstream(folder / name) << "x";
  }
  const Discovered found = discover({folder.string()});
  EXPECT_THAT(found.errors, IsEmpty());
  EXPECT_THAT(found.files,
              ElementsAre((folder / "a_test.yml").string(), (folder / "b/c_test.yaml").string(),
                          (folder / "z_test.yaml").string()));
  EXPECT_THAT(text(discover({(folder / "nowhere").string()}).errors),
              HasSubstr("no such file or folder"));
}

}  // namespace
}  // namespace spur::trigger_test
