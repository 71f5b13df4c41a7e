// spur audit: what a deployment has left, checked against the rules that it was made by.
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>

#include "daemon/audit/embedded_evidence.h"
#include "daemon/audit/kafka_evidence.h"
#include "daemon/audit/report.h"
#include "daemon/cli/command.h"
#include "daemon/cli/progress.h"
#include "daemon/config.h"
#include "fmt/format.h"

namespace spur::cli {
namespace {

// Unreachable and wrong use are one to a script that asks "is it clean?": it cannot say.
constexpr int kCannotSay = kBadUse;

struct Arguments {
  std::string embedded, brokers, prefix, config, snapshots, work;
  std::vector<std::string> properties;
  std::vector<std::uint32_t> shards;
  std::uint64_t from = 1, last = 0;
  std::uint64_t memory_mib = 256;
  bool settled = false, whole = false, json = false, quiet = false;
};

int say(std::string_view message, int code) {
  fmt::print(stderr, "spur audit: {}\n", message);
  return code;
}

// What the flags leave open is taken from the daemon's own configuration file.
int read_config(Arguments& a) {
  if (a.config.empty()) return kFine;
  const absl::StatusOr<Invocation> read = read_invocation({"--config", a.config}, {});
  if (!read.ok()) return say(std::string(read.status().message()), kBadUse);
  const Config& config = read->config;
  if (a.embedded.empty() && a.brokers.empty()) {
    a.embedded = config.embedded_dir;
    a.brokers = config.kafka.brokers;
  }
  if (a.prefix.empty()) a.prefix = config.kafka.topic_prefix;
  if (a.snapshots.empty()) a.snapshots = config.state_snapshots;
  for (const auto& [name, value] : config.kafka.properties)
    a.properties.insert(a.properties.begin(), name + "=" + value);
  return kFine;
}

absl::StatusOr<std::unique_ptr<audit::Evidence>> open_evidence(const Arguments& a) {
  if (!a.embedded.empty()) {
    auto evidence = audit::EmbeddedEvidence::open(a.embedded);
    if (!evidence.ok()) return evidence.status();
    return *std::move(evidence);
  }
  kafka::Connection connection;
  connection.brokers = a.brokers;
  connection.client_id = "spur-audit";
  for (const std::string& property : a.properties) {
    const std::size_t at = property.find('=');
    if (at == std::string::npos)
      return absl::InvalidArgumentError(
          fmt::format("--kafka-property {}: write NAME=VALUE", property));
    connection.properties[property.substr(0, at)] = property.substr(at + 1);
  }
  auto evidence = audit::KafkaEvidence::open(connection, a.prefix.empty() ? "spur" : a.prefix);
  if (!evidence.ok()) return evidence.status();
  return *std::move(evidence);
}

// A folder for what does not fit in memory; goes with the audit.
class WorkFolder {
 public:
  explicit WorkFolder(const std::string& below) {
    std::error_code error;
    const std::filesystem::path parent =
        below.empty() ? std::filesystem::temp_directory_path(error) : std::filesystem::path(below);
    path_ = (parent / "spur-audit.XXXXXX").string();
    if (error || mkdtemp(path_.data()) == nullptr) path_.clear();
  }
  ~WorkFolder() {
    std::error_code error;
    if (!path_.empty()) std::filesystem::remove_all(path_, error);
  }
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;
  const std::string& path() const { return path_; }  // empty: it could not be made

 private:
  std::string path_;
};

int run(Arguments a) {
  if (const int code = read_config(a); code != kFine) return code;
  if (a.embedded.empty() == a.brokers.empty())
    return say("give --kafka-brokers, --embedded or --config: one deployment", kBadUse);
  absl::StatusOr<std::unique_ptr<audit::Evidence>> evidence = open_evidence(a);
  if (!evidence.ok()) return say(std::string(evidence.status().message()), kCannotSay);
  const std::uint32_t count = (*evidence)->log().shards();
  for (const std::uint32_t shard : a.shards) {
    if (shard >= count)
      return say(fmt::format("--shard {}: this deployment has shards 0 to {}", shard, count - 1),
                 kBadUse);
  }
  if (a.shards.empty()) {
    for (std::uint32_t shard = 0; shard < count; ++shard) a.shards.push_back(shard);
  }
  const WorkFolder work(a.work);
  if (work.path().empty())
    return say(fmt::format("no folder can be made for what does not fit in memory ({}); give "
                           "another by --work DIR",
                           std::strerror(errno)),
               kCannotSay);

  Progress progress(!a.quiet && isatty(STDERR_FILENO) != 0);
  audit::Options options;
  options.run_first = a.from;
  options.runs_last = a.last;
  options.snapshots = a.snapshots;
  options.settled = a.settled;
  options.whole = a.whole;
  options.work_folder = work.path();
  options.memory_bytes_max = a.memory_mib << 20;
  options.progress = [&](std::uint32_t shard, std::uint64_t entries, std::uint64_t total) {
    progress.show(fmt::format("shard {} of {}", shard, count), entries, total, entries,
                  "journal entries");
  };
  std::vector<audit::ShardReport> reports;
  for (const std::uint32_t shard : a.shards) {
    auto report = audit::audit_shard(**evidence, shard, options);
    progress.done();
    if (!report.ok())
      return say(fmt::format("shard {}: {}", shard, std::string(report.status().message())),
                 kCannotSay);
    reports.push_back(*std::move(report));
  }
  const bool clean = audit::clean(reports);
  if (a.json)
    fmt::print("{}", audit::to_json(reports));
  else if (!a.quiet || !clean)
    fmt::print("{}", audit::to_text(reports));
  if (std::fflush(stdout) != 0)
    return say(fmt::format("cannot write the report: {}", std::strerror(errno)), kCannotSay);
  return clean ? kFine : kNo;
}

}  // namespace

void add_audit(CLI::App& app, Chosen& chosen) {
  CLI::App* const command = app.add_subcommand(
      "audit", "replay a deployment's journal and compare it with what its topics hold");
  auto a = std::make_shared<Arguments>();
  command->add_option("--kafka-brokers", a->brokers, "host:port,… of a deployment on Kafka")
      ->envname("SPUR_KAFKA_BROKERS");
  command->add_option("--kafka-topic-prefix", a->prefix, "of its topics; spur if it is not given");
  command->add_option("--kafka-property", a->properties,
                      "NAME=VALUE for the client, as in kafka.properties; may be given again");
  command->add_option("--embedded", a->embedded, "folder of an embedded deployment");
  command->add_option("--config", a->config, "the daemon's configuration file, for all of these");
  command->add_option("--snapshots", a->snapshots,
                      "folder of state.snapshots: to begin where the journal does");
  command->add_option("--shard", a->shards, "only this one; may be given again");
  command->add_option("--from", a->from, "compare effects from this run on, in every shard")
      ->check(CLI::PositiveNumber);
  command->add_option("--last", a->last, "compare effects of the last so many runs of a shard")
      ->check(CLI::PositiveNumber);
  command->add_flag("--settled", a->settled,
                    "the deployment is idle or stopped: what has not arrived is missing");
  command->add_flag("--whole", a->whole, "a shard that cannot be replayed to its end is wrong");
  command->add_option("--memory-mib", a->memory_mib, "of customers, before a folder is used")
      ->capture_default_str()
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 20));
  command->add_option("--work", a->work,
                      "where that folder is made; by default for temporary files");
  command->add_flag("--json", a->json, "one JSON object in the place of text");
  command->add_flag("--quiet,-q", a->quiet, "no progress, and text only if something is wrong");
  command->footer(
      "Reads only, and can be run beside running daemons. Exit codes: 0 clean; 1 something is "
      "wrong; 2 it cannot\n"
      "say: wrong use, or what it needs cannot be read.\n"
      "Examples:\n"
      "  spur audit --kafka-brokers kafka-0:9092 --snapshots /mnt/spur/snapshots\n"
      "  spur audit --kafka-brokers kafka-0:9092 --shard 3 --last 10000 --json\n"
      "  spur audit --embedded /var/lib/spur --settled");
  command->callback([&chosen, a] { chosen.run = [a] { return run(*a); }; });
}

}  // namespace spur::cli
