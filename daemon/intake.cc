#include "daemon/intake.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "operators/catalog/compiled.h"
#include "state/check.h"
#include "state/digest.h"

namespace spur {
namespace {

absl::string_view absl_view(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

struct SliceHash::State {
  XXH3_state_t xxh3;
};

SliceHash::SliceHash() : state_(std::make_unique<State>()) { reset(); }
SliceHash::~SliceHash() = default;

void SliceHash::reset() { XXH3_64bits_reset(&state_->xxh3); }

void SliceHash::add(Offset offset, Instant received, std::string_view source, std::string_view key,
                    std::string_view value) {
  // The lengths go in too, so that no byte can move from one field to the next unseen.
  const std::uint64_t head[5] = {offset, static_cast<std::uint64_t>(received.ms), source.size(),
                                 key.size(), value.size()};
  XXH3_64bits_update(&state_->xxh3, head, sizeof head);
  XXH3_64bits_update(&state_->xxh3, source.data(), source.size());
  XXH3_64bits_update(&state_->xxh3, key.data(), key.size());
  XXH3_64bits_update(&state_->xxh3, value.data(), value.size());
}

std::uint64_t SliceHash::value() const { return XXH3_64bits_digest(&state_->xxh3); }

std::uint64_t record_hash(const InputRecord& record) {
  SliceHash hash;
  hash.add(record.offset, record.received, record.source, record.key, record.value);
  return hash.value();
}

std::uint64_t record_hash(const CatalogRecord& record) {
  SliceHash hash;
  hash.add(record.offset, record.received, {}, {}, record.catalog);
  return hash.value();
}

Intake::Intake(std::uint32_t shard_index, Shard& shard, Breadcrumb& crumb,
               std::function<void(std::uint32_t, std::uint64_t)> before_input)
    : index_(shard_index), shard_(shard), crumb_(crumb), before_input_(std::move(before_input)) {}

void Intake::count(std::uint32_t source, Offset offset) {
  if (slices_.empty() || slices_.back().source() != source) {
    if (!slices_.empty()) slices_.back().set_hash(hash_.value());
    hash_.reset();
    slices_.emplace_back().set_source(source);
    slices_.back().set_first_offset(offset);
  }
  slices_.back().set_last_offset(offset);
  slices_.back().set_count(slices_.back().count() + 1);
}

void Intake::catalog(const CatalogRecord& record,
                     std::shared_ptr<const catalog::Compiled> compiled) {
  count(kCatalogSource, record.offset);
  hash_.add(record.offset, record.received, {}, {}, record.catalog);
  shard_.apply_catalog(std::move(compiled));
}

void Intake::look_ahead(const std::vector<InputRecord>& records, std::size_t at) {
  const std::size_t end = std::min(records.size(), at + Customers::kHintsAhead + 1);
  for (std::size_t i = at == 0 ? 0 : at + Customers::kHintsAhead; i < end; ++i)
    shard_.expect(records[i].key);
}

void Intake::input(const InputRecord& record, Effects& effects) {
  count(kInputSource, record.offset);
  hash_.add(record.offset, record.received, record.source, record.key, record.value);
  const std::shared_ptr<const catalog::Compiled>& catalog = shard_.catalog();
  SPUR_CHECK(catalog != nullptr);  // inputs wait for the first catalog
  const std::int32_t source = catalog->find_source(record.source);
  Origin origin{kInputSource, record.offset, record.received, record.key, record.value};

  crumb_.arm(index_, phase_, kInputSource, record.offset);
  if (before_input_) before_input_(index_, record.offset);
  if (source == catalog::kNone) {
    shard_.apply_malformed("UNKNOWN_SOURCE",
                           absl::StrCat("the catalog has no Source ", absl_view(record.source)),
                           origin, effects);
  } else {
    const Decoded decoded =
        decoder_.decode(record.value, catalog->schema, static_cast<std::uint32_t>(source), arena_);
    if (const auto* event = std::get_if<Event>(&decoded)) {
      shard_.apply(*event, origin, effects);
    } else {
      const auto& malformed = std::get<Malformed>(decoded);
      shard_.apply_malformed(to_text(malformed.reason), malformed.detail, origin, effects);
    }
    arena_.reset();
  }
  crumb_.disarm(index_);
}

void Intake::quarantine(const InputRecord& record, std::string_view reason, Effects& effects) {
  const Origin origin{kInputSource, record.offset, record.received, record.key, record.value};
  shard_.apply_malformed("QUARANTINED", reason, origin, effects);
}

std::vector<spur::v1::Slice> Intake::take_slices() {
  if (!slices_.empty()) slices_.back().set_hash(hash_.value());
  return std::exchange(slices_, {});
}

}  // namespace spur
