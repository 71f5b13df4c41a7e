// Backtest: history through the same fold as the daemon's, in memory, on one clock: the largest event time so far.
//
// There is no wall, so nothing is too old, and nothing is sent: what comes out are decisions. The number of shards
// changes action ids and nothing else. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "daemon/inputs/decoder.h"
#include "daemon/inputs/record.h"
#include "operators/catalog/compiled.h"
#include "operators/shard.h"
#include "operators/watcher.h"
#include "state/memory_store.h"

namespace spur {

class Backtest {
 public:
  struct Options {
    std::uint32_t shards = 4;
    Instant until = Instant::never();          // later events are passed over
    Instant from = Instant::distant_past();    // earlier decisions are not kept
    std::uint32_t source = 0;                  // index of the Source that the events belong to
    bool restart_after_each_input = false;     // write everything out and read it back between inputs
    Shard::Assumed assumed;
    // Before an event of this time is taken: what comes before it from elsewhere may be fed. May be empty.
    std::function<void(Backtest&, Instant)> before_event;
    Watcher* watcher = nullptr;                // is told what the fold does; outlives the backtest
  };

  Backtest(std::shared_ptr<const catalog::Compiled> catalog, const Options& options);
  ~Backtest();

  // One record of the Source, in its format. What of it is malformed becomes a dead letter, told
  // with its file and line if they are given, else as the nth record fed. `bytes` need no padding.
  void feed(std::string_view bytes, std::string_view file = {}, std::uint64_t line = 0);
  // The same of any Source, as if its log had taken it then; and of one Segment call, whatever the
  // Source's format. `customer`: the one that its user id stands for.
  void feed_to(std::uint32_t source, std::string_view bytes, Instant received);
  void feed_call(std::string_view bytes, std::optional<Identity> customer = std::nullopt);
  // One record of business data as JSON.
  struct Record {
    std::uint32_t reference = 0;  // index of its Reference
    std::string bytes;
    Instant since;  // it holds from then on, or earlier if its own `time` says so
    std::string_view file = {};
    std::uint64_t line = 0;
    // By read_record(), in `arena` and in `bytes`.
    std::variant<Value, Malformed> body = Value::absent();
    Arena arena;
  };
  // Answers since when it holds by its own account, so that it can be fed in its place; nullopt: it
  // does not say.
  std::optional<Instant> read_record(Record& record);
  // What was read. To be fed in the order of their times, between the events.
  void feed_record(const Record& record);
  // Moves the clock without an event, as a tick does.
  void tick(Instant clock);
  // Decides everything due up to and including options.until, or the last event. Nothing may be fed afterwards.
  void finish();

  // In the order decided; sort_decisions() gives the documented one.
  std::vector<Decision>& decisions() { return decisions_; }

  struct Counts {
    std::uint64_t lines = 0, events = 0, after_until = 0, dead_letters = 0, customers = 0;
    Shard::Counters shards;  // summed
  };
  Counts counts() const;
  const std::map<std::string, std::uint64_t>& dead_letters_by_reason() const { return dead_letters_; }
  // The first dead letters, for a message: at most 10.
  const std::vector<std::string>& dead_letter_samples() const { return samples_; }
  // By index of the catalog's triggers, summed over shards.
  std::vector<Shard::TriggerCounters> trigger_counters() const;
  Instant clock() const { return clock_; }
  const catalog::Compiled& catalog() const { return *catalog_; }

 private:
  struct Part;

  struct Line {
    std::string_view file;
    std::uint64_t number = 0;
  };

  void take(const Decoded& decoded, std::string_view bytes, const Line& line);
  void keep(Effects& effects);
  void restart(Part& part);
  void refuse(std::string_view reason, std::string_view detail, const Line& line);
  void tell();

  std::shared_ptr<const catalog::Compiled> catalog_;
  const Options options_;
  std::vector<std::unique_ptr<Part>> parts_;
  Decoder decoder_;
  RecordDecoder records_;
  Instant clock_ = Instant::distant_past();
  Effects effects_;
  std::vector<Decision> decisions_;
  bool tells_ = false;  // the catalog has an operator business
  std::map<std::string, std::uint64_t> dead_letters_;
  std::vector<std::string> samples_;
  Counts counts_;
  std::uint64_t offset_ = 0;
};

// By (time, customer, trigger, instance, step); the same for any number of shards.
void sort_decisions(std::vector<Decision>& decisions);

// One line of --decisions, without its end: the keys and their order are documented in docs/catalog.md.
std::string decision_line(const Decision& decision);

}  // namespace spur
