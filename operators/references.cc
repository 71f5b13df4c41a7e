#include "operators/references.h"

#include <algorithm>

#include "state/check.h"
#include "state/codec/keys.h"
#include "state/codec/value_codec.h"

namespace spur {
namespace {

using Version = RecordVersions::Version;

constexpr std::size_t kSweptPerRecord = 4;

RecordVersions decoded(std::string_view row) {
  std::optional<RecordVersions> record = decode_record(row);
  SPUR_CHECK(record.has_value());  // written by take()
  return *std::move(record);
}

// As of its newest version.
bool exists(const RecordVersions& record) {
  return !record.versions.empty() && !record.versions.back().value.empty();
}

// The first version that holds only after `t`.
std::vector<Version>::const_iterator after(const RecordVersions& record, Instant t) {
  return std::upper_bound(record.versions.begin(), record.versions.end(), t,
                          [](Instant at, const Version& version) { return at < version.since; });
}

// What nobody asks about any more goes.
void forget_old(RecordVersions& record, Instant clock) {
  std::vector<Version>& all = record.versions;
  std::size_t old = all.size() > kRecordVersionsMax ? all.size() - kRecordVersionsMax : 0;
  while (old + 1 < all.size() && all[old + 1].since + kRecordVersionFor < clock) ++old;
  if (old == 0) return;
  record.forgotten = true;
  all.erase(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(old));
}

}  // namespace

Value References::at(std::uint64_t definition, std::string_view key, Instant t, Arena& arena) {
  if (key.size() > kRecordKeyBytesMax) return Value::absent();
  const std::string row_key = record_key(definition, key);
  if (asked_ != nullptr) asked_->insert(row_key);
  if (known_ != nullptr && !known_->contains(row_key))
    return Value::error("this record of business data is not known here");
  const std::string* const row = rows_.get(row_key);
  if (row == nullptr) return Value::absent();
  const RecordVersions record = decoded(*row);
  const auto next = after(record, t);
  // Of what was before those that are kept, the oldest kept is the best that is known.
  if (next == record.versions.begin() && !record.forgotten) return Value::absent();
  const Version& version = next == record.versions.begin() ? *next : *(next - 1);
  if (version.value.empty()) return Value::absent();
  return decode_value(version.value, arena).value_or(Value::absent());
}

void References::copy(const References& all, std::string_view row_key) {
  if (const std::string* const row = all.rows_.get(row_key)) rows_.put(row_key, *row);
}

References::Taken References::take(std::uint64_t definition, std::string_view key, Instant since,
                                   std::string_view value, Instant clock, bool dated,
                                   std::string& previous) {
  const std::string row_key = record_key(definition, key);
  const std::string* const stored = rows_.get(row_key);
  const std::string row =
      stored == nullptr ? std::string() : *stored;  // what the versions point into
  RecordVersions record = stored == nullptr ? RecordVersions() : decoded(row);
  if (stored == nullptr && value.empty()) return Taken::kSame;
  const bool was_there = exists(record);
  std::uint64_t& count = counts_[definition];
  const auto next = after(record, since);
  const bool newest = next == record.versions.end();
  if (newest && !was_there && !value.empty() && count >= kRecordsMax) return Taken::kFull;

  const std::size_t place = static_cast<std::size_t>(next - record.versions.begin());
  // A second record of one instant takes the place of the first.
  const bool replaces = place > 0 && record.versions[place - 1].since == since;
  const std::size_t before = place - (replaces ? 1 : 0);
  previous = before == 0 ? std::string_view() : record.versions[before - 1].value;
  const bool repeats = place > 0 && record.versions[place - 1].value == value;
  if (repeats && (!newest || !dated || replaces)) return newest ? Taken::kSame : Taken::kHistory;
  if (replaces) {
    record.versions[place - 1].value = value;
  } else if (repeats && place > 1 && record.versions[place - 2].value == value) {
    record.versions[place - 1].since = since;  // of a run of the same, its two ends are enough
  } else {
    record.versions.insert(next, {since, value});
  }
  forget_old(record, clock);
  rows_.put(row_key, encode_record(record));
  if (exists(record) != was_there) {
    count = was_there ? count - 1 : count + 1;
    moved_ = true;
  }
  sweep(row_key, definition_prefix(KeyKind::kRecord, definition), clock);
  if (!newest) return Taken::kHistory;
  return previous == value ? Taken::kSame : Taken::kChanged;
}

// A deleted record leaves its versions, for who asks about an instant before. Whoever takes a
// record looks at some that stand behind it, and takes away those that nobody can ask about any
// more: so that they cannot pile up, and nothing has to be remembered of them.
void References::sweep(std::string_view row_key, std::string_view prefix, Instant clock) {
  std::vector<std::string> gone;
  std::size_t looked_at = 0;
  const auto look = [&](std::string_view key, std::string_view row) {
    if (key == row_key) return true;
    const RecordVersions record = decoded(row);
    if (!exists(record) && record.versions.back().since + kRecordVersionFor < clock)
      gone.emplace_back(key);
    return ++looked_at < kSweptPerRecord;
  };
  rows_.scan(prefix, row_key, look);
  if (looked_at < kSweptPerRecord) rows_.scan(prefix, prefix, look);
  for (const std::string& key : gone) rows_.erase(key);
}

}  // namespace spur
