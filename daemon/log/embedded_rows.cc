#include "daemon/log/embedded_rows.h"

#include "state/check.h"
#include "state/codec/byte_io.h"

namespace spur::embedded {
namespace {

constexpr std::uint8_t kInputRowVersion = 1;
constexpr std::uint8_t kStretchVersion = 1;
constexpr std::uint8_t kShownVersion = 1;

// Keys are written here and nowhere else.
class Key {
 public:
  explicit Key(RowKind kind) : bytes_(1, static_cast<char>(kind)) {}
  Key& number(std::uint64_t value, int width) {
    for (int shift = (width - 1) * 8; shift >= 0; shift -= 8)
      bytes_.push_back(static_cast<char>(value >> shift));
    return *this;
  }
  Key& shard(std::uint32_t shard) { return number(shard, 4); }
  // With its length before it, so that no text is the beginning of another.
  Key& text(std::string_view text) {
    SPUR_CHECK(text.size() <= 0xffff);  // callers bound what users name
    number(text.size(), 2);
    bytes_.append(text);
    return *this;
  }
  Key& raw(std::string_view text) {
    bytes_.append(text);
    return *this;
  }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

std::uint64_t read_number(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<std::uint8_t>(byte);
  return value;
}

}  // namespace

std::string meta_key(std::string_view name) { return Key(RowKind::kMeta).raw(name).take(); }
std::string input_key(std::uint32_t shard, Offset first) {
  return Key(RowKind::kInput).shard(shard).number(first, 8).take();
}
std::string journal_key(std::uint32_t shard, Offset offset) {
  return Key(RowKind::kJournal).shard(shard).number(offset, 8).take();
}
std::string catalog_key(Offset offset) { return Key(RowKind::kCatalog).number(offset, 8).take(); }
std::string action_key(std::string_view topic, std::uint32_t shard, std::uint64_t first_spurseq) {
  return Key(RowKind::kAction).text(topic).shard(shard).number(first_spurseq, 8).take();
}
std::string decision_key(std::uint32_t shard, std::uint64_t run) {
  return Key(RowKind::kDecision).shard(shard).number(run, 8).take();
}
std::string customer_decision_key(std::string_view customer, std::uint32_t shard, std::uint64_t run,
                                  std::uint32_t index) {
  return Key(RowKind::kCustomerDecision)
      .text(customer)
      .shard(shard)
      .number(run, 8)
      .number(index, 4)
      .take();
}
std::string dead_letter_key(std::uint32_t shard, std::uint64_t run) {
  return Key(RowKind::kDeadLetter).shard(shard).number(run, 8).take();
}
std::string cursor_key(std::string_view subscriber, std::string_view channel) {
  return Key(RowKind::kCursor).text(subscriber).text(channel).take();
}

std::string shown_key(std::string_view topic, std::uint32_t shard) {
  return Key(RowKind::kShown).text(topic).shard(shard).take();
}

std::string kind_prefix(RowKind kind) { return Key(kind).take(); }
std::string shard_prefix(RowKind kind, std::uint32_t shard) {
  return Key(kind).shard(shard).take();
}
std::string action_prefix(std::string_view topic) {
  return Key(RowKind::kAction).text(topic).take();
}
std::string action_prefix(std::string_view topic, std::uint32_t shard) {
  return Key(RowKind::kAction).text(topic).shard(shard).take();
}
std::string customer_decision_prefix(std::string_view customer) {
  return Key(RowKind::kCustomerDecision).text(customer).take();
}

std::uint64_t last_number(std::string_view key) {
  return key.size() < 9 ? 0 : read_number(key.substr(key.size() - 8));
}

bool parse_action_key(std::string_view key, ActionKey& out) {
  if (key.size() < 15 || key[0] != static_cast<char>(RowKind::kAction)) return false;
  const std::size_t size = read_number(key.substr(1, 2));
  if (key.size() != 15 + size) return false;
  out.topic = key.substr(3, size);
  out.shard = static_cast<std::uint32_t>(read_number(key.substr(3 + size, 4)));
  out.first = read_number(key.substr(7 + size, 8));
  return true;
}

bool parse_shown_key(std::string_view key, std::string_view& topic, std::uint32_t& shard) {
  if (key.size() < 7 || key[0] != static_cast<char>(RowKind::kShown)) return false;
  const std::size_t size = read_number(key.substr(1, 2));
  if (key.size() != 7 + size) return false;
  topic = key.substr(3, size);
  shard = static_cast<std::uint32_t>(read_number(key.substr(3 + size, 4)));
  return true;
}

std::string encode_shown(std::uint64_t next) {
  std::string row;
  ByteWriter writer(row);
  writer.u8(kShownVersion);
  writer.varint(next);
  return row;
}

bool parse_shown(std::string_view row, std::uint64_t& next) {
  ByteReader reader(row);
  if (reader.u8() != kShownVersion) return false;
  next = reader.varint();
  return reader.done();
}

bool parse_customer_decision_key(std::string_view key, CustomerDecisionKey& out) {
  if (key.size() < 19 || key[0] != static_cast<char>(RowKind::kCustomerDecision)) return false;
  const std::size_t size = read_number(key.substr(1, 2));
  if (key.size() != 19 + size) return false;
  out.shard = static_cast<std::uint32_t>(read_number(key.substr(3 + size, 4)));
  out.run = read_number(key.substr(7 + size, 8));
  out.index = static_cast<std::uint32_t>(read_number(key.substr(15 + size, 4)));
  return true;
}

void InputRowWriter::add(std::string_view source, std::string_view key, std::string_view value) {
  ByteWriter writer(records_);
  writer.text(source);
  writer.text(key);
  writer.text(value);
  ++count_;
}

std::string InputRowWriter::finish(Instant received) {
  std::string row;
  row.reserve(records_.size() + 16);
  ByteWriter writer(row);
  writer.u8(kInputRowVersion);
  writer.zigzag(received.ms);
  writer.varint(count_);
  writer.raw(records_);
  return row;
}

bool parse_input_row(std::string_view row, Offset first, std::vector<InputRecord>& out) {
  ByteReader reader(row);
  if (reader.u8() != kInputRowVersion) return false;
  const Instant received{reader.zigzag()};
  const std::size_t count = reader.count(3);
  for (std::size_t i = 0; i < count && reader.ok(); ++i) {
    InputRecord record;
    record.offset = first + i;
    record.received = received;
    record.source = reader.text();
    record.key = reader.text();
    record.value = reader.text();
    out.push_back(record);
  }
  return reader.done();
}

std::string encode_stretch(Instant appended, std::span<const std::string_view> messages) {
  std::string row;
  ByteWriter writer(row);
  writer.u8(kStretchVersion);
  writer.zigzag(appended.ms);
  writer.varint(messages.size());
  for (const std::string_view message : messages) writer.text(message);
  return row;
}

bool parse_stretch(std::string_view row, Stretch& out) {
  ByteReader reader(row);
  if (reader.u8() != kStretchVersion) return false;
  out.appended = Instant{reader.zigzag()};
  const std::size_t count = reader.count();
  out.messages.clear();
  for (std::size_t i = 0; i < count && reader.ok(); ++i) out.messages.push_back(reader.text());
  return reader.done();
}

bool peek_stretch(std::string_view row, Instant& appended, std::uint32_t& count) {
  ByteReader reader(row);
  if (reader.u8() != kStretchVersion) return false;
  appended = Instant{reader.zigzag()};
  count = static_cast<std::uint32_t>(reader.count());
  return reader.ok();
}

}  // namespace spur::embedded
