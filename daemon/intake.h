// Intake: from records of a log to calls of a Shard, the same live and in replay. Decodes under the
// shard's catalog, cuts slices with their hashes for the run record, and leaves a breadcrumb before
// each input.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "daemon/breadcrumb.h"
#include "daemon/inputs/decoder.h"
#include "daemon/inputs/record.h"
#include "daemon/log/log.h"
#include "operators/shard.h"
#include "spur/v1/journal.pb.h"

namespace spur {

// A running xxh3-64 over (offset, received, source, key, value) of records, and over their headers
// where these are a part of what is said: what a slice journals, so that a replay can tell changed
// input from a divergence of ours.
class SliceHash {
 public:
  SliceHash();
  ~SliceHash();
  void add(Offset offset, Instant received, std::string_view source, std::string_view key,
           std::string_view value);
  void add_headers(std::string_view packed);
  std::uint64_t value() const;
  void reset();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// How many catalog versions the receiver of this message must have taken first (H23); 0 if it
// cannot be read.
std::uint64_t catalogs_before(const InputRecord& message);

// Of one record alone, as a Position keeps it to recognise its source again.
std::uint64_t record_hash(const InputRecord& record);
std::uint64_t record_hash(const CatalogRecord& record);

// One thread, one shard.
class Intake {
 public:
  // `shard` and `crumb` outlive it. `before_input` (tests) may be empty; it is not called for a
  // message that is dropped by its number.
  Intake(std::uint32_t shard_index, Shard& shard, Breadcrumb& crumb,
         std::function<void(std::uint32_t, const InputRecord&)> before_input);

  void catalog(const CatalogRecord& record, std::shared_ptr<const catalog::Compiled> compiled);
  // Hints the shard at the customers of the inputs that follow: call before input() of rest[0].
  // `begins`: nothing was hinted of these records yet.
  void look_ahead(std::span<const InputRecord> rest, bool begins);
  void input(std::uint32_t source, const InputRecord& record, Effects& effects);
  // An input that crashed the process: a dead letter in its place.
  void quarantine(std::uint32_t source, const InputRecord& record, std::string_view reason,
                  Effects& effects);

  // The slices taken since the last call.
  std::vector<spur::v1::Slice> take_slices();
  void phase(Breadcrumb::Phase phase) { phase_ = phase; }

 private:
  void count(std::uint32_t source, Offset offset);
  void event(std::int32_t catalog_source, const Origin& origin, Effects& effects);
  std::int32_t source_of(const InputRecord& record) const;
  bool reads_headers(std::int32_t from) const;
  Origin origin_of(std::uint32_t source, std::int32_t from, const InputRecord& record);
  void message(const InputRecord& record, Effects& effects);
  void business_record(std::uint32_t reference, const Origin& origin, Effects& effects);

  const std::uint32_t index_;
  Shard& shard_;
  Breadcrumb& crumb_;
  const std::function<void(std::uint32_t, const InputRecord&)> before_input_;
  Breadcrumb::Phase phase_ = Breadcrumb::Phase::kLive;
  Decoder decoder_;
  RecordDecoder records_;
  Arena arena_;  // of records of business data
  std::string headers_;
  SliceHash hash_;
  std::vector<spur::v1::Slice> slices_;
};

}  // namespace spur
