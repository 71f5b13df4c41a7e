// ShardOutputs: every partition that one shard writes to, each with its OutputCheck. Hands what a
// run decides to those that it concerns.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/audit/evidence.h"
#include "daemon/audit/findings.h"
#include "daemon/audit/output_check.h"

namespace spur::audit {

class ShardOutputs {
 public:
  ShardOutputs(Evidence& evidence, std::uint32_t shard, Findings& findings)
      : evidence_(evidence), shard_(shard), findings_(findings) {}

  // Twice: before the end of the journal is asked for, and after it was read.
  absl::Status ask_ends(bool before);

  // What is compared, as OutputCheck::Scope has it.
  struct Compared {
    std::uint64_t run_first = 1, run_last = 0;
    std::uint64_t acked_through = 0;
    bool settled = false;
    // spurseq that each topic had given before run_first; nullopt: not known.
    std::optional<std::map<std::string, std::uint64_t>> numbers;
  };
  absl::Status open(const Compared& compared);

  absl::Status expect(const RunEffects& effects);
  // All that is expected was said; or nothing more is known of it.
  absl::Status finish();
  absl::Status drain();
  std::vector<OutputCounts> counts() const;

 private:
  struct Ends {
    Stretch before, after;
    bool missing = false;
  };

  absl::StatusOr<OutputCheck::Scope> scope_of(const Output& output, const Ends& ends,
                                              const Compared& compared);
  absl::Status expect(const Output& output, const Expected& expected);
  const Output* only(OutputKind kind) const;

  Evidence& evidence_;
  const std::uint32_t shard_;
  Findings& findings_;
  std::map<Output, Ends> ends_;
  std::map<Output, std::unique_ptr<OutputCheck>> checks_;
};

}  // namespace spur::audit
