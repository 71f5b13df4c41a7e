// A catalog and a history for it, in one text: whatever loads folds, and what it decides is the
// same if the state is written out and read back after each input, and on another number of shards.
//
//     apiVersion: spur/v1                  documents of a catalog
//     …
//     %%
//     {"type":"track", …}                  a Segment call
//     products {"id":"p1", …}              a record of the Reference, or of the Source, of that
//     name +60000                               so many milliseconds in which nothing comes
//
// Seeds: catalogs and trigger tests of examples/. What is too long to be interesting is passed
// over: see the bounds below.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "daemon/backtest/backtest.h"
#include "daemon/inputs/segment.h"
#include "operators/catalog/compile.h"
#include "operators/catalog/load.h"
#include "state/check.h"

namespace {

using spur::Backtest;

constexpr std::size_t kTextMax = 32 << 10;
constexpr std::size_t kLinesMax = 200;
// A schedule of each minute is asked for every minute of a history: half a year is enough.
constexpr spur::Instant kFrom{1'767'225'600'000};   // 2026-01-01T00:00:00Z
constexpr spur::Instant kUntil{1'782'864'000'000};  // 2026-07-01T00:00:00Z
constexpr std::int64_t kStepMax = 40LL * 24 * 3600 * 1000;

struct Result {
  std::vector<std::string> decisions;
  std::uint64_t dead_letters = 0;
  bool operator==(const Result&) const = default;
};

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty() && lines.size() < kLinesMax) {
    const std::size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

std::string text_of(const spur::Decision& d) {
  std::string all = std::to_string(d.time.ms) + ' ' + std::to_string(static_cast<int>(d.verdict)) +
                    ' ' + std::to_string(d.step) + ' ' + std::to_string(d.fired_at.ms) + ' ' +
                    std::to_string(d.expires.ms);
  for (const std::string* part :
       {&d.customer, &d.trigger, &d.instance, &d.channel, &d.topic, &d.template_name, &d.reason,
        &d.data, &d.cause_event_id, &d.detail, &d.class_name}) {
    all += '\0';
    all += *part;
  }
  return all;
}

// The time of a Segment call; what is none has none.
std::optional<spur::Instant> time_of(std::string_view call) {
  static const spur::EventSchema kNothing;
  static spur::SegmentDecoder decoder;
  spur::Arena arena;
  const spur::Decoded decoded = decoder.decode(call, kNothing, 0, arena);
  const auto* event = std::get_if<spur::Event>(&decoded);
  return event == nullptr ? std::nullopt : std::optional(event->time);
}

class History {
 public:
  History(std::shared_ptr<const spur::catalog::Compiled> catalog, std::string_view text)
      : catalog_(std::move(catalog)), lines_(lines_of(text)) {
    for (const auto& trigger : catalog_->triggers) scheduled_ |= trigger.cron.has_value();
  }

  Result fold(std::uint32_t shards, bool restarts) const {
    Backtest::Options options;
    options.shards = shards;
    options.until = kUntil;
    options.restart_after_each_input = restarts;
    Backtest backtest(catalog_, options);
    spur::Instant clock = kFrom;
    for (const std::string_view line : lines_) {
      if (line.starts_with('{')) {
        const std::optional<spur::Instant> time = time_of(line);
        if (time && (*time < kFrom || *time >= kUntil)) continue;
        if (time) clock = std::max(clock, *time);
        backtest.feed_call(line);
      } else if (line.starts_with('+')) {
        clock = clock + spur::Millis{step(line.substr(1))};
        if (clock < kUntil) backtest.tick(clock);
      } else if (const std::size_t name = line.find(' '); name != std::string_view::npos) {
        feed(backtest, line.substr(0, name), line.substr(name + 1), clock);
      }
    }
    backtest.finish();
    spur::sort_decisions(backtest.decisions());
    Result result;
    for (const spur::Decision& decision : backtest.decisions())
      result.decisions.push_back(text_of(decision));
    result.dead_letters = backtest.counts().dead_letters;
    return result;
  }

 private:
  static std::int64_t step(std::string_view digits) {
    std::int64_t ms = 0;
    for (const char c : digits.substr(0, 12)) {
      if (c >= '0' && c <= '9') ms = ms * 10 + (c - '0');
    }
    return std::min(ms, kStepMax);
  }

  void feed(Backtest& backtest, std::string_view name, std::string_view bytes,
            spur::Instant clock) const {
    if (const std::int32_t reference = catalog_->find_reference(name); reference >= 0) {
      Backtest::Record record;
      record.reference = static_cast<std::uint32_t>(reference);
      record.bytes = std::string(bytes);
      record.since = clock;
      backtest.read_record(record);
      backtest.feed_record(record);
    } else if (!scheduled_) {
      for (std::size_t source = 0; source < catalog_->sources.size(); ++source) {
        if (catalog_->sources[source].name == name)
          backtest.feed_to(static_cast<std::uint32_t>(source), bytes, clock);
      }
    }
  }

  const std::shared_ptr<const spur::catalog::Compiled> catalog_;
  std::vector<std::string_view> lines_;
  bool scheduled_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), std::min(size, kTextMax));
  constexpr std::string_view kMark = "\n%%\n";
  const std::size_t mark = text.find(kMark);
  if (mark == std::string::npos) return 0;
  spur::catalog::Loaded loaded = spur::catalog::load_text("fuzz.yaml", text.substr(0, mark));
  if (!loaded.errors.empty()) return 0;
  const auto compiled = spur::catalog::complete_and_compile(loaded.catalog);
  if (!compiled.errors.empty()) return 0;
  const History history(compiled.compiled, std::string_view(text).substr(mark + kMark.size()));
  const Result plain = history.fold(1, false);
  SPUR_CHECK(plain == history.fold(1, true));
  // A rate is a shard's.
  if (text.find("rate") == std::string::npos) SPUR_CHECK(plain == history.fold(3, false));
  return 0;
}

#ifdef SPUR_FUZZ
extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace {

bool of_word(std::uint8_t c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         c == '.' || c == '-';
}

struct Words {
  std::vector<std::pair<std::size_t, std::size_t>> at;  // begin, end
};

Words words_of(std::string_view text) {
  Words words;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = i;
    while (end < text.size() && of_word(static_cast<std::uint8_t>(text[end]))) ++end;
    if (end > i) words.at.emplace_back(i, end);
    i = end + 1;
  }
  return words;
}

}  // namespace

// Bytes changed at random are mostly no YAML any more. Two of three times a word takes the place of
// another, or a line is said again elsewhere; what it means then is the catalog's business.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max_size, unsigned int seed) {
  if (seed % 3 == 0 || size < 8) return LLVMFuzzerMutate(data, size, max_size);
  std::string text(reinterpret_cast<const char*>(data), size);
  std::uint64_t state = seed;
  const auto below = [&](std::size_t n) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<std::size_t>((state >> 33) % n);
  };
  static constexpr std::string_view kWords[] = {"0",  "1",  "-1",  "2",    "100",   "0s",   "1ms",
                                                "1h", "1d", "30d", "true", "false", "null", "4096"};
  if (seed % 3 == 1) {
    const Words words = words_of(text);
    if (words.at.empty()) return LLVMFuzzerMutate(data, size, max_size);
    const auto [begin, end] = words.at[below(words.at.size())];
    const auto [from, to] = words.at[below(words.at.size())];
    const std::string word = below(3) == 0 ? std::string(kWords[below(std::size(kWords))])
                                           : text.substr(from, to - from);
    text.replace(begin, end - begin, word);
  } else {
    const std::vector<std::string_view> lines = lines_of(text);
    const std::string line = std::string(lines[below(lines.size())]) + "\n";
    const std::string_view before = lines[below(lines.size())];
    text.insert(static_cast<std::size_t>(before.data() - text.data()), line);
  }
  const std::size_t kept = std::min(text.size(), max_size);
  std::copy_n(text.begin(), kept, data);
  return kept;
}
#endif
