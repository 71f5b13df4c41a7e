// What it costs to read a line of a file of events, by how it is packed: 64 MiB of lines as long as
// the shop's calls.
#include <benchmark/benchmark.h>
#include <fmt/core.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "daemon/inputs/event_file.h"

namespace spur {
namespace {

std::string lines() {
  std::string text;
  for (unsigned i = 0; text.size() < 64 << 20; ++i) {
    const std::size_t begin = text.size();
    text += fmt::format(R"({{"messageId":"{:08x}","userId":"user-{:08}")", i * 2654435761u,
                        i % 100'000);
    for (int field = 0; text.size() - begin < 430; ++field) {
      text += fmt::format(R"(,"field_{}":"{:x}")", field, i * 40503u * (field + 1) >> 8);
    }
    text += "}\n";
  }
  return text;
}

void read_all(benchmark::State& state, const std::string& packed) {
  const std::string path =
      std::filesystem::temp_directory_path() / fmt::format("spur_bench_{}", getpid());
  std::ofstream(path, std::ios::binary) << packed;
  std::int64_t count = 0, bytes = 0;
  for (auto _ : state) {
    absl::StatusOr<EventFile> file = EventFile::open(path);
    while (const auto line = file->next()) {
      ++count;
      bytes += static_cast<std::int64_t>(line->bytes.size());
    }
  }
  state.SetItemsProcessed(count);
  state.SetBytesProcessed(bytes);
  std::filesystem::remove(path);
}

void BM_EventFilePlain(benchmark::State& state) { read_all(state, lines()); }
BENCHMARK(BM_EventFilePlain)->Unit(benchmark::kMillisecond);

void BM_EventFileZstd(benchmark::State& state) {
  const std::string text = lines();
  std::string packed(ZSTD_compressBound(text.size()), '\0');
  packed.resize(ZSTD_compress(packed.data(), packed.size(), text.data(), text.size(), 3));
  read_all(state, packed);
}
BENCHMARK(BM_EventFileZstd)->Unit(benchmark::kMillisecond);

void BM_EventFileGzip(benchmark::State& state) {
  const std::string text = lines();
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  std::string packed(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  read_all(state, packed);
}
BENCHMARK(BM_EventFileGzip)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace spur
