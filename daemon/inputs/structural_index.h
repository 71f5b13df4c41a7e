// Where the tokens of a JSON document begin: the first of simdjson's two stages, and the only one
// we use.
//
// It checks UTF-8, finds the strings and writes down each bracket, colon, comma and the first byte
// of each value, 64 bytes at a time. Our own walk over these positions (json_reader.h) does the
// rest. simdjson's on-demand front end was not taken: it leaves what is not read unchecked, so that
// a message would be refused under one catalog and not under another; it copies every string it
// reads, and it wants 64 bytes of padding, that is, a copy of every Kafka message.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace spur {

class StructuralIndex {
 public:
  StructuralIndex();
  ~StructuralIndex();
  StructuralIndex(StructuralIndex&&) noexcept;
  StructuralIndex& operator=(StructuralIndex&&) noexcept;

  static bool is_utf8(std::string_view bytes);

  // Indexes `bytes`, below 4 GiB, no padding needed. False: it is empty or all white space, not
  // UTF-8, or a string in it does not end or holds a control character.
  bool build(std::string_view bytes);

  // The positions found, in order. One more, *end(), is the size of the document. Valid until the
  // next build().
  const std::uint32_t* begin() const { return begin_; }
  const std::uint32_t* end() const { return end_; }

 private:
  struct Stage;  // simdjson's, kept out of this header
  std::unique_ptr<Stage> stage_;
  std::size_t capacity_ = 0;
  const std::uint32_t* begin_ = nullptr;
  const std::uint32_t* end_ = nullptr;
};

}  // namespace spur
