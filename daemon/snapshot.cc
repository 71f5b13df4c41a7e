#include "daemon/snapshot.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "daemon/owned_shard.h"
#include "state/codec/keys.h"
#include "state/digest.h"
#include "state/rocks_store.h"

namespace spur {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kCopyBytes = 4u << 20;
constexpr std::string_view kManifest = ".manifest";
constexpr std::string_view kFresh = ".new";  // a manifest that is being written

// One that a manifest names; whether it is whole shows when it is opened.
struct Named {
  std::uint64_t epoch = 0, seq = 0;
  fs::path folder;
  auto order() const { return std::pair(epoch, seq); }
};

std::optional<std::uint64_t> number(const std::string& text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

fs::path manifest_of(const fs::path& folder) {
  return folder.parent_path() / (folder.filename().string() + std::string(kManifest));
}

absl::Status io_error(const std::error_code& error, const fs::path& path) {
  return absl::UnavailableError(
      absl::StrCat("snapshots in ", path.string(), ": ", error.message()));
}

// What is in a folder, in no order; nothing if it is not there.
absl::StatusOr<std::vector<fs::path>> entries(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code error;
  fs::directory_iterator it(folder, error);
  for (; !error && it != fs::directory_iterator(); it.increment(error)) found.push_back(it->path());
  if (error && error != std::errc::no_such_file_or_directory) return io_error(error, folder);
  return found;
}

// All folders of a shard's epochs.
absl::StatusOr<std::vector<std::pair<std::uint64_t, fs::path>>> epochs(const fs::path& shard) {
  const auto found = entries(shard);
  if (!found.ok()) return found.status();
  std::vector<std::pair<std::uint64_t, fs::path>> epochs;
  for (const fs::path& path : *found) {
    if (const auto epoch = number(path.filename().string())) epochs.emplace_back(*epoch, path);
  }
  return epochs;
}

// The newest first.
absl::StatusOr<std::vector<Named>> list(const fs::path& shard) {
  const auto folders = epochs(shard);
  if (!folders.ok()) return folders.status();
  std::vector<Named> all;
  for (const auto& [epoch, folder] : *folders) {
    const auto found = entries(folder);
    if (!found.ok()) return found.status();
    for (const fs::path& file : *found) {
      if (file.extension() != kManifest) continue;
      const auto seq = number(file.stem().string());
      if (seq) all.push_back({epoch, *seq, folder / file.stem()});
    }
  }
  std::sort(all.begin(), all.end(),
            [](const Named& a, const Named& b) { return a.order() > b.order(); });
  return all;
}

// Copies without a manifest were not finished, or not wholly deleted, by a process that died: they
// count for nobody. Of `epoch`, which is ours, and of earlier ones, whose owners are gone or do not
// count any more.
absl::Status remove_abandoned(const fs::path& shard, std::uint64_t epoch) {
  const auto folders = epochs(shard);
  if (!folders.ok()) return folders.status();
  std::error_code error;
  for (const auto& [of, folder] : *folders) {
    if (of > epoch) continue;
    const auto found = entries(folder);
    if (!found.ok()) return found.status();
    for (const fs::path& path : *found) {
      const bool copy = number(path.filename().string()).has_value();
      if (path.extension() == kManifest || (copy && fs::exists(manifest_of(path), error))) continue;
      if (!copy && path.extension() != kFresh) continue;
      fs::remove_all(path, error);
      if (error) return io_error(error, path);
    }
    if (of < epoch && found->empty()) fs::remove(folder, error);
  }
  return absl::OkStatus();
}

// Opened and checked against its manifest; nullptr if it is not whole.
std::unique_ptr<RocksStore> open_whole(const Named& named, const RocksShared& shared) {
  std::ifstream in(manifest_of(named.folder));
  RowsSum expected;
  if (!(in >> expected.rows >> expected.sum)) return nullptr;
  auto store = RocksStore::open_to_read(named.folder.string(), shared);
  if (!store.ok()) return nullptr;
  const auto found = sum_rows(**store);
  if (!found.ok() || *found != expected) return nullptr;
  return *std::move(store);
}

}  // namespace

absl::StatusOr<RowsSum> sum_rows(const Store& store) {
  RowsSum sum;
  const absl::Status scanned = store.scan("", [&](std::string_view key, std::string_view value) {
    Digest row;
    row.add(1, key);
    row.add(2, value);
    ++sum.rows;
    sum.sum += row.value();
    return true;
  });
  if (!scanned.ok()) return scanned;
  return sum;
}

absl::Status clear_rows(Store& store) {
  // First of all: without a position nothing of what is there counts.
  if (absl::Status written = store.write({{}, {position_key()}}); !written.ok()) return written;
  std::vector<std::string> keys;
  const absl::Status scanned = store.scan("", [&](std::string_view key, std::string_view) {
    keys.emplace_back(key);
    return true;
  });
  if (!scanned.ok()) return scanned;
  StoreBatch batch;
  std::size_t bytes = 0;
  for (std::string& key : keys) {
    bytes += key.size();
    batch.deletes.push_back(std::move(key));
    if (bytes < kCopyBytes) continue;
    if (absl::Status written = store.write(std::exchange(batch, {})); !written.ok()) return written;
    bytes = 0;
  }
  return store.write(batch);
}

absl::Status copy_rows(const Store& from, Store& to) {
  if (absl::Status cleared = clear_rows(to); !cleared.ok()) return cleared;
  StoreBatch batch;
  std::size_t bytes = 0;
  absl::Status trouble;
  const auto write = [&] {
    trouble = to.write(std::exchange(batch, {}));
    bytes = 0;
    return trouble.ok();
  };
  std::optional<std::string> position;
  const absl::Status scanned = from.scan("", [&](std::string_view key, std::string_view value) {
    if (key == position_key()) {
      position = std::string(value);
      return true;
    }
    bytes += key.size() + value.size();
    batch.puts.emplace_back(key, value);
    return bytes < kCopyBytes || write();
  });
  if (!trouble.ok()) return trouble;
  if (!scanned.ok()) return scanned;
  if (position) batch.puts.emplace_back(position_key(), *std::move(position));
  if (!write()) return trouble;
  return to.flush();
}

Log::Trim trim_below(const spur::v1::Position& position) {
  Log::Trim below;
  below.journal_below = position.journal_offset() + 1;
  for (const spur::v1::SourcePosition& source : position.sources()) {
    if (source.source() == kInputSource) below.inputs_below = source.next_offset();
    if (source.source() == kMessageSource) below.messages_below = source.next_offset();
  }
  return below;
}

absl::StatusOr<std::optional<Log::Trim>> FolderSnapshots::take(std::uint32_t shard, Store& store) {
  auto* const rocks = dynamic_cast<RocksStore*>(&store);
  if (rocks == nullptr) return absl::UnimplementedError("only a RocksDB can be copied");
  const auto position = read_position(store);
  if (!position.ok()) return position.status();
  if (!position->has_value()) return std::optional<Log::Trim>();
  const fs::path root = fs::path(directory_) / absl::StrCat(shard);
  const std::uint64_t epoch = (*position)->epoch();
  const fs::path folder = root / absl::StrCat(epoch) / absl::StrCat((*position)->seq());
  std::error_code error;
  fs::create_directories(folder.parent_path(), error);
  if (error) return io_error(error, folder);
  fs::remove(manifest_of(folder), error);
  if (error) return io_error(error, folder);
  if (absl::Status removed = remove_abandoned(root, epoch); !removed.ok()) return removed;
  if (absl::Status copied = rocks->checkpoint(folder.string()); !copied.ok()) return copied;

  // It counts once it was opened and read to its end.
  auto copy = RocksStore::open_to_read(folder.string(), shared_);
  if (!copy.ok()) return copy.status();
  const auto sum = sum_rows(**copy);
  if (!sum.ok()) return sum.status();
  const fs::path manifest = manifest_of(folder), fresh = manifest.string() + std::string(kFresh);
  {
    std::ofstream out(fresh, std::ios::trunc);
    out << sum->rows << ' ' << sum->sum << '\n';
    if (!out.flush()) return absl::UnavailableError("a snapshot's manifest cannot be written");
  }
  fs::rename(fresh, manifest, error);
  if (error) return io_error(error, manifest);

  std::optional<Log::Trim> below;
  std::size_t whole = 0;
  const auto all = list(root);
  if (!all.ok()) return all.status();
  for (const Named& named : *all) {
    if (whole == kKept) {
      if (named.epoch > epoch) continue;
      fs::remove(manifest_of(named.folder), error);
      if (!error) fs::remove_all(named.folder, error);
      if (error) return io_error(error, named.folder);
      continue;
    }
    const auto kept = open_whole(named, shared_);
    if (kept == nullptr) continue;
    const auto where = read_position(*kept);
    if (where.ok() && where->has_value() && ++whole == kKept) below = trim_below(**where);
  }
  return below;
}

absl::StatusOr<bool> FolderSnapshots::restore(std::uint32_t shard, Store& store) {
  return restore(shard, store, ~0ULL);
}

absl::StatusOr<std::vector<spur::v1::Position>> FolderSnapshots::positions(
    std::uint32_t shard) const {
  const auto named = list(fs::path(directory_) / absl::StrCat(shard));
  if (!named.ok()) return named.status();
  std::vector<spur::v1::Position> all;
  for (const Named& one : *named) {
    const auto whole = open_whole(one, shared_);
    if (whole == nullptr) continue;
    auto position = read_position(*whole);
    if (position.ok() && position->has_value()) all.push_back(**std::move(position));
  }
  return all;
}

absl::StatusOr<bool> FolderSnapshots::restore(std::uint32_t shard, Store& store,
                                              std::uint64_t seq_max) {
  const auto all = list(fs::path(directory_) / absl::StrCat(shard));
  if (!all.ok()) return all.status();
  for (const Named& named : *all) {
    if (named.seq > seq_max) continue;
    const auto whole = open_whole(named, shared_);
    if (whole == nullptr) continue;
    if (absl::Status copied = copy_rows(*whole, store); !copied.ok()) return copied;
    return true;
  }
  return false;
}

}  // namespace spur
