#include "daemon/config_options.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <vector>

#include <fmt/format.h>

#include "absl/status/statusor.h"

namespace spur {
namespace {

constexpr std::int64_t kSecondMs = 1000;
constexpr std::int64_t kMinuteMs = 60 * kSecondMs;
constexpr std::int64_t kHourMs = 60 * kMinuteMs;
constexpr std::int64_t kDayMs = 24 * kHourMs;
constexpr std::int64_t kKiB = 1024;
constexpr std::int64_t kMiB = 1024 * kKiB;
constexpr std::int64_t kGiB = 1024 * kMiB;
constexpr std::int64_t kTiB = 1024 * kGiB;

std::chrono::milliseconds millis(const OptionValue& v) {
  return std::chrono::milliseconds(v.number);
}

using T = OptionType;
const Option kOptions[] = {
    {"embedded.dir", "--embedded", T::kPath, "", 0, 0, "",
     "folder of the daemon's own log and state; made if it is not there",
     "this or kafka.brokers: with a log of its own it needs no broker; one process a folder",
     [](Config& c, const OptionValue& v) { c.embedded_dir = v.text; }},
    {"catalog.dir", "--catalog", T::kPath, "", 0, 0, "",
     "folder of catalog files, applied at start if it differs from what is in force",
     "empty: go on with the catalog in force, or wait for `spur apply`; a refused catalog stops the start",
     [](Config& c, const OptionValue& v) { c.catalog_dir = v.text; }},
    {"catalog.watch", "", T::kBool, "false", 0, 1, "",
     "apply the folder again whenever its files change; a refused change is logged",
     "off: what is in force should change when somebody says so",
     [](Config& c, const OptionValue& v) { c.catalog_watch = v.number != 0; }},
    {"shards", "", T::kInteger, "0", 0, 64, "",
     "partitions of the log, fixed at the first start of a folder; 0: what the folder has, 4 for a new one",
     "a shard does some 200,000 events/s; fewer are faster, more only serve more cores",
     [](Config& c, const OptionValue& v) { c.shards = static_cast<std::uint32_t>(v.number); }},
    {"workers", "", T::kInteger, "0", 0, 64, "",
     "threads that own shards; shard s belongs to worker s mod workers; 0: one a core, at most one a shard",
     "a thread without a core of its own only adds switches",
     [](Config& c, const OptionValue& v) { c.workers = static_cast<std::uint32_t>(v.number); }},
    {"clock", "", T::kChoice, "wall", 0, 0, "wall|events",
     "what moves time: the wall's clock, or the times of the events",
     "events is for demos and load tests over history: timers fire as fast as history is read. Counts differ by a "
     "few per cent from run to run: a shard without inputs takes over the time of the others, and what comes to it "
     "then may be late; spur backtest is exact",
     [](Config& c, const OptionValue& v) { c.clock = static_cast<ClockSource>(v.number); }},

    {"kafka.brokers", "", T::kText, "", 0, 0, "",
     "host:port,… of brokers to ask first: the log is on Kafka or Redpanda, shared by any number of daemons",
     "this or embedded.dir",
     [](Config& c, const OptionValue& v) { c.kafka.brokers = v.text; }},
    {"kafka.topic_prefix", "", T::kText, "spur", 0, 0, "",
     "what the deployment's own topics begin with: spur.journal, spur.messages, spur.catalog, …",
     "two deployments on one cluster need two",
     [](Config& c, const OptionValue& v) { c.kafka.topic_prefix = v.text; }},
    {"kafka.group", "", T::kText, "", 0, 0, "",
     "the consumer group that spreads the shards over daemons; empty: the topic prefix",
     "lag exporters and autoscalers look for a group by name",
     [](Config& c, const OptionValue& v) { c.kafka.group = v.text; }},
    {"kafka.instance", "", T::kText, "", 0, 0, "",
     "this daemon's name in the group, the same after a restart (a pod's name); empty: a new member each time",
     "with it a restart within the session moves no shard; two daemons of one name throw each other out",
     [](Config& c, const OptionValue& v) { c.kafka.instance = v.text; }},
    {"kafka.session_timeout", "", T::kDuration, "10s", 6 * kSecondMs, 30 * kMinuteMs, "",
     "silence after which the group gives a daemon's shards to others",
     "take-over after a kill takes this long; brokers refuse less than 6s unless told otherwise",
     [](Config& c, const OptionValue& v) { c.kafka.session_timeout = millis(v); }},
    {"kafka.waiting_bytes_max", "", T::kSize, "256MiB", kMiB, kTiB, "",
     "effects in memory that wait for topics which do not take them, of all shards together; beyond it they wait on "
     "disk",
     "a shard that has more is held up until its state is written: much of a second's work at most",
     [](Config& c, const OptionValue& v) { c.kafka.waiting_bytes_max = v.number; }},
    {"kafka.dev", "", T::kBool, "false", 0, 1, "",
     "accept one broker and unreplicated topics",
     "off: what was acknowledged must survive the loss of a broker",
     [](Config& c, const OptionValue& v) { c.kafka.dev = v.number != 0; }},
    {"kafka.properties", "", T::kProperties, "", 0, 0, "",
     "properties handed to librdkafka, such as security.protocol, sasl.mechanism, ssl.ca.location",
     "what the protocol rests on (acks, idempotence, offsets, the group) is refused here",
     [](Config& c, const OptionValue& v) { c.kafka.properties = v.properties; }},

    {"grpc.address", "", T::kAddress, "127.0.0.1:7475", 0, 0, "",
     "where the gRPC services listen",
     "loopback: whoever opens it to a network should think of TLS at the same time",
     [](Config& c, const OptionValue& v) { c.grpc_address = v.address; }},
    {"grpc.message_bytes_max", "", T::kSize, "4MiB", 64 * kKiB, 64 * kMiB, "",
     "largest message taken", "gRPC's own default; a Publish holds at most 4 MiB of events",
     [](Config& c, const OptionValue& v) { c.grpc_message_bytes_max = v.number; }},
    {"grpc.streams_max", "", T::kInteger, "256", 1, 100'000, "",
     "calls and streams at once on one connection", "a bound for what one client can hold open",
     [](Config& c, const OptionValue& v) { c.grpc_streams_max = static_cast<std::uint32_t>(v.number); }},
    {"grpc.keepalive", "", T::kDuration, "30s", 10 * kSecondMs, 2 * kHourMs, "",
     "how often an idle connection is pinged",
     "a subscriber that vanished without a word is noticed before its name is wanted again; gRPC's 2h is too long",
     [](Config& c, const OptionValue& v) { c.grpc_keepalive = millis(v); }},
    {"grpc.reflection", "", T::kChoice, "auto", 0, 0, "auto|on|off",
     "the reflection service, for grpcurl and the like; auto: only on a loopback address",
     "what is handy at the desk tells too much on a network",
     [](Config& c, const OptionValue& v) { c.grpc_reflection = static_cast<Reflection>(v.number); }},
    {"grpc.tls.cert", "", T::kPath, "", 0, 0, "",
     "PEM file of the server's certificate chain; empty: no TLS",
     "off on loopback; set it with an address that others can reach",
     [](Config& c, const OptionValue& v) { c.grpc_tls.cert = v.text; }},
    {"grpc.tls.key", "", T::kPath, "", 0, 0, "", "PEM file of the certificate's key",
     "a file, never an environment variable or flag: those are easily seen",
     [](Config& c, const OptionValue& v) { c.grpc_tls.key = v.text; }},
    {"grpc.tls.client_ca", "", T::kPath, "", 0, 0, "",
     "PEM file of the authorities of clients; set: a client must present a certificate",
     "without it anyone who reaches the port may publish and apply",
     [](Config& c, const OptionValue& v) { c.grpc_tls.client_ca = v.text; }},
    {"grpc.tls.reload", "", T::kDuration, "1m", kSecondMs, kDayMs, "",
     "how often the TLS files are read again", "certificates are renewed without a restart",
     [](Config& c, const OptionValue& v) { c.grpc_tls.reload = millis(v); }},
    {"http.address", "", T::kAddress, "127.0.0.1:7476", 0, 0, "",
     "where /metrics and the probes /livez, /readyz, /startupz listen",
     "loopback; in a cluster 0.0.0.0:7476 behind a NetworkPolicy: it has no TLS and changes nothing",
     [](Config& c, const OptionValue& v) { c.http_address = v.address; }},

    {"state.dir", "", T::kPath, "", 0, 0, "",
     "folder of the shards' state when the log is on Kafka; made if it is not there",
     "a cache of the fold: what is lost is replayed; a local disk, one process a folder",
     [](Config& c, const OptionValue& v) { c.state_dir = v.text; }},
    {"state.snapshots", "", T::kPath, "", 0, 0, "",
     "folder that all daemons of a deployment see, for copies of the shards' state; empty: none are taken",
     "a daemon without its disk begins there; without copies it folds the whole journal again, which is never "
     "trimmed then",
     [](Config& c, const OptionValue& v) { c.state_snapshots = v.text; }},
    {"state.snapshot_interval", "", T::kDuration, "10m", kSecondMs, kDayMs, "",
     "how often a shard's state is copied there",
     "what a daemon without its disk replays at most; a copy of a gigabyte takes some seconds of disk",
     [](Config& c, const OptionValue& v) { c.state_snapshot_interval = millis(v); }},
    {"state.memory_bytes_max", "", T::kSize, "512MiB", 16 * kMiB, kTiB, "",
     "memory for customers, of all shards together; beyond it those longest untouched wait on disk, as far as they "
     "are written (state.flush_interval)",
     "a customer takes one to two kilobytes: some 300,000 of them",
     [](Config& c, const OptionValue& v) { c.state_memory_bytes_max = v.number; }},
    {"state.cache_bytes_max", "", T::kSize, "128MiB", 16 * kMiB, kTiB, "",
     "block cache and write buffers of the stores, of all shards together",
     "reads of what left memory; the page cache stands behind it",
     [](Config& c, const OptionValue& v) { c.state_cache_bytes_max = v.number; }},
    {"state.outbox_bytes_max", "", T::kSize, "4GiB", 16 * kMiB, kTiB, "",
     "effects on disk that wait for topics which do not take them, of all shards together; beyond it a shard takes no "
     "more inputs",
     "hours of a dead channel at some thousand actions a second",
     [](Config& c, const OptionValue& v) { c.state_outbox_bytes_max = v.number; }},
    {"state.flush_interval", "", T::kDuration, "30s", 100, kMinuteMs, "",
     "how often changed customers are written to disk",
     "what a restart replays at most; under a minute by the protocol, and longer writes each customer less often",
     [](Config& c, const OptionValue& v) { c.state_flush_interval = millis(v); }},
    {"queue.events_max", "", T::kInteger, "65536", 100, 10'000'000, "",
     "events of one shard that may wait to be folded; beyond it Publish answers RESOURCE_EXHAUSTED",
     "a third of a second of work: longer queues add latency and nothing else",
     [](Config& c, const OptionValue& v) { c.queue_events_max = static_cast<std::uint32_t>(v.number); }},
    {"queue.bytes_max", "", T::kSize, "64MiB", kMiB, 16 * kGiB, "",
     "the same in bytes", "bounds memory when events are large",
     [](Config& c, const OptionValue& v) { c.queue_bytes_max = v.number; }},
    {"actions.retention", "", T::kDuration, "7d", kMinuteMs, 3650 * kDayMs, "",
     "how long actions are kept for subscribers that are away",
     "a week: longer than any holiday of the one who can repair a channel",
     [](Config& c, const OptionValue& v) { c.actions_retention = millis(v); }},
    {"actions.bytes_max", "", T::kSize, "10GiB", kMiB, 100 * kTiB, "",
     "the same in bytes; an older cursor is answered OUT_OF_RANGE", "bounds the disk",
     [](Config& c, const OptionValue& v) { c.actions_bytes_max = v.number; }},

    {"history.inputs_max", "", T::kInteger, "100000", 0, 1'000'000'000, "",
     "inputs a shard keeps behind its durable state, for explain and backtest",
     "what a recovery needs is always kept; this is on top of it",
     [](Config& c, const OptionValue& v) { c.history_inputs_max = static_cast<std::uint64_t>(v.number); }},

    {"log.level", "", T::kChoice, "info", 0, 0, "debug|info|warning|error", "least severity that is logged",
     "info is some lines a start and one an incident",
     [](Config& c, const OptionValue& v) { c.log_level = static_cast<LogLevel>(v.number); }},
    {"log.format", "", T::kChoice, "json", 0, 0, "json|text",
     "one JSON object a line, or text for people; both to standard error", "collectors read JSON",
     [](Config& c, const OptionValue& v) { c.log_format = static_cast<LogFormat>(v.number); }},
    {"metrics.max_trigger_labels", "", T::kInteger, "500", 0, 100'000, "",
     "triggers with series of their own; those beyond share trigger=\"other\"",
     "a series costs the Prometheus server memory for ever",
     [](Config& c, const OptionValue& v) {
       c.metrics_trigger_labels_max = static_cast<std::uint32_t>(v.number);
     }},
    {"shutdown.grace", "", T::kDuration, "30s", kSecondMs, kHourMs, "",
     "how long open calls may go on after SIGTERM before they are cut",
     "well inside the 90 s that a pod is usually given",
     [](Config& c, const OptionValue& v) { c.shutdown_grace = millis(v); }},
};

std::vector<std::string_view> split_choices(std::string_view choices) {
  std::vector<std::string_view> out;
  for (std::size_t begin = 0; begin <= choices.size();) {
    const std::size_t end = std::min(choices.find('|', begin), choices.size());
    out.push_back(choices.substr(begin, end - begin));
    begin = end + 1;
  }
  return out;
}

// A whole number and the unit behind it.
struct Quantity {
  std::int64_t number = 0;
  std::string_view unit;
};

std::optional<Quantity> split_quantity(std::string_view text) {
  Quantity out;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out.number);
  if (error != std::errc() || out.number < 0) return std::nullopt;
  out.unit = text.substr(static_cast<std::size_t>(end - text.data()));
  while (!out.unit.empty() && out.unit.front() == ' ') out.unit.remove_prefix(1);
  return out;
}

struct Unit {
  std::string_view name;
  std::int64_t factor;
};

constexpr Unit kSizeUnits[] = {{"", 1},          {"B", 1},           {"KiB", kKiB},
                               {"MiB", kMiB},    {"GiB", kGiB},      {"TiB", kTiB},
                               {"kB", 1000},     {"MB", 1'000'000},  {"GB", 1'000'000'000}};
constexpr Unit kDurationUnits[] = {{"ms", 1},       {"s", kSecondMs}, {"m", kMinuteMs},
                                   {"h", kHourMs}, {"d", kDayMs},    {"w", 7 * kDayMs}};

template <std::size_t N>
std::optional<std::int64_t> in_units(std::string_view text, const Unit (&units)[N]) {
  const std::optional<Quantity> quantity = split_quantity(text);
  if (!quantity) return std::nullopt;
  if (quantity->number == 0 && quantity->unit.empty()) return 0;
  for (const Unit& unit : units) {
    if (unit.name != quantity->unit) continue;
    if (quantity->number > std::numeric_limits<std::int64_t>::max() / unit.factor) return std::nullopt;
    return quantity->number * unit.factor;
  }
  return std::nullopt;
}

absl::Status bad_value(std::string_view text, std::string_view want) {
  return absl::InvalidArgumentError(fmt::format("`{}` is not {}", text, want));
}

std::string bound_text(OptionType type, std::int64_t bound) {
  if (type == OptionType::kDuration) return fmt::format("{}ms", bound);
  if (type == OptionType::kSize) return fmt::format("{}B", bound);
  return fmt::format("{}", bound);
}

absl::Status check_range(const Option& option, std::string_view text, std::int64_t number) {
  if (number >= option.min && number <= option.max) return absl::OkStatus();
  return absl::InvalidArgumentError(fmt::format("`{}` is out of range; from {} to {}", text,
                                                bound_text(option.type, option.min),
                                                bound_text(option.type, option.max)));
}

absl::StatusOr<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    return bad_value(text, "a whole number");
  }
  return number;
}

absl::StatusOr<std::int64_t> parse_bool(std::string_view text) {
  if (text == "true") return 1;
  if (text == "false") return 0;
  return bad_value(text, "true or false");
}

absl::StatusOr<std::int64_t> parse_choice(std::string_view text, std::string_view choices) {
  const std::vector<std::string_view> all = split_choices(choices);
  const auto found = std::find(all.begin(), all.end(), text);
  if (found == all.end()) return bad_value(text, fmt::format("one of {}", fmt::join(all, ", ")));
  return found - all.begin();
}

absl::StatusOr<std::int64_t> parse_number(const Option& option, std::string_view text) {
  switch (option.type) {
    case OptionType::kSize: return parse_size(text);
    case OptionType::kDuration: return parse_duration(text);
    case OptionType::kBool: return parse_bool(text);
    case OptionType::kChoice: return parse_choice(text, option.choices);
    default: return parse_integer(text);
  }
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({change, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

}  // namespace

std::string_view to_text(OptionType type) {
  switch (type) {
    case OptionType::kPath: return "path";
    case OptionType::kText: return "text";
    case OptionType::kAddress: return "host:port";
    case OptionType::kInteger: return "number";
    case OptionType::kSize: return "size";
    case OptionType::kDuration: return "duration";
    case OptionType::kBool: return "true or false";
    case OptionType::kChoice: return "choice";
    case OptionType::kProperties: return "name=value,…";
  }
  return "";
}

std::span<const Option> options() { return kOptions; }

const Option* find_option(std::string_view key) {
  const auto* found = std::find_if(std::begin(kOptions), std::end(kOptions),
                                   [&](const Option& option) { return option.key == key; });
  return found == std::end(kOptions) ? nullptr : found;
}

std::string flag_name(std::string_view key) {
  std::string out = "--";
  for (const char c : key) out += c == '.' || c == '_' ? '-' : c;
  return out;
}

std::string environment_name(std::string_view key) {
  std::string out = "SPUR_";
  for (const char c : key) out += c == '.' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  return out;
}

absl::StatusOr<OptionValue> parse_value(const Option& option, std::string_view text) {
  OptionValue value;
  value.text = std::string(text);
  if (option.type == OptionType::kPath || option.type == OptionType::kText) return value;
  if (option.type == OptionType::kAddress) {
    absl::StatusOr<Address> address = parse_address(text);
    if (!address.ok()) return address.status();
    value.address = *std::move(address);
    return value;
  }
  if (option.type == OptionType::kProperties) {
    auto properties = parse_properties(text);
    if (!properties.ok()) return properties.status();
    value.properties = *std::move(properties);
    return value;
  }
  const absl::StatusOr<std::int64_t> number = parse_number(option, text);
  if (!number.ok()) return number.status();
  if (option.type != OptionType::kChoice) {
    if (absl::Status in_range = check_range(option, text, *number); !in_range.ok()) return in_range;
  }
  value.number = *number;
  return value;
}

absl::StatusOr<Address> parse_address(std::string_view text) {
  constexpr std::string_view kWant = "an address; write host:port, e.g. 127.0.0.1:7475 or [::1]:7475";
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return bad_value(text, kWant);
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.front() == '[' && host.back() == ']';
  if (!bracketed && host.find(':') != std::string_view::npos) return bad_value(text, kWant);
  if (bracketed) host = host.substr(1, host.size() - 2);
  const absl::StatusOr<std::int64_t> port = parse_integer(text.substr(colon + 1));
  if (host.empty() || !port.ok() || *port < 0 || *port > 65535) return bad_value(text, kWant);
  return Address{std::string(host), static_cast<std::uint16_t>(*port)};
}

absl::StatusOr<std::int64_t> parse_size(std::string_view text) {
  const std::optional<std::int64_t> bytes = in_units(text, kSizeUnits);
  if (!bytes) return bad_value(text, "a size; write e.g. 64MiB, 10GiB or 4096");
  return *bytes;
}

absl::StatusOr<std::int64_t> parse_duration(std::string_view text) {
  const std::optional<std::int64_t> millis = in_units(text, kDurationUnits);
  if (!millis) return bad_value(text, "a duration; write e.g. 250ms, 30s, 5m, 2h or 7d");
  return *millis;
}

absl::StatusOr<std::map<std::string, std::string>> parse_properties(std::string_view text) {
  const char between = text.find('\n') == std::string_view::npos ? ',' : '\n';
  std::map<std::string, std::string> out;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(between, begin), text.size());
    const std::string_view pair = text.substr(begin, end - begin);
    begin = end + 1;
    if (pair.empty()) continue;
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos || equals == 0)
      return bad_value(pair, "name=value; write e.g. security.protocol=SSL,ssl.ca.location=/etc/ca.pem");
    out.insert_or_assign(std::string(pair.substr(0, equals)), std::string(pair.substr(equals + 1)));
  }
  return out;
}

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(2, word.size() / 4) + 1;
  for (const std::string& candidate : candidates) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

}  // namespace spur
