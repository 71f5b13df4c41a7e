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

std::string identities(const std::string& identities) {
  return "{format: json, map: {name: body.n, time: body.t, identities: {" + identities + "}}}";
}

TEST(CatalogErrorsTest, IdentitiesOfAMapAreNamedAsCelCouldSayThem) {
  const std::string wanted = " cannot name an identity; loyalty_id, at most 32 of a-z, 0-9, _\n";
  const std::string longest(32, 'k'), too_long(33, 'k');
  check_kind(
      "Source",
      {
          {identities("user_id: body.u, loyalty_id: body.c, anonymous_id: body.a, e2: body.e"), ""},
          {identities("loyalty_id: body.c"), ""},
          {identities(longest + ": body.c"), ""},
          {identities(too_long + ": body.c"), "c:4:69: `" + too_long + "`" + wanted},
          {identities("loyalty-id: body.c"), "c:4:69: `loyalty-id`" + wanted},
          {identities("'loyalty:id': body.c"), "c:4:69: `loyalty:id`" + wanted},
          {identities("Card: body.c, 2nd: body.d"),
           "c:4:69: `Card`" + wanted + "c:4:83: `2nd`" + wanted},
          {identities("in: body.c"), "c:4:69: `in` cannot name an identity; it is a word of CEL\n"},
          {identities("userId: body.c"),
           "c:4:69: `userId` cannot name an identity; did you mean `user_id`?\n"},
          {identities("'': body.c"), "c:4:69: a name is empty\n"},
          {identities("card: ''"), "c:4:75: `card` is empty; write CEL\n"},
      });
}

TEST(CatalogErrorsTest, AnIdentityThatIsNearlyTheUserIdIsOneOfItsOwnAndWarnedOf) {
  const Loaded loaded =
      load_text("c", document("Source", identities("userid: body.u, anonymous_ids: body.a")));
  EXPECT_EQ(to_text(loaded.errors), "");
  EXPECT_EQ(to_text(loaded.warnings),
            "c:4:69: `userid` is an identity of its own; did you mean `user_id`?\n"
            "c:4:85: `anonymous_ids` is an identity of its own; did you mean `anonymous_id`?\n");
}

TEST(CatalogErrorsTest, AMapHasAtMostSixteenKindsOfIdentity) {
  const auto map = [](int kinds) {
    std::string text = "user_id: body.u, anonymous_id: body.a";
    for (int i = 0; i < kinds; ++i) text += ", k" + std::to_string(i) + ": body.x";
    return identities(text);
  };
  check_kind(
      "Source",
      {{map(16), ""},
       {map(17), "c:4:56: 17 kinds of identity beside user_id and anonymous_id; at most 16\n"}});
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
