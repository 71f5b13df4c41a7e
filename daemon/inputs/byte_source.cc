#include "daemon/inputs/byte_source.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace spur {
namespace {

absl::Status world_error(int error, const std::string& what) {
  return absl::ErrnoToStatus(error, what);
}

// A file or the standard input, as it is, with the bytes read ahead that the magic was looked for
// in.
class FileBytes final : public ByteSource {
 public:
  FileBytes(int fd, std::uint64_t total_bytes) : fd_(fd), total_bytes_(total_bytes) {}
  ~FileBytes() override {
    if (fd_ != STDIN_FILENO) ::close(fd_);
  }
  FileBytes(const FileBytes&) = delete;
  FileBytes& operator=(const FileBytes&) = delete;

  // The next up to four bytes, which read() will give again; fewer only at the end.
  absl::StatusOr<std::string_view> peek() {
    while (ahead_size_ < sizeof ahead_) {
      absl::StatusOr<std::size_t> got =
          read_on({ahead_ + ahead_size_, sizeof ahead_ - ahead_size_});
      if (!got.ok()) return std::move(got).status();
      if (*got == 0) break;
      ahead_size_ += *got;
    }
    return std::string_view(ahead_, ahead_size_);
  }

  absl::StatusOr<std::size_t> read(std::span<char> to) override {
    if (ahead_at_ == ahead_size_) return read_on(to);
    const std::size_t count = std::min(to.size(), ahead_size_ - ahead_at_);
    std::memcpy(to.data(), ahead_ + ahead_at_, count);
    ahead_at_ += count;
    return count;
  }

  std::uint64_t consumed_bytes() const override { return consumed_bytes_; }
  std::uint64_t total_bytes() const override { return total_bytes_; }

 private:
  absl::StatusOr<std::size_t> read_on(std::span<char> to) {
    for (;;) {
      const ssize_t got = ::read(fd_, to.data(), to.size());
      if (got >= 0) {
        consumed_bytes_ += static_cast<std::uint64_t>(got);
        return static_cast<std::size_t>(got);
      }
      if (errno != EINTR) return world_error(errno, "reading failed");
    }
  }

  int fd_;
  std::uint64_t total_bytes_;
  std::uint64_t consumed_bytes_ = 0;
  char ahead_[4];
  std::size_t ahead_at_ = 0;
  std::size_t ahead_size_ = 0;
};

// What gzip and zstd share: packed bytes in blocks.
class PackedBytes : public ByteSource {
 public:
  std::uint64_t consumed_bytes() const override { return file_->consumed_bytes(); }
  std::uint64_t total_bytes() const override { return file_->total_bytes(); }

 protected:
  PackedBytes(std::unique_ptr<FileBytes> file, std::size_t block_bytes)
      : file_(std::move(file)), block_(block_bytes) {}

  // The next block, empty at the end.
  absl::StatusOr<std::span<char>> next_block() {
    absl::StatusOr<std::size_t> got = file_->read(block_);
    if (!got.ok()) return std::move(got).status();
    return std::span<char>(block_).first(*got);
  }

  static absl::Status truncated(std::string_view kind) {
    return absl::DataLossError(
        fmt::format("the {} data stops in the middle; the file was cut off, copy it again", kind));
  }

 private:
  std::unique_ptr<FileBytes> file_;
  std::vector<char> block_;
};

class GzipBytes final : public PackedBytes {
 public:
  GzipBytes(std::unique_ptr<FileBytes> file, std::size_t block_bytes)
      : PackedBytes(std::move(file), block_bytes) {
    inflateInit2(
        &stream_,
        16 + MAX_WBITS);  // 16: a gzip header. Fails only without memory, which inflate() then says
  }
  ~GzipBytes() override { inflateEnd(&stream_); }

  absl::StatusOr<std::size_t> read(std::span<char> to) override {
    stream_.next_out = reinterpret_cast<Bytef*>(to.data());
    stream_.avail_out = static_cast<uInt>(std::min<std::size_t>(to.size(), 1u << 30));
    const uInt room = stream_.avail_out;
    while (stream_.avail_out == room) {
      if (stream_.avail_in == 0) {
        absl::StatusOr<std::span<char>> block = next_block();
        if (!block.ok()) return std::move(block).status();
        if (block->empty()) {
          if (!between_members_) return truncated("gzip");
          return 0;
        }
        stream_.next_in = reinterpret_cast<Bytef*>(block->data());
        stream_.avail_in = static_cast<uInt>(block->size());
      }
      if (between_members_ && !begin_member()) continue;
      const int result = inflate(&stream_, Z_NO_FLUSH);
      if (result == Z_STREAM_END) {
        between_members_ = true;
      } else if (result != Z_OK && result != Z_BUF_ERROR) {
        return absl::DataLossError(fmt::format("the gzip data is damaged ({}); pack the file again",
                                               stream_.msg == nullptr ? "no detail" : stream_.msg));
      }
    }
    return room - stream_.avail_out;
  }

 private:
  // Zeros behind a member are padding (tar, tape); anything else is the next member.
  bool begin_member() {
    while (stream_.avail_in > 0 && *stream_.next_in == 0) {
      ++stream_.next_in;
      --stream_.avail_in;
    }
    if (stream_.avail_in == 0) return false;
    inflateReset(&stream_);
    between_members_ = false;
    return true;
  }

  z_stream stream_{};
  bool between_members_ = false;
};

class ZstdBytes final : public PackedBytes {
 public:
  ZstdBytes(std::unique_ptr<FileBytes> file, std::size_t block_bytes)
      : PackedBytes(std::move(file), block_bytes) {}

  absl::StatusOr<std::size_t> read(std::span<char> to) override {
    ZSTD_outBuffer out{to.data(), to.size(), 0};
    while (out.pos == 0) {
      if (in_.pos == in_.size && !flushing_) {
        absl::StatusOr<std::span<char>> block = next_block();
        if (!block.ok()) return std::move(block).status();
        if (block->empty()) {
          if (!between_frames_) return truncated("zstd");
          return 0;
        }
        in_ = {block->data(), block->size(), 0};
      }
      const std::size_t result = ZSTD_decompressStream(stream_.get(), &out, &in_);
      if (ZSTD_isError(result) != 0) {
        return absl::DataLossError(fmt::format("the zstd data is damaged ({}); pack the file again",
                                               ZSTD_getErrorName(result)));
      }
      between_frames_ = result == 0;
      flushing_ = !between_frames_ && out.pos == out.size;  // more may be waiting inside
    }
    return out.pos;
  }

 private:
  struct Free {
    void operator()(ZSTD_DStream* stream) const { ZSTD_freeDStream(stream); }
  };
  std::unique_ptr<ZSTD_DStream, Free> stream_{ZSTD_createDStream()};
  ZSTD_inBuffer in_{nullptr, 0, 0};
  bool between_frames_ = false;
  bool flushing_ = false;
};

absl::StatusOr<std::unique_ptr<FileBytes>> open_file(const std::string& path) {
  if (path == "-") return std::make_unique<FileBytes>(STDIN_FILENO, 0);
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return world_error(
        errno,
        fmt::format("{}: cannot be opened; give a file of JSON lines, plain, gzip or zstd, or - "
                    "for the standard input",
                    path));
  }
  struct stat info {};
  if (::fstat(fd, &info) != 0) info.st_mode = 0;
  auto file = std::make_unique<FileBytes>(
      fd, S_ISREG(info.st_mode) ? static_cast<std::uint64_t>(info.st_size) : 0);
  if (S_ISDIR(info.st_mode)) {
    return absl::InvalidArgumentError(fmt::format("{}: is a folder; name the files in it", path));
  }
  return file;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ByteSource>> open_byte_source(const std::string& path,
                                                             std::size_t block_bytes) {
  absl::StatusOr<std::unique_ptr<FileBytes>> file = open_file(path);
  if (!file.ok()) return std::move(file).status();
  absl::StatusOr<std::string_view> magic = (*file)->peek();
  if (!magic.ok()) return std::move(magic).status();
  if (magic->starts_with("\x1f\x8b"))
    return std::make_unique<GzipBytes>(*std::move(file), block_bytes);
  const bool skippable =
      magic->size() == 4 && magic->substr(1) == "\x2a\x4d\x18" && ((*magic)[0] & 0xf0) == 0x50;
  if (skippable || *magic == "\x28\xb5\x2f\xfd")
    return std::make_unique<ZstdBytes>(*std::move(file), block_bytes);
  return std::unique_ptr<ByteSource>(*std::move(file));
}

}  // namespace spur
