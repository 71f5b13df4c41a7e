// How the layers are read and laid over each other. Flags are CLI11's, the file is yaml-cpp's; a value is text until
// the table has parsed it, so that all three layers take the same spelling.
#include "daemon/config.h"

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include "daemon/config_options.h"

extern char** environ;

namespace spur {
namespace {

using Settings = std::map<std::string, Setting, std::less<>>;
using Errors = std::vector<std::string>;

constexpr std::size_t kFileBytesMax = 1 << 20;

// --- the file ---

// Every key and every group of keys: what a wrong one is compared with.
std::vector<std::string> key_names() {
  std::set<std::string> names;
  for (const Option& option : options()) {
    const std::string key(option.key);
    names.insert(key);
    for (std::size_t dot = key.find('.'); dot != std::string::npos; dot = key.find('.', dot + 1)) {
      names.insert(key.substr(0, dot));
    }
  }
  return {names.begin(), names.end()};
}

bool is_group(const std::string& path) {
  const std::string prefix = path + ".";
  return std::any_of(options().begin(), options().end(), [&](const Option& option) {
    return option.key.substr(0, prefix.size()) == prefix;
  });
}

std::string first_key_of(const std::string& group) {
  for (const Option& option : options()) {
    if (option.key.substr(0, group.size() + 1) == group + ".") {
      return std::string(option.key.substr(group.size() + 1));
    }
  }
  return "";
}

class FileReader {
 public:
  FileReader(std::string name, Settings& settings, Errors& errors)
      : name_(std::move(name)), settings_(settings), errors_(errors) {}

  void read(const std::string& text) {
    try {
      const YAML::Node root = YAML::Load(text);
      if (root.IsNull()) return;
      if (!root.IsMap()) return error(root.Mark(), "a config file is a map of options");
      walk(root, "");
    } catch (const YAML::Exception& e) {
      error(e.mark, e.msg);
    }
  }

 private:
  std::string place(const YAML::Mark& mark) const {
    return fmt::format("{}:{}:{}", name_, mark.line + 1, mark.column + 1);
  }
  void error(const YAML::Mark& mark, std::string_view what) {
    errors_.push_back(fmt::format("{}: {}", place(mark), what));
  }

  void walk(const YAML::Node& map, const std::string& prefix) {
    std::set<std::string> seen;
    for (const auto& entry : map) {
      if (!entry.first.IsScalar()) {
        error(entry.first.Mark(), "a key is plain text");
        continue;
      }
      const std::string key = entry.first.Scalar();
      if (!seen.insert(key).second) {
        error(entry.first.Mark(), fmt::format("`{}` is given twice", prefix + key));
        continue;
      }
      take(entry.first, entry.second, prefix + key);
    }
  }

  void take(const YAML::Node& key, const YAML::Node& value, const std::string& path) {
    if (is_group(path)) return take_group(key, value, path);
    const Option* const option = find_option(path);
    if (option == nullptr) {
      const std::string near = nearest(path, key_names());
      return error(key.Mark(), near.empty() ? fmt::format("unknown key `{}`", path)
                                            : fmt::format("unknown key `{}`; did you mean `{}`?", path, near));
    }
    if (option->type == OptionType::kProperties && value.IsMap()) return take_properties(value, path);
    if (!value.IsScalar()) return error(value.Mark(), fmt::format("`{}` takes one plain value", path));
    settings_[path] = {value.Scalar(), ValueFrom::kFile, place(value.Mark())};
  }

  void take_group(const YAML::Node& key, const YAML::Node& value, const std::string& path) {
    if (value.IsMap()) return walk(value, path + ".");
    if (value.IsNull()) return;
    error(key.Mark(), fmt::format("`{0}` is a group; write `{0}: {{{1}: …}}`", path, first_key_of(path)));
  }

  // A mapping is kept as its pairs, one a line: values may hold commas.
  void take_properties(const YAML::Node& map, const std::string& path) {
    std::string text;
    for (const auto& entry : map) {
      if (!entry.second.IsScalar()) {
        error(entry.second.Mark(), fmt::format("`{}` takes plain values", path));
        continue;
      }
      text += fmt::format("{}={}\n", entry.first.Scalar(), entry.second.Scalar());
    }
    settings_[path] = {text, ValueFrom::kFile, place(map.Mark())};
  }

  std::string name_;
  Settings& settings_;
  Errors& errors_;
};

void read_file(const std::string& path, Settings& settings, Errors& errors) {
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    errors.push_back(fmt::format("{}: cannot be read", path));
    return;
  }
  std::string text(kFileBytesMax + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > kFileBytesMax) {
    errors.push_back(fmt::format("{}: is larger than 1 MiB; a config file it is not", path));
    return;
  }
  FileReader(path, settings, errors).read(text);
}

// --- the environment ---

void read_environment(const Environment& environment, Settings& settings,
                      std::vector<std::string>& warnings) {
  std::vector<std::string> names = {"SPUR_CONFIG"};
  for (const Option& option : options()) names.push_back(environment_name(option.key));
  for (const auto& [name, value] : environment) {
    if (name.substr(0, 5) != "SPUR_" || name == "SPUR_CONFIG") continue;
    const auto found = std::find_if(options().begin(), options().end(), [&name = name](const Option& option) {
      return environment_name(option.key) == name;
    });
    if (found != options().end()) {
      settings[std::string(found->key)] = {value, ValueFrom::kEnvironment, name};
      continue;
    }
    // Not an error: Kubernetes puts SPUR_SERVICE_HOST and the like beside every pod of a service named spur.
    const std::string near = nearest(name, names);
    if (!near.empty()) warnings.push_back(fmt::format("{} is no option; did you mean {}?", name, near));
  }
}

// --- flags ---

struct Flags {
  bool help = false, markdown = false, print = false, version = false;
  std::string config_file;
};

// Adds the options of the table to `app`; each given flag ends up in `given`.
void declare_flags(CLI::App& app, std::map<std::string, std::string>& given) {
  for (const Option& option : options()) {
    std::string names = flag_name(option.key);
    if (!option.alias.empty()) names += "," + std::string(option.alias);
    const std::string key(option.key);
    const bool is_bool = option.type == OptionType::kBool;
    CLI::Option* flag = app.add_option_function<std::vector<std::string>>(
        names, [&given, key, is_bool](const std::vector<std::string>& values) {
          const std::string value = values.empty() ? "" : values.back();
          given[key] = is_bool && value.empty() ? "true" : value;  // --catalog-watch alone
        });
    flag->multi_option_policy(CLI::MultiOptionPolicy::TakeLast)->allow_extra_args(false);
    if (is_bool)
      flag->expected(0, 1);
    else flag->expected(1);
  }
}

void refuse_extras(const std::vector<std::string>& extras, Errors& errors) {
  std::vector<std::string> names = {"--config", "--help", "--print-config", "--version"};
  for (const Option& option : options()) {
    names.push_back(flag_name(option.key));
    if (!option.alias.empty()) names.emplace_back(option.alias);
  }
  for (const std::string& extra : extras) {
    const std::string name = extra.substr(0, extra.find('='));
    if (name.substr(0, 2) != "--") {
      // The value of an unknown flag is told with the flag.
      if (errors.empty()) errors.push_back(fmt::format("unexpected argument `{}`", extra));
    } else {
      const std::string near = nearest(name, names);
      errors.push_back(near.empty() ? fmt::format("unknown flag {}; see --help", name)
                                    : fmt::format("unknown flag {}; did you mean {}?", name, near));
    }
  }
}

// A flag that stands where another one's value should: `--embedded --catalog DIR`, an empty
// variable in between.
void refuse_flags_as_values(const std::map<std::string, std::string>& given, Errors& errors) {
  for (const auto& [key, text] : given) {
    const bool is_flag =
        std::any_of(options().begin(), options().end(), [&, &value = text](const Option& option) {
          return value == flag_name(option.key) || (!option.alias.empty() && value == option.alias);
        });
    if (is_flag)
      errors.push_back(fmt::format("{}: a value is missing before {}", flag_name(key), text));
  }
}

// `--name=` gives an empty value, where CLI11 would take what follows.
std::vector<std::string> with_empty_values(const std::vector<std::string>& arguments) {
  std::vector<std::string> all;
  for (const std::string& argument : arguments) {
    const bool empty = argument.size() > 3 && argument.starts_with("--") && argument.find('=') == argument.size() - 1;
    all.push_back(empty ? argument.substr(0, argument.size() - 1) : argument);
    if (empty) all.emplace_back();
  }
  return all;
}

Flags read_flags(std::vector<std::string> arguments, Settings& settings, Errors& errors) {
  Flags flags;
  arguments = with_empty_values(arguments);
  std::map<std::string, std::string> given;
  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  app.add_flag("-h,--help", flags.help);
  app.add_flag("--help-markdown", flags.markdown);
  app.add_flag("--print-config", flags.print);
  app.add_flag("-v,--version", flags.version);
  app.add_option("--config", flags.config_file);
  declare_flags(app, given);
  std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them from the back
  try {
    app.parse(std::move(arguments));
  } catch (const CLI::ParseError& e) {
    errors.emplace_back(e.what());
    return flags;
  }
  refuse_flags_as_values(given, errors);
  refuse_extras(app.remaining(), errors);
  for (const auto& [key, text] : given) settings[key] = {text, ValueFrom::kFlag, flag_name(key)};
  return flags;
}

// --- all together ---

void lay_over(Settings& below, Settings above) {
  for (auto& [key, setting] : above) below[key] = std::move(setting);
}

void parse_values(const Settings& settings, Config& config, Errors& errors) {
  for (const Option& option : options()) {
    const Setting& setting = settings.at(std::string(option.key));
    const absl::StatusOr<OptionValue> value = parse_value(option, setting.text);
    if (value.ok()) {
      option.set(config, *value);
    } else {
      errors.push_back(fmt::format("{}: {}: {}", setting.place, option.key,
                                   std::string(value.status().message())));
    }
  }
}

void check_together(const Config& config, Errors& errors) {
  if (config.kafka.enabled() == !config.embedded_dir.empty()) {
    errors.emplace_back(config.kafka.enabled()
                            ? "embedded.dir and kafka.brokers: the log is in one place; give one of them"
                            : "embedded.dir: missing; say where log and state live: --embedded DIR, or on Kafka: "
                              "--kafka-brokers HOST:PORT --state-dir DIR");
  }
  if (config.kafka.enabled() && config.state_dir.empty()) {
    errors.emplace_back("state.dir: missing; say where the shards' state lives: --state-dir DIR");
  }
  if (!config.kafka.enabled() && !config.state_snapshots.empty()) {
    errors.emplace_back("state.snapshots: is for a log on Kafka; back an embedded one up as docs/operations.md says");
  }
  if (config.kafka.enabled() && config.clock == ClockSource::kEvents) {
    errors.emplace_back("clock: events is for the embedded log; on Kafka a shard that catches up follows the records");
  }
  if (config.catalog_watch && config.catalog_dir.empty()) {
    errors.emplace_back("catalog.watch: there is nothing to watch without catalog.dir");
  }
  const TlsFiles& tls = config.grpc_tls;
  if (tls.cert.empty() != tls.key.empty()) {
    errors.emplace_back("grpc.tls: cert and key go together; one of them is missing");
  }
  if (!tls.client_ca.empty() && tls.cert.empty()) {
    errors.emplace_back("grpc.tls.client_ca: needs grpc.tls.cert and grpc.tls.key");
  }
  if (config.grpc_address.port != 0 && config.grpc_address.text() == config.http_address.text()) {
    errors.emplace_back("http.address: is the same as grpc.address; each needs a port of its own");
  }
}

void warn_together(const Config& config, std::vector<std::string>& warnings) {
  if (!config.grpc_address.is_loopback() && !config.grpc_tls.enabled()) {
    warnings.emplace_back("grpc.address can be reached from outside and there is no TLS (grpc.tls.cert)");
  }
}

}  // namespace

std::string Address::text() const {
  return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port)
                                             : fmt::format("[{}]:{}", host, port);
}

bool Address::is_loopback() const {
  return host == "localhost" || host == "::1" || host.rfind("127.", 0) == 0;
}

std::string_view to_text(ValueFrom from) {
  switch (from) {
    case ValueFrom::kDefault: return "default";
    case ValueFrom::kFile: return "file";
    case ValueFrom::kEnvironment: return "environment";
    case ValueFrom::kFlag: return "flag";
  }
  return "";
}

Environment process_environment() {
  Environment out;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view line = *entry;
    const std::size_t equals = line.find('=');
    if (equals != std::string_view::npos) out.emplace(line.substr(0, equals), line.substr(equals + 1));
  }
  return out;
}

absl::StatusOr<Invocation> read_invocation(const std::vector<std::string>& arguments,
                                           const Environment& environment) {
  Invocation out;
  Errors errors;
  Settings from_flags, from_environment, from_file;
  const Flags flags = read_flags(arguments, from_flags, errors);
  if (flags.help) out.ask = Invocation::Ask::kHelp;
  else if (flags.markdown) out.ask = Invocation::Ask::kHelpMarkdown;
  else if (flags.version) out.ask = Invocation::Ask::kVersion;
  if (out.ask != Invocation::Ask::kRun) return out;
  if (flags.print) out.ask = Invocation::Ask::kPrintConfig;

  read_environment(environment, from_environment, out.warnings);
  std::string file = flags.config_file;
  if (const auto named = environment.find("SPUR_CONFIG"); file.empty() && named != environment.end()) {
    file = named->second;
  }
  if (!file.empty()) read_file(file, from_file, errors);

  for (const Option& option : options()) {
    out.settings[std::string(option.key)] = {std::string(option.default_text), ValueFrom::kDefault, ""};
  }
  lay_over(out.settings, std::move(from_file));
  lay_over(out.settings, std::move(from_environment));
  lay_over(out.settings, std::move(from_flags));
  parse_values(out.settings, out.config, errors);
  if (errors.empty() && out.ask == Invocation::Ask::kRun) check_together(out.config, errors);
  if (!errors.empty()) return absl::InvalidArgumentError(fmt::format("{}", fmt::join(errors, "\n")));

  warn_together(out.config, out.warnings);
  return out;
}

}  // namespace spur
