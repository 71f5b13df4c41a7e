#include "daemon/inputs/event_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace spur {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string gzip(const std::string& plain) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string packed(deflateBound(&stream, plain.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

std::string zstd(const std::string& plain) {
  std::string packed(ZSTD_compressBound(plain.size()), '\0');
  packed.resize(ZSTD_compress(packed.data(), packed.size(), plain.data(), plain.size(), 3));
  return packed;
}

std::string as_is(const std::string& plain) { return plain; }

class EventFileTest : public testing::Test {
 protected:
  ~EventFileTest() override { std::filesystem::remove(path_); }

  void write(const std::string& bytes) { std::ofstream(path_, std::ios::binary) << bytes; }

  // The file's lines as "number:text", with "…" behind one that is too long; `status_` is how it
  // ended.
  std::vector<std::string> lines(const EventFile::Options& options) {
    return lines_of(path_, options);
  }
  std::vector<std::string> lines_of(const std::string& path, const EventFile::Options& options) {
    std::vector<std::string> lines;
    absl::StatusOr<EventFile> file = EventFile::open(path, options);
    status_ = file.status();
    if (!file.ok()) return lines;
    while (const auto line = file->next()) {
      lines.push_back(std::to_string(line->number) + ":" + std::string(line->bytes) +
                      (line->too_long ? "…" : ""));
      padding_ +=
          line->bytes
              .data()[line->bytes.size() + EventFile::kPaddingBytes - 1];  // a sanitizer looks on
    }
    status_ = file->status();
    EXPECT_FALSE(file->next().has_value()) << "the end stays the end";
    consumed_ = file->consumed_bytes();
    total_ = file->total_bytes();
    return lines;
  }
  std::string message() const { return std::string(status_.message()); }

  std::string path_ = testing::TempDir() + "spur_event_file_" + std::to_string(::getpid());
  absl::Status status_;
  std::uint64_t consumed_ = 0;
  std::uint64_t total_ = 0;
  int padding_ = 0;
};

const EventFile::Options kSizes[] = {
    {1 << 20, 1 << 20}, {1, 16}, {2, 16}, {3, 16}, {7, 16}, {64, 16}};

TEST_F(EventFileTest, LinesAreTheSameHoweverPackedAndWithHoweverSmallBlocks) {
  for (auto* pack : {as_is, gzip, zstd}) {
    for (const EventFile::Options& options : kSizes) {
      write(pack("{\"a\":1}\n\n  \t\r\n{\"b\":\"\xc3\xa9\"}\r\nlast"));
      EXPECT_THAT(lines(options), ElementsAre("1:{\"a\":1}", "4:{\"b\":\"\xc3\xa9\"}", "5:last"));
      EXPECT_TRUE(status_.ok()) << status_;
      EXPECT_EQ(consumed_, total_);
      EXPECT_EQ(total_, std::filesystem::file_size(path_));
    }
  }
}

TEST_F(EventFileTest, AnEmptyFileHasNoLines) {
  for (auto* pack : {as_is, gzip, zstd}) {
    for (const char* text : {"", "\n", "\r\n\n", "\xef\xbb\xbf", "\xef\xbb\xbf\n"}) {
      write(pack(text));
      EXPECT_THAT(lines({}), IsEmpty());
      EXPECT_TRUE(status_.ok()) << status_;
    }
  }
}

TEST_F(EventFileTest, AByteOrderMarkIsPassedOver) {
  write("\xef\xbb\xbf{}\n\xef\xbb\xbf{}\n");
  EXPECT_THAT(lines({}), ElementsAre("1:{}", "2:\xef\xbb\xbf{}"));
}

TEST_F(EventFileTest, ALineThatIsTooLongIsToldAndPassedOver) {
  for (auto* pack : {as_is, gzip, zstd}) {
    for (std::size_t block : {1, 5, 1000}) {
      write(pack("short\n12345678\n123456789\n" + std::string(5000, 'x') + "\nafter\n" +
                 std::string(100, 'y')));
      EXPECT_THAT(lines({.block_bytes = block, .line_bytes_max = 8}),
                  ElementsAre("1:short", "2:12345678", "3:12345678…", "4:xxxxxxxx…", "5:after",
                              "6:yyyyyyyy…"));
      EXPECT_TRUE(status_.ok()) << status_;
    }
  }
}

TEST_F(EventFileTest, SeveralArchivesBehindEachOtherAreOne) {
  write(gzip("a\nb") + gzip("") + gzip("c\n") + gzip("d") + std::string(512, '\0'));
  EXPECT_THAT(lines({}), ElementsAre("1:a", "2:bc", "3:d"));
  EXPECT_TRUE(status_.ok()) << status_;
  const std::string skippable = std::string("\x50\x2a\x4d\x18\x03\0\0\0abc", 11);
  write(skippable + zstd("a\nb") + zstd("c\n") + skippable + zstd("d"));
  EXPECT_THAT(lines({}), ElementsAre("1:a", "2:bc", "3:d"));
  EXPECT_TRUE(status_.ok()) << status_;
}

TEST_F(EventFileTest, ATruncatedArchiveGivesItsWholeLinesAndThenSaysWhere) {
  std::string text;
  for (int i = 1; i <= 2000; ++i) text += std::to_string(i * 7919 % 100'003) + "\n";
  for (auto* pack : {gzip, zstd}) {
    const std::string packed = pack(text);
    write(packed.substr(0, packed.size() - 1));
    const std::size_t count = lines({.block_bytes = 100, .line_bytes_max = 100}).size();
    EXPECT_LE(count, 2000u);
    EXPECT_EQ(status_.code(), absl::StatusCode::kDataLoss);
    EXPECT_THAT(message(), HasSubstr(path_ + ": after line " + std::to_string(count)));
    EXPECT_THAT(message(), HasSubstr("cut off"));
    for (std::size_t size = 4; size < packed.size(); size += 211) {
      write(packed.substr(0, size));
      lines({});
      EXPECT_EQ(status_.code(), absl::StatusCode::kDataLoss) << size;
    }
  }
}

TEST_F(EventFileTest, ADamagedArchiveIsAnError) {
  std::string text;
  for (int i = 1; i <= 2000; ++i) text += std::to_string(i * 7919 % 100'003) + "\n";
  std::string packed = gzip(text);
  for (std::size_t i = packed.size() / 2; i < packed.size() / 2 + 64; ++i) packed[i] = 'x';
  write(packed);
  lines({});
  EXPECT_EQ(status_.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(message(), HasSubstr("damaged"));
  write(gzip("a\n") + "rubbish");
  EXPECT_THAT(lines({}), ElementsAre("1:a"));
  EXPECT_EQ(status_.code(), absl::StatusCode::kDataLoss);
  write(zstd("a\n") + "rubbish");
  EXPECT_THAT(lines({}), ElementsAre("1:a"));
  EXPECT_EQ(status_.code(), absl::StatusCode::kDataLoss);
}

TEST_F(EventFileTest, WhatCannotBeOpenedSaysWhatToGive) {
  lines_of("/nonexistent/events.jsonl", {});
  EXPECT_EQ(status_.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(message(),
              HasSubstr("/nonexistent/events.jsonl: cannot be opened; give a file of JSON lines"));
  lines_of(testing::TempDir(), {});
  EXPECT_EQ(status_.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(message(), HasSubstr("is a folder"));
}

TEST_F(EventFileTest, TheStandardInputIsAFileOfUnknownSize) {
  for (auto* pack : {as_is, gzip, zstd}) {
    const std::string packed = pack("a\nb\n");
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    ASSERT_EQ(::write(ends[1], packed.data(), packed.size()), static_cast<ssize_t>(packed.size()));
    ::close(ends[1]);
    const int saved = ::dup(STDIN_FILENO);
    ::dup2(ends[0], STDIN_FILENO);
    EXPECT_THAT(lines_of("-", {}), ElementsAre("1:a", "2:b"));
    ::dup2(saved, STDIN_FILENO);
    ::close(saved);
    ::close(ends[0]);
    EXPECT_TRUE(status_.ok()) << status_;
    EXPECT_EQ(total_, 0u);
    EXPECT_EQ(consumed_, packed.size());
  }
}

TEST_F(EventFileTest, BigFilesComeThroughWhole) {
  std::string text;
  for (int i = 1; i <= 100'000; ++i) text += "{\"line\":" + std::to_string(i) + "}\n";
  for (auto* pack : {as_is, gzip, zstd}) {
    write(pack(text));
    absl::StatusOr<EventFile> file =
        EventFile::open(path_, {.block_bytes = 4096, .line_bytes_max = 64});
    ASSERT_TRUE(file.ok());
    std::uint64_t count = 0;
    while (const auto line = file->next()) {
      ASSERT_EQ(line->number, ++count);
      ASSERT_EQ(line->bytes, "{\"line\":" + std::to_string(count) + "}");
    }
    EXPECT_EQ(count, 100'000u);
    EXPECT_TRUE(file->status().ok());
  }
}

}  // namespace
}  // namespace spur
