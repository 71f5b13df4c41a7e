// What is wrong with the format and the map of a Source.
#include "tests/catalog/errors_fixture.h"

namespace spur::catalog {
namespace {

TEST(CatalogErrorsTest, AFormatIsOneOfFour) {
  check_kind("Source",
             {
                 {"{format: protobuf}", ""},
                 {"{format: cloudevents}", ""},
                 {"{format: xml}",
                  "c:4:16: `format` is `xml`; one of segment, json, cloudevents, protobuf\n"},
             });
}

TEST(CatalogErrorsTest, JsonNeedsAMapAndWhatMakesAnEvent) {
  check_kind(
      "Source",
      {
          {"{format: json}",
           "c:4:1: `map` is missing in `spec`; what makes an event of the JSON: {name, time, "
           "identities, …}\n"},
          {"{format: json, map: {}}",
           "c:4:22: `identities` is missing in `map`; whom it is about: {user_id: body.customer}\n"
           "c:4:22: `name` is missing in `map`; CEL, such as body.event or \"'Order Completed'\"\n"
           "c:4:22: `time` is missing in `map`; CEL, such as timestamp(body.closed_at)\n"},
          {"{format: cloudevents, map: {}}", ""},
          {"{format: json, map: {name: body.n, time: body.t, identities: {user_id: body.u}, nmae: "
           "x}}",
           "c:4:87: unknown key `nmae` in `map`; did you mean `name`?\n"},
      });
}

TEST(CatalogErrorsTest, ACallInTheSegmentShapeTakesNoMap) {
  for (const char* format : {"", "format: segment, ", "format: protobuf, "}) {
    const std::string at = std::to_string(8 + std::string(format).size());
    check_kind("Source", {{"{" + std::string(format) + "map: {name: body.n}}",
                           "c:4:" + at +
                               ": a call in the Segment shape takes no `map`; remove it, or use "
                               "format json or cloudevents\n"}});
  }
}

TEST(CatalogErrorsTest, IdentitiesOfAMapAreThoseThatThereAre) {
  check_kind(
      "Source",
      {
          {"{format: json, map: {name: body.n, time: body.t, identities: {user_id: body.u, "
           "loyalty_id: body.c}}}",
           "c:4:86: identity `loyalty_id` is known, not in this version; user_id and anonymous_id "
           "tell who it is; what else is known of the customer goes into `traits`\n"},
      });
}

TEST(CatalogErrorsTest, AMapHasAtMostSoManyExpressions) {
  const auto map = [](int properties) {
    std::string text = "{format: cloudevents, map: {properties: {";
    for (int i = 0; i < properties; ++i)
      text += (i > 0 ? ", p" : "p") + std::to_string(i) + ": body.x";
    return text + "}}}";
  };
  check_kind("Source",
             {{map(256), ""}, {map(257), "c:4:29: 257 expressions in one map; at most 256\n"}});
}

std::string source_errors(const std::string& map) {
  return all_errors(document("Source", "\n  format: cloudevents\n  map:\n    " + map));
}

TEST(CatalogErrorsTest, ExpressionsOfAMapAreCheckedWhereTheyStand) {
  EXPECT_EQ(source_errors("name: body.a +"),
            "c:7:19: the expression ends here, expected a value\n");
  EXPECT_EQ(source_errors("name: bdy.a"),
            "c:7:11: `bdy` is not declared here; did you mean `body`?\n");
  EXPECT_EQ(source_errors("name: event.name"),
            "c:7:11: `event` is not known here: a map sees `body`, the JSON as it came\n");
  EXPECT_EQ(source_errors("name: size(body.a)"), "c:7:11: this is int; a text\n");
  EXPECT_EQ(source_errors("time: body.a == 1"),
            "c:7:11: this is bool; a timestamp, such as timestamp(body.closed_at)\n");
  EXPECT_EQ(source_errors("properties: size(body.a)"),
            "c:7:17: this is int; a map, or a mapping of names to CEL\n");
  EXPECT_EQ(source_errors("properties: {a: 1, b: body.x + }"),
            "c:7:35: the expression ends here, expected a value\n");
  EXPECT_EQ(
      source_errors("properties: [a]"),
      "c:7:17: `properties` is a list; write a mapping of names to CEL, or CEL that gives one\n");
  EXPECT_EQ(source_errors("time: \"body.?a.optMap(t, timestamp(t))\""), "");
}

TEST(CatalogErrorsTest, BodyIsKnownInAMapAlone) {
  EXPECT_EQ(all_errors(document("Feature", "{on: A, aggregate: sum, of: body.x}")),
            "c:4:35: `body` is known in a Source's `map` and a Reference's `key` and `time` alone\n");
}

}  // namespace
}  // namespace spur::catalog
