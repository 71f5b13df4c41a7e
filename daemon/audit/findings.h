// What an audit found: kinds of trouble with a stable name each, how often each was met, and the
// first few of each with their place. What is not wrong (a repeat, a late entry of a former owner)
// is a number in ShardReport and no finding.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace spur::audit {

// Names are for scripts: never changed, only added.
enum class Kind : std::uint8_t {
  kJournalDamaged,   // JOURNAL_DAMAGED: an entry that cannot be read
  kJournalHole,      // JOURNAL_HOLE: an entry of the present owner is missing before this one
  kJournalFork,      // JOURNAL_FORK: one (epoch, seq) twice, with other bytes
  kForeignOwner,     // FOREIGN_OWNER: an Owner of another deployment
  kDiverged,         // DIVERGED: replay gives another digest
  kInputChanged,     // INPUT_CHANGED: an input is not what it was when it was folded
  kReplayStopped,    // REPLAY_STOPPED: what recovery would park on
  kMissing,          // MISSING: an effect that the journal decides is not in its topic
  kContentDiffers,   // CONTENT_DIFFERS: it is there, and says something else
  kNumberDiffers,    // NUMBER_DIFFERS: it is there, with another spurseq
  kUndecided,        // UNDECIDED: a record with an id that no run has decided
  kRunDoesNotCount,  // RUN_DOES_NOT_COUNT: a record of a run that is not in the journal
  kForeign,          // FOREIGN: a record that is not this deployment's, or not this shard's
  kNumberHole,       // NUMBER_HOLE: spurseq, or a message's number, leaves one out
  kOutOfOrder,       // OUT_OF_ORDER: it came behind a later one, so channels have dropped it
  kTopicMissing,     // TOPIC_MISSING: a topic of actions does not exist
  kNotVerified,      // NOT_VERIFIED: runs that could not be replayed (wrong only if all must be)
  kInputTwice,       // INPUT_TWICE: two runs took the same stretch of a source
  kInputSkipped,     // INPUT_SKIPPED: records between two stretches that no run took
  kRepeated,         // REPEATED: it stands twice where the channel asks for transactions
};
inline constexpr std::size_t kKinds = 20;
std::string_view to_text(Kind kind);

struct Finding {
  Kind kind = Kind::kMissing;
  std::string place;   // "shard 3", "actions.email[3]"
  std::string detail;  // for people
};

// One thread.
class Findings {
 public:
  static constexpr std::size_t kSamplesMax = 10;  // of a kind, a shard: the rest is counted

  void add(Kind kind, std::string place, std::string detail);
  std::uint64_t count(Kind kind) const { return counts_[static_cast<std::size_t>(kind)]; }
  std::uint64_t total() const;
  const std::vector<Finding>& samples() const { return samples_; }

 private:
  std::array<std::uint64_t, kKinds> counts_{};
  std::vector<Finding> samples_;
};

}  // namespace spur::audit
