#include "daemon/eval/event_binding.h"

#include <gtest/gtest.h>

#include "operators/expression/program.h"
#include "operators/expression/text.h"

namespace spur::eval {
namespace {

constexpr char kOrder[] =
    R"({"type":"track","event":"Order Completed","messageId":"m1","userId":"ann",
  "timestamp":"2026-03-01T08:00:00Z","properties":{"total":120.5,"products":[{"sku":"a"}]},
  "context":{"locale":"sv","traits":{"email":"a@example.com"}}})";

class EventBindingTest : public ::testing::Test {
 protected:
  std::string result(const std::string& source, const std::string& event = kOrder) {
    expression::References references;
    EventBinding binding(references);
    if (!event.empty()) {
      if (const std::string problem = binding.take(event); !problem.empty()) return problem;
    }
    const expression::Compiled compiled =
        expression::compile(source, trigger_environment(!event.empty()), references);
    if (!compiled.program) return "refused: " + compiled.errors.at(0).message;
    const Value value = compiled.program->evaluate(binding, arena_);
    return value.is_error() ? "error: " + expression::to_text(value) : expression::to_json(value);
  }
  Arena arena_;
};

TEST_F(EventBindingTest, TheEventIsReadAsInATriggersIf) {
  EXPECT_EQ(result("event.properties.total >= 100"), "true");
  EXPECT_EQ(result("event.properties.products[0].sku"), "\"a\"");
  EXPECT_EQ(result("[event.name, event.type, event.id]"), R"(["Order Completed","track","m1"])");
  EXPECT_EQ(result("event.time == now && now == timestamp('2026-03-01T08:00:00Z')"), "true");
  EXPECT_EQ(result("event.context.locale + traits.email"), "\"sva@example.com\"");
  EXPECT_EQ(result("instance.opened.properties.total == event.properties.total"), "true");
  EXPECT_EQ(result("instance.count"), "1");
}

TEST_F(EventBindingTest, WhatTheEventHasNotIsMissing) {
  EXPECT_EQ(result("has(event.properties.coupon)"), "false");
  EXPECT_EQ(result("event.properties.coupon == 'x'"), "error: event.properties.coupon is missing");
  EXPECT_EQ(result("event.properties.?coupon.orValue('none')"), "\"none\"");
  EXPECT_EQ(result("has(traits.phone)"), "false");
  EXPECT_EQ(result("has(instance.last)"), "false");
  EXPECT_EQ(result("segments.size()"), "0");
}

TEST_F(EventBindingTest, WhatNeedsACatalogSaysSo) {
  EXPECT_EQ(result("features.orders > 1"),
            "refused: `features` come from a catalog and a customer's history; try them in a "
            "trigger test");
}

TEST_F(EventBindingTest, WithoutAnEventItsNamesSayHowToGiveOne) {
  EXPECT_EQ(result("event.properties.total", ""),
            "refused: there is no event here; give one with --event FILE");
  EXPECT_EQ(result("1 + 1", ""), "2");
}

TEST_F(EventBindingTest, WhatIsNoCallIsRefusedAsTheDaemonWould) {
  EXPECT_EQ(result("1", "{}").substr(0, 12), "MISSING_TYPE");
  EXPECT_EQ(result("1", "{").substr(0, 9), "TRUNCATED");
}

}  // namespace
}  // namespace spur::eval
