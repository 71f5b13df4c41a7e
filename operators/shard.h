// Shard: the lid on the core. Inputs in, effects out; same inputs in the same order give the same state, effects, ids
// and digest, byte for byte (docs/architecture.md).
//
// A pure state machine: no thread, clock, socket, file, log line, metric or random number inside. What could differ
// between two executions comes in: the order of inputs, the clock of the run, the scores (ScoreTape). One thread at a
// time. How the worker drives it:
//
//     shard.begin_run({seq, clock, wall, mode}, tape);
//     shard.apply_catalog(...) / shard.apply(event, origin, effects) / shard.apply_malformed(…) …
//     shard.fire_due({}, effects);
//     digest = shard.end_run();          // goes into the run record; effects wait until that is durable
//
// Replay makes the same calls with the journaled values and must end with the journaled digest.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "operators/effects.h"
#include "operators/score_tape.h"
#include "state/customers.h"
#include "state/event.h"

namespace spur {

namespace catalog {
class Compiled;
}
class CustomerSnapshot;
class Watcher;

// Bumped when the same inputs would give other state, effects or ids. A golden digest test forces it.
inline constexpr std::uint32_t kFoldVersion = 4;

// Bounds that are part of the fold version (rule 18).
inline constexpr std::uint32_t kTimersPerRun = 256;     // customers woken by fire_due in one run
// Of those, customers that are told of a change of business data: what comes meanwhile must not wait for more.
inline constexpr std::uint32_t kToldPerRun = 32;
inline constexpr std::uint32_t kEffectsPerInput = 4096;  // beyond: the rest is dropped and counted
// Of an event and its key, to another shard; beyond: a dead letter. With what stands around them it is a record that
// every broker takes.
inline constexpr std::size_t kForwardBytesMax = 900'000;

using DeploymentId = std::array<std::uint8_t, 16>;

// How the clock moves within a run.
enum class ClockMode : std::uint8_t {
  kWall = 0,     // the run has one clock: the wall's, as read when the run began
  kRecords = 1,  // catching up, backtest: it follows max(event time), held below the wall where there is one
};

struct RunStart {
  std::uint64_t seq = 0;
  Instant clock;                     // never earlier than the shard's; earlier is a bug of the caller
  Instant wall =
      Instant::never();  // for max_action_age and as the cap of kRecords; never(): there is no wall (backtest)
  ClockMode mode = ClockMode::kWall;
};

// Where an input came from.
struct Origin {
  std::uint32_t source = 0;
  std::uint64_t offset = 0;
  Instant received{0};        // when the log took it
  std::string_view key;
  std::string_view bytes;     // the original, for a dead letter and for the shard it belongs to
  std::string_view source_name = {};  // of the catalog's Source
  std::string_view topic = {};
  bool forwarded = false;         // it was routed here: it goes no further
  std::string_view headers = {};  // of the record, packed; kept with the bytes
};

// What to do with a message of another shard (rule 13).
enum class Arrival : std::uint8_t {
  kTake,
  kRepeat,  // taken before
  kGap,     // one before it is missing: skipped, and sent again after it
};

class References;

class Shard {
 public:
  // `shard` < `shards`. `customers` outlives the shard and belongs to it alone.
  Shard(std::uint32_t shard, std::uint32_t shards, Customers& customers);
  ~Shard();
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  void begin_run(const RunStart& start, ScoreTape& scores);

  // For trigger tests, and no part of what is stored or journaled: consents of customers that have said nothing, and
  // whether anybody is held out.
  struct Assumed {
    std::vector<std::string> consents;
    bool holdout = true;
  };
  void assume(Assumed assumed);

  // Who is told what the fold does, from now on; nullptr: nobody. Outlives its use, and changes nothing.
  void watch(Watcher* watcher);

  // A copy of one of its customers and of what the gate knows of it, to be asked elsewhere.
  std::unique_ptr<CustomerSnapshot> snapshot(const Customer& customer) const;

  // The catalog as of here, in this shard's order of inputs. The first one is warm: its features count from the
  // beginning. Customers of before move to it when next touched; each is woken once so that new timers are planned.
  void apply_catalog(std::shared_ptr<const catalog::Compiled> catalog);
  const std::shared_ptr<const catalog::Compiled>& catalog() const;

  // A hint: events of a customer with this key() come soon. Changes nothing but how fast they go (state/customers.h).
  void expect(std::string_view key);
  // One event. Duplicates change nothing but counters; one whose customer lives on another shard is forwarded.
  void apply(const Event& event, const Origin& origin, Effects& effects);
  // The number of a message that has arrived from another shard; what it carries is applied only if this says kTake.
  Arrival arrive(std::uint32_t sender, std::uint64_t seq);
  // One record of business data, of the Reference with that index. `body` is what came, absent if the record of
  // `origin.key` is deleted.
  void apply_record(std::uint32_t reference, const Value& body, const Origin& origin, Effects& effects);
  // One input that could not be decoded: a dead letter, part of history like any other.
  void apply_malformed(std::string_view reason, std::string_view detail, const Origin& origin, Effects& effects);

  // Of one run: customers woken or told of a change of business data, and rows of what has gone taken away.
  struct Steps {
    std::uint32_t all = kTimersPerRun;
    std::uint32_t told = kToldPerRun;  // of all; the bound of what a caller may ask for
  };
  // Wakes customers for which something is due that the clock has passed, earliest first, and tells customers of
  // changes: as many steps as `most` allows. Answers how many it took; told in order, woken in order, but with
  // fewer told some are woken who would have been told first: a replay asks for just what was taken.
  // next_due() says whether there is more now.
  Steps fire_due(const Steps& most, Effects& effects);
  // The end of a backtest or test: decides everything due up to and including `until`, lateness or not.
  void finish(Instant until, Effects& effects);

  // The digest chained over everything since the shard began.
  std::uint64_t end_run();

  // The earliest clock at which fire_due has something to do; never() if nothing waits. May be early, never late.
  Instant next_due() const;
  // The same of telling customers of changes alone, and of all else.
  Instant next_telling() const;
  Instant next_timer() const;
  Instant clock() const;

  // What a Position must carry of the shard itself, beside the customers' rows.
  struct Standing {
    Instant clock = Instant::distant_past();
    std::uint64_t digest = 0;
    std::uint64_t catalog_generation = 0;  // how many catalogs it has seen
    std::vector<std::pair<std::string, std::uint64_t>> spurseq;  // by topic, the last given
    // Since which catalog each definition has been there: what says whether it is warm for a customer.
    struct Since {
      std::uint64_t hash = 0;
      std::uint32_t generation = 1;
      Instant at;
      Instant live;
    };
    std::vector<Since> since_feature, since_trigger;
    // Messages to and from other shards: shard and the last number.
    std::vector<std::pair<std::uint32_t, std::uint64_t>> sent, accepted;
  };
  Standing standing() const;
  void restore(const Standing& standing, std::shared_ptr<const catalog::Compiled> catalog);
  // The business data, for questions.
  References& references();

  // Counters since construction, for metrics; not part of the fold.
  struct Counters {
    std::uint64_t events = 0, duplicates = 0, conflicting_duplicates = 0, late = 0, dead_letters = 0;
    std::uint64_t timers = 0, evaluations = 0, firings = 0, conditions_in_error = 0;
    std::uint64_t silenced_repeats = 0, dropped_over_limit = 0;
    std::uint64_t forwarded = 0, messages_repeated = 0, messages_skipped = 0;
  };
  const Counters& counters() const;

  // Per trigger of the catalog in force, by its index: how often the operator fired, `if` said no, `if` was an error.
  struct TriggerCounters {
    std::uint64_t fired = 0, if_false = 0, errors = 0, sent = 0, suppressed = 0, deferred = 0;
    std::uint64_t held_out = 0, retracted = 0;
    TriggerCounters& operator+=(const TriggerCounters& other);
  };
  const std::vector<TriggerCounters>& trigger_counters() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The shard that a customer lives on: murmur2 of its identity's key(), as the Java client partitions.
std::uint32_t shard_of(std::string_view key, std::uint32_t shards);

}  // namespace spur
