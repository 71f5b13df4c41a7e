#include "state/aggregates/merged.h"

#include <algorithm>

#include "state/aggregates/millionths.h"

namespace spur {

std::size_t Merged::Tier::after(std::int64_t instant) const {
  const auto from = buckets.begin() + static_cast<std::ptrdiff_t>(first);
  const auto at = std::partition_point(from, buckets.end(),
                                       [&](const Bucket& b) { return b.start <= instant; });
  return static_cast<std::size_t>(at - buckets.begin());
}

void Merged::Tier::drop_first() {
  first += 1;
  if (first < buckets.size() / 2 + 1) return;
  buckets.erase(buckets.begin(), buckets.begin() + static_cast<std::ptrdiff_t>(first));
  first = 0;
}

void Merged::take(std::int64_t time, std::int64_t amount, std::size_t limit) {
  overflowed_ += 1;
  Bucket single{time, 1, {}};
  single.sum.set(amount);
  place(0, single, limit);
}

void Merged::place(std::size_t tier, Bucket bucket, std::size_t limit) {
  bucket.start = start_of(unit_of(tier), bucket.start);
  if (bucket.start <= window_.cutoff) return;  // its unit has left already, and so has it
  if (is_entered(bucket)) {
    entered_.count += bucket.count;
    entered_.sum = wrapping_add(entered_.sum, bucket.sum.get());
  }
  std::vector<Bucket>& buckets = tiers_[tier].buckets;
  const std::size_t at = tiers_[tier].after(bucket.start);
  if (at > tiers_[tier].first && buckets[at - 1].start == bucket.start) {
    buckets[at - 1].count += bucket.count;
    buckets[at - 1].sum.add(bucket.sum.get());
    return;
  }
  buckets.insert(buckets.begin() + static_cast<std::ptrdiff_t>(at), bucket);
  const bool days = unit_of(tier) == Unit::kDay;
  if (tiers_[tier].size() <= (days ? kDaysMax : limit)) return;
  const Bucket oldest = buckets[tiers_[tier].first];
  tiers_[tier].drop_first();
  if (is_entered(oldest)) {
    entered_.count -= oldest.count;
    entered_.sum = wrapping_subtract(entered_.sum, oldest.sum.get());
  }
  if (!days) place(tier + 1, oldest, limit);
}

Merged::Totals Merged::totals(const Window& window) const {
  Totals now = entered_;
  for (const Tier& tier : tiers_) {
    for (std::size_t i = tier.first; i < tier.buckets.size(); ++i) {
      const Bucket& bucket = tier.buckets[i];
      if (bucket.start > window.cutoff || !is_entered(bucket)) break;
      now.count -= bucket.count;
      now.sum = wrapping_subtract(now.sum, bucket.sum.get());
    }
    for (std::size_t i = tier.after(std::max(window_.boundary, window.cutoff));
         i < tier.buckets.size(); ++i) {
      const Bucket& bucket = tier.buckets[i];
      if (bucket.start > window.boundary) break;
      now.count += bucket.count;
      now.sum = wrapping_add(now.sum, bucket.sum.get());
    }
  }
  return now;
}

void Merged::slide(const Window& window) {
  entered_ = totals(window);
  window_ = window;
  for (Tier& tier : tiers_) {
    while (tier.size() > 0 && tier.buckets[tier.first].start <= window.cutoff) tier.drop_first();
  }
}

std::int64_t Merged::first_after(std::int64_t instant) const {
  std::int64_t first = Instant::never().ms;
  for (const Tier& tier : tiers_) {
    const std::size_t at = tier.after(instant);
    if (at < tier.buckets.size()) first = std::min(first, tier.buckets[at].start);
  }
  return first;
}

std::size_t Merged::memory_bytes() const {
  std::size_t bytes = sizeof *this;
  for (const Tier& tier : tiers_) bytes += tier.buckets.capacity() * sizeof(Bucket);
  return bytes;
}

void Merged::encode(ByteWriter& out) const {
  out.varint(overflowed_);
  out.zigzag(window_.boundary);
  for (const Tier& tier : tiers_) {
    out.varint(tier.size());
    std::int64_t previous = 0;
    for (std::size_t i = tier.first; i < tier.buckets.size(); ++i) {
      const Bucket& bucket = tier.buckets[i];
      out.varint(static_cast<std::uint64_t>(bucket.start - previous));
      out.varint(bucket.count);
      write_int128(bucket.sum.get(), out);
      previous = bucket.start;
    }
  }
}

std::unique_ptr<Merged> Merged::decode(const AggregateSpec& spec, ByteReader& in) {
  auto merged = std::make_unique<Merged>(Window());
  merged->overflowed_ = in.varint();
  const std::int64_t boundary = in.zigzag();
  if (boundary < -kInstantMax.ms || boundary > kInstantMax.ms) {
    in.fail();
    return nullptr;
  }
  merged->window_ = {boundary - Window::length(spec), boundary};
  std::uint64_t count_all = 0;
  for (std::size_t tier = 0; tier < kTiers; ++tier) {
    std::vector<Bucket>& buckets = merged->tiers_[tier].buckets;
    buckets.resize(in.count(3));
    const Unit unit = unit_of(tier);
    if (buckets.size() > (unit == Unit::kDay ? kDaysMax : values_limit(spec))) in.fail();
    std::int64_t previous = 0;
    for (Bucket& bucket : buckets) {
      const std::uint64_t step = in.varint_max(static_cast<std::uint64_t>(kInstantMax.ms));
      bucket = {previous + static_cast<std::int64_t>(step), in.varint_max(kCountMax), {}};
      bucket.sum.set(read_int128(in));
      const bool ascends = &bucket == buckets.data() || step > 0;
      const bool valid = ascends && is_event_time(bucket.start) &&
                         start_of(unit, bucket.start) == bucket.start &&
                         bucket.start > merged->window_.cutoff && bucket.count > 0;
      count_all += bucket.count;
      if (!in.ok() || !valid || count_all > kCountMax) {
        in.fail();
        return nullptr;
      }
      previous = bucket.start;
      if (!merged->is_entered(bucket)) continue;
      merged->entered_.count += bucket.count;
      merged->entered_.sum = wrapping_add(merged->entered_.sum, bucket.sum.get());
    }
  }
  return in.ok() ? std::move(merged) : nullptr;
}

}  // namespace spur
