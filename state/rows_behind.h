// RowsBehind: the rows of a shard that belong to no one customer, over the Store that they are
// written behind to: business data, who cares about it, what is still to be told.
//
// A row is changed in memory and leaves with the cut that contains the change (customers.h, H4), in
// the same batch as the customers. Until then a look sees it as it is: what was changed lies over
// what is frozen, and that over the store. What was read stays in memory up to kReadBytesMax.
//
// One thread at a time, but for the batch, which another thread may write.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "state/store.h"

namespace spur {

class RowsBehind {
 public:
  static constexpr std::size_t kReadBytesMax = 32u
                                               << 20;  // of what was read, kept for the next look

  explicit RowsBehind(Store& store);
  ~RowsBehind();
  RowsBehind(const RowsBehind&) = delete;
  RowsBehind& operator=(const RowsBehind&) = delete;

  // The row under `key`; nullptr if there is none. Good until the next call.
  const std::string* get(std::string_view key);
  void put(std::string_view key, std::string value);
  void erase(std::string_view key);

  // Calls `row` for each key from `from` on that begins with `prefix`, in key order, until it
  // answers false. Sees the rows as of the call; `row` must not change any.
  void scan(std::string_view prefix, std::string_view from,
            const std::function<bool(std::string_view key, std::string_view value)>& row);

  // --- the cut, as Customers makes it ---
  // Freezes what was changed. Requires that no cut is in progress.
  void freeze();
  // What is frozen, into the batch: so many rows of it, taken from `rows_max`; true: all are in it.
  bool add_to(StoreBatch& batch, std::size_t& rows_max);
  // The batch can be read back: so many frozen rows are let go of, taken from `rows_max`; true:
  // all.
  bool let_go(std::size_t& rows_max);
  std::size_t frozen_count() const;
  // Of rows that are not written yet.
  std::size_t unwritten_bytes() const;

  // The first I/O error. Sticky; after it a look finds nothing, and nothing computed may leave.
  const absl::Status& status() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace spur
