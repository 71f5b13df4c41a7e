// The rows of the embedded log: keys and values as bytes. Frozen by goldens; a kind's byte is for
// ever.
//
// What comes in a stretch is kept in a stretch: one row for the inputs of one append and shard, one
// for the decisions of a run, one for its actions of one topic. A RocksDB put costs some 6 µs with
// its compaction, a record in a row 0.1. All numbers in keys are big endian, so that rows of a kind
// lie in order.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/log/log.h"

namespace spur::embedded {

inline constexpr std::uint32_t kFormat = 1;  // of all rows below

enum class RowKind : std::uint8_t {
  kMeta = 1,              // name: deployment
  kInput = 2,             // shard, first offset: a stretch of inputs
  kJournal = 3,           // shard, offset: one framed entry
  kCatalog = 4,           // offset: spur.v1.CatalogVersion
  kAction = 5,            // topic, shard, first spurseq: a stretch of actions
  kDecision = 6,          // shard, run: the decisions of a run
  kCustomerDecision = 7,  // customer, shard, run, index in the run's row: nothing
  kDeadLetter = 8,        // shard, run: the dead letters of a run
  kCursor = 9,            // subscriber, channel: a cursor
  kShown = 10,            // topic, shard: how far actions are shown, where a rate holds some back
};

std::string meta_key(std::string_view name);
std::string input_key(std::uint32_t shard, Offset first);
std::string journal_key(std::uint32_t shard, Offset offset);
std::string catalog_key(Offset offset);
std::string action_key(std::string_view topic, std::uint32_t shard, std::uint64_t first_spurseq);
std::string decision_key(std::uint32_t shard, std::uint64_t run);
std::string customer_decision_key(std::string_view customer, std::uint32_t shard, std::uint64_t run,
                                  std::uint32_t index);
std::string dead_letter_key(std::uint32_t shard, std::uint64_t run);
std::string cursor_key(std::string_view subscriber, std::string_view channel);
std::string shown_key(std::string_view topic, std::uint32_t shard);

std::string kind_prefix(RowKind kind);
std::string shard_prefix(RowKind kind, std::uint32_t shard);
std::string action_prefix(std::string_view topic);
std::string action_prefix(std::string_view topic, std::uint32_t shard);
std::string customer_decision_prefix(std::string_view customer);

// The number that a key of one of the kinds above ends with.
std::uint64_t last_number(std::string_view key);
struct ActionKey {
  std::string_view topic;
  std::uint32_t shard = 0;
  std::uint64_t first = 0;
};
bool parse_action_key(std::string_view key, ActionKey& out);
bool parse_shown_key(std::string_view key, std::string_view& topic, std::uint32_t& shard);
// The spurseq of the next action that is to be shown.
std::string encode_shown(std::uint64_t next);
bool parse_shown(std::string_view row, std::uint64_t& next);
struct CustomerDecisionKey {
  std::uint32_t shard = 0;
  std::uint64_t run = 0;
  std::uint32_t index = 0;
};
bool parse_customer_decision_key(std::string_view key, CustomerDecisionKey& out);

// --- inputs: version byte, received ms, count, then source, key, value of each ---
class InputRowWriter {
 public:
  void add(std::string_view source, std::string_view key, std::string_view value);
  std::uint32_t count() const { return count_; }
  std::string finish(Instant received);

 private:
  std::string records_;
  std::uint32_t count_ = 0;
};
// The records of a row whose first offset is `first`; views into `row`. False for bytes that are no
// such row.
bool parse_input_row(std::string_view row, Offset first, std::vector<InputRecord>& out);

// --- a stretch of messages: version byte, appended ms, count, then each with its length ---
std::string encode_stretch(Instant appended, std::span<const std::string_view> messages);
struct Stretch {
  Instant appended;
  std::vector<std::string_view> messages;  // views into the row
};
bool parse_stretch(std::string_view row, Stretch& out);
// Only when it was appended and how many there are.
bool peek_stretch(std::string_view row, Instant& appended, std::uint32_t& count);

}  // namespace spur::embedded
