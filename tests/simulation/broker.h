// Broker: what all processes of a simulation share and what survives them: journals, inputs,
// catalog versions, outputs, and requests of processes and sessions that are gone, which may still
// arrive.
#pragma once

#include <compare>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "daemon/log/log.h"
#include "tests/simulation/random.h"

namespace spur::simulation {

// Where effects go: "actions.email/1", "decisions/1", "dead-letters/1", "messages/0<1" (to 0 from
// 1).
using Destination = std::string;

// The id of one effect at its destination: the run, and its place among the run's effects there.
struct EffectId {
  std::uint64_t run = 0;
  std::uint32_t index = 0;
  friend auto operator<=>(const EffectId&, const EffectId&) = default;
};

struct Effect {
  EffectId id;
  std::string bytes;
};

class Broker {
 public:
  struct Record {
    Offset offset = 0;
    Instant received;
    std::string key, value;
  };
  struct Partition {
    std::string topic, topic_id;
    std::deque<Record> records;  // never moves: views point into it
    Offset begin = 0, end = 0;
  };
  struct Journal {
    std::vector<std::string> entries;
    Offset begin = 0;
  };
  struct Outlet {
    std::vector<Effect> records;
    std::size_t begin = 0;  // older ones are gone by retention
  };
  // Of a destination that takes transactions.
  struct Coordinator {
    std::map<std::uint64_t, std::uint64_t> epochs;  // of each transactional id, by its last init
    // Decided, and not to be seen yet: the end of what is stable lies before them.
    std::deque<std::vector<Effect>> deciding;
    std::optional<EffectId> mark;  // the last id that was committed, beside the records
  };
  using Requests = std::deque<std::function<void()>>;

  explicit Broker(std::uint32_t shards) : journals(shards) {}

  Offset append_journal(std::uint32_t shard, std::string entry);
  void append_input(const std::string& topic, std::int32_t partition, Record record, Offset hole);
  // `to` >= 0: a message to that shard.
  void append_effect(const Destination& destination, std::int32_t to, const Effect& effect);

  bool transactional(const Destination& destination) const {
    return !transactional_topic.empty() && destination.starts_with(transactional_topic + "/");
  }
  // The epoch in which this id may commit from now on, and nobody who had it before.
  std::uint64_t init(const Destination& destination, std::uint64_t id);
  // All of `effects` or, for one who is fenced, none.
  bool commit(const Destination& destination, std::uint64_t id, std::uint64_t epoch,
              std::vector<Effect> effects);
  // A transaction that was decided is to be seen. False: there is none.
  bool step_transactions();

  // Requests of a session that is gone: they may arrive yet, in their order, up to some point. Only
  // a session of messages may have holes: their receivers see them (rule 13).
  void orphan(Requests requests, bool with_holes);
  // One of them arrives, or the rest of its session never will. False: there is none.
  bool step_orphans(Random& random);

  std::vector<Journal> journals;
  std::map<std::pair<std::string, std::int32_t>, Partition> inputs;
  std::vector<CatalogRecord> catalogs;  // at kFirstCatalog and behind
  std::map<Destination, Outlet> outlets;
  std::map<Destination, Coordinator> coordinators;
  std::string transactional_topic;  // whose channel asks for transactions; empty: none
  std::uint64_t processes = 0;      // so far
  Instant now{1'772'366'400'000};   // 2026-03-01T12:00:00Z

 private:
  struct Orphan {
    Requests requests;
    bool with_holes = false;
  };
  std::vector<Orphan> orphans_;
};

// Where the first version of the catalog stands: behind the deployment's identity, as on Kafka. So
// a count of versions and an offset are never the same number.
inline constexpr Offset kFirstCatalog = 1;

inline const std::string kMessageTopic = "spur.messages";

}  // namespace spur::simulation
