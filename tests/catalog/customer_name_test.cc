// How people name a customer: which names have a kind, and which are user ids whatever they look
// like.
#include "operators/catalog/customer_name.h"

#include <gtest/gtest.h>

#include "operators/catalog/compile.h"
#include "operators/catalog/load.h"

namespace spur::catalog {
namespace {

// A catalog whose Sources map cards and addresses.
std::shared_ptr<const Compiled> till_catalog() {
  const Loaded loaded = load_text("c", R"(
apiVersion: spur/v1
kind: Source
metadata: {name: till}
spec:
  format: json
  map: {name: "'A'", time: body.at, identities: {loyalty_id: body.card, user_id: "body.?user"}}
---
apiVersion: spur/v1
kind: Source
metadata: {name: mail}
spec: {format: cloudevents, map: {identities: {email: body.subject}}}
---
apiVersion: spur/v1
kind: Source
metadata: {name: shop}
spec: {}
)");
  EXPECT_EQ(to_text(loaded.errors), "");
  CompileResult result = compile(loaded.catalog, loaded.positions);
  EXPECT_EQ(to_text(result.errors), "");
  return result.compiled;
}

// As decisions call who is named; empty: nobody is.
std::string named(std::string_view text, const Compiled* catalog) {
  const auto name = parse_customer(text, catalog);
  return name ? to_text(name->identity()) : "";
}

TEST(CustomerNameTest, WhatADecisionCallsACustomerIsItsName) {
  const auto catalog = till_catalog();
  for (const char* text : {"user_id:4711", "anonymous_id:a", "loyalty_id:4711", "email:ann@x",
                           "user_id:loyalty_id:4711", "email:a:b"})
    EXPECT_EQ(named(text, catalog.get()), text);
}

TEST(CustomerNameTest, ABareNameIsAUserIdWithItsColons) {
  const auto catalog = till_catalog();
  for (const char* text : {"4711", "urn:user:4711", "phone:4711", ":4711", "Loyalty_id:4711",
                           "loyalty_id", "user_id", ":"})
    EXPECT_EQ(named(text, catalog.get()), "user_id:" + std::string(text));
}

TEST(CustomerNameTest, WithoutACatalogThatMapsItAKindIsPartOfAUserId) {
  EXPECT_EQ(named("loyalty_id:4711", nullptr), "user_id:loyalty_id:4711");
  EXPECT_EQ(named("anonymous_id:a", nullptr), "anonymous_id:a");
  const auto none = compile(load_text("c", "").catalog).compiled;
  EXPECT_EQ(named("loyalty_id:4711", none.get()), "user_id:loyalty_id:4711");
}

TEST(CustomerNameTest, AKindWithNothingBehindItNamesNobody) {
  const auto catalog = till_catalog();
  for (const char* text : {"", "user_id:", "anonymous_id:", "loyalty_id:"})
    EXPECT_EQ(named(text, catalog.get()), "") << text;
}

}  // namespace
}  // namespace spur::catalog
