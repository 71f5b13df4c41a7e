// The text of one file of the catalog, and positions in it.
#pragma once

#include <compare>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace spur::catalog {

// What an editor shows: lines and columns from 1, a column being one character (code point), not
// one byte. Line 0: the place is known by name only, and `file` is that name.
struct Position {
  std::string file;
  int line = 0;
  int column = 0;

  friend auto operator<=>(const Position&, const Position&) = default;
};

// Immutable.
class SourceText {
 public:
  // `text` is UTF-8; a byte order mark at its start is dropped.
  SourceText(std::string name, std::string text);

  const std::string& name() const { return name_; }
  const std::string& text() const { return text_; }

  // Of a byte of the text; beyond the end means the end.
  Position position(std::size_t offset) const;

  // The byte of this text that wrote byte `offset` of the scalar `value`, whose source begins at
  // `scalar_begin` with its quote, its block indicator or its first character. Beyond the value:
  // one past the byte that wrote its last.
  std::size_t offset_in_scalar(std::size_t scalar_begin, std::string_view value,
                               std::size_t offset) const;

 private:
  std::string name_;
  std::string text_;
  std::vector<std::size_t> line_begins_;
};

}  // namespace spur::catalog
