#include "daemon/inputs/event_file.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <span>
#include <utility>

#include "state/check.h"

namespace spur {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

bool is_blank(std::string_view line) {
  return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

}  // namespace

absl::StatusOr<EventFile> EventFile::open(const std::string& path, const Options& options) {
  absl::StatusOr<std::unique_ptr<ByteSource>> source = open_byte_source(path, options.block_bytes);
  if (!source.ok()) return std::move(source).status();
  return EventFile(path == "-" ? "the standard input" : path, *std::move(source), options);
}

EventFile::EventFile(std::string name, std::unique_ptr<ByteSource> source, const Options& options)
    : name_(std::move(name)), source_(std::move(source)), options_(options) {
  SPUR_CHECK(options_.block_bytes > 0);
  // A line as long as allowed and its \n, the block read behind it, and the padding.
  buffer_.resize(options_.line_bytes_max + 1 + options_.block_bytes + kPaddingBytes);
}

std::optional<EventFile::Line> EventFile::next() {
  Line line;
  while (cut_line(line)) {
    if (line.number == 1 && line.bytes.starts_with(kByteOrderMark))
      line.bytes.remove_prefix(kByteOrderMark.size());
    if (line.bytes.ends_with('\r')) line.bytes.remove_suffix(1);
    if (line.too_long || !is_blank(line.bytes)) return line;
  }
  return std::nullopt;
}

// The next line without its \n. Keeps in mind how far it has searched, so that reading small blocks
// costs no more.
bool EventFile::cut_line(Line& line) {
  if (!status_.ok()) return false;
  if (skipping_ && !skip_rest_of_line()) return false;
  for (;;) {
    const char* const from = buffer_.data() + begin_;
    const void* const found = std::memchr(buffer_.data() + searched_, '\n', end_ - searched_);
    const std::size_t size = found == nullptr
                                 ? end_ - begin_
                                 : static_cast<std::size_t>(static_cast<const char*>(found) - from);
    if (size > options_.line_bytes_max) {
      line = {++line_number_, {from, options_.line_bytes_max}, true};
      searched_ = begin_ += options_.line_bytes_max;
      skipping_ = true;
      return true;
    }
    if (found != nullptr) {
      line = {++line_number_, {from, size}, false};
      searched_ = begin_ += size + 1;
      return true;
    }
    searched_ = end_;
    if (fill()) continue;
    if (!status_.ok() || size == 0) return false;
    line = {++line_number_, {buffer_.data() + begin_, size}, false};
    searched_ = begin_ = end_;
    return true;
  }
}

// False: the line was the last.
bool EventFile::skip_rest_of_line() {
  for (;;) {
    const void* const found = std::memchr(buffer_.data() + begin_, '\n', end_ - begin_);
    if (found != nullptr) {
      searched_ = begin_ =
          static_cast<std::size_t>(static_cast<const char*>(found) - buffer_.data()) + 1;
      skipping_ = false;
      return true;
    }
    searched_ = begin_ = end_;
    if (!fill()) return false;
  }
}

// Reads on, moving what is not handed out yet to the front. False: nothing more comes.
bool EventFile::fill() {
  std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
  end_ -= begin_;
  searched_ -= begin_;
  begin_ = 0;
  const std::size_t room = buffer_.size() - kPaddingBytes - end_;
  absl::StatusOr<std::size_t> got =
      source_->read(std::span<char>(buffer_).subspan(end_, std::min(room, options_.block_bytes)));
  if (!got.ok()) {
    status_ =
        absl::Status(got.status().code(), fmt::format("{}: after line {}: {}", name_, line_number_,
                                                      std::string(got.status().message())));
    return false;
  }
  end_ += *got;
  return *got > 0;
}

}  // namespace spur
