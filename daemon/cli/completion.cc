// spur completion: a script for the shell, made from the commands and options themselves.
#include "daemon/cli/command.h"
#include "fmt/format.h"

namespace spur::cli {
namespace {

struct OptionShown {
  std::string name;  // without --
  std::string text;
  bool takes_value = false;
};

struct CommandShown {
  std::string name, text;
  std::vector<OptionShown> options;
};

std::vector<CommandShown> commands_of(CLI::App& app) {
  std::vector<CommandShown> commands;
  for (CLI::App* const sub : app.get_subcommands([](CLI::App*) { return true; })) {
    CommandShown command{sub->get_name(), sub->get_description(), {}};
    for (const CLI::Option* const option : sub->get_options([](CLI::Option*) { return true; })) {
      for (const std::string& name : option->get_lnames()) {
        command.options.push_back({name, option->get_description(), option->get_type_size() != 0});
      }
    }
    commands.push_back(std::move(command));
  }
  return commands;
}

// Text inside '…' of every shell here, free of what means something to _arguments.
std::string quoted(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\'') {
      out += "’";
    } else if (c == '[' || c == ']' || c == ':') {
      out += ' ';
    } else {
      out += c;
    }
  }
  return "'" + out + "'";
}

std::string names_of(const std::vector<CommandShown>& commands) {
  std::string names;
  for (const CommandShown& command : commands) names += (names.empty() ? "" : " ") + command.name;
  return names;
}

void print_bash(const std::vector<CommandShown>& commands) {
  fmt::print(
      "# spur completion for bash; put it into ~/.bashrc: source <(spur completion bash)\n_spur() "
      "{{\n");
  fmt::print("  local word=\"${{COMP_WORDS[COMP_CWORD]}}\" options=\"\"\n");
  fmt::print(
      "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n    COMPREPLY=($(compgen -W \"{} --help --version\" "
      "-- \"$word\"))\n    return\n  fi\n",
      names_of(commands));
  fmt::print("  case \"${{COMP_WORDS[1]}}\" in\n");
  for (const CommandShown& command : commands) {
    std::string options;
    for (const OptionShown& option : command.options)
      options += (options.empty() ? "--" : " --") + option.name;
    if (command.name == "completion") options += " bash zsh fish";
    fmt::print("    {}) options=\"{}\" ;;\n", command.name, options);
  }
  fmt::print(
      "  esac\n  case \"$word\" in\n    -*) COMPREPLY=($(compgen -W \"$options\" -- \"$word\")) "
      ";;\n");
  fmt::print(
      "    *) if [ \"${{COMP_WORDS[1]}}\" = completion ]; then COMPREPLY=($(compgen -W "
      "\"$options\" -- \"$word\")); else COMPREPLY=($(compgen -f -- \"$word\")); fi ;;\n");
  fmt::print("  esac\n}}\ncomplete -o filenames -F _spur spur\n");
}

void print_zsh(const std::vector<CommandShown>& commands) {
  fmt::print(
      "#compdef spur\n# spur completion for zsh; put it on your fpath as _spur, or: source <(spur "
      "completion zsh)\n_spur() {{\n");
  fmt::print("  if (( CURRENT == 2 )); then\n    local -a commands=(\n");
  for (const CommandShown& command : commands) {
    const std::string text = quoted(command.text);
    fmt::print("      '{}:{}\n", command.name, text.substr(1));
  }
  fmt::print(
      "    )\n    _describe command commands\n    return\n  fi\n  local command=$words[2]\n  shift "
      "words; (( CURRENT-- ))\n  case $command in\n");
  for (const CommandShown& command : commands) {
    fmt::print("    {}) _arguments", command.name);
    for (const OptionShown& option : command.options) {
      const std::string text = quoted(option.text);
      fmt::print(" '--{}[{}]{}'", option.name, text.substr(1, text.size() - 2),
                 option.takes_value ? ":value:_files" : "");
    }
    fmt::print("{} ;;\n",
               command.name == "completion" ? " '1:shell:(bash zsh fish)'" : " '*:file:_files'");
  }
  fmt::print("  esac\n}}\ncompdef _spur spur\n");
}

void print_fish(const std::vector<CommandShown>& commands) {
  fmt::print("# spur completion for fish; put it into ~/.config/fish/completions/spur.fish\n");
  for (const CommandShown& command : commands) {
    fmt::print("complete -c spur -n __fish_use_subcommand -f -a {} -d {}\n", command.name,
               quoted(command.text));
    for (const OptionShown& option : command.options) {
      fmt::print("complete -c spur -n '__fish_seen_subcommand_from {}' -l {}{} -d {}\n",
                 command.name, option.name, option.takes_value ? " -r" : "", quoted(option.text));
    }
  }
  fmt::print(
      "complete -c spur -n '__fish_seen_subcommand_from completion' -f -a 'bash zsh fish'\n");
}

}  // namespace

void add_completion(CLI::App& app, Chosen& chosen) {
  CLI::App* const command =
      app.add_subcommand("completion", "print a completion script for your shell");
  auto shell = std::make_shared<std::string>();
  command->add_option("shell", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  command->footer(
      "Examples:\n  source <(spur completion bash)\n  spur completion fish > "
      "~/.config/fish/completions/spur.fish");
  command->callback([&app, &chosen, shell] {
    chosen.run = [&app, shell] {
      const std::vector<CommandShown> commands = commands_of(app);
      if (*shell == "bash") print_bash(commands);
      if (*shell == "zsh") print_zsh(commands);
      if (*shell == "fish") print_fish(commands);
      return kFine;
    };
  });
}

}  // namespace spur::cli
