// SliceCheck: that a shard's runs take each source once and whole. A run says which stretch of
// which source it took; the next stretch of that source begins where the last one ended.
//
//     source 16: [0, 99] [100, 180] [170, 200]     170 to 180 were folded twice
//     source 16: [0, 99] [105, 180]                100 to 104 hold no records, or were left out
//
// Pure, but for the question whether a stretch between two slices holds anything.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "daemon/audit/findings.h"
#include "daemon/log/log.h"
#include "spur/v1/journal.pb.h"

namespace spur::audit {

class SliceCheck {
 public:
  // Records of `source` in [first, last]. NOT_FOUND: they are no longer kept.
  using Holds =
      std::function<absl::StatusOr<std::uint64_t>(std::uint32_t source, Offset first, Offset last)>;
  SliceCheck(std::string place, Holds holds, Findings& findings)
      : place_(std::move(place)), holds_(std::move(holds)), findings_(findings) {}

  // Where a source stands before the first entry given.
  void begin(std::uint32_t source, Offset next) { next_[source] = next; }
  // An entry that counts.
  absl::Status entry(const spur::v1::JournalEntry& entry);
  const std::map<std::uint32_t, Offset>& next() const { return next_; }

 private:
  absl::Status take(std::uint64_t run, std::uint32_t source, Offset first, Offset last);

  const std::string place_;
  const Holds holds_;
  Findings& findings_;
  std::map<std::uint32_t, Offset> next_;  // by source
};

}  // namespace spur::audit
