#include "daemon/read_back.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "daemon/log/journal_codec.h"

namespace spur {

absl::StatusOr<ReadBack> read_back(Log& log, std::uint32_t shard, JournalStand stand, Offset from) {
  const absl::StatusOr<Offset> end = log.journal_end(shard);
  if (!end.ok()) return end.status();
  ReadBack found;
  found.next = std::max(from, *end);
  found.shorter = *end < from;
  if (*end <= from) return found;
  JournalReader reader(stand);
  absl::Status trouble;
  const absl::Status read =
      log.read_journal(shard, from, *end, [&](Offset at, std::string_view bytes) {
        const absl::StatusOr<spur::v1::JournalEntry> entry = decode_entry(bytes);
        if (!entry.ok()) {
          trouble = absl::Status(
              entry.status().code(),
              absl::StrCat("journal entry ", at, ": ", std::string(entry.status().message())));
          return false;
        }
        if (!reader.counts(*entry)) return true;
        if (entry->has_owner()) {
          found.fenced = true;
          return false;
        }
        found.ours.emplace_back(entry->seq(), at);
        return true;
      });
  if (!trouble.ok()) return trouble;
  if (!read.ok()) return read;
  return found;
}

}  // namespace spur
