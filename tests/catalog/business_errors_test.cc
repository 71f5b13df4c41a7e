// What is wrong with business data and what reads it, where, and what would be right: exact texts.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "operators/catalog/compile.h"
#include "operators/catalog/load.h"

namespace spur::catalog {
namespace {

std::string document(const std::string& kind, const std::string& name, const std::string& spec) {
  return "apiVersion: spur/v1\nkind: " + kind + "\nmetadata: {name: " + name + "}\nspec: " + spec +
         "\n---\n";
}

// `text` begins on line 1; its specs stand on line 4 of each document.
std::string errors(const std::string& text) {
  const Loaded loaded = load_text("c", text + document("Channel", "email", "{}"));
  return to_text(merged(loaded.errors, compile(loaded.catalog, loaded.positions).errors));
}

std::string products() {
  return document("Reference", "products", "{topic: products, key: body.id}");
}

// Of a trigger on line 4 with this operator and these settings.
std::string of_trigger(const std::string& spec) {
  return errors(
      document("Trigger", "x", "{" + spec + ", actions: [{channel: email, template: t}]}") +
      products());
}

constexpr const char* kInterest = "interest: {on: A, key: event.properties.id, within: 1d}";

TEST(BusinessErrorsTest, AReferenceNeedsATopicAndAKeyOverTheRecord) {
  EXPECT_EQ(errors(document("Reference", "products", "{}")),
            "c:4:1: `key` is missing in `spec`; the key of a record, such as body.product_id\n"
            "c:4:1: `topic` is missing in `spec`; the name of a topic\n");
  EXPECT_EQ(
      errors(document("Reference", "products", "{topic: products, format: csv, key: event.id}")),
      "c:4:33: `format` is `csv`; the only value is json\n"
      "c:4:43: only the record itself, `body`, is known here\n");
  EXPECT_EQ(errors(document("Reference", "my-products", "{topic: products, key: body.id}")),
            "c:3:18: `my-products` cannot name a Reference; CEL must be able to say it: "
            "orders_30d, at most 63 of a-z, "
            "0-9, _\n");
}

TEST(BusinessErrorsTest, EventsAndBusinessDataShareNoTopicAndNoName) {
  EXPECT_EQ(errors(document("Source", "products", "{topic: products}") + products()),
            "c:8:18: a Source has this name too; what is published is known by it\n"
            "c:9:15: the topic is that of Source `products`; each has a topic of its own\n");
}

TEST(BusinessErrorsTest, TheOperatorSaysWhatIsMissing) {
  EXPECT_EQ(
      of_trigger("business: {reference: product, interest: {on: A, within: 0s}, rate: {max: 0}}"),
      "c:4:30: there is no Reference `product`; did you mean `products`?\n"
      "c:4:39: `key` is missing in `interest`; the key of the record that it is about, such as "
      "event.properties.product_id\n"
      "c:4:65: `within` is zero; more than 0s\n"
      "c:4:70: `per` is missing in `rate`; the length of the window, such as 7d\n"
      "c:4:82: a rate of 0; 1 or more\n");
}

TEST(BusinessErrorsTest, WhenKnowsTheChangeAndNoCustomer) {
  EXPECT_EQ(of_trigger(std::string("business: {reference: products, when: \"record.n > previous.n "
                                   "&& reference.products['a'].n == 1\", ") +
                       kInterest + "}"),
            "");
  EXPECT_EQ(of_trigger(std::string("business: {reference: products, when: traits.vip, ") +
                       kInterest + "}"),
            "c:4:46: nobody is looked at here yet: this is asked once a change; `if` is asked of "
            "each customer\n");
}

TEST(BusinessErrorsTest, RecordAndPreviousStandWhereThereIsAChange) {
  const std::string operates = std::string("business: {reference: products, ") + kInterest + "}";
  EXPECT_EQ(of_trigger(operates + ", if: record.n > previous.n, while: record.n > 0"), "");
  EXPECT_EQ(of_trigger(operates + ", while: previous.n > 0"),
            "c:4:105: `previous` is gone by the time of a later step; put what it needs into "
            "`when` or `if`\n");
  EXPECT_EQ(of_trigger("event: {on: A}, if: record.n > 0"),
            "c:4:28: `record` belongs to the operator business\n");
}

TEST(BusinessErrorsTest, AThresholdOnBusinessDataMustBeAskedAtIntervals) {
  const std::string when = "threshold: {when: \"reference.products['a'].n > 1\"";
  EXPECT_EQ(
      of_trigger(when + "}"),
      "c:4:26: this changes with time alone (business data); say how often to ask: `every: 1h`\n");
  EXPECT_EQ(of_trigger(when + ", every: 1h}"), "");
}

TEST(BusinessErrorsTest, AnUnknownReferenceIsNamed) {
  EXPECT_EQ(of_trigger("event: {on: A}, if: \"reference.stores['a'].open\""),
            "c:4:39: `stores` is not declared in `reference`\n");
}

}  // namespace
}  // namespace spur::catalog
