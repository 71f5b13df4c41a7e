#include "daemon/feeds.h"

#include <gtest/gtest.h>

#include "daemon/audit/read_only_log.h"

namespace spur::testing {
namespace {

constexpr Instant kNow{1'772'366'400'000};

// A log whose sources are what a test says: how many records are here, and how many there are.
class ScriptedLog final : public audit::ReadOnlyLog {
 public:
  struct Script {
    std::size_t here = 0;
    std::optional<Offset> end = 0;  // nullopt: nothing was heard of it yet
  };
  std::map<std::uint32_t, Script> sources;

  absl::Status poll(std::uint32_t, std::uint32_t source, Offset from, const PollLimits&,
                    InputBatch& batch) override {
    batch.clear();
    for (std::size_t i = 0; i < sources[source].here; ++i)
      batch.records.push_back({from + i, kNow, "", "topic", "key", "value"});
    return absl::OkStatus();
  }
  std::optional<Offset> input_end_heard(std::uint32_t, const TopicSource& source) const override {
    const auto known = sources.find(source.source);
    return known == sources.end() ? 0 : known->second.end;
  }

  const DeploymentId& deployment() const override { return deployment_; }
  std::uint32_t shards() const override { return 1; }
  std::unique_ptr<InputReader> open_reader(std::uint32_t, std::span<const TopicSource>) override {
    return nullptr;
  }
  absl::StatusOr<Offset> input_begin(std::uint32_t, const TopicSource&) const override { return 0; }
  absl::StatusOr<Offset> input_end(std::uint32_t, const TopicSource&) const override { return 0; }
  absl::StatusOr<std::vector<CatalogRecord>> poll_catalogs(Offset, std::uint32_t) override {
    return std::vector<CatalogRecord>();
  }
  Offset catalog_end() const override { return 0; }
  absl::Status read_journal(std::uint32_t, Offset, Offset,
                            const std::function<bool(Offset, std::string_view)>&) override {
    return absl::OkStatus();
  }
  absl::StatusOr<Offset> journal_begin(std::uint32_t) const override { return 0; }
  absl::StatusOr<Offset> journal_end(std::uint32_t) const override { return 0; }

 private:
  const DeploymentId deployment_{};
};

class FeedsTest : public ::testing::Test {
 protected:
  static constexpr std::uint32_t kEvents = kFirstTopicSource, kProducts = kFirstTopicSource + 1;

  void add(const std::string& topic) {
    SourceStand& at = stand.sources.emplace_back();
    at.source = {kFirstTopicSource + static_cast<std::uint32_t>(topics.size()), topic, "", 0, 0};
    topics.push_back({topic, topic == "products"});
  }
  std::optional<Feeds::Record> next() {
    EXPECT_TRUE(feeds.fill(stand, 10).ok());
    return feeds.next(stand, kNow);
  }

  ScriptedLog log;
  LogStand stand;
  std::vector<InputTopic> topics;
  Feeds feeds{log, 0};
};

TEST_F(FeedsTest, ASourceThatIsAddedIsHeardOfBeforeTheOthersGoOn) {
  add("events");
  feeds.follow(stand, topics);
  EXPECT_FALSE(next());
  EXPECT_FALSE(feeds.waiting()) << "live, and nothing is here";
  add("products");
  feeds.follow(stand, topics);
  log.sources[kEvents] = {1, 1};
  log.sources[kProducts] = {0, std::nullopt};
  EXPECT_FALSE(next()) << "its records may have to come first";
  EXPECT_TRUE(feeds.waiting());
  log.sources[kProducts] = {0, 0};
  ASSERT_TRUE(next());
  EXPECT_EQ(next()->source, kEvents);
}

}  // namespace
}  // namespace spur::testing
