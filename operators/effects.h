// What the fold wants done: decisions (a sent one is also an action), dead letters and events for other shards. Plain
// values, held back until the run that computed them is durable (docs/protocol.md rule 9).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "state/time.h"

namespace spur {

// Identifies an effect, a function of the journal alone. Ordered as its fields stand. Text:
// <shard>-<run>-<input>-<ordinal> in lower-case hex.
struct ActionId {
  std::uint32_t shard = 0;
  std::uint64_t run = 0;
  std::uint32_t input = 0;
  std::uint32_t ordinal = 0;

  friend auto operator<=>(const ActionId&, const ActionId&) = default;
};
std::string to_text(const ActionId& id);

// Stored in decisions: numbers are those of proto/spur/v1/decision.proto.
enum class Verdict : std::uint8_t { kSent = 1, kSuppressed = 2, kHeldOut = 3, kDeferred = 4, kRetracted = 5 };
std::string_view to_text(Verdict verdict);

// One line of history: what was decided about one step of one firing (or about a whole firing: channel empty).
struct Decision {
  ActionId id;
  Instant time;           // the instant it is about
  std::string customer;   // "user_id:123"
  std::string trigger;
  std::string instance;   // the key
  std::string channel;    // empty: the whole firing
  std::string topic;      // of the channel; empty with it
  std::string template_name;
  std::uint32_t step = 0;
  Verdict verdict = Verdict::kSent;
  std::string reason;     // empty when sent
  std::string data = "{}";  // canonical JSON
  std::string cause_event_id;
  Instant fired_at;
  Instant expires = Instant::never();
  std::string detail;     // for people
  std::string class_name;  // marketing, service, transactional
  std::uint64_t spurseq = 0;  // of a sent or retracted one: dense per (topic, shard), from 1
  ActionId retracts;          // of a retracted one: the action that is called back

  // Whether the channel hears of it: an action, or the retraction of one.
  bool leaves() const { return verdict == Verdict::kSent || verdict == Verdict::kRetracted; }
  Instant received{0};    // when the log took the input that made it true; 0 for a timer
};

struct DeadLetter {
  ActionId id;
  std::string reason;  // UPPER_SNAKE, stable
  std::string detail;
  std::uint32_t source = 0;
  std::string topic;   // empty: the embedded log's own input
  std::uint64_t offset = 0;
  std::string key;
  std::string value;   // the original bytes
  Instant received;
  std::string headers;  // packed; empty where the log has none
};

// An event for a customer of another shard, passed on as it came (forward.h).
struct Forward {
  std::uint32_t to = 0;
  std::uint64_t seq = 0;       // dense per (sender, receiver), from 1
  std::uint64_t catalogs = 0;  // versions that the sender has seen
  std::string source;          // name of a Source of the catalog
  std::string topic;
  std::string key;
  std::string value;           // the original bytes
  Instant received;
  std::string headers;  // packed; empty where the log has none
};

struct Effects {
  std::vector<Decision> decisions;
  std::vector<DeadLetter> dead_letters;
  std::vector<Forward> forwards;

  bool empty() const { return decisions.empty() && dead_letters.empty() && forwards.empty(); }
  void clear() {
    decisions.clear();
    dead_letters.clear();
    forwards.clear();
  }
};

}  // namespace spur
