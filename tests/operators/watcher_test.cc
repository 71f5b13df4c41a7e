// Watcher: whoever watches is told of every instant that is taken, whatever brought it about.
#include "operators/watcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operators/turn.h"
#include "tests/operators/story.h"

namespace spur::testing {
namespace {

using ::testing::ElementsAre;

// "09:00 begins", "  decided TRIGGER", "  ends".
class Notes final : public Watcher {
 public:
  void begins(Turn& turn) override { lines.push_back(text_of(turn.now) + " begins"); }
  void asked(Turn&, std::uint32_t, const expression::Program&, const Value&) override {}
  void decided(const Decision& decision) override {
    lines.push_back("  decided " + decision.trigger);
  }
  void ends(Turn& turn) override {
    lines.push_back("  ends");
    EXPECT_TRUE(turn.firings.empty()) << "all that fires is decided by then";
  }

  std::vector<std::string> lines;
};

std::vector<std::string> watched(const char* rate) {
  Story story(
      std::string(R"(
Reference products: {topic: products, key: body.id}
Trigger cheaper: {class: service, business: {reference: products, interest: {on: V, key: event.properties.id, within: 30d})") +
      rate +
      R"(}, actions: [{channel: email, template: t}, {channel: email, template: u, after: 1h}]}
)");
  Notes notes;
  story.shard().watch(&notes);
  story.at("09:00", "ann", "V", R"({"id":7})");
  story.record("10:00", "products", R"({"id":7,"price":80})");
  story.run_until("12:00");
  return notes.lines;
}

TEST(WatcherTest, AChangeThatIsToldIsAnInstantLikeAnyOther) {
  for (const char* rate : {"", ", rate: {max: 5, per: 1m}"}) {
    EXPECT_THAT(watched(rate),
                ElementsAre("09:00 begins", "  ends", "10:00 begins", "  decided cheaper", "  ends",
                            "11:00 begins", "  decided cheaper", "  ends"));
  }
}

}  // namespace
}  // namespace spur::testing
