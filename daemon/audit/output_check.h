// OutputCheck: one partition that a shard writes to, compared with what replay says should be in
// it. Both come in the order of their ids; the log may hold repeats.
//
//     replay   a1 a2 a3 a4            expect(), run by run
//     log      a1 a2 a3 a2 a3 a4      Next: a2 a3 are repeats: counted, dropped by every channel
//
// After the channel rule (docs/protocol.md rule 14: an id at or below the last is a repeat) the two
// must be the same, with the same content. Without a replay the log is looked at by itself
// (drain()).
//
// Pure: records come by a function, memory is bounded by kRemembered.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "daemon/audit/findings.h"
#include "daemon/log/log.h"
#include "operators/effects.h"

namespace spur::audit {

// A record as its topic holds it.
struct OutputRecord {
  Offset at = 0;
  bool ours = true;  // it carries an id of this deployment and shard
  std::string says;  // what it carries instead
  ActionId id;
  std::uint64_t number = 0;   // spurseq; 0 where there is none
  std::uint64_t content = 0;  // hash of the message
};

struct Expected {
  ActionId id;
  std::uint64_t number = 0;
  std::uint64_t content = 0;
};

struct OutputCounts {
  std::string place;           // "actions.email[3]"
  std::uint64_t expected = 0;  // by replay
  std::uint64_t records = 0;   // read
  std::uint64_t matched = 0;
  std::uint64_t repeats = 0;
  std::uint64_t waiting = 0;  // not there yet, and the journal does not say that they arrived
  std::uint64_t expired = 0;  // no longer kept
  std::uint64_t newer = 0;    // of runs behind the end that was audited; not compared
};

class OutputCheck {
 public:
  // Records of a partition whose numbers and contents are remembered, to compare repeats with.
  static constexpr std::size_t kRemembered = 65'536;

  struct Scope {
    bool numbered = false;            // records carry a dense number
    bool repeats_wrong = false;       // written by transactions: none can stand there twice
    std::uint64_t run_first = 1;      // records of earlier runs are passed over
    std::uint64_t run_last = 0;       // the journal's last
    std::uint64_t acked_through = 0;  // effects of runs up to this one have arrived
    bool settled = false;             // all have
    Offset counted_below = 0;  // a record below it was there before the journal's end was asked
    std::optional<ActionId> floor;               // older ones may be gone: what is kept begins here
    std::optional<std::uint64_t> number_before;  // of the first; nullopt: not known
  };
  using Next = std::function<absl::StatusOr<std::optional<OutputRecord>>()>;

  OutputCheck(std::string place, const Scope& scope, Next next, Findings& findings);

  // In ascending order of ids. An error is of reading.
  absl::Status expect(const Expected& expected);
  // All that is expected was said: what is left in the log.
  absl::Status finish();
  // Nothing is known of what is expected: the log by itself.
  absl::Status drain();

  const OutputCounts& counts() const { return counts_; }

 private:
  struct Seen {
    ActionId id;
    std::uint64_t content = 0;
  };

  // The next record that is neither foreign nor a repeat; stays until taken.
  absl::StatusOr<const OutputRecord*> peek();
  void repeat(const OutputRecord& record);
  void accept(const OutputRecord& record);
  void absent(const Expected& expected, bool at_end);
  void add(Kind kind, const OutputRecord& record, const std::string& what);

  const Scope scope_;
  const Next next_;
  Findings& findings_;
  OutputCounts counts_;
  std::optional<OutputRecord> ahead_;
  bool ended_ = false;
  std::optional<ActionId> last_;  // the highest accepted: what a channel keeps
  std::optional<std::uint64_t> last_number_;
  std::deque<Seen> seen_;  // ascending
};

// Where what is kept of a partition whose beginning is gone can be relied on, from its first
// records: behind the last repeat among them.
std::optional<ActionId> floor_of(const std::vector<OutputRecord>& first);

}  // namespace spur::audit
