#include "state/codec/reference_codec.h"

#include "state/codec/byte_io.h"

namespace spur {
namespace {

constexpr std::uint8_t kVersion = 1;

void begin(ByteWriter& out) { out.u8(kVersion); }
void begin(ByteReader& in) {
  if (in.u8() != kVersion) in.fail();
}

using Counts = std::vector<std::pair<std::uint64_t, std::uint64_t>>;

void write_counts(const Counts& counts, ByteWriter& out) {
  out.varint(counts.size());
  for (const auto& [definition, count] : counts) {
    out.fixed64(definition);
    out.varint(count);
  }
}

Counts read_counts(ByteReader& in) {
  Counts counts;
  for (std::size_t n = in.count(9); n > 0; --n) {
    const std::uint64_t definition = in.fixed64();
    counts.emplace_back(definition, in.varint());
  }
  return counts;
}

template <typename Read>
std::optional<Read> whole(ByteReader& in, Read read) {
  return in.done() ? std::optional<Read>(std::move(read)) : std::nullopt;
}

}  // namespace

std::string encode_record(const RecordVersions& record) {
  std::string bytes;
  ByteWriter out(bytes);
  begin(out);
  out.boolean(record.forgotten);
  out.varint(record.versions.size());
  for (const RecordVersions::Version& version : record.versions) {
    out.zigzag(version.since.ms);
    out.text(version.value);
  }
  return bytes;
}

std::optional<RecordVersions> decode_record(std::string_view bytes) {
  ByteReader in(bytes);
  begin(in);
  RecordVersions record;
  record.forgotten = in.boolean();
  const std::size_t count = in.count(2);
  record.versions.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const Instant since{in.zigzag()};
    record.versions.push_back({since, in.text()});
  }
  return whole(in, std::move(record));
}

std::string encode_change(const Change& change) {
  std::string bytes;
  ByteWriter out(bytes);
  begin(out);
  out.fixed64(change.trigger);
  out.text(change.key);
  out.zigzag(change.at.ms);
  out.text(change.previous);
  out.text(change.told);
  return bytes;
}

std::optional<Change> decode_change(std::string_view bytes) {
  ByteReader in(bytes);
  begin(in);
  Change change;
  change.trigger = in.fixed64();
  change.key = in.text();
  change.at = {in.zigzag()};
  change.previous = in.text();
  change.told = in.text();
  return whole(in, std::move(change));
}

std::string encode_references(const ReferencesState& state) {
  std::string bytes;
  ByteWriter out(bytes);
  begin(out);
  out.varint(state.changes);
  write_counts(state.records, out);
  write_counts(state.interests, out);
  out.varint(state.windows.size());
  for (const auto& [trigger, window] : state.windows) {
    out.fixed64(trigger);
    out.zigzag(window.began.ms);
    out.varint(window.fired);
  }
  out.varint(state.leaving.size());
  for (const std::string& prefix : state.leaving) out.text(prefix);
  return bytes;
}

std::optional<ReferencesState> decode_references(std::string_view bytes) {
  ByteReader in(bytes);
  begin(in);
  ReferencesState state;
  state.changes = in.varint();
  state.records = read_counts(in);
  state.interests = read_counts(in);
  for (std::size_t n = in.count(10); n > 0; --n) {
    const std::uint64_t trigger = in.fixed64();
    const Instant began{in.zigzag()};
    state.windows.push_back(
        {trigger, {began, static_cast<std::uint32_t>(in.varint_max(0xffffffff))}});
  }
  for (std::size_t n = in.count(); n > 0; --n) state.leaving.emplace_back(in.text());
  return whole(in, std::move(state));
}

}  // namespace spur
