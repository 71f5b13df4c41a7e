// BusinessData: all that a shard has of business data, as one thing: the records, who cares about
// them, what is still to be told, and what may go because no definition has it any more.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "operators/changes.h"
#include "operators/references.h"

namespace spur {

// Rows that go in one step, of a definition that has gone. Part of the fold version.
inline constexpr std::size_t kLeavingRowsPerStep = 64;

class BusinessData {
 public:
  // `rows` outlives it.
  BusinessData(RowsBehind& rows, std::uint32_t shards)
      : records(rows), changes(rows, shards), rows_(rows) {}

  References records;
  Changes changes;

  // Another catalog: what belongs to no definition of it begins to leave.
  void use(const catalog::Compiled& catalog);
  bool leaving() const { return !leaving_.empty(); }
  // Takes up to `steps` steps at it; how many it took.
  std::uint32_t leave(std::uint32_t steps);

  // From the rows, once.
  void load();
  // What has changed, into a row: at the end of each run, before a cut may follow.
  void save();

 private:
  RowsBehind& rows_;
  bool moved_ = false;
  std::vector<std::string> leaving_;  // prefixes of rows
};

}  // namespace spur
