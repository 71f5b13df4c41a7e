// What the table of options says to people: --help, --print-config and docs/configuration.md.
#include <cctype>

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include "daemon/config.h"
#include "daemon/config_options.h"

namespace spur {
namespace {

// "grpc.tls" of "grpc.tls.cert", "" of "shards".
std::string_view group_of(std::string_view key) {
  const std::size_t dot = key.rfind('.');
  return dot == std::string_view::npos ? "" : key.substr(0, dot);
}

std::string_view top_of(std::string_view key) { return key.substr(0, key.find('.')); }

// Quoted where YAML would otherwise read it as something else.
std::string yaml_scalar(std::string_view text) {
  YAML::Emitter out;
  out << std::string(text);
  return out.c_str();
}

std::string value_word(const Option& option) {
  return option.type == OptionType::kChoice ? std::string(option.choices) : std::string(to_text(option.type));
}

std::string default_word(const Option& option) {
  return option.default_text.empty() ? "(none)" : std::string(option.default_text);
}

// Markdown tables end a cell at `|`.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

// Opens the groups of `key` that `open` does not share with it, one a line.
void open_groups(std::string_view key, std::string_view open, std::string& out) {
  const std::string_view group = group_of(key);
  std::size_t begin = 0, depth = 0;
  while (begin < group.size()) {
    const std::size_t end = std::min(group.find('.', begin), group.size());
    const std::string_view prefix = group.substr(0, end);
    const bool is_open = open == prefix || open.substr(0, end + 1) == std::string(prefix) + ".";
    if (!is_open) out += fmt::format("{:{}}{}:\n", "", 2 * depth, group.substr(begin, end - begin));
    begin = end + 1;
    ++depth;
  }
}

std::size_t depth_of(std::string_view key) {
  return static_cast<std::size_t>(std::count(key.begin(), key.end(), '.'));
}

}  // namespace

std::string config_yaml(const Invocation& invocation) {
  std::string out;
  std::string_view open;
  for (const Option& option : options()) {
    open_groups(option.key, open, out);
    open = group_of(option.key);
    const Setting& setting = invocation.settings.at(std::string(option.key));
    const std::string_view name = option.key.substr(open.empty() ? 0 : open.size() + 1);
    out += fmt::format("{:{}}{}: {}  # {}{}{}\n", "", 2 * depth_of(option.key), name,
                       yaml_scalar(setting.text), to_text(setting.from), setting.place.empty() ? "" : " ",
                       setting.place);
  }
  return out;
}

std::string help_text() {
  std::string out =
      "spurd: customer events in, per-customer state, triggers, actions out.\n\n"
      "usage:\n"
      "  spurd --embedded DIR [--catalog DIR] [options]\n"
      "  spurd --kafka-brokers HOST:PORT,… --state-dir DIR [--catalog DIR] [options]\n"
      "  spurd --config FILE [options]\n\n"
      "examples:\n"
      "  spurd --embedded /var/lib/spur --catalog ./catalog\n"
      "  spurd --config /etc/spur/spurd.yaml --log-level debug\n"
      "  SPUR_GRPC_ADDRESS=0.0.0.0:7475 spurd --config spurd.yaml\n"
      "  spurd --config spurd.yaml --print-config        # what would be in force, and from where\n\n"
      "Every option is a flag, an environment variable and a key of the file: --grpc-address,\n"
      "SPUR_GRPC_ADDRESS, `grpc: {address: …}`. Flag wins over environment over file over default.\n\n"
      "  --config FILE            the config file (or SPUR_CONFIG)\n"
      "  --print-config           print what would be in force and stop\n"
      "  --help-markdown          print docs/configuration.md\n"
      "  -v, --version            print the version\n"
      "  -h, --help               print this\n";
  std::string_view top;
  for (const Option& option : options()) {
    if (top_of(option.key) != top && (depth_of(option.key) > 0 || top.empty())) out += "\n";
    top = top_of(option.key);
    std::string names = flag_name(option.key);
    if (!option.alias.empty()) names += ", " + std::string(option.alias);
    out += fmt::format("  {} <{}>  [{}]\n      {}\n", names, value_word(option), default_word(option), option.help);
  }
  out +=
      "\nexit codes: 0 fine; 2 bad use, configuration or catalog; 3 the world (folder locked, port in use, disk\n"
      "full). SIGTERM or SIGINT stops gracefully, the second one at once.\n";
  return out;
}

std::string help_markdown() {
  std::string out =
      "# Configuration of spurd\n\n"
      "Written by `spurd --help-markdown`; change the table in `daemon/config_options.cc`, not this page.\n\n"
      "Every option is a key of one YAML file (`--config FILE` or `SPUR_CONFIG`), a flag and an environment "
      "variable:\n`grpc.address`, `--grpc-address`, `SPUR_GRPC_ADDRESS`. A flag wins over the environment, the "
      "environment over the\nfile, the file over the default. Unknown keys are errors, told with line, column and "
      "the nearest known key.\n`spurd --print-config` prints what is in force and where each value came from.\n\n"
      "Sizes: `4096`, `64MiB`, `10GiB` (also `kB`, `MB`, `GB`). Durations: `250ms`, `30s`, `5m`, `2h`, `7d`.\n"
      "`kafka.properties` is a mapping in the file, `name=value,…` elsewhere.\n\n"
      "```yaml\nembedded: {dir: /var/lib/spur}\ncatalog: {dir: /etc/spur/catalog}\ngrpc:\n  address: 0.0.0.0:7475\n"
      "  tls: {cert: /etc/spur/tls/tls.crt, key: /etc/spur/tls/tls.key, client_ca: /etc/spur/tls/ca.crt}\n"
      "http: {address: \"0.0.0.0:7476\"}\n```\n\nOn Kafka, in place of `embedded`:\n\n"
      "```yaml\nkafka:\n  brokers: kafka-0:9092,kafka-1:9092\n  instance: spur-0\n"
      "  properties: {security.protocol: SASL_SSL, sasl.mechanism: SCRAM-SHA-512, ssl.ca.location: /etc/ca.pem}\n"
      "state: {dir: /var/lib/spur}\n```\n\n"
      "| key | value | default | what | why |\n|---|---|---|---|---|\n";
  for (const Option& option : options()) {
    std::string key = fmt::format("`{}`", option.key);
    if (!option.alias.empty()) key += fmt::format(" (also `{}`)", option.alias);
    const std::string standard =
        option.default_text.empty() ? "" : fmt::format("`{}`", option.default_text);
    out += fmt::format("| {} | {} | {} | {} | {} |\n", key, cell(value_word(option)), standard,
                       cell(option.help), cell(option.reason));
  }
  return out;
}

}  // namespace spur
