#include "daemon/audit/slice_check.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace spur::audit {

absl::Status SliceCheck::entry(const spur::v1::JournalEntry& entry) {
  for (const spur::v1::TopicPartition& added : entry.sources().added())
    next_[added.source()] = added.start();
  if (entry.has_quarantine()) {
    const spur::v1::Quarantine& one = entry.quarantine();
    return take(entry.seq(), one.source(), one.offset(), one.offset());
  }
  for (const spur::v1::Slice& slice : entry.run().slices()) {
    absl::Status taken =
        take(entry.seq(), slice.source(), slice.first_offset(), slice.last_offset());
    if (!taken.ok()) return taken;
  }
  return absl::OkStatus();
}

absl::Status SliceCheck::take(std::uint64_t run, std::uint32_t source, Offset first, Offset last) {
  const auto [it, unknown] = next_.try_emplace(source, first);
  Offset& next = it->second;
  if (first < next) {
    findings_.add(Kind::kInputTwice, place_,
                  absl::StrCat("run ", run, " takes source ", source, " from ", first,
                               ", and runs before it took it up to ", next - 1));
  } else if (first > next) {
    const absl::StatusOr<std::uint64_t> left = holds_(source, next, first - 1);
    if (!left.ok() && !absl::IsNotFound(left.status())) return left.status();
    if (left.ok() && *left > 0) {
      findings_.add(Kind::kInputSkipped, place_,
                    absl::StrCat("run ", run, " takes source ", source, " from ", first, "; ",
                                 *left, " records from ", next, " on were never taken"));
    }
  }
  next = std::max(next, last + 1);
  return absl::OkStatus();
}

}  // namespace spur::audit
