// References: the business data of a shard, by Reference and key, each record as of the times that
// somebody may still ask about. Every shard holds all of it.
//
// A record holds from its time on, until the next one of its key. What came to pass at t is decided
// with what held at t, though newer records may be here: so versions are kept, but not for ever.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "state/arena.h"
#include "state/codec/reference_codec.h"
#include "state/digest.h"
#include "state/rows_behind.h"
#include "state/value.h"

namespace spur {

// Bounds that are part of the fold version.
inline constexpr std::size_t kRecordKeyBytesMax = 1'024;
inline constexpr std::size_t kRecordBytesMax = 32u << 10;  // of a record, as stored
inline constexpr std::size_t kRecordVersionsMax = 16;      // of a key; then the oldest goes
inline constexpr Millis kRecordVersionFor = kDay;          // kept so long after the next one came
inline constexpr std::uint64_t kRecordsMax = 5'000'000;    // of a Reference, without those deleted

class References {
 public:
  // `rows` outlives it.
  explicit References(RowsBehind& rows) : rows_(rows) {}

  // What the record says as of `t`: a map, in `arena`; absent if there is none.
  Value at(std::uint64_t definition, std::string_view key, Instant t, Arena& arena);

  enum class Taken {
    kChanged,  // it is the newest of its key, and says something else than the one before
    kSame,     // it says what is known
    kHistory,  // there is a newer one
    kFull,     // its key would be one too many
  };
  // A record that holds from `since` on; `value` is an encoded map, or empty: deleted. `previous`
  // becomes what it was before, empty: nothing. `clock` is the shard's. `dated`: records say
  // themselves since when they hold, so that one of before may come later.
  Taken take(std::uint64_t definition, std::string_view key, Instant since, std::string_view value,
             Instant clock, bool dated, std::string& previous);

  // Rows of records, by their keys.
  using Asked = std::set<std::string, std::less<>>;
  // From now on at() notes what it is asked for; nullptr: it does not.
  void note(Asked* asked) { asked_ = asked; }
  // There are copies of these alone: of any other at() answers an error. Outlives its use.
  void know_only(const Asked* known) { known_ = known; }
  // Takes over what `all` has under this key.
  void copy(const References& all, std::string_view row_key);

  // Of a definition: how many records it has, without those deleted. For what is stored, and to
  // forget a definition that has gone.
  std::map<std::uint64_t, std::uint64_t>& counts() { return counts_; }
  // Something of it has changed since this was asked.
  bool moved() { return std::exchange(moved_, false); }

 private:
  void sweep(std::string_view row_key, std::string_view prefix, Instant clock);

  RowsBehind& rows_;
  bool moved_ = false;
  Asked* asked_ = nullptr;
  const Asked* known_ = nullptr;
  std::map<std::uint64_t, std::uint64_t> counts_;
};

}  // namespace spur
