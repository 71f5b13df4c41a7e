// Journal entries as bytes: crc32c (4 bytes, little endian) of what follows, one version byte,
// spur.v1.JournalEntry.
//
// The checksum is ours although RocksDB and Kafka have theirs: an entry travels through both,
// through archives and through mirrors, and one that is misread forks history. Frozen by
// tests/golden/journal.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "spur/v1/journal.pb.h"

namespace spur {

inline constexpr std::uint8_t kJournalVersion = 1;

std::string encode_entry(const spur::v1::JournalEntry& entry);

// DATA_LOSS for damaged bytes, FAILED_PRECONDITION for a version that this binary does not know.
absl::StatusOr<spur::v1::JournalEntry> decode_entry(std::string_view bytes);

// CRC-32C (Castagnoli), as iSCSI, Kafka and RocksDB use it.
std::uint32_t crc32c(std::string_view bytes);

}  // namespace spur
