// What a window no longer keeps singly: counts and sums by the minute, the hour and the day
// (aggregate.h, "A window keeps").
//
// Made when a window first exceeds its limit; few customers ever do.
//
// Why the order of arrival does not matter: a value is merged exactly if `limit` newer ones exist,
// and a minute goes into its hour exactly if `limit` newer minutes exist. Both only ever become
// true. And since a unit counts as its start, it has left the window before any value in it could
// be refused for being too late.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "state/aggregates/int128.h"
#include "state/aggregates/window.h"
#include "state/codec/byte_io.h"

namespace spur {

class Merged {
 public:
  struct Totals {
    std::uint64_t count = 0;
    int128 sum = 0;
  };

  explicit Merged(const Window& window) : window_(window) {}

  // Takes in one single value; what is too much for the minutes goes on to the hours, and from
  // there to the days.
  void take(std::int64_t time, std::int64_t amount, std::size_t limit);
  // Moves the window on and forgets what has left it.
  void slide(const Window& window);
  // Count and sum of what is in `window`, which is not before the last slide. Costs a step a bucket
  // that moved since.
  Totals totals(const Window& window) const;
  // The first start after `instant`, or Instant::never().ms.
  std::int64_t first_after(std::int64_t instant) const;
  // Calls visit(start, count, sum) for what is in `window`, oldest first.
  template <typename Visit>
  void for_each_in(const Window& window, const Visit& visit) const {
    for (std::size_t tier = kTiers; tier-- > 0;) {
      for (std::size_t i = tiers_[tier].first; i < tiers_[tier].buckets.size(); ++i) {
        const Bucket& bucket = tiers_[tier].buckets[i];
        if (bucket.start > window.cutoff && bucket.start <= window.boundary)
          visit(bucket.start, bucket.count, bucket.sum.get());
      }
    }
  }

  // Single values that were merged, over the aggregate's life.
  std::uint64_t overflowed() const { return overflowed_; }
  std::size_t memory_bytes() const;

  void encode(ByteWriter& out) const;
  // Null and a failed reader for invalid bytes.
  static std::unique_ptr<Merged> decode(const AggregateSpec& spec, ByteReader& in);

 private:
  struct Bucket {
    std::int64_t start = 0;
    std::uint64_t count = 0;
    Int128 sum;
  };
  static constexpr std::size_t kTiers = 3;  // minutes, hours, days
  struct Tier {
    std::vector<Bucket> buckets;  // from `first` on, ascending by start
    std::size_t first = 0;

    std::size_t size() const { return buckets.size() - first; }
    // The first bucket that starts after `instant`.
    std::size_t after(std::int64_t instant) const;
    void drop_first();
  };

  static Unit unit_of(std::size_t tier) { return static_cast<Unit>(tier + 1); }
  bool is_entered(const Bucket& bucket) const { return bucket.start <= window_.boundary; }
  void place(std::size_t tier, Bucket bucket, std::size_t limit);

  std::array<Tier, kTiers> tiers_;
  Window window_;   // as of the last slide
  Totals entered_;  // of the buckets in window_
  std::uint64_t overflowed_ = 0;
};

}  // namespace spur
