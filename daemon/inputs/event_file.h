// A file of events, one JSON document a line: what backtest and publish read.
//
// Plain, gzip or zstd, told apart by their first bytes and not by the name; `-` is the standard
// input. Lines are handed out as views into one large buffer, never copied one by one. A UTF-8 byte
// order mark at the start, \r before \n and blank lines are passed over; the last line needs no \n.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "daemon/inputs/byte_source.h"

namespace spur {

class EventFile {
 public:
  struct Options {
    std::size_t block_bytes = 1 << 20;     // how much is read at once
    std::size_t line_bytes_max = 1 << 20;  // a longer line is told as such and passed over
  };

  struct Line {
    std::uint64_t number = 0;  // from 1; blank lines count
    // Without its line end, never empty. At least kPaddingBytes behind it may be read.
    std::string_view bytes;
    // The line was longer than line_bytes_max; `bytes` holds its beginning: a dead letter with
    // TOO_LARGE.
    bool too_long = false;
  };
  static constexpr std::size_t kPaddingBytes = 64;  // what simdjson wants behind a document

  // Opens `path`. An error says what to do about it.
  static absl::StatusOr<EventFile> open(const std::string& path, const Options& options);
  static absl::StatusOr<EventFile> open(const std::string& path) { return open(path, Options{}); }

  // The next line, valid until the next call. nullopt at the end of the file or of what could be
  // read of it: ask status() then.
  std::optional<Line> next();

  // Not ok when the file could not be read to its end, e.g. a truncated archive; names the file and
  // the line.
  const absl::Status& status() const { return status_; }

  // For a progress bar: bytes taken from the file, compressed as they are, and its size; 0 if
  // unknown (a pipe).
  std::uint64_t consumed_bytes() const { return source_->consumed_bytes(); }
  std::uint64_t total_bytes() const { return source_->total_bytes(); }

 private:
  EventFile(std::string name, std::unique_ptr<ByteSource> source, const Options& options);

  bool cut_line(Line& line);
  bool skip_rest_of_line();
  bool fill();

  std::string name_;
  std::unique_ptr<ByteSource> source_;
  Options options_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;  // what is read but not handed out: buffer_[begin_, end_)
  std::size_t end_ = 0;
  std::size_t searched_ = 0;  // [begin_, searched_) holds no \n
  bool skipping_ = false;     // what comes up to \n belongs to a line that was too long
  std::uint64_t line_number_ = 0;
  absl::Status status_;
};

}  // namespace spur
