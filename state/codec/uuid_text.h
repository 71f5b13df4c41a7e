// A UUID as text takes 36 bytes, as a number 16. Ids of events mostly are UUIDs, and a customer
// keeps one for each open wait, so what is kept of an event is shortened by them in memory.
//
// No knowledge of what the bytes mean: a text of 36 that is spelled as a UUID in lower case, with
// its length in front, is replaced wherever it stands, so that expanding gives back the same bytes
// whatever they were.
#pragma once

#include <cstddef>
#include <string_view>

#include "state/arena.h"

namespace spur {

// The shortened form of `bytes`, which must outlive it.
class ShortenedUuid {
 public:
  static constexpr std::size_t kNumber = 16;

  explicit ShortenedUuid(std::string_view bytes);
  // How many bytes write() writes; none for none.
  std::size_t size() const;
  void write(char* to) const;

 private:
  std::string_view bytes_;
  std::size_t at_ = 0;  // where the text stands; 0: there is none
  char number_[kNumber];
};

// What was shortened, in `arena` (or in `shortened`, where nothing was left out).
std::string_view expand_uuid(std::string_view shortened, Arena& arena);

}  // namespace spur
