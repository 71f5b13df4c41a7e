// Values that an offset still keeps outside the window of a distinct: by time, then by value.
//
// Up to `limit` are kept singly. Beyond that the oldest count as the start of their UTC day, once a
// day and value; beyond `limit` of those the oldest go. Which ones depends on the events alone, not
// on the order in which they came.
#pragma once

#include <cstdint>
#include <vector>

#include "state/aggregates/scalar.h"

namespace spur {

class Waiting {
 public:
  struct Entry {
    std::int64_t time = 0;
    Scalar value;
  };

  Waiting() = default;
  Waiting(const Waiting& other);
  Waiting& operator=(const Waiting&) = delete;
  ~Waiting();

  // Values must be normalized. Answers how many single values were merged or dropped for it.
  std::uint64_t add(std::int64_t time, const Value& value, std::size_t limit);
  bool empty() const { return days_.size() == 0 && singles_.size() == 0; }
  std::size_t size() const { return days_.size() + singles_.size(); }
  // The oldest; requires that there is one.
  const Entry& front() const { return days_.size() > 0 ? days_.front() : singles_.front(); }
  void pop_front();
  // The first time after `instant`, or Instant::never().ms.
  std::int64_t first_after(std::int64_t instant) const;
  // Calls visit(entry) from the oldest on, until it answers false.
  template <typename Visit>
  void for_each(const Visit& visit) const {
    for (const Queue* queue : {&days_, &singles_}) {
      for (std::size_t i = queue->first; i < queue->entries.size(); ++i) {
        if (!visit(queue->entries[i])) return;
      }
    }
  }
  std::size_t memory_bytes() const;

  void encode(ByteWriter& out) const;
  // Fails the reader for invalid bytes.
  void decode(ByteReader& in, std::size_t limit);

 private:
  struct Queue {
    std::vector<Entry> entries;  // from `first` on
    std::size_t first = 0;

    std::size_t size() const { return entries.size() - first; }
    const Entry& front() const { return entries[first]; }
    // Puts it in its place; releases it and answers false if it is there already.
    bool insert(Entry entry);
    // Takes out the oldest, which is now the caller's.
    Entry take_front();
  };
  static bool comes_first(const Entry& a, const Entry& b);

  Queue days_;
  Queue singles_;
};

}  // namespace spur
