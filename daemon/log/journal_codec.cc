#include "daemon/log/journal_codec.h"

#include <array>

#include "absl/strings/str_cat.h"
#include "state/check.h"
#include "state/codec/byte_io.h"

namespace spur {
namespace {

// One table, a byte at a time: entries have some 45 bytes, so a faster way would not be seen.
constexpr std::array<std::uint32_t, 256> make_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = crc & 1 ? crc >> 1 ^ 0x82f63b78u : crc >> 1;
    table[i] = crc;
  }
  return table;
}
constexpr std::array<std::uint32_t, 256> kTable = make_table();

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  std::uint32_t crc = 0xffffffffu;
  for (const char byte : bytes)
    crc = crc >> 8 ^ kTable[(crc ^ static_cast<std::uint8_t>(byte)) & 0xff];
  return ~crc;
}

std::string encode_entry(const spur::v1::JournalEntry& entry) {
  std::string rest(1, static_cast<char>(kJournalVersion));
  SPUR_CHECK(entry.AppendToString(&rest));
  std::string frame;
  frame.reserve(rest.size() + 4);
  ByteWriter writer(frame);
  writer.fixed32(crc32c(rest));
  writer.raw(rest);
  return frame;
}

absl::StatusOr<spur::v1::JournalEntry> decode_entry(std::string_view bytes) {
  ByteReader reader(bytes);
  const std::uint32_t crc = reader.fixed32();
  const std::string_view rest = reader.rest();
  if (!reader.ok() || rest.empty() || crc32c(rest) != crc) {
    return absl::DataLossError("a journal entry is damaged: its checksum does not match");
  }
  const auto version = static_cast<std::uint8_t>(rest[0]);
  if (version != kJournalVersion) {
    return absl::FailedPreconditionError(absl::StrCat("a journal entry has version ", version,
                                                      ", this Spur knows ", kJournalVersion,
                                                      ": it was written by a newer one"));
  }
  spur::v1::JournalEntry entry;
  if (!entry.ParseFromArray(rest.data() + 1, static_cast<int>(rest.size() - 1))) {
    return absl::DataLossError("a journal entry is damaged: it is no message");
  }
  return entry;
}

}  // namespace spur
