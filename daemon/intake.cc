#include "daemon/intake.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "daemon/plant.h"
#include "operators/catalog/compiled.h"
#include "spur/v1/message.pb.h"
#include "state/check.h"
#include "state/digest.h"

namespace spur {
namespace {

absl::string_view absl_view(std::string_view text) { return {text.data(), text.size()}; }

bool parse(const InputRecord& record, spur::v1::ShardMessage& message) {
  return message.ParseFromArray(record.value.data(), static_cast<int>(record.value.size())) &&
         message.has_event();
}

// What it belongs to is told by its topic; of the log's own records by the name beside them.
bool by_topic(const InputRecord& record) { return record.source.empty() && !record.topic.empty(); }

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

void SliceHash::add_headers(std::string_view packed) {
  const std::uint64_t size = packed.size();
  XXH3_64bits_update(&state_->xxh3, &size, sizeof size);
  XXH3_64bits_update(&state_->xxh3, packed.data(), packed.size());
}

std::uint64_t SliceHash::value() const { return XXH3_64bits_digest(&state_->xxh3); }

std::uint64_t catalogs_before(const InputRecord& record) {
  spur::v1::ShardMessage message;
  return parse(record, message) ? message.catalogs() : 0;
}

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
               std::function<void(std::uint32_t, const InputRecord&)> before_input)
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

void Intake::look_ahead(std::span<const InputRecord> rest, bool begins) {
  const std::size_t end = std::min(rest.size(), Customers::kHintsAhead + 1);
  for (std::size_t i = begins ? 0 : Customers::kHintsAhead; i < end; ++i)
    shard_.expect(rest[i].key);
}

void Intake::input(std::uint32_t source, const InputRecord& record, Effects& effects) {
  count(source, record.offset);
  hash_.add(record.offset, record.received, record.source, record.key, record.value);
  const std::shared_ptr<const catalog::Compiled>& catalog = shard_.catalog();
  SPUR_CHECK(catalog != nullptr);  // inputs wait for the first catalog

  crumb_.arm(index_, phase_, source, record.offset);
  if (source == kMessageSource) {
    message(record, effects);
  } else {
    if (before_input_) before_input_(index_, record);
    const std::int32_t from = source_of(record);
    Origin origin = origin_of(source, from, record);
    const std::int32_t reference = by_topic(record) ? catalog->find_reference_of(record.topic)
                                                    : catalog->find_reference(record.source);
    if (reference != catalog::kNone) {
      business_record(static_cast<std::uint32_t>(reference), origin, effects);
    } else {
      // The embedded log has no messages: what it holds was routed when it was published. Where
      // that was by another version of a Source's map, the event is a dead letter, and can be
      // published again.
      origin.forwarded = source == kInputSource;
      if (reads_headers(from)) [[unlikely]]
        hash_.add_headers(origin.headers);
      event(from, origin, effects);
    }
  }
  crumb_.disarm(index_);
}

std::int32_t Intake::source_of(const InputRecord& record) const {
  return by_topic(record) ? shard_.catalog()->find_source_of(record.topic)
                          : shard_.catalog()->find_source(record.source);
}

bool Intake::reads_headers(std::int32_t from) const {
  return from != catalog::kNone &&
         Decoder::reads_headers(shard_.catalog()->sources[static_cast<std::size_t>(from)]);
}

// `from`: its Source in the catalog, or kNone. The headers are good until the next call.
Origin Intake::origin_of(std::uint32_t source, std::int32_t from, const InputRecord& record) {
  Origin origin{source, record.offset, record.received, record.key, record.value};
  origin.source_name = record.source;
  origin.topic = record.topic;
  if (reads_headers(from) && record.read_headers != nullptr) [[unlikely]] {
    headers_.clear();
    record.read_headers(record.message, headers_);
    origin.headers = headers_;
  }
  return origin;
}

void Intake::event(std::int32_t catalog_source, const Origin& from, Effects& effects) {
  const catalog::Compiled& catalog = *shard_.catalog();
  if (catalog_source == catalog::kNone) {
    shard_.apply_malformed(
        "UNKNOWN_SOURCE",
        absl::StrCat("the catalog has no Source ", absl_view(from.source_name),
                     from.topic.empty() ? "" : " of topic ", absl_view(from.topic)),
        from, effects);
    return;
  }
  Origin origin = from;
  if (origin.source_name.empty())
    origin.source_name = catalog.sources[static_cast<std::size_t>(catalog_source)].name;
  // The events of a record go to the fold one by one, each with the bytes that say it alone, for a
  // dead letter and for the shard that it may belong to.
  decoder_.decode({from.bytes, from.headers, from.received}, catalog,
                  static_cast<std::uint32_t>(catalog_source),
                  [&](const Decoded& decoded, std::string_view bytes) {
                    origin.bytes = bytes;
                    if (const auto* event = std::get_if<Event>(&decoded))
                      return shard_.apply(*event, origin, effects);
                    const auto& malformed = std::get<Malformed>(decoded);
                    shard_.apply_malformed(to_text(malformed.reason), malformed.detail, origin,
                                           effects);
                  });
}

void Intake::business_record(std::uint32_t reference, const Origin& origin, Effects& effects) {
  // A message without a value deletes the record of its key.
  const std::variant<Value, Malformed> decoded = origin.bytes.empty() && !origin.key.empty()
                                                     ? Value::absent()
                                                     : records_.decode(origin.bytes, arena_);
  if (const auto* body = std::get_if<Value>(&decoded)) {
    shard_.apply_record(reference, *body, origin, effects);
  } else {
    const auto& malformed = std::get<Malformed>(decoded);
    shard_.apply_malformed(to_text(malformed.reason), malformed.detail, origin, effects);
  }
  arena_.reset();
}

void Intake::message(const InputRecord& record, Effects& effects) {
  Origin origin{kMessageSource, record.offset, record.received, record.key, record.value};
  spur::v1::ShardMessage message;
  if (!parse(record, message)) {
    shard_.apply_malformed("DAMAGED_MESSAGE", "a message of another shard cannot be read", origin,
                           effects);
    return;
  }
  // Rule 13. What is skipped here comes again behind what was missing.
  const Arrival arrival = shard_.arrive(message.sender(), message.seq());
  if (arrival == Arrival::kRepeat && !planted(Plant::kMessageRepeatTaken)) return;
  if (arrival == Arrival::kGap && !planted(Plant::kMessageGapTaken)) return;
  if (before_input_) before_input_(index_, record);
  const spur::v1::ForwardedEvent& forwarded = message.event();
  origin.received = Instant{forwarded.received_ms()};
  origin.key = forwarded.key();
  origin.bytes = forwarded.value();
  origin.source_name = forwarded.source();
  origin.topic = forwarded.topic();
  origin.headers = forwarded.headers();
  origin.forwarded = true;
  event(shard_.catalog()->find_source(forwarded.source()), origin, effects);
}

void Intake::quarantine(std::uint32_t source, const InputRecord& record, std::string_view reason,
                        Effects& effects) {
  // A message is kept as it came, with what it carries.
  const std::int32_t from = source == kMessageSource ? catalog::kNone : source_of(record);
  const Origin origin = origin_of(source, from, record);
  // A message's number is taken all the same, or all that follow it would be skipped for ever.
  spur::v1::ShardMessage message;
  if (source == kMessageSource && !planted(Plant::kQuarantineTakesNoNumber) &&
      parse(record, message) && shard_.arrive(message.sender(), message.seq()) != Arrival::kTake) {
    return;
  }
  shard_.apply_malformed("QUARANTINED", reason, origin, effects);
}

std::vector<spur::v1::Slice> Intake::take_slices() {
  if (!slices_.empty()) slices_.back().set_hash(hash_.value());
  return std::exchange(slices_, {});
}

}  // namespace spur
