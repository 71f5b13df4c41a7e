// Feeds: the records that have come in for a shard and are not taken yet, source by source, and
// whose turn it is (intake_order.h).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "daemon/intake_order.h"
#include "daemon/log/log.h"
#include "daemon/owned_shard.h"

namespace spur {

// On the thread that owns the shard.
class Feeds {
 public:
  Feeds(Log& log, std::uint32_t shard) : log_(log), shard_(shard) {}

  // The sources of `stand`, from where they stand: the log is told, records that were here are
  // forgotten. Sources of topics that `topics` does not hold rest until a catalog names them again:
  // nobody asks for them, and their topics may be gone.
  void follow(const LogStand& stand, const std::vector<InputTopic>& topics);
  const std::vector<InputTopic>& topics() const { return topics_; }

  // Asks the log for records where none are left, from where `stand` says. Between two runs: what
  // was taken before is forgotten. OUT_OF_RANGE: inputs that were not taken are gone.
  absl::Status fill(const LogStand& stand, std::uint32_t records_max);
  // Nothing is here, and nothing is to come. Of an end that was not heard of yet: `unheard`.
  bool at_end(const LogStand& stand, bool unheard = false) const;
  // The end of a source as last heard of, at least where `stand` is; nullopt: not heard of yet. Of
  // a source that rests: where it stands.
  std::optional<Offset> end_of(const SourceStand& at) const;

  struct Record {
    std::uint32_t source = 0;
    const InputRecord* record = nullptr;
    const InputRecord* end = nullptr;  // behind what is here of its source
    std::chrono::nanoseconds arrived{0};
    Instant until;  // the next of this source may follow without asking, up to this time
  };
  // The record whose turn it is; nullopt: none now. A message that wants more versions of the
  // catalog than `stand` has taken waits (H23), and what stands behind it in its source.
  std::optional<Record> next(const LogStand& stand, Instant wall);
  // The record that next() gave is taken. Answers the one behind it in its source, or nullptr: ask
  // next() again.
  const InputRecord* take(const Record& taken);
  // History is on its way that has to be taken first.
  bool waiting() const { return order_.waiting(); }

 private:
  struct Feed {
    std::uint32_t source = 0;
    InputBatch batch;
    std::size_t at = 0;
    bool here() const { return at < batch.records.size(); }
  };
  bool held_back(const Feed& feed, const LogStand& stand) const;

  Log& log_;
  const std::uint32_t shard_;
  std::vector<InputTopic> topics_;
  std::vector<Feed> feeds_;
  std::vector<SourceHead> heads_;
  IntakeOrder order_;
};

}  // namespace spur
