// CustomerSnapshot: what the gate would say of a trigger that has not fired, asked of a copy.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "absl/strings/str_cat.h"
#include "operators/customer_snapshot.h"
#include "tests/operators/story.h"

namespace spur::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class SnapshotTest : public ::testing::Test {
 protected:
  void given(std::string_view yaml) { story_.emplace(yaml); }

  std::unique_ptr<CustomerSnapshot> snapshot() {
    const auto ann = story_->customers().peek({IdentityKind::kUserId, "ann"});
    return story_->shard().snapshot(**ann);
  }
  // "guard", "guard no" or "guard unknown", in their order, of the trigger of that name.
  std::vector<std::string> said(std::string_view when, std::string_view trigger,
                                std::string_view key = "") {
    const std::unique_ptr<CustomerSnapshot> of = snapshot();
    std::vector<std::string> out;
    for (std::uint32_t t = 0; t < of->catalog()->triggers.size(); ++t) {
      if (of->catalog()->triggers[t].name != trigger) continue;
      for (const GuardSaid& guard : of->ask_guards(instant(when), t, key))
        out.push_back(guard.guard + (guard.unknown ? " unknown" : guard.through ? "" : " no"));
      break;
    }
    return out;
  }
  // Of them those that do not simply let it through.
  std::vector<std::string> objections(std::string_view when, std::string_view trigger,
                                      std::string_view key = "") {
    std::vector<std::string> out = said(when, trigger, key);
    std::erase_if(out, [](const std::string& text) { return text.find(' ') == std::string::npos; });
    return out;
  }

  std::optional<Story> story_;
};

TEST_F(SnapshotTest, EveryGuardSpeaksInTheOrderOfTheGate) {
  given(R"(
Policy all: {arbitration: customer}
Channel email: {topic: actions.email}
Trigger hello: {shadow: true, event: {on: A}, actions: [{channel: email, template: t}]}
)");
  story_->at("10:00", "ann", "A");
  EXPECT_THAT(
      said("11:00", "hello"),
      ElementsAre("erased", "age", "warming", "once", "cooldown", "ladder", "consent", "reachable",
                  "while", "holdout", "quiet_hours", "cap", "arbitration unknown", "shadow no"));
}

constexpr const char* kStock = R"(
Reference products: {topic: products, key: body.id}
Reference stores: {topic: stores, key: body.id}
Trigger in-stock:
  class: service
  business: {reference: products, interest: {on: V, key: event.properties.id, within: 30d}, when: record.stock > 0}
  while: reference.products[instance.key].stock > 0 && reference.stores[traits.store].open
  actions: [{channel: email, template: t}]
)";

TEST_F(SnapshotTest, BusinessDataIsReadAsTheShardHasIt) {
  given(kStock);
  story_->record("08:00", "stores", R"({"id":"s1","open":true})");
  story_->record("09:00", "products", R"({"id":7,"stock":3})");
  story_->at("10:00", "ann", "$identify", "{}", R"({"store":"s1"})");
  story_->at("10:00", "ann", "V", R"({"id":7})");
  EXPECT_THAT(objections("11:00", "in-stock", "7"), IsEmpty());
  story_->record("11:00", "stores", R"({"id":"s1","open":false})");
  EXPECT_THAT(objections("12:00", "in-stock", "7"), ElementsAre("while no"));
}

TEST_F(SnapshotTest, ACopyKeepsTheRecordsOfItsMoment) {
  given(kStock);
  story_->record("09:00", "products", R"({"id":7,"stock":3})");
  story_->at("10:00", "ann", "V", R"({"id":7})");
  const std::unique_ptr<CustomerSnapshot> before = snapshot();
  story_->record("10:30", "products", R"({"id":7,"stock":0})");
  Arena arena;
  const std::uint64_t products = before->catalog()->business_data[0].definition;
  const Value seven = before->references().at(products, "7", instant("11:00"), arena);
  EXPECT_EQ(expression::select(seven, std::vector<std::string>{"stock"}).as_double(), 3);
  EXPECT_TRUE(before->references().at(products, "8", instant("11:00"), arena).is_error())
      << "it was not asked for";
}

TEST_F(SnapshotTest, WhatOnlyTheFiringKnowsIsUnknownAndNoObjection) {
  given(R"(
Trigger paid: {event: {on: A}, while: instance.opened.properties.paid, actions: [{channel: email, template: t}]}
Trigger sure: {event: {on: A}, while: "instance.opened.properties.paid && 1 == 2", actions: [{channel: email, template: t}]}
Trigger wrong: {event: {on: A}, while: traits.name.first == 'a', actions: [{channel: email, template: t}]}
)");
  story_->at("10:00", "ann", "A");
  EXPECT_THAT(objections("11:00", "paid"), ElementsAre("while unknown"));
  EXPECT_THAT(objections("11:00", "sure"), ElementsAre("while no")) << "whatever the event";
  EXPECT_THAT(objections("11:00", "wrong"), ElementsAre("while no"))
      << "an error that a firing would have too";
}

TEST_F(SnapshotTest, AnOpenWaitIsAskedWithWhatItsTriggerSaidLast) {
  given(R"(
Trigger cart:
  absence: {key: event.properties.cart, opens: {on: Add}, closes: {on: Buy}, after: 1h}
  while: "!has(instance.last) || instance.last.data.total < instance.opened.properties.total"
  actions: [{channel: email, template: t, data: {total: instance.opened.properties.total}}]
)");
  story_->at("09:00", "ann", "Add", R"({"cart":"k","total":10})");
  story_->tick("10:30");
  story_->at("11:00", "ann", "Add", R"({"cart":"k","total":10})");
  EXPECT_THAT(objections("11:30", "cart", "k"), ElementsAre("while no"));
}

TEST_F(SnapshotTest, AWaitThatAnEarlierVersionOpenedIsAsked) {
  constexpr const char* kYaml = R"(
Trigger cart:
  absence: {key: event.properties.cart, opens: {on: Add}, closes: {on: Buy}, after: 1h}
  while: instance.opened.properties.total > 5
  actions: [{channel: email, template: )";
  given(absl::StrCat(kYaml, "t}]\n"));
  story_->at("09:00", "ann", "Add", R"({"cart":"k","total":10})");
  story_->change_catalog(absl::StrCat(kYaml, "u}]\n"));
  story_->at("09:10", "ann", "Other");
  EXPECT_THAT(objections("09:30", "cart", "k"), IsEmpty());
}

TEST_F(SnapshotTest, AskingLeavesTheShardAlone) {
  given(kStock);
  story_->record("09:00", "products", R"({"id":7,"stock":3})");
  story_->at("10:00", "ann", "V", R"({"id":7})");
  const std::vector<std::string> rows = story_->rows();
  const std::uint64_t digest = story_->digest();
  std::unique_ptr<CustomerSnapshot> of = snapshot();
  std::thread([&] { of->ask_guards(instant("11:00"), 0, "7"); }).join();
  EXPECT_EQ(story_->rows(), rows);
  EXPECT_EQ(story_->digest(), digest);
}

}  // namespace
}  // namespace spur::testing
