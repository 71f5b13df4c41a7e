// Every shape of the language that this version has, and how it arrives in the protobuf; folders
// and files.
#include "operators/catalog/load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "state/time.h"

namespace spur::catalog {
namespace {

using testing::ElementsAre;

// One document of that kind; `spec` stands below `spec:`.
std::string document(const std::string& kind, const std::string& name, const std::string& spec) {
  return "apiVersion: spur/v1\nkind: " + kind + "\nmetadata: {name: " + name + "}\nspec:\n" + spec +
         "---\n";
}

const std::string kChannels =
    document("Channel", "email", "  {}\n") + document("Channel", "web", "  {}\n");

spur::v1::Catalog load(const std::string& yaml) {
  const Loaded loaded = load_text("c.yaml", yaml);
  EXPECT_EQ(to_text(loaded.errors), "");
  EXPECT_TRUE(loaded.complete);
  return loaded.catalog;
}

spur::v1::Trigger trigger(const std::string& spec, const std::string& more = "") {
  const spur::v1::Catalog catalog =
      load(document("Trigger", "t", spec + "  actions: [{channel: email, template: hi}]\n") +
           kChannels + more);
  EXPECT_EQ(catalog.triggers_size(), 1);
  return catalog.triggers(0);
}

spur::v1::Feature feature(const std::string& spec, const std::string& more = "") {
  return load(document("Feature", "f", "  " + spec + "\n") + more).features(0);
}

TEST(LoadTest, Source) {
  const auto source = load(document("Source", "shop",
                                    "  topic: events.shop\n  format: segment\n  deduplicate: 0s\n"
                                    "  order: [Product Viewed, Order Completed]\n"))
                          .sources(0);
  EXPECT_EQ(source.name(), "shop");
  EXPECT_EQ(source.topic(), "events.shop");
  EXPECT_TRUE(source.has_deduplicate_ms());
  EXPECT_EQ(source.deduplicate_ms(), 0);
  EXPECT_THAT(source.order(), ElementsAre("Product Viewed", "Order Completed"));
}

TEST(LoadTest, TopicsHaveDefaultsAndNothingElse) {
  const spur::v1::Catalog catalog = load(kChannels + document("Source", "shop", "  {}\n"));
  EXPECT_EQ(catalog.channels(0).topic(), "actions.email");
  EXPECT_EQ(catalog.sources(0).topic(), "events.shop");
  EXPECT_FALSE(catalog.sources(0).has_deduplicate_ms());
  EXPECT_EQ(catalog.sources(0).format(), "");
}

TEST(LoadTest, FeatureHoldsItsPatternInline) {
  const auto f = feature(
      "{on: [Order Completed, Ping], where: a > 1, each: event.properties.products, key: item.id, "
      "by: item.category, aggregate: sum, of: item.price * item.quantity, window: 90d, offset: "
      "1w}");
  ASSERT_EQ(f.patterns_size(), 1);
  EXPECT_THAT(f.patterns(0).on(), ElementsAre("Order Completed", "Ping"));
  EXPECT_EQ(f.patterns(0).where(), "a > 1");
  EXPECT_EQ(f.patterns(0).each(), "event.properties.products");
  EXPECT_EQ(f.patterns(0).key(), "item.id");
  EXPECT_EQ(f.by(), "item.category");
  EXPECT_EQ(f.aggregate(), "sum");
  EXPECT_EQ(f.of(), "item.price * item.quantity");
  EXPECT_EQ(f.window_ms(), 90 * kDay.count);
  EXPECT_EQ(f.offset_ms(), kWeek.count);
}

TEST(LoadTest, EveryAggregate) {
  for (const char* name : {"sum", "mean", "min", "max", "distinct", "first", "last"}) {
    EXPECT_EQ(
        feature(std::string("{on: '*', aggregate: ") + name + ", of: event.time}").aggregate(),
        name);
  }
  EXPECT_EQ(feature("{on: $identify, aggregate: count}").patterns(0).on(0), "$identify");
  EXPECT_TRUE(feature("{on: Order, aggregate: gaps, distinct_days: true}").distinct_days());
  EXPECT_EQ(feature("{on: Order, aggregate: decayed, half_life: 20m}").half_life_ms(),
            20 * kMinute.count);
  EXPECT_EQ(feature("{on: Order, aggregate: distinct, of: a, limit: 50}").limit(), 50u);
}

TEST(LoadTest, SessionAndWhatIsCountedWithinIt) {
  const std::string session =
      document("Session", "cart",
               "  key: event.properties.cart\n  opens: {on: Product Added}\n"
               "  keeps: {on: [Product Viewed, Product Added]}\n"
               "  closes: [{on: Order Completed}, {on: Product Removed, where: features.f <= 0}]\n"
               "  idle: 30m\n");
  EXPECT_EQ(feature("{on: Product Added, within: cart, aggregate: count}", session).within(),
            "cart");
  const auto loaded = load(session).sessions(0);
  EXPECT_EQ(loaded.key(), "event.properties.cart");
  EXPECT_EQ(loaded.opens_size(), 1);
  EXPECT_EQ(loaded.closes(1).where(), "features.f <= 0");
  EXPECT_EQ(loaded.idle_ms(), 30 * kMinute.count);
  EXPECT_EQ(load(document("Session", "web-visit", "  {keeps: {on: \"*\"}, idle: 30m}\n"))
                .sessions(0)
                .name(),
            "web-visit");
  EXPECT_EQ(load(document("Session", "web_visit", "  {keeps: {on: \"*\"}, idle: 30m}\n"))
                .sessions(0)
                .name(),
            "web_visit");
}

TEST(LoadTest, Segment) {
  EXPECT_EQ(
      load(document("Segment", "vip", "  when: features.revenue >= 1000\n")).segments(0).when(),
      "features.revenue >= 1000");
}

TEST(LoadTest, Channel) {
  const auto channel =
      load(document("Channel", "email",
                    "  topic: mail\n  format: json\n  reach: has(traits.email)\n"
                    "  quiet_hours: {from: \"21:00\", to: 08:00, zone: customer, then: drop}\n"
                    "  caps: [{max: 1, per: 1d}, {max: 3, per: 7d}]\n"))
          .channels(0);
  EXPECT_EQ(channel.topic(), "mail");
  EXPECT_EQ(channel.format(), "json");
  EXPECT_EQ(channel.reach(), "has(traits.email)");
  EXPECT_EQ(channel.quiet_hours().from_minute(), 21 * 60);
  EXPECT_EQ(channel.quiet_hours().to_minute(), 8 * 60);
  EXPECT_EQ(channel.quiet_hours().zone(), "customer");
  EXPECT_EQ(channel.quiet_hours().then(), "drop");
  ASSERT_EQ(channel.caps_size(), 2);
  EXPECT_EQ(channel.caps(1).max(), 3);
  EXPECT_EQ(channel.caps(1).per_ms(), 7 * kDay.count);
}

TEST(LoadTest, Policy) {
  const auto policy =
      load(document("Policy", "everything",
                    "  zone: Europe/Stockholm\n  caps: {max: 5, per: 7d}\n  max_action_age: never\n"
                    "  lateness: 90s\n"))
          .policies(0);
  EXPECT_EQ(policy.zone(), "Europe/Stockholm");
  EXPECT_EQ(policy.caps(0).max(), 5);
  EXPECT_EQ(policy.max_action_age_ms(), -1);
  EXPECT_EQ(policy.lateness_ms(), 90'000);
  EXPECT_FALSE(load(document("Policy", "p", "  {}\n")).policies(0).has_max_action_age_ms());
  EXPECT_EQ(
      load(document("Policy", "p", "  max_action_age: 36500d\n")).policies(0).max_action_age_ms(),
      36500 * kDay.count);
}

TEST(LoadTest, AbsenceWithSteps) {
  const spur::v1::Catalog catalog =
      load(document("Trigger", "cart-abandoned",
                    "  absence:\n"
                    "    key: event.properties.cart_id\n"
                    "    opens: {on: Product Added}\n"
                    "    resets: {on: [Product Added, Product Removed]}\n"
                    "    closes: {on: Order Completed}\n"
                    "    after: 1h\n"
                    "    grace: 10s\n"
                    "  while: features.orders_24h == 0\n"
                    "  cooldown: 7d\n"
                    "  actions:\n"
                    "    - {channel: web, template: banner, expires: 30m}\n"
                    "    - channel: [email, web]\n"
                    "      template: second\n"
                    "      if: size(instance.key) > 0\n"
                    "      after: 1d12h\n"
                    "      data: {items: instance.count, cart: instance.key, n: 3}\n") +
           kChannels);
  const auto& t = catalog.triggers(0);
  EXPECT_EQ(t.absence().key(), "event.properties.cart_id");
  EXPECT_THAT(t.absence().resets(0).on(), ElementsAre("Product Added", "Product Removed"));
  EXPECT_EQ(t.absence().after(), "1h");
  EXPECT_EQ(t.absence().grace_ms(), 10'000);
  EXPECT_EQ(t.while_(), "features.orders_24h == 0");
  EXPECT_EQ(t.cooldown().customer_ms(), 7 * kDay.count);
  EXPECT_EQ(t.actions(0).expires_ms(), 30 * kMinute.count);
  EXPECT_THAT(t.actions(1).channels(), ElementsAre("email", "web"));
  EXPECT_EQ(t.actions(1).after_ms(), 36 * kHour.count);
  EXPECT_EQ(t.actions(1).if_(), "size(instance.key) > 0");
  ASSERT_EQ(t.actions(1).data_size(), 3);
  EXPECT_EQ(t.actions(1).data(0).name(), "items");
  EXPECT_EQ(t.actions(1).data(1).expression(), "instance.key");
  EXPECT_EQ(t.actions(1).data(2).expression(), "3");
}

TEST(LoadTest, AbsenceMayComputeItsEnd) {
  EXPECT_EQ(trigger("  absence:\n    opens: {on: A}\n    after: features.gaps.mean * 3\n")
                .absence()
                .after(),
            "features.gaps.mean * 3");
  EXPECT_EQ(trigger("  absence: {opens: {on: A}, until: timestamp(event.properties.due)}\n")
                .absence()
                .until(),
            "timestamp(event.properties.due)");
}

TEST(LoadTest, SettingsCommonToAllTriggers) {
  const auto t = trigger(
      "  class: service\n  priority: -5\n  enabled: false\n  from: 2026-03-01T08:00:00Z\n  to: "
      "2026-04-01T08:00:00+02:00\n"
      "  shadow: false\n  backfill: once\n  absence: {opens: {on: Ping}, after: 1h}\n  if: "
      "event.properties.a > 1\n  "
      "once: key\n"
      "  cooldown: {key: 7d}\n  exit: [{on: A}, {on: B, key: event.properties.k}]\n");
  EXPECT_EQ(t.class_(), "service");
  EXPECT_EQ(t.priority(), -5);
  EXPECT_FALSE(t.enabled());
  EXPECT_TRUE(t.has_enabled());
  EXPECT_EQ(t.from_ms(), 1'772'352'000'000);
  EXPECT_EQ(t.to_ms() - t.from_ms(), 31 * kDay.count - 2 * kHour.count);
  EXPECT_FALSE(t.shadow());
  EXPECT_EQ(t.backfill(), "once");
  EXPECT_EQ(t.if_(), "event.properties.a > 1");
  EXPECT_EQ(t.once(), "key");
  EXPECT_EQ(t.cooldown().key_ms(), 7 * kDay.count);
  EXPECT_EQ(t.exit(1).key(), "event.properties.k");
}

TEST(LoadTest, EveryOperator) {
  EXPECT_EQ(trigger("  event: {on: Ping}\n").event().patterns(0).on(0), "Ping");
  EXPECT_EQ(trigger("  event: [{on: Ping}, {on: Pong, where: a}]\n").event().patterns(1).where(),
            "a");
  const auto threshold =
      trigger("  threshold: {when: features.r >= 500, rearm: features.r < 400, every: 1d}\n")
          .threshold();
  EXPECT_EQ(threshold.when(), "features.r >= 500");
  EXPECT_EQ(threshold.rearm(), "features.r < 400");
  EXPECT_EQ(threshold.every_ms(), kDay.count);
  const auto novelty =
      trigger(
          "  novelty: {on: Order, each: event.properties.products, of: item.category, key: a, "
          "after_first: true, kth: 3}\n")
          .novelty();
  EXPECT_EQ(novelty.patterns(0).each(), "event.properties.products");
  EXPECT_EQ(novelty.patterns(0).key(), "a");
  EXPECT_EQ(novelty.of(), "item.category");
  EXPECT_TRUE(novelty.after_first());
  EXPECT_EQ(novelty.kth(), 3);
  const auto schedule =
      trigger(
          "  schedule: {cron: 0 9 * * MON, zone: customer, when: features.a > 1, edge: rising}\n")
          .schedule();
  EXPECT_EQ(schedule.cron(), "0 9 * * MON");
  EXPECT_EQ(schedule.edge(), "rising");
  const auto session = trigger("  session: {of: cart, on: idle, grace: 10s}\n",
                               document("Session", "cart", "  {keeps: {on: '*'}, idle: 1h}\n"))
                           .session();
  EXPECT_EQ(session.of(), "cart");
  EXPECT_EQ(session.on(), "idle");
  EXPECT_EQ(session.grace_ms(), 10'000);
  const auto prediction =
      trigger("  prediction: {model: churn, at_least: 0.6, rearm_below: 0.4, every: 1d}\n",
              document("Model", "churn", "  bg_nbd: {on: Order}\n"))
          .prediction();
  EXPECT_EQ(prediction.model(), "churn");
  EXPECT_EQ(prediction.at_least(), 0.6);
  EXPECT_EQ(prediction.rearm_below(), 0.4);
}

TEST(LoadTest, Model) {
  const auto model =
      load(document("Model", "churn",
                    "  bg_nbd: {on: Order Completed, where: a, distinct_days: true, horizon: 39w}\n"
                    "  parameters: {r: 0.2426, alpha: 4.4137, a: 0.7930, b: 2.4262, unit: 1w}\n"))
          .models(0);
  EXPECT_EQ(model.bg_nbd().patterns(0).on(0), "Order Completed");
  EXPECT_EQ(model.bg_nbd().patterns(0).where(), "a");
  EXPECT_TRUE(model.bg_nbd().distinct_days());
  EXPECT_EQ(model.bg_nbd().horizon_ms(), 39 * kWeek.count);
  ASSERT_EQ(model.parameters().values_size(), 4);
  EXPECT_EQ(model.parameters().values(1).name(), "alpha");
  EXPECT_EQ(model.parameters().values(1).value(), 4.4137);
  EXPECT_EQ(model.parameters().unit_ms(), kWeek.count);
}

TEST(LoadTest, OnIsTextAndNeverABoolean) {
  EXPECT_EQ(feature("{on: yes, aggregate: count}").patterns(0).on(0), "yes");
  EXPECT_EQ(feature("{on: true, aggregate: count}").patterns(0).on(0), "true");
  EXPECT_EQ(feature("{'on': 7, aggregate: count}").patterns(0).on(0), "7");
}

TEST(LoadTest, AnchorsAndAliasesMeanWhatTheyStandFor) {
  const auto catalog =
      load(document("Feature", "a",
                    "  {on: &orders [Order, Refund], aggregate: count, window: &w 7d}\n") +
           document("Feature", "b", "  on: &p Order\n  aggregate: last\n  of: *p\n"));
  EXPECT_EQ(catalog.features(1).of(), "Order");
  const auto again = load(
      "apiVersion: spur/v1\nkind: Session\nmetadata: {name: s}\n"
      "spec: {opens: &p {on: A}, keeps: [*p, {on: B}], idle: 1h}\n");
  EXPECT_EQ(again.sessions(0).keeps(0).on(0), "A");
}

TEST(LoadTest, EmptyFilesAndDocumentsAreFine) {
  for (const char* yaml :
       {"", "\n\n", "# nothing yet\n", "---\n", "---\n---\n...\n", "\xef\xbb\xbf", "~\n"}) {
    const Loaded loaded = load_text("c.yaml", yaml);
    EXPECT_EQ(to_text(loaded.errors), "") << yaml;
    EXPECT_TRUE(loaded.positions.empty());
  }
}

TEST(LoadTest, WarnsOfWhatCannotBeMeant) {
  const Loaded loaded = load_text("c.yaml", document("Trigger", "t", "  event: {on: A}\n") +
                                                document("Session", "s", "  keeps: {on: A}\n"));
  EXPECT_EQ(to_text(loaded.errors), "");
  EXPECT_EQ(to_text(loaded.warnings),
            "c.yaml:4:1: the trigger has no actions; it will fire without sending anything\n"
            "c.yaml:10:1: the session never ends; give it `idle` or `closes`\n");
}

class LoadDirectoryTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ = testing::TempDir() + "spur_catalog_" + std::to_string(::getpid()) + "_" +
            testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::create_directories(root_);
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  void write(const std::string& name, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(root_ + "/" + name).parent_path());
    std::ofstream(root_ + "/" + name, std::ios::binary) << text;
  }
  // Errors with the folder's name taken away.
  std::string errors() {
    std::string text = to_text(load_directory(root_).errors);
    for (std::size_t at = text.find(root_); at != std::string::npos; at = text.find(root_)) {
      text.replace(at, root_.size(), "DIR");
    }
    return text;
  }

  std::string root_;
};

TEST_F(LoadDirectoryTest, ReadsAllFilesBelowAndNoOthers) {
  write("b.yaml", document("Segment", "b", "  when: 'true'\n"));
  write("deep/er/a.yml", document("Segment", "a", "  when: 'true'\n"));
  write("c_test.yaml", "tests: []\n");
  write("c_test.yml", "tests: []\n");
  write(".hidden.yaml", "nonsense: 1\n");
  write(".git/x.yaml", "nonsense: 1\n");
  write("README.md", "nonsense: 1\n");
  const Loaded loaded = load_directory(root_);
  EXPECT_EQ(to_text(loaded.errors), "");
  ASSERT_EQ(loaded.catalog.segments_size(), 2);
  EXPECT_EQ(loaded.positions.position("Segment/a").file, root_ + "/deep/er/a.yml");
}

TEST_F(LoadDirectoryTest, ListsErrorsByFileAndPlace) {
  write("b.yaml", document("Segment", "b", "  whem: 'true'\n"));
  write("a.yaml",
        document("Segment", "a", "  when: []\n") + document("Segment", "b", "  when: a\n"));
  EXPECT_EQ(errors(),
            "DIR/a.yaml:5:9: `when` is a list; write one text\n"
            "DIR/b.yaml:3:18: there are two Segments named `b`; names are unique per kind\n"
            "DIR/b.yaml:5:3: unknown key `whem` in spec of Segment; did you mean `when`?\n");
}

TEST_F(LoadDirectoryTest, FollowsLinksToFiles) {  // as a mounted ConfigMap has them
  write("..data/a.yaml", document("Segment", "a", "  when: 'true'\n"));
  std::filesystem::create_symlink("..data/a.yaml", root_ + "/a.yaml");
  EXPECT_EQ(load_directory(root_).catalog.segments_size(), 1);
}

TEST_F(LoadDirectoryTest, SaysThatAFolderIsNotThere) {
  const Loaded loaded = load_directory(root_ + "/none");
  ASSERT_EQ(loaded.errors.size(), 1u);
  EXPECT_THAT(loaded.errors[0].to_text(), testing::HasSubstr("/none: the folder cannot be read"));
  EXPECT_FALSE(loaded.complete);
}

// A folder that is not mounted yet, or a wrong name: as a catalog it would end all that is open.
TEST_F(LoadDirectoryTest, RefusesAnEmptyFolder) {
  EXPECT_EQ(errors(), "DIR: no catalog files here; *.yaml and *.yml are read\n");
}

TEST_F(LoadDirectoryTest, RefusesAFileThatIsTooLarge) {
  write("a.yaml", std::string(kFileBytesMax + 1, '#'));
  EXPECT_EQ(errors(), "DIR/a.yaml: the file is larger than 4 MiB; split it\n");
}

TEST_F(LoadDirectoryTest, LoadFilesReadsExactlyThose) {
  write("a_test.yaml", document("Segment", "a", "  when: 'true'\n"));
  EXPECT_EQ(load_files({root_ + "/a_test.yaml"}).catalog.segments_size(), 1);
  EXPECT_EQ(load_files({root_ + "/none.yaml"}).errors.size(), 1u);
  EXPECT_EQ(load_files({root_}).errors.size(), 1u);  // a folder is no file
}

}  // namespace
}  // namespace spur::catalog
