#include "tests/data/data_set.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/time/time.h"
#include "daemon/inputs/event_file.h"
#include "operators/catalog/compile.h"
#include "operators/catalog/load.h"
#include "tests/data/sha256.h"

namespace spur::testing {

namespace fs = std::filesystem;

std::optional<std::string> data_folder() {
  const char* const named = std::getenv("SPUR_DATA");
  const std::string folder = named != nullptr ? named : "../shared/data";
  if (!fs::exists(folder + "/to_segment.py")) return std::nullopt;
  return folder;
}

const std::vector<std::string>& events_of(const std::string& kind, const std::string& file) {
  static std::map<std::string, std::vector<std::string>> made;
  const auto [it, fresh] = made.try_emplace(kind + " " + file);
  if (!fresh) return it->second;
  const std::string folder = data_folder().value();
  const std::string out =
      (fs::temp_directory_path() / ("spur_data_" + std::to_string(getpid()) + "_" + kind + ".jsonl.gz")).string();
  const std::string command =
      "python3 '" + folder + "/to_segment.py' " + kind + " '" + folder + "/" + file + "' '" + out + "' > /dev/null";
  EXPECT_EQ(std::system(command.c_str()), 0) << command;
  absl::StatusOr<EventFile> events = EventFile::open(out);
  EXPECT_TRUE(events.ok()) << events.status();
  if (!events.ok()) return it->second;
  while (const auto line = events->next()) it->second.emplace_back(line->bytes);
  EXPECT_TRUE(events->status().ok()) << events->status();
  fs::remove(out);
  return it->second;
}

std::shared_ptr<const catalog::Compiled> catalog_of(const std::string& name, const std::string& more) {
  std::ifstream file("tests/data/catalogs/" + name + "/catalog.yaml");
  EXPECT_TRUE(file.is_open()) << name;
  std::stringstream text;
  text << file.rdbuf() << more;
  const catalog::Loaded loaded = catalog::load_text(name + "/catalog.yaml", text.str());
  for (const catalog::Error& error : loaded.errors) ADD_FAILURE() << error.to_text();
  catalog::CompileResult compiled = catalog::compile(loaded.catalog, loaded.positions);
  for (const catalog::Error& error : compiled.errors) ADD_FAILURE() << error.to_text();
  return compiled.compiled;
}

std::vector<Decision> decide(std::shared_ptr<const catalog::Compiled> catalog, const std::vector<std::string>& events,
                             const Options& options) {
  Backtest::Options backtest;
  backtest.shards = options.shards;
  backtest.restart_after_each_input = options.restart_after_each_input;
  if (!options.until.empty()) {
    absl::Time until;
    std::string error;
    EXPECT_TRUE(absl::ParseTime(absl::RFC3339_full, options.until, &until, &error)) << error;
    backtest.until = {absl::ToUnixMillis(until)};
  }
  Backtest run(std::move(catalog), backtest);
  for (const std::string& event : events) run.feed(event);
  run.finish();
  EXPECT_EQ(run.counts().dead_letters, 0u);
  EXPECT_EQ(run.counts().shards.dropped_over_limit, 0u);
  sort_decisions(run.decisions());
  return std::move(run.decisions());
}

std::vector<Decision> sent_of(const std::vector<Decision>& decisions, std::string_view trigger) {
  std::vector<Decision> sent;
  for (const Decision& d : decisions) {
    if (d.trigger == trigger && d.verdict == Verdict::kSent) sent.push_back(d);
  }
  return sent;
}

std::size_t customers_of(const std::vector<Decision>& decisions) {
  std::set<std::string_view> customers;
  for (const Decision& d : decisions) customers.insert(d.customer);
  return customers.size();
}

std::string line_without_id(const Decision& decision) {
  std::string line = decision_line(decision);
  const std::size_t at = line.find(",\"action_id\":\"");
  const std::size_t end = line.find('"', at + 14);
  return line.erase(at, end + 1 - at);
}

std::string customer_column(const Decision& decision) { return decision.customer.substr(decision.customer.find(':') + 1); }

std::string time_column(Instant t) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%S", absl::FromUnixMillis(t.ms), absl::UTCTimeZone());
}

std::string data_column(const Decision& decision, std::string_view name) {
  const std::string key = "\"" + std::string(name) + "\":";
  std::size_t at = decision.data.find(key);
  if (at == std::string::npos) return "missing";
  at += key.size();
  const bool quoted = decision.data[at] == '"';
  if (quoted) ++at;
  return decision.data.substr(at, decision.data.find_first_of(quoted ? "\"" : ",}", at) - at);
}

std::string digest_of(std::vector<std::string> lines) {
  std::sort(lines.begin(), lines.end());
  std::string all;
  for (const std::string& line : lines) all += line + '\n';
  return sha256_hex(all);
}

std::string answer(const std::string& file, std::string_view section, std::string_view key) {
  std::ifstream in(data_folder().value() + "/answers/" + file);
  std::stringstream all;
  all << in.rdbuf();
  const std::string text = all.str();
  const std::size_t at = text.find("\"" + std::string(section) + "\"");
  const std::size_t value = at == std::string::npos ? at : text.find("\"" + std::string(key) + "\":", at);
  if (value == std::string::npos) {
    ADD_FAILURE() << file << ": no " << section << " " << key;
    return "";
  }
  const std::size_t begin = text.find_first_not_of(" \"", value + key.size() + 3);
  return text.substr(begin, text.find_first_of("\",\n}", begin) - begin);
}

}  // namespace spur::testing
