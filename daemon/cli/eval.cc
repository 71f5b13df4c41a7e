// spur eval: tries an expression, on nothing, on one event, or many by the line.
#include <cstdio>
#include <optional>
#include <string>

#include "daemon/cli/command.h"
#include "daemon/cli/read_file.h"
#include "daemon/eval/event_binding.h"
#include "daemon/eval/line.h"
#include "daemon/eval/report.h"
#include "daemon/inputs/decoded.h"
#include "daemon/inputs/event_file.h"
#include "fmt/format.h"
#include "operators/expression/program.h"
#include "operators/expression/text.h"

namespace spur::cli {
namespace {

struct Arguments {
  std::string expression;  // with --lines: a file
  std::string event;
  bool strict = false;
  bool lines = false;
};

void print_diagnostics(std::string_view source,
                       const std::vector<expression::Diagnostic>& diagnostics,
                       std::string_view prefix) {
  for (const expression::Diagnostic& d : diagnostics) {
    fmt::print(stderr, "{}{}\n", prefix, eval::marked(source, d));
  }
}

int run_expression(const Arguments& a) {
  expression::References references;
  eval::EventBinding binding(references);
  if (!a.event.empty()) {
    absl::StatusOr<std::string> bytes = read_file(a.event, InputLimits().message_bytes_max);
    if (!bytes.ok()) {
      fmt::print(stderr, "spur eval: {}\n", std::string(bytes.status().message()));
      return kBadUse;
    }
    if (const std::string problem = binding.take(*std::move(bytes)); !problem.empty()) {
      fmt::print(stderr, "spur eval: --event {}: {}\n", a.event, problem);
      return kBadUse;
    }
  }
  expression::Options options;
  options.strict = a.strict;
  const expression::Compiled compiled = expression::compile(
      a.expression, eval::trigger_environment(!a.event.empty()), references, options);
  print_diagnostics(a.expression, compiled.errors, "");
  print_diagnostics(a.expression, compiled.warnings, "warning: ");
  if (!compiled.program) return kBadUse;
  Arena arena;
  const Value value = compiled.program->evaluate(binding, arena);
  fmt::print("type:  {}\n", compiled.program->type().to_string());
  if (value.is_error()) {
    fmt::print("error: {}\n", expression::to_text(value));
    return kNo;
  }
  fmt::print("value: {}\n", eval::shown(value));
  return kFine;
}

int run_lines(const Arguments& a) {
  EventFile::Options options;
  options.line_bytes_max = eval::kLineBytesMax;
  const std::string path = a.expression.empty() ? "-" : a.expression;
  absl::StatusOr<EventFile> file = EventFile::open(path, options);
  if (!file.ok()) {
    fmt::print(stderr, "spur eval: {}\n", std::string(file.status().message()));
    return kBadUse;
  }
  std::size_t unreadable = 0;
  while (const std::optional<EventFile::Line> bytes = file->next()) {
    const eval::Line line(bytes->bytes, {.strict = a.strict, .unchecked = false});
    fmt::print("{}\n", line.answer());
    std::fflush(stdout);  // whoever asks line by line waits for it
    if (line.outcome() == eval::Line::Outcome::kUnreadable) ++unreadable;
  }
  if (!file->status().ok()) {
    fmt::print(stderr, "spur eval: {}\n", std::string(file->status().message()));
    return kBadUse;
  }
  if (unreadable == 0) return kFine;
  fmt::print(stderr, "spur eval: {} line{} could not be read\n", unreadable,
             unreadable == 1 ? "" : "s");
  return kBadUse;
}

int run(const Arguments& a) {
  if (a.lines && !a.event.empty()) {
    fmt::print(stderr, "spur eval: --event goes with one expression; lines bring their bindings\n");
    return kBadUse;
  }
  if (a.lines) return run_lines(a);
  if (a.expression.empty()) {
    fmt::print(stderr, "spur eval: write an expression, or --lines for many\n");
    return kBadUse;
  }
  return run_expression(a);
}

}  // namespace

void add_eval(CLI::App& app, Chosen& chosen) {
  CLI::App* const command =
      app.add_subcommand("eval", "try an expression: its type and value, or what is wrong with it");
  auto a = std::make_shared<Arguments>();
  command->add_option("expression", a->expression,
                      "CEL; with --lines a file of lines, by default the standard input");
  command->add_option("--event", a->event,
                      "a file with one Segment call (-: standard input) for `event` to read, as in "
                      "a trigger's `if`");
  command->add_flag("--strict", a->strict, "plain CEL, without what Spur adds to it");
  command->add_flag(
      "--lines", a->lines,
      "answer lines of JSON, each {expr, typeEnv, bindings, container, disableCheck}");
  command->footer(
      "Errors stand as line:column with carets below what is meant. With --lines there is one "
      "line\n"
      "of answer for each: {\"value\": …} as JSON of cel.expr.Value, or {\"error\": \"check\" or\n"
      "\"eval\", \"message\": …}; \"line\" for a line that could not be read.\n"
      "Exit codes: 0 a value (or all lines answered); 1 an error value; 2 it does not check, or\n"
      "cannot be read.\n\n"
      "Examples:\n"
      "  spur eval 'duration(\"7d\") * 2'\n"
      "  spur eval --event order.json 'event.properties.total >= 100'\n"
      "  spur eval --strict --lines < cases.jsonl\n"
      "  spur eval -- '-1 + 2'");
  command->callback([&chosen, a] { chosen.run = [a] { return run(*a); }; });
}

}  // namespace spur::cli
