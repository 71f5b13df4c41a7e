// spur backtest: history through the fold, and what it would have decided.
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>

#include "daemon/backtest/backtest.h"
#include "daemon/cli/catalog_argument.h"
#include "daemon/cli/command.h"
#include "daemon/cli/instant_argument.h"
#include "daemon/cli/progress.h"
#include "daemon/cli/time_line.h"
#include "daemon/clock.h"
#include "daemon/inputs/event_file.h"
#include "fmt/format.h"

namespace spur::cli {
namespace {

struct Arguments {
  std::string catalog = ".";
  std::vector<std::string> events, references;  // NAME=FILE
  std::string decisions;
  std::string from, until, source;
  std::uint32_t shards = 4;
  bool quiet = false;
  TimeLineArguments line;
};

int say(const std::string& message, int code) {
  fmt::print(stderr, "spur backtest: {}\n", message);
  return code;
}

// The records of one Reference, in the order of their times, as far as the file is.
class RecordFile {
 public:
  RecordFile(EventFile file, std::string path, std::uint32_t reference)
      : file_(std::move(file)), path_(std::move(path)) {
    next_.reference = reference;
  }

  // Feeds what holds from `until` on or before. A record that does not say since when holds from the beginning.
  void feed(Backtest& backtest, Instant until) {
    for (;;) {
      if (!here_) {
        const std::optional<EventFile::Line> line = file_.next();
        if (!line) return;
        here_ = true;
        next_.file = path_;
        next_.line = line->number;
        next_.bytes = line->bytes;
        next_.since = backtest.read_record(next_).value_or(Instant{0});
      }
      if (next_.since > until) return;
      backtest.feed_record(next_);
      here_ = false;
    }
  }
  const absl::Status& status() const { return file_.status(); }

 private:
  EventFile file_;
  const std::string path_;
  Backtest::Record next_;
  bool here_ = false;  // `next_` is read and not fed
};

EventFile::Options file_options() {
  EventFile::Options options;
  options.line_bytes_max =
      InputLimits().message_bytes_max + 1;  // so that a longer one is TOO_LARGE by itself
  return options;
}

// An exit code other than kFine says that they could not be opened.
int open_references(const Arguments& arguments, const catalog::Compiled& catalog, std::vector<RecordFile>& out) {
  for (const std::string& argument : arguments.references) {
    const std::size_t equals = argument.find('=');
    if (equals == std::string::npos)
      return say(fmt::format("--reference: `{}` is no NAME=FILE", argument), kBadUse);
    const std::string name = argument.substr(0, equals), path = argument.substr(equals + 1);
    const std::int32_t reference = catalog.find_reference(name);
    if (reference < 0) return say(fmt::format("--reference: the catalog has no Reference `{}`", name), kBadUse);
    absl::StatusOr<EventFile> file = EventFile::open(path, file_options());
    if (!file.ok()) return say(std::string(file.status().message()), kBadUse);
    out.emplace_back(*std::move(file), path, static_cast<std::uint32_t>(reference));
  }
  return kFine;
}

// Feeds every file; an exit code other than kFine says that it could not.
int feed_files(const Arguments& arguments, Backtest& backtest, Progress& progress) {
  for (const std::string& path : arguments.events) {
    absl::StatusOr<EventFile> file = EventFile::open(path, file_options());
    if (!file.ok()) return say(std::string(file.status().message()), kBadUse);
    std::uint64_t lines = 0;
    while (const std::optional<EventFile::Line> line = file->next()) {
      backtest.feed(line->bytes, path, line->number);
      if ((++lines & 0xfff) == 0)
        progress.show(path, file->consumed_bytes(), file->total_bytes(), backtest.counts().events);
    }
    if (!file->status().ok()) return say(std::string(file->status().message()), kBadUse);
  }
  progress.done();
  return kFine;
}

int write_decisions(const std::string& path, const std::vector<Decision>& decisions) {
  std::FILE* const out = path == "-" ? stdout : std::fopen(path.c_str(), "wb");
  if (out == nullptr) return say(fmt::format("cannot write {}: {}", path, std::strerror(errno)), kWorld);
  bool written = true;
  for (const Decision& decision : decisions) {
    const std::string line = decision_line(decision) + '\n';
    written = written && std::fwrite(line.data(), 1, line.size(), out) == line.size();
  }
  written = std::fflush(out) == 0 && written;
  if (out != stdout) written = std::fclose(out) == 0 && written;
  return written ? kFine : say(fmt::format("cannot write {}: {}", path, std::strerror(errno)), kWorld);
}

// One row a trigger, verdict and reason.
void print_summary(const Backtest& backtest, const std::vector<Decision>& decisions, double seconds, std::FILE* out) {
  struct Row {
    std::uint64_t count = 0;
    std::vector<std::string_view> customers;
  };
  std::map<std::tuple<std::string_view, std::string_view, std::string_view>, Row> rows;
  for (const Decision& d : decisions) {
    Row& row = rows[{d.trigger, to_text(d.verdict), d.reason}];
    ++row.count;
    row.customers.push_back(d.customer);
  }
  const Backtest::Counts counts = backtest.counts();
  fmt::print(out, "{:<32} {:<12} {:<14} {:>10} {:>10}\n", "trigger", "verdict", "reason", "decisions", "customers");
  for (auto& [key, row] : rows) {
    std::sort(row.customers.begin(), row.customers.end());
    const auto distinct = std::unique(row.customers.begin(), row.customers.end()) - row.customers.begin();
    fmt::print(out, "{:<32} {:<12} {:<14} {:>10} {:>10}\n", std::get<0>(key), std::get<1>(key), std::get<2>(key),
               row.count, distinct);
  }
  for (const catalog::Trigger& trigger : backtest.catalog().triggers) {
    const bool silent =
        std::none_of(rows.begin(), rows.end(), [&](const auto& r) { return std::get<0>(r.first) == trigger.name; });
    if (silent) fmt::print(out, "{:<32} {:<12} {:<14} {:>10} {:>10}\n", trigger.name, "-", "never fired", 0, 0);
  }
  fmt::print(out,
             "\n{} events of {} customers in {:.2f} s ({:.0f} events/s); {} duplicates, {} late, {} dead letters\n",
             counts.events, counts.customers, seconds, static_cast<double>(counts.events) / std::max(seconds, 1e-9),
             counts.shards.duplicates, counts.shards.late, counts.dead_letters);
  if (counts.shards.conditions_in_error > 0) {
    fmt::print(
        out,
        "{} conditions or values were in error (a field that is missing or of another type): they count as false\n",
        counts.shards.conditions_in_error);
  }
  if (counts.shards.dropped_over_limit > 0) {
    fmt::print(out, "{} times something was dropped or merged because a limit was reached\n",
               counts.shards.dropped_over_limit);
  }
  if (counts.after_until > 0) fmt::print(out, "{} events after --until were passed over\n", counts.after_until);
  for (const auto& [reason, count] : backtest.dead_letters_by_reason())
    fmt::print(out, "dead letters {}: {}\n", reason, count);
  for (const std::string& sample : backtest.dead_letter_samples()) fmt::print(out, "  {}\n", sample);
}

int run(const Arguments& arguments) {
  Backtest::Options options;
  options.shards = arguments.shards;
  if (!arguments.from.empty()) {
    const std::optional<Instant> from = parse_instant(arguments.from);
    if (!from) return say("--from: " + instant_hint(arguments.from), kBadUse);
    options.from = *from;
  }
  if (!arguments.until.empty()) {
    const std::optional<Instant> until = parse_instant(arguments.until);
    if (!until) return say("--until: " + instant_hint(arguments.until), kBadUse);
    options.until = *until;
  }
  const CatalogArgument catalog = read_catalog(arguments.catalog);
  if (catalog.compiled == nullptr) return kBadUse;
  const std::int32_t source = catalog.compiled->find_source(arguments.source);
  if (source < 0) return say(fmt::format("--source: the catalog has no Source `{}`", arguments.source), kBadUse);
  options.source = static_cast<std::uint32_t>(source);

  if (!arguments.line.trigger.empty() &&
      std::none_of(catalog.compiled->triggers.begin(), catalog.compiled->triggers.end(),
                   [&](const catalog::Trigger& t) { return t.name == arguments.line.trigger; }))
    return say(fmt::format("--trigger: the catalog has no Trigger `{}`", arguments.line.trigger), kBadUse);
  std::optional<TimeLine> line = TimeLine::of(arguments.line, *catalog.compiled, catalog.catalog);
  if (arguments.line.customer && !line)
    return say(fmt::format("--customer: say whom: {}", catalog::kCustomerHint), kBadUse);
  if (line && arguments.decisions == "-")
    return say("--decisions -: standard output has the time line; name a file", kBadUse);
  if (line) options.watcher = line->watcher();

  const SystemClock clock;
  const std::chrono::nanoseconds start = clock.read().steady;
  std::vector<RecordFile> records;
  if (const int code = open_references(arguments, *catalog.compiled, records); code != kFine) return code;
  const auto feed_records = [&records](Backtest& backtest, Instant until) {
    for (RecordFile& file : records) file.feed(backtest, until);
  };
  if (!records.empty()) options.before_event = feed_records;
  Backtest backtest(catalog.compiled, options);
  Progress progress(!arguments.quiet && isatty(STDERR_FILENO) != 0);
  if (const int code = feed_files(arguments, backtest, progress); code != kFine) return code;
  feed_records(backtest, options.until == Instant::never() ? backtest.clock() : options.until);
  for (const RecordFile& file : records) {
    if (!file.status().ok()) return say(std::string(file.status().message()), kBadUse);
  }
  backtest.finish();
  const double seconds = std::chrono::duration<double>(clock.read().steady - start).count();
  sort_decisions(backtest.decisions());
  if (!arguments.decisions.empty()) {
    if (const int code = write_decisions(arguments.decisions, backtest.decisions()); code != kFine) return code;
  }
  if (line) return line->show(arguments.line);
  if (!arguments.quiet)
    print_summary(backtest, backtest.decisions(), seconds, arguments.decisions == "-" ? stderr : stdout);
  return kFine;
}

}  // namespace

void add_backtest(CLI::App& app, Chosen& chosen) {
  CLI::App* const command =
      app.add_subcommand("backtest", "run history through a catalog and see what it would have decided");
  auto a = std::make_shared<Arguments>();
  command->add_option("--catalog", a->catalog, "folder of the catalog")->capture_default_str();
  command
      ->add_option("--events", a->events,
                   "lines of what the Source takes: Segment calls, or JSON of its format; .gz and "
                   ".zst too; - is standard input")
      ->required();
  command
      ->add_option("--reference", a->references,
                   "NAME=FILE: the records of a Reference as JSON lines, ordered by its `time`; without `time` they "
                   "hold from the beginning")
      ->allow_extra_args(false);
  command->add_option("--decisions", a->decisions, "write one JSON line a decision to this file; - is standard output");
  command->add_option("--from", a->from, "keep only decisions from this instant on");
  command->add_option(
      "--until", a->until,
      "decide everything due up to and including this instant, and pass over later events; by default the last event");
  command->add_option("--source", a->source, "the Source that the events belong to; by default the first");
  command->add_option("--shards", a->shards, "number of shards; changes action ids and nothing else")
      ->capture_default_str()
      ->check(CLI::Range(1, 1024));
  CLI::Option* const customer =
      command->add_option("--customer", a->line.customer, "draw this customer's time line in the place of the summary");
  command->add_option("--trigger", a->line.trigger, "of the time line: what concerns this trigger alone")
      ->needs(customer);
  command->add_option("--svg", a->line.svg, "draw the time line into this file too")->needs(customer);
  command->add_flag("--json", a->line.json, "the time line as one line of JSON an instant")->needs(customer);
  command->add_flag("--quiet,-q", a->quiet, "no summary and no progress");
  command->footer(
      "Example:\n  spur backtest --catalog examples/r1-cart-abandonment --events history.jsonl.gz --decisions "
      "decisions.jsonl");
  command->callback([&chosen, a] { chosen.run = [a] { return run(*a); }; });
}

}  // namespace spur::cli
