// Business data as bytes: the records of a Reference, changes that are being told, and what a shard
// knows beside them. Each begins with a version byte. Frozen by tests/golden/state/references.txt.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "state/time.h"

namespace spur {

// One record, as of each time that somebody may still ask about.
struct RecordVersions {
  struct Version {
    Instant since;
    std::string_view value;  // value_codec; empty: there was none from then on
  };
  std::vector<Version> versions;  // by time, the newest last
  bool forgotten = false;         // there were older ones
};
std::string encode_record(const RecordVersions& record);
// The texts point into `bytes`. nullopt: not whole.
std::optional<RecordVersions> decode_record(std::string_view bytes);

// A change that is being told to those who care, and how far that has come.
struct Change {
  std::uint64_t trigger = 0;  // version
  std::string key;
  Instant at;            // since when the record holds
  std::string previous;  // value_codec; empty: there was none before
  std::string told;      // the place (keys.h) of the last one asked; empty: none yet
};
std::string encode_change(const Change& change);
std::optional<Change> decode_change(std::string_view bytes);

struct ReferencesState {
  struct Window {
    Instant began = Instant::distant_past();
    std::uint32_t fired = 0;
  };
  std::uint64_t changes = 0;                                     // numbers given
  std::vector<std::pair<std::uint64_t, std::uint64_t>> records;  // by definition: how many
  std::vector<std::pair<std::uint64_t, std::uint64_t>>
      interests;                                          // by version of a trigger: how many
  std::vector<std::pair<std::uint64_t, Window>> windows;  // of rates, by name of a trigger
  std::vector<std::string> leaving;  // prefixes of rows that no definition has any more
};
std::string encode_references(const ReferencesState& state);
std::optional<ReferencesState> decode_references(std::string_view bytes);

}  // namespace spur
