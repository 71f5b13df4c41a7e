#include "state/aggregates/waiting.h"

#include <algorithm>

#include "state/aggregates/window.h"

namespace spur {

bool Waiting::comes_first(const Entry& a, const Entry& b) {
  return a.time != b.time ? a.time < b.time : order(view(a.value), view(b.value)) < 0;
}

Waiting::Waiting(const Waiting& other) : days_(other.days_), singles_(other.singles_) {
  for (Queue* queue : {&days_, &singles_}) {
    for (std::size_t i = queue->first; i < queue->entries.size(); ++i) {
      queue->entries[i].value = clone(queue->entries[i].value);
    }
  }
}

Waiting::~Waiting() {
  for (Queue* queue : {&days_, &singles_}) {
    for (std::size_t i = queue->first; i < queue->entries.size(); ++i)
      release(queue->entries[i].value);
  }
}

bool Waiting::Queue::insert(Entry entry) {
  const auto from = entries.begin() + static_cast<std::ptrdiff_t>(first);
  auto at = entries.end();
  if (size() > 0 && !comes_first(entries.back(), entry))
    at = std::lower_bound(from, entries.end(), entry, comes_first);
  if (at != entries.end() && !comes_first(entry, *at)) {
    release(entry.value);
    return false;
  }
  entries.insert(at, entry);
  return true;
}

Waiting::Entry Waiting::Queue::take_front() {
  const Entry entry = entries[first++];
  if (first > entries.size() / 2) {
    entries.erase(entries.begin(), entries.begin() + static_cast<std::ptrdiff_t>(first));
    first = 0;
  }
  return entry;
}

std::uint64_t Waiting::add(std::int64_t time, const Value& value, std::size_t limit) {
  if (!singles_.insert({time, make_scalar(value)}) || singles_.size() <= limit) return 0;
  Entry oldest = singles_.take_front();
  oldest.time = start_of(Unit::kDay, oldest.time);
  if (!days_.insert(oldest) || days_.size() <= limit) return 1;
  Entry dropped = days_.take_front();
  release(dropped.value);
  return 2;
}

void Waiting::pop_front() {
  Entry entry = days_.size() > 0 ? days_.take_front() : singles_.take_front();
  release(entry.value);
}

std::int64_t Waiting::first_after(std::int64_t instant) const {
  for (const Queue* queue : {&days_, &singles_}) {
    const auto from = queue->entries.begin() + static_cast<std::ptrdiff_t>(queue->first);
    const auto at = std::partition_point(from, queue->entries.end(),
                                         [&](const Entry& e) { return e.time <= instant; });
    if (at != queue->entries.end()) return at->time;
  }
  return Instant::never().ms;
}

std::size_t Waiting::memory_bytes() const {
  std::size_t bytes = (days_.entries.capacity() + singles_.entries.capacity()) * sizeof(Entry);
  for_each([&](const Entry& entry) {
    bytes += heap_bytes(entry.value);
    return true;
  });
  return bytes;
}

void Waiting::encode(ByteWriter& out) const {
  for (const Queue* queue : {&days_, &singles_}) {
    out.varint(queue->size());
    std::int64_t previous = 0;
    for (std::size_t i = queue->first; i < queue->entries.size(); ++i) {
      const Entry& entry = queue->entries[i];
      out.varint(static_cast<std::uint64_t>(entry.time - previous));
      write_scalar(entry.value, out);
      previous = entry.time;
    }
  }
}

void Waiting::decode(ByteReader& in, std::size_t limit) {
  for (Queue* queue : {&days_, &singles_}) {
    const std::size_t count = in.count(2);
    if (count > limit) in.fail();
    std::int64_t time = 0;
    for (std::size_t i = 0; i < count && in.ok(); ++i) {
      time += static_cast<std::int64_t>(in.varint_max(static_cast<std::uint64_t>(kInstantMax.ms)));
      Entry entry{time, read_scalar(in)};
      if (!in.ok()) return;
      const bool ascends = queue->size() == 0 || comes_first(queue->entries.back(), entry);
      const bool day = queue != &days_ || start_of(Unit::kDay, time) == time;
      queue->entries.push_back(entry);
      if (!is_event_time(time) || !ascends || !day) in.fail();
    }
  }
}

}  // namespace spur
