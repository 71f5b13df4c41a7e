// Config: how a daemon is set up, from one YAML file, the environment and flags.
//
// Every option has one name said three ways: `grpc.address` in the file, `--grpc-address` as a flag, SPUR_GRPC_ADDRESS
// in the environment. A flag wins over the environment, the environment over the file, the file over the default. The
// table of options (config_options.h) drives parsing, --help, --print-config and docs/configuration.md alike.
//
// What is wrong is listed all at once, each with its place: `spurd.yaml:3:5: unknown key …; did you mean …?`.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace spur {

// The wall's clock, or the times of the events themselves (demos and load tests over history).
enum class ClockSource : std::uint8_t { kWall, kEvents };
enum class LogFormat : std::uint8_t { kJson, kText };
enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarning, kError };
enum class Reflection : std::uint8_t { kAuto, kOn, kOff };

// `host:port`, `[v6]:port`. Port 0 asks for any free one.
struct Address {
  std::string host;
  std::uint16_t port = 0;

  std::string text() const;   // "127.0.0.1:7475", "[::1]:7475"
  bool is_loopback() const;   // 127.0.0.0/8, ::1 or localhost
};

struct TlsFiles {
  std::string cert;       // PEM chain of the server; empty: no TLS
  std::string key;
  std::string client_ca;  // PEM; set: clients must present a certificate of it
  std::chrono::milliseconds reload{};

  bool enabled() const { return !cert.empty(); }
};

// Where the log is when it is not the daemon's own.
struct KafkaConfig {
  std::string brokers;  // host:port,…; empty: no Kafka
  std::string topic_prefix;
  std::string group;     // empty: the prefix
  std::string instance;  // empty: a new member at each start
  std::chrono::milliseconds session_timeout{};
  std::uint64_t waiting_bytes_max = 0;
  bool dev = false;
  std::map<std::string, std::string> properties;  // handed to librdkafka as they are

  bool enabled() const { return !brokers.empty(); }
};

// Values, checked. What each one means stands in the table.
struct Config {
  std::string embedded_dir;
  KafkaConfig kafka;
  std::string state_dir;  // on Kafka
  std::string state_snapshots;  // empty: none
  std::chrono::milliseconds state_snapshot_interval{};
  std::uint32_t shards = 0;   // 0: what the folder has
  std::uint32_t workers = 0;  // 0: one a core, at most one a shard
  ClockSource clock = ClockSource::kWall;
  std::string catalog_dir;
  bool catalog_watch = false;

  Address grpc_address;
  TlsFiles grpc_tls;
  Reflection grpc_reflection = Reflection::kAuto;
  std::uint64_t grpc_message_bytes_max = 0;
  std::uint32_t grpc_streams_max = 0;  // a connection
  std::chrono::milliseconds grpc_keepalive{};
  Address http_address;

  std::uint64_t state_memory_bytes_max = 0;
  std::uint64_t state_cache_bytes_max = 0;
  std::uint64_t state_outbox_bytes_max = 0;
  std::chrono::milliseconds state_flush_interval{};
  std::uint32_t queue_events_max = 0;  // a shard
  std::uint64_t queue_bytes_max = 0;   // a shard
  std::chrono::milliseconds actions_retention{};
  std::uint64_t actions_bytes_max = 0;
  std::uint64_t history_inputs_max = 0;

  LogLevel log_level = LogLevel::kInfo;
  LogFormat log_format = LogFormat::kJson;
  std::uint32_t metrics_trigger_labels_max = 0;
  std::chrono::milliseconds shutdown_grace{};
};

// Where a value came from, lowest first.
enum class ValueFrom : std::uint8_t { kDefault, kFile, kEnvironment, kFlag };
std::string_view to_text(ValueFrom from);

// An option's value as it was written, and where.
struct Setting {
  std::string text;
  ValueFrom from = ValueFrom::kDefault;
  std::string place;  // "spurd.yaml:3:5", "SPUR_GRPC_ADDRESS", "--grpc-address"; empty for a default
};

// What a command line asks for.
struct Invocation {
  enum class Ask : std::uint8_t { kRun, kHelp, kHelpMarkdown, kPrintConfig, kVersion };

  Ask ask = Ask::kRun;
  Config config;
  std::map<std::string, Setting, std::less<>> settings;  // by key, every option
  std::vector<std::string> warnings;                     // e.g. an environment variable that is nearly an option
};

// The environment as name → value; passed in so that a test has its own.
using Environment = std::map<std::string, std::string>;
Environment process_environment();

// Reads the command line (without the program's name), the environment and the file that either names by --config or
// SPUR_CONFIG. InvalidArgument with one line an error. For kHelp, kHelpMarkdown and kVersion nothing else is looked at.
absl::StatusOr<Invocation> read_invocation(const std::vector<std::string>& arguments,
                                           const Environment& environment);

// What --print-config prints: the effective values as a config file that reads back the same, each line saying
// where its value came from.
std::string config_yaml(const Invocation& invocation);
// What --help prints.
std::string help_text();
// docs/configuration.md.
std::string help_markdown();

}  // namespace spur
