// What is wrong with a file whatever it defines: its form, keys, types and names, and how all of it
// is told at once.
#include "operators/catalog/validate.h"
#include "tests/catalog/errors_fixture.h"

namespace spur::catalog {
namespace {

TEST(CatalogErrorsTest, TheOthersAreFine) { EXPECT_EQ(errors(kOthers), ""); }

TEST(CatalogErrorsTest, Documents) {
  const std::string segment = "spec: {when: a}\n";
  check({
      {"kind: Segment\nmetadata: {name: x}\n" + segment,
       "c:1:1: apiVersion is missing; write `apiVersion: spur/v1`\n"},
      {"apiVersion: spur/v2\nkind: Segment\nmetadata: {name: x}\n" + segment,
       "c:1:13: apiVersion is `spur/v2`; write `apiVersion: spur/v1`\n"},
      {"apiVersion: spur/v1\nmetadata: {name: x}\n" + segment,
       "c:1:1: kind is missing; one of Channel, Feature, Model, Policy, Reference, Segment, "
       "Session, Source, "
       "TrackingPlan, Trigger\n"},
      {"apiVersion: spur/v1\nkind: Trigge\nmetadata: {name: x}\n" + segment,
       "c:2:7: unknown kind `Trigge`; did you mean `Trigger`?\n"},
      {"apiVersion: spur/v1\nkind: Segment\n" + segment,
       "c:1:1: `name` is missing in `metadata`; every resource has one\n"},
      {"apiVersion: spur/v1\nkind: Segment\nmetadata: {}\n" + segment,
       "c:3:1: `name` is missing in `metadata`; every resource has one\n"},
      {"apiVersion: spur/v1\nkind: Segment\nmetadata: {nam: x}\n" + segment,
       "c:3:12: unknown key `nam` in metadata; did you mean `name`?\n"},
      {"apiVersion: spur/v1\nkind: Segment\nmetadata: {name: x}\n",
       "c:1:1: spec is missing; write a mapping; `spec: {}` if there is nothing to say\n"},
      {"apiVersion: spur/v1\nkind: Segment\nmetadata: {name: x}\nspec:\n",
       "c:4:1: spec is empty; write a mapping; `spec: {}` if there is nothing to say\n"},
      {"apiVersion: spur/v1\nkind: Segment\nmetadata: {name: x}\nspecs: {when: a}\n",
       "c:4:1: unknown key `specs` in the document; did you mean `spec`?\n"},
      {"just text\n",
       "c:1:1: the document is text; a document is a mapping of apiVersion, kind, metadata and "
       "spec\n"},
      {"- a\n",
       "c:1:1: the document is a list; a document is a mapping of apiVersion, kind, metadata and "
       "spec\n"},
  });
}

TEST(CatalogErrorsTest, UnknownKeys) {
  check_kind(
      "Feature",
      {
          {"{on: A, agregate: count}",
           "c:4:15: unknown key `agregate` in spec of Feature; did you mean `aggregate`?\n"},
          {"{on: A, aggregate: count, colour: red}",
           "c:4:33: unknown key `colour` in spec of Feature; known are aggregate, by, "
           "distinct_days, each, half_life, key, limit, of, offset, on, where, window, within\n"},
          {"{on: A, aggregate: sum, of: f(a, b)}",
           "c:4:40: unknown key `b)` in spec of Feature; inside { } put quotes around text that "
           "holds a comma\n"},
          {"{on: A, aggregate: count, windw: 7d, were: a}",
           "c:4:33: unknown key `windw` in spec of Feature; did you mean `window`?\n"
           "c:4:44: unknown key `were` in spec of Feature; did you mean `where`?\n"},
      });
}

TEST(CatalogErrorsTest, UnknownKeysInside) {
  check_trigger({
      {"absence: {opens: {on: A, wher: b}, after: 1h}",
       "c:5:28: unknown key `wher` in `opens`; did you mean `where`?\n"},
      {"absense: {opens: {on: A}, after: 1h}",
       "c:5:3: unknown key `absense` in spec of Trigger; did you mean `absence`?\n"},
      {"event: {on: A}\n  cooldwon: 7d",
       "c:6:3: unknown key `cooldwon` in spec of Trigger; did you mean `cooldown`?\n"},
      {"event: {on: A}\n  cooldown: {kye: 7d}",
       "c:6:14: unknown key `kye` in `cooldown`; did you mean `key`?\n"},
      {"<<: {event: {on: A}}\n  event: {on: B}",
       "c:5:3: unknown key `<<` in spec of Trigger; merge keys are not read; write the keys out\n"},
  });
}

TEST(CatalogErrorsTest, WrongTypes) {
  check_kind(
      "Feature",
      {
          {"{on: {a: b}, aggregate: count}",
           "c:4:12: `on` is a mapping; write one text, or a list of texts\n"},
          {"{on: [[A]], aggregate: count}",
           "c:4:13: an entry of `on` is a list; each is one text\n"},
          {"{on: A, aggregate: [count]}", "c:4:26: `aggregate` is a list; write one text\n"},
          {"{on: A, aggregate: count, window: {a: 1}}",
           "c:4:41: `window` is a mapping; write a duration such as 7d\n"},
          {"{on: A, aggregate: count, window: 7}",
           "c:4:41: `window` is `7`, not a duration; a duration is written 90s, 30m, 2h, 7d, 4w or "
           "1h30m\n"},
          {"{on: A, aggregate: count, window: }",
           "c:4:33: `window` is empty; write a duration such as 7d\n"},
          {"{on: A, aggregate: gaps, distinct_days: yes}",
           "c:4:47: `distinct_days` is `yes`, not a yes or no; write true or false\n"},
          {"{on: A, aggregate: gaps, distinct_days: \"true\"}",
           "c:4:47: `distinct_days` is `true`, not a yes or no; write true or false\n"},
          {"{on: A, aggregate: distinct, of: a, limit: 1.5}",
           "c:4:50: `limit` is `1.5`, not a whole number; write it as 3\n"},
          {"{on: A, aggregate: distinct, of: a, limit: \"5\"}",
           "c:4:50: `limit` is `5`, not a whole number; write it without quotes\n"},
          {"{on: A, aggregate: distinct, of: a, limit: -1}",
           "c:4:50: `limit` is `-1`, out of range; 1 to 1000000\n"},
          {"{on: A, where: \"\", aggregate: count}",
           "c:4:22: `where` is empty; write it or remove the key\n"},
          {"[a]",
           "c:4:7: spec is a list; write a mapping; `spec: {}` if there is nothing to say\n"},
          {"text", "c:4:7: spec is text; write a mapping; `spec: {}` if there is nothing to say\n"},
      });
}

TEST(CatalogErrorsTest, Names) {
  check_name({
      {"Feature", "orders-30d",
       "c:3:18: `orders-30d` cannot name a Feature; CEL must be able to say it: orders_30d, at "
       "most 63 of a-z, 0-9, _\n"},
      {"Feature", "Orders",
       "c:3:18: `Orders` cannot name a Feature; CEL must be able to say it: orders_30d, at most 63 "
       "of a-z, 0-9, _\n"},
      {"Feature", "in", "c:3:18: `in` cannot name a Feature; it is a word of CEL\n"},
      {"Feature", "30d",
       "c:3:18: `30d` cannot name a Feature; CEL must be able to say it: orders_30d, at most 63 of "
       "a-z, 0-9, _\n"},
      {"Model", "churn-risk",
       "c:3:18: `churn-risk` cannot name a Model; CEL must be able to say it: orders_30d, at most "
       "63 of a-z, 0-9, _\n"},
      {"Trigger", "cart_abandoned",
       "c:3:18: `cart_abandoned` cannot name a Trigger; a DNS label: cart-abandoned, at most 63 of "
       "a-z, 0-9, -\n"},
      {"Trigger", "-a",
       "c:3:18: `-a` cannot name a Trigger; a DNS label: cart-abandoned, at most 63 of a-z, 0-9, "
       "-\n"},
      {"Trigger", "a/b",
       "c:3:18: `a/b` cannot name a Trigger; a DNS label: cart-abandoned, at most 63 of a-z, 0-9, "
       "-\n"},
      {"Session", "Visit",
       "c:3:18: `Visit` cannot name a Session; an identifier or DNS label: cart, web_visit\n"},
      {"Session", "true",
       "c:3:18: `true` cannot name a Session; an identifier or DNS label: cart, web_visit\n"},
      {"Channel", "e mail",
       "c:3:18: `e mail` cannot name a Channel; a DNS label: cart-abandoned, at most 63 of a-z, "
       "0-9, -\n"},
      {"Segment", std::string(64, 'x'),
       "c:3:18: `" + std::string(64, 'x') +
           "` cannot name a Segment; a DNS label: cart-abandoned, at most 63 of a-z, 0-9, -\n"},
      {"Segment", "[a]", "c:3:18: `name` is a list; write one text\n"},
      {"Segment", "\"\"", "c:3:12: `name` is empty; every resource has one\n"},
  });
}

TEST(CatalogErrorsTest, Twice) {
  check({
      {document("Segment", "{when: a, when: b}"),
       "c:4:17: `when` stands here twice; it is already at line 4, column 8\n"},
      {document("Segment", "{when: a}") + "---\n" + document("Segment", "{when: b}") + "---\n" +
           document("Segment", "{whem: b}"),
       "c:8:18: there are two Segments named `x`; names are unique per kind\n"
       "c:13:18: there are two Segments named `x`; names are unique per kind\n"
       "c:14:8: unknown key `whem` in spec of Segment; did you mean `when`?\n"},
      {document("Policy", "{}", "a") + "---\n" + document("Policy", "{}", "b"),
       "c:6:1: a second Policy; a catalog has one\n"},
      {document("Policy", "{}", "a") + "---\n" + document("Policy", "{}", "a") + "---\n" +
           document("Policy", "{lateness: -1s}", "a"),
       "c:6:1: a second Policy; a catalog has one\n"
       "c:11:1: a second Policy; a catalog has one\n"
       "c:14:18: `lateness` is negative; 0s or more\n"},
      {document("Segment", "{when: a}") + "---\n" + document("Channel", "{}"), ""},
  });
}

TEST(CatalogErrorsTest, ChannelsOfOneTopicHaveOneDelivery) {
  const std::string plain = document("Channel", "{topic: t}", "plain");
  const std::string once = document("Channel", "{topic: t, delivery: transactional}", "once");
  check({
      {plain + "---\n" + once,
       "c:9:7: Channel `plain` has the same topic and another `delivery`; give both the same, or "
       "topics of their own\n"},
      {once + "---\n" + document("Channel", "{topic: t, delivery: transactional}", "too"), ""},
      {plain + "---\n" + document("Channel", "{delivery: transactional}", "once"), ""},
      {document("Channel", "{topic: t, rate: {max: 5, per: 1s}}", "slow") + "---\n" +
           document("Channel", "{topic: t, rate: {max: 5, per: 1m}}", "slower"),
       "c:9:7: Channel `slow` has the same topic and another `rate`; give both the same, or topics "
       "of their own\n"},
      {document("Channel", "{rate: {max: 0, per: 1s}}"), "c:4:20: a rate of 0; 1 or more\n"},
      {document("Channel", "{rate: {max: 5}}"),
       "c:4:8: `per` is missing in `rate`; the length of the window, such as 7d\n"},
      {document("Channel", "{rate: {max: 5, per: 367d}}"),
       "c:4:28: a rate over more than a year; 366d at most\n"},
      {document("Channel", "{rate: {max: 5, per: 0s}}"), "c:4:28: `per` is zero; more than 0s\n"},
      {document("Channel", "{delivery: transactionnal}"),
       "c:4:18: `delivery` is `transactionnal`; did you mean `transactional`?\n"},
      {document("Channel", "{delivery: exactly-once}"),
       "c:4:18: `delivery` is `exactly-once`; the only value is transactional\n"},
  });
}

TEST(CatalogErrorsTest, Syntax) {
  check({
      {document("Segment", "{when: a: b}"),
       "c:4:15: YAML: end of map flow not found; close the bracket, or put quotes around text that "
       "holds any of : , ? [ ] { }\n"},
      {document("Segment", "\n  when: a: b"),
       "c:5:10: YAML: illegal map value; put quotes around text that holds `: `\n"},
      {document("Segment", "\n  when: !features.a"),
       "c:5:9: `!features.a` is a YAML tag and means nothing here; put quotes around text that "
       "begins with `!`\n"},
      {document("Segment", "\n  when: \"abc\n"), "c:5:9: the quote \" is never closed\n"},
      {document("Segment", "\n  when: 'it''s\n"), "c:5:9: the quote ' is never closed\n"},
      {document("Segment", "\n  when: [a"),
       "c:6:1: YAML: end of sequence flow not found; close the bracket, or put quotes around text "
       "that holds any of : , ? [ ] { }\n"},
      {document("Segment", "\n  when: 'a' == b"),
       "c:5:13: YAML: end of map not found; check the indentation, and put quotes around text that "
       "begins with a quote or bracket\n"},
      {document("Segment", "\n\twhen: a"),
       "c:5:6: YAML: illegal map value; indent with spaces, not with tabs\n"},
      {document("Segment", "\n  when: `a`"),
       "c:5:9: YAML: unknown token; put quotes around text that begins with ` or @ or %\n"},
      {document("Segment", "\n  when: *a"),
       "c:5:9: YAML: the referenced anchor is not defined; put quotes around text that begins with "
       "`*`: \"*\"\n"},
      {document("Segment", "\n  when: &a\n    x: [*a]"),
       "c:6:5: `when` is a mapping; write one text\n"
       "c:6:9: an alias stands inside its own anchor; write the value out\n"},
      {document("Segment", "\n  ? [a]\n  : b\n  when: a"), "c:5:5: a key must be plain text\n"},
      {document("Segment", "{when: a}") + "---\n" + "x: [\n" + "---\n" + "y: `\n" + "---\n" +
           document("Segment", "{wen: a}", "y"),
       "c:7:1: YAML: end of sequence flow not found; close the bracket, or put quotes around text "
       "that holds any of : , ? [ ] { }\n"
       "c:8:4: YAML: unknown token; put quotes around text that begins with ` or @ or %\n"
       "c:13:8: unknown key `wen` in spec of Segment; did you mean `when`?\n"},
      {"a: \x01\n", "c:1:4: a control character; YAML is plain UTF-8 text\n"},
      {document("Segment", "\n  when: \"a\\_b\""),
       "c:5:9: an escape that is not UTF-8; write \\u00a0 for \\_ and \\u0085 for \\N\n"},
      {",\n---\n" + document("Segment", "{wen: a}"),
       "c:1:1: YAML: unexpected `,`\n"
       "c:6:8: unknown key `wen` in spec of Segment; did you mean `when`?\n"},
      {"a: \xff\n", "c:1:4: not UTF-8; save the file as UTF-8\n"},
      {document("Segment", "\n  when: \"a\\q\""),
       "c:5:13: YAML: unknown escape character: q; inside \" a backslash is written \\\\; inside ' "
       "it is itself\n"},
      {document("Segment", "\n  when: " + std::string(70, '[') + std::string(70, ']')),
       "c:5:71: YAML: nested deeper than 64 levels\n"},
  });
}

TEST(CatalogErrorsTest, AllAtOnceInTheOrderOfTheText) {
  const std::string yaml =
      "apiVersion: spur/v1\n"
      "kind: Trigger\n"
      "metadata: {name: Cart}\n"
      "spec:\n"
      "  absence:\n"
      "    opens: {on: Product Added, wher: a}\n"
      "    grace: -1s\n"
      "  priority: high\n"
      "  cooldown: 0s\n"
      "  actions:\n"
      "    - {channel: sms, template: t}\n"
      "    - {channel: email}\n"
      "---\n"
      "kind: Feature\n"
      "metadata: {name: orders}\n"
      "spec: {on: A, aggregate: sum, window: 0d, window: 1d}\n"
      "---\n"
      "x: [\n";
  EXPECT_EQ(
      errors(yaml),
      "c:3:18: `Cart` cannot name a Trigger; a DNS label: cart-abandoned, at most 63 of a-z, 0-9, "
      "-\n"
      "c:5:3: `after` is missing in `absence`; a duration such as 1h, or `until` with a timestamp\n"
      "c:6:32: unknown key `wher` in `opens`; did you mean `where`?\n"
      "c:7:12: `grace` is negative; 0s or more\n"
      "c:8:13: `priority` is `high`, not a whole number; write it as 3\n"
      "c:9:13: `cooldown` is zero or empty; 7d, or {key: 7d}, or leave it out\n"
      // Channels are not missed while a document could not be read: they may stand there.
      "c:12:7: `template` is missing in `actions`; the name of what the channel sends\n"
      "c:14:1: apiVersion is missing; write `apiVersion: spur/v1`\n"
      "c:16:1: `of` is missing in `spec`; sum needs the value to aggregate\n"
      "c:16:39: `window` is zero; more than 0s\n"
      "c:16:43: `window` stands here twice; it is already at line 16, column 31\n"
      "c:19:1: YAML: end of sequence flow not found; close the bracket, or put quotes around text "
      "that holds any "
      "of : , ? [ ] { }\n");
}

// A catalog that came as protobuf has no lines; the path stands in their place.
TEST(CatalogErrorsTest, OfProtobufWithoutPositions) {
  spur::v1::Catalog catalog;
  auto& trigger = *catalog.add_triggers();
  trigger.set_name("t");
  trigger.mutable_absence()->add_opens()->add_on("A");
  trigger.mutable_absence()->set_grace_ms(-1);
  trigger.set_backfill("once");
  trigger.add_actions()->add_channels("email");
  catalog.add_triggers()->set_name("u");
  catalog.mutable_triggers(1)->mutable_unsupported()->set_name("uplift");
  catalog.add_references()->set_name("products");
  catalog.add_policies()->set_max_action_age_ms(-2);
  EXPECT_EQ(to_text(validate(catalog, SourceMap()).errors),
            "Reference products: spec: `topic` is missing in `spec`; the name of a topic\n"
            "Reference products: spec: `key` is missing in `spec`; the key of a record, such as "
            "body.product_id\n"
            "Trigger t: spec.absence.grace: `grace` is negative; 0s or more\n"
            "Trigger t: spec.absence: `after` is missing in `absence`; a duration such as 1h, or "
            "`until` with a timestamp\n"
            "Trigger t: spec.actions[0].channels[0]: there is no Channel `email`; the catalog has "
            "no Channel\n"
            "Trigger t: spec.actions[0]: `template` is missing in `actions`; the name of what the "
            "channel sends\n"
            "Trigger u: spec.operator: operator `uplift` is known, not in this version\n"
            "Policy : metadata: `name` is missing in `metadata`; every resource has one\n"
            "Policy : spec.max_action_age: `max_action_age` is negative; 0s or more\n");
}

TEST(CatalogErrorsTest, ACircleIsToldBesideOtherErrors) {
  EXPECT_EQ(
      all_errors(document("Feature", "{on: A, aggregate: sum, of: features.b}", "a") + "---\n" +
                 document("Feature", "{on: A, aggregate: sum, of: features.a}", "b") + "---\n" +
                 document("Segment", "{when: features.c > 1}", "s")),
      "c:4:7: a circle of definitions: features.a → features.b → features.a; one of them must do "
      "without the others\n"
      "c:14:23: `c` is not declared in `features`; did you mean `features.a`?\n");
}

TEST(CatalogErrorsTest, AnUnknownSegmentIsOneEvenInsideACondition) {
  EXPECT_EQ(
      all_errors(
          document("Segment", "{when: features.n > 1}", "vip") + "---\n" +
          document("Feature", "{on: A, aggregate: count}", "n") + "---\n" +
          document("Trigger",
                   "{threshold: {when: \"'vp' in segments || segments['big']\"}, actions: []}")),
      "c:14:27: there is no Segment `vp`; did you mean `vip`?\n"
      "c:14:56: there is no Segment `big`\n");
}

TEST(CatalogErrorsTest, WhatTwoChecksMindIsOneError) {
  EXPECT_EQ(all_errors(document(
                "Trigger", "{schedule: {cron: \"0 25 * * *\", zone: Mars/Base}, actions: []}")),
            "c:4:28: hour 25 is out of range; 0 to 23\n"
            "c:4:45: there is no time zone `Mars/Base`; an IANA name such as Europe/Stockholm, or "
            "customer\n");
}

TEST(CatalogErrorsTest, OfFieldsFromAnotherVersion) {
  spur::v1::Catalog catalog;
  auto& segment = *catalog.add_segments();
  segment.set_name("vip");
  segment.set_when("true");
  segment.GetReflection()->MutableUnknownFields(&segment)->AddVarint(900, 1);
  EXPECT_EQ(to_text(validate(catalog, SourceMap()).errors),
            "Segment vip: spec: it has fields that this version does not know; apply it with a "
            "tool of the same version\n");
}

}  // namespace
}  // namespace spur::catalog
