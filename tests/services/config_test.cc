// Where a value comes from, and how a wrong one is told.
#include "daemon/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "daemon/config_options.h"
#include "daemon/listen.h"

namespace spur {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class ConfigTest : public ::testing::Test {
 protected:
  ConfigTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "spur-config-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
  }
  ~ConfigTest() override { std::filesystem::remove_all(folder_); }

  // Writes the config file and gives its path.
  std::string file(std::string_view text) {
    const std::string path = folder_ / "spurd.yaml";
    std::ofstream(path) << text;
    return path;
  }
  Config read(std::vector<std::string> arguments, const Environment& environment = {}) {
    arguments.insert(arguments.begin(), {"--embedded", "data"});
    absl::StatusOr<Invocation> out = read_invocation(arguments, environment);
    EXPECT_TRUE(out.ok()) << out.status();
    return out.ok() ? out->config : Config{};
  }
  std::string refused(std::vector<std::string> arguments, const Environment& environment = {}) {
    arguments.insert(arguments.begin(), {"--embedded", "data"});
    const absl::StatusOr<Invocation> out = read_invocation(arguments, environment);
    EXPECT_FALSE(out.ok());
    return out.ok() ? "" : std::string(out.status().message());
  }
  std::string refused_file(std::string_view text) { return refused({"--config", file(text)}); }

  std::filesystem::path folder_;
};

TEST_F(ConfigTest, DefaultsAreLoopbackAndTheFoldersShards) {
  const Config config = read({});
  EXPECT_EQ(config.grpc_address.text(), "127.0.0.1:7475");
  EXPECT_EQ(config.http_address.text(), "127.0.0.1:7476");
  EXPECT_EQ(config.shards, 0U);
  EXPECT_EQ(config.workers, 0U);
  EXPECT_EQ(config.clock, ClockSource::kWall);
  EXPECT_EQ(config.metrics_trigger_labels_max, 500U);
}

TEST_F(ConfigTest, FlagBeatsEnvironmentBeatsFileBeatsDefault) {
  const std::string path = file("grpc: {address: 1.1.1.1:1}\nhttp: {address: 1.1.1.1:2}\nshards: 2\n");
  const Environment environment = {{"SPUR_GRPC_ADDRESS", "2.2.2.2:1"}, {"SPUR_HTTP_ADDRESS", "2.2.2.2:2"}};
  const Config config = read({"--config", path, "--grpc-address", "3.3.3.3:1"}, environment);
  EXPECT_EQ(config.grpc_address.text(), "3.3.3.3:1");
  EXPECT_EQ(config.http_address.text(), "2.2.2.2:2");
  EXPECT_EQ(config.shards, 2U);
  EXPECT_EQ(config.state_memory_bytes_max, 512ULL << 20);
}

TEST_F(ConfigTest, FileIsNamedByTheEnvironmentToo) {
  EXPECT_EQ(read({}, {{"SPUR_CONFIG", file("shards: 3")}}).shards, 3U);
}

TEST_F(ConfigTest, SizesDurationsAndChoicesAreRead) {
  const Config config =
      read({"--state-memory-bytes-max=64MiB", "--state-flush-interval", "500ms", "--actions-retention=2h", "--clock",
            "events", "--catalog", "here", "--catalog-watch", "--log-format=text"});
  EXPECT_EQ(config.state_memory_bytes_max, 64U << 20);
  EXPECT_EQ(config.state_flush_interval, std::chrono::milliseconds(500));
  EXPECT_EQ(config.actions_retention, std::chrono::hours(2));
  EXPECT_EQ(config.clock, ClockSource::kEvents);
  EXPECT_TRUE(config.catalog_watch);
  EXPECT_EQ(config.log_format, LogFormat::kText);
}

TEST_F(ConfigTest, KeysWithDotsMeanTheSameAsGroups) {
  EXPECT_EQ(read({"--config", file("grpc.address: 1.2.3.4:5\ngrpc.tls: {reload: 5s}")}).grpc_tls.reload,
            std::chrono::seconds(5));
}

TEST_F(ConfigTest, UnknownKeyIsToldWithItsPlaceAndTheNearestKey) {
  EXPECT_THAT(refused_file("shards: 4\ngrpc:\n  adress: 1.2.3.4:5\n"),
              HasSubstr("spurd.yaml:3:3: unknown key `grpc.adress`; did you mean `grpc.address`?"));
  EXPECT_THAT(refused_file("gprc: {address: x}\n"), HasSubstr("unknown key `gprc`; did you mean `grpc`?"));
  EXPECT_THAT(refused_file("zzzzzzzz: 1\n"), HasSubstr(":1:1: unknown key `zzzzzzzz`"));
}

TEST_F(ConfigTest, EveryErrorIsListedAtOnce) {
  const std::string errors = refused_file("shards: many\nclock: sundial\nworker: 1\nstate: {flush_interval: 2h}\n");
  EXPECT_THAT(errors, HasSubstr("spurd.yaml:1:9: shards: `many` is not a whole number"));
  EXPECT_THAT(errors, HasSubstr("spurd.yaml:2:8: clock: `sundial` is not one of wall, events"));
  EXPECT_THAT(errors, HasSubstr("did you mean `workers`?"));
  EXPECT_THAT(errors, HasSubstr("`2h` is out of range"));
}

TEST_F(ConfigTest, FileThatIsNoMapOrNoYamlIsToldWithItsPlace) {
  EXPECT_THAT(refused_file("- a\n- b\n"), HasSubstr("a config file is a map of options"));
  EXPECT_THAT(refused_file("grpc: {address: [\n"), HasSubstr("spurd.yaml:"));
  EXPECT_THAT(refused_file("shards: 1\nshards: 2\n"), HasSubstr(":2:1: `shards` is given twice"));
  EXPECT_THAT(refused_file("grpc: here\n"), HasSubstr("`grpc` is a group; write `grpc: {address: …}`"));
  EXPECT_THAT(refused_file("shards: [1]\n"), HasSubstr("`shards` takes one plain value"));
  EXPECT_THAT(refused({"--config", "/nowhere/spurd.yaml"}), HasSubstr("/nowhere/spurd.yaml: cannot be read"));
  EXPECT_EQ(read({"--config", file("")}).shards, 0U);
}

TEST_F(ConfigTest, TheLogIsInOnePlace) {
  const auto both = read_invocation({"--embedded", "d", "--kafka-brokers", "x:1", "--state-dir", "s"}, {});
  EXPECT_THAT(both.status().message(), HasSubstr("the log is in one place"));
  EXPECT_THAT(refused({"--state-snapshots", "d"}), HasSubstr("is for a log on Kafka"));
  const auto stateless = read_invocation({"--kafka-brokers", "x:1"}, {});
  EXPECT_THAT(stateless.status().message(), HasSubstr("state.dir: missing"));
  const auto kafka = read_invocation({"--state-dir", "s"}, {{"SPUR_KAFKA_BROKERS", "x:1,y:2"}});
  ASSERT_TRUE(kafka.ok()) << kafka.status();
  EXPECT_EQ(kafka->config.kafka.brokers, "x:1,y:2");
  EXPECT_EQ(kafka->config.kafka.topic_prefix, "spur");
}

TEST_F(ConfigTest, PropertiesAreAMappingInTheFileAndPairsElsewhere) {
  const auto of_file = read_invocation(
      {"--config", file("kafka: {brokers: 'x:1', properties: {sasl.mechanism: PLAIN, a.b: \"1,2\"}}\nstate: {dir: s}\n")}, {});
  ASSERT_TRUE(of_file.ok()) << of_file.status();
  EXPECT_EQ(of_file->config.kafka.properties,
            (std::map<std::string, std::string>{{"a.b", "1,2"}, {"sasl.mechanism", "PLAIN"}}));
  const auto of_flag = read_invocation(
      {"--kafka-brokers", "x:1", "--state-dir", "s", "--kafka-properties", "a=1,b=c=d"}, {});
  ASSERT_TRUE(of_flag.ok()) << of_flag.status();
  EXPECT_EQ(of_flag->config.kafka.properties, (std::map<std::string, std::string>{{"a", "1"}, {"b", "c=d"}}));
  EXPECT_THAT(refused({"--kafka-properties", "nothing"}), HasSubstr("is not name=value"));
  const auto again = read_invocation({"--config", file(config_yaml(*of_file))}, {});
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->config.kafka.properties, of_file->config.kafka.properties);
}

TEST_F(ConfigTest, AnEmptyFlagIsEmptyAndTakesNothingFromTheNext) {
  const std::vector<std::string> kafka = {"--kafka-brokers", "b:1", "--state-dir", "s"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), kafka.begin(), kafka.end());
    const absl::StatusOr<Invocation> out = read_invocation(more, {});
    EXPECT_TRUE(out.ok()) << out.status();
    return out->config.kafka;
  };
  EXPECT_EQ(with({"--kafka-instance", ""}).instance, "");
  const auto equals = with({"--kafka-instance=", "--kafka-group", "foo"});
  EXPECT_EQ(equals.instance, "");
  EXPECT_EQ(equals.group, "foo");
  EXPECT_EQ(read({"--catalog", ""}).catalog_dir, "");
  EXPECT_TRUE(with({"--kafka-dev"}).dev);
  EXPECT_TRUE(with({"--kafka-dev="}).dev);
}

TEST_F(ConfigTest, UnknownFlagIsToldWithTheNearest) {
  EXPECT_THAT(refused({"--grpc-adress", "1.2.3.4:5"}),
              HasSubstr("unknown flag --grpc-adress; did you mean --grpc-address?"));
  EXPECT_THAT(refused({"catalog"}), HasSubstr("unexpected argument `catalog`"));
}

TEST_F(ConfigTest, EmptyValueOfAFlagIsNotTakenForTrue) {
  // What `spurd --embedded "$DIR"` is when DIR is not set: once, a folder called `true` was made.
  const absl::StatusOr<Invocation> out = read_invocation({"--embedded", ""}, {});
  ASSERT_FALSE(out.ok());
  EXPECT_THAT(std::string(out.status().message()), HasSubstr("embedded.dir: missing"));
  EXPECT_TRUE(read({"--catalog", "catalog", "--catalog-watch"}).catalog_watch);
}

TEST_F(ConfigTest, FlagWhereAValueShouldBeIsToldAsAMissingValue) {
  EXPECT_THAT(refused({"--catalog", "--catalog-watch"}),
              HasSubstr("--catalog-dir: a value is missing before --catalog-watch"));
}

TEST(ListenTest, TheReasonIsToldApart) {
  EXPECT_THAT(why_not_listening({"no-such-host.invalid", 7475}),
              HasSubstr("write an address of this machine"));
  // 192.0.2.0/24 is for documentation: nobody's machine has such an address.
  EXPECT_THAT(why_not_listening({"192.0.2.1", 7475}), HasSubstr("no address of this machine"));
}

TEST_F(ConfigTest, EnvironmentVariableThatIsNearlyAnOptionIsAWarningOnly) {
  const auto out = read_invocation({"--embedded", "d"}, {{"SPUR_GRPC_ADRESS", "x"}, {"SPUR_SERVICE_HOST", "10.0.0.1"}});
  ASSERT_TRUE(out.ok()) << out.status();
  EXPECT_THAT(out->warnings, ::testing::ElementsAre(HasSubstr("did you mean SPUR_GRPC_ADDRESS?")));
}

TEST_F(ConfigTest, WhatDoesNotGoTogetherIsRefused) {
  EXPECT_THAT(refused({"--grpc-tls-cert", "c.pem"}), HasSubstr("cert and key go together"));
  EXPECT_THAT(refused({"--grpc-tls-client-ca", "c.pem"}), HasSubstr("needs grpc.tls.cert"));
  EXPECT_THAT(refused({"--http-address", "127.0.0.1:7475"}), HasSubstr("a port of its own"));
  EXPECT_THAT(refused({"--catalog-watch"}), HasSubstr("nothing to watch"));
  const auto nowhere = read_invocation({}, {});
  EXPECT_THAT(nowhere.status().message(), HasSubstr("--embedded DIR"));
}

TEST_F(ConfigTest, OpenPortWithoutTlsIsWarnedOf) {
  const auto out = read_invocation({"--embedded", "d", "--grpc-address", "0.0.0.0:7475"}, {});
  ASSERT_TRUE(out.ok());
  EXPECT_THAT(out->warnings, ::testing::ElementsAre(HasSubstr("there is no TLS")));
}

TEST_F(ConfigTest, PrintedConfigReadsBackTheSame) {
  const auto first =
      read_invocation({"--embedded", "a: b", "--shards", "7", "--print-config"}, {{"SPUR_CLOCK", "events"}});
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(first->ask, Invocation::Ask::kPrintConfig);
  const std::string text = config_yaml(*first);
  EXPECT_THAT(text, HasSubstr("shards: 7  # flag --shards"));
  EXPECT_THAT(text, HasSubstr("clock: events  # environment SPUR_CLOCK"));
  const auto again = read_invocation({"--config", file(text)}, {});
  ASSERT_TRUE(again.ok()) << again.status() << "\n" << text;
  for (const auto& [key, setting] : first->settings) {
    EXPECT_EQ(again->settings.at(key).text, setting.text) << key;
  }
}

TEST_F(ConfigTest, HelpNamesEveryOptionAndAsksForNothingElse) {
  const auto out = read_invocation({"--help"}, {});
  ASSERT_TRUE(out.ok());
  EXPECT_EQ(out->ask, Invocation::Ask::kHelp);
  for (const Option& option : options()) {
    EXPECT_THAT(help_text(), HasSubstr(flag_name(option.key)));
    EXPECT_THAT(help_markdown(), HasSubstr(std::string(option.key)));
    EXPECT_FALSE(option.help.empty()) << option.key;
    EXPECT_FALSE(option.reason.empty()) << option.key;
    EXPECT_TRUE(parse_value(option, option.default_text).ok()) << option.key;
  }
}

TEST_F(ConfigTest, DocumentedPageIsTheTablesOwn) {
  std::ifstream in("docs/configuration.md");
  const std::string page((std::istreambuf_iterator<char>(in)), {});
  EXPECT_EQ(page, help_markdown()) << "run: spurd --help-markdown > docs/configuration.md";
}

TEST(AddressTest, TellsLoopbackAndBrackets) {
  EXPECT_TRUE(parse_address("localhost:1")->is_loopback());
  EXPECT_TRUE(parse_address("[::1]:1")->is_loopback());
  EXPECT_FALSE(parse_address("0.0.0.0:1")->is_loopback());
  EXPECT_EQ(parse_address("[::1]:65535")->text(), "[::1]:65535");
  for (const char* bad : {"", ":1", "host", "host:", "host:x", "::1:1", "host:65536", "host:-1"}) {
    EXPECT_FALSE(parse_address(bad).ok()) << bad;
  }
}

TEST(QuantityTest, RefusesWhatHasNoUnitOrIsTooLarge) {
  EXPECT_EQ(*parse_size("1KiB"), 1024);
  EXPECT_EQ(*parse_size("2 MB"), 2'000'000);
  EXPECT_EQ(*parse_duration("0"), 0);
  EXPECT_EQ(*parse_duration("1w"), 7LL * 86'400'000);
  for (const char* bad : {"", "MiB", "-1MiB", "1mib", "9223372036854775807KiB"})
    EXPECT_FALSE(parse_size(bad).ok()) << bad;
  for (const char* bad : {"", "5", "5 minutes", "-1s"}) EXPECT_FALSE(parse_duration(bad).ok()) << bad;
}

}  // namespace
}  // namespace spur
